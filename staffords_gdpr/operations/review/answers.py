"""The answers of a review: from a file, held against the policy's questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from staffords_gdpr.errors import UsageError

_SHAPE = 'Write it as: {answers: {"the question": "the answer"}, actions: [{what: "...", due: 2027-03-31}]}'


@dataclass(frozen=True)
class Change:
    """A change deemed necessary: what, and by when. Becomes a corrective action."""

    what: str
    due: dt.date


@dataclass(frozen=True)
class Reply:
    """A question of the policy and its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Answers:
    """What an answers file says."""

    answers: Mapping[str, str]
    changes: tuple[Change, ...]


def read_answers(path: Path) -> Answers:
    """Read an answers file (YAML). Raises UsageError with all that is wrong in it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", _SHAPE) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not YAML: {error}", _SHAPE) from None
    if not isinstance(document, dict):
        raise UsageError(f"{path}: has neither `answers` nor `actions`", _SHAPE)
    mistakes = [f"{path}: unknown key {key!r}" for key in document if key not in ("answers", "actions")]
    answers = document.get("answers") or {}
    if not isinstance(answers, dict):
        mistakes.append(f"{path}: `answers` is not a list of questions, each with its answer")
        answers = {}
    actions = document.get("actions") or []
    if not isinstance(actions, list):
        mistakes.append(f"{path}: `actions` is not a list")
        actions = []
    changes = []
    for number, action in enumerate(actions, 1):
        what, due = (action.get("what"), action.get("due")) if isinstance(action, dict) else (None, None)
        if not isinstance(what, str) or not what.strip():
            mistakes.append(f"{path}: action {number}: `what` is missing")
        elif isinstance(due, dt.datetime) or not isinstance(due, dt.date):
            mistakes.append(f"{path}: action {number}: `due` is not a day such as 2027-03-31")
        else:
            changes.append(Change(what.strip(), due))
    if mistakes:
        raise UsageError("\n".join(mistakes), _SHAPE)
    return Answers(
        {str(question): "" if answer is None else _words(answer) for question, answer in answers.items()},
        tuple(changes),
    )


def replies(questions: Sequence[str], answers: Mapping[str, str]) -> tuple[Reply, ...]:
    """Every question with its answer, in the policy's order. Capitals and spacing of a question do not
    matter.

    Raises UsageError naming every question without an answer, and every answer to no question.
    """
    given = {_folded(question): answer.strip() for question, answer in answers.items()}
    asked = {_folded(question) for question in questions}
    mistakes = [f"no answer to: {question}" for question in questions if not given.get(_folded(question))]
    mistakes += [
        f"the policy does not ask: {question}" for question in answers if _folded(question) not in asked
    ]
    if mistakes:
        raise UsageError(
            "\n".join(mistakes), "Answer every question that stands under `questions:` in the policy."
        )
    return tuple(Reply(question, given[_folded(question)]) for question in questions)


def _words(answer: object) -> str:
    """YAML reads a bare `yes` as true."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(answer)


def _folded(question: str) -> str:
    return " ".join(question.split()).casefold().rstrip(" ?")

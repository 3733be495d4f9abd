"""`gdpr review`"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_key, read_settings
from staffords_gdpr.errors import FindingsError, UsageError

if TYPE_CHECKING:
    from staffords_gdpr.operations.review.answers import Answers, Change


def review(
    *,
    role: options.Role,
    key: options.KeyFile,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers",
            metavar="FILE",
            help="Read the answers from this YAML file, with `answers:` (question: answer) and `actions:` "
            "(a list of what and due), where nobody can be asked.",
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Go through the policy once a year: what changed, its questions, changes deemed necessary.

    Shows what changed since the last review, asks the policy's questions, opens
    an action for each change, and ends with your signature and the approval of
    the policy, which it asks for last. Nothing is written before that.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.review import prepare
    from staffords_gdpr.operations.review import review as close
    from staffords_gdpr.operations.review.answers import read_answers
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import review as view
    from staffords_gdpr.render.certificate import review_report

    rules = load_policy(settings.policy)
    log = log_of(settings)
    person = read_key(key)
    with opened(settings, write=False) as engine:
        if answers is not None:
            given = read_answers(answers)
        else:
            _need_terminal(rules.review_questions)
            material = prepare(rules, engine, log, now=now())
            output.show_page(view.material_page(material, rules))
            given = _ask(rules.review_questions, rules.today(now()))
            output.show_page(view.approval_page(material, settings.policy))
            _confirm()
        result = close(
            rules,
            engine,
            log,
            answers=given.answers,
            changes=given.changes,
            key=person,
            role=role,
            now=now(),
            write_report=review_report,
        )
    output.show(format, page=lambda: view.page(result, rules), data=lambda: view.data(result))


def _need_terminal(questions: Sequence[str]) -> None:
    if sys.stdin.isatty():
        return
    asked = "".join(f"\n  {question}" for question in questions)
    raise UsageError(
        f"the policy's questions need answers, and there is no terminal to ask on:{asked}",
        "Run this in a terminal, or write the answers into a file and name it with --answers FILE.",
    )


def _ask(questions: Sequence[str], today: dt.date) -> Answers:
    from staffords_gdpr.operations.review.answers import Answers

    answers = {question: typer.prompt(f"\n{question}", err=True) for question in questions}
    changes: list[Change] = []
    while what := typer.prompt(
        "\nA change deemed necessary (empty: none)", default="", show_default=False, err=True
    ):
        changes.append(_ask_date(what, today))
    return Answers(answers, tuple(changes))


def _confirm() -> None:
    if typer.confirm("\nApprove this policy for this database?", default=False, err=True):
        return
    raise FindingsError(
        "the policy was not approved, and nothing was written",
        "Change what is not right, in the policy or in the settings, and run the review again.",
    )


def _ask_date(what: str, today: dt.date) -> Change:
    from staffords_gdpr.operations.review.answers import Change

    while True:
        text = typer.prompt("By when (such as 2027-03-31)", err=True)
        try:
            due = dt.date.fromisoformat(text.strip())
        except ValueError:
            sys.stderr.write("Write a day as year-month-day.\n")
            continue
        if due >= today:
            return Change(what, due)
        sys.stderr.write("That day has passed.\n")

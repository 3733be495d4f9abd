"""A proposed policy as YAML: every guess with its reason behind a '#', and TODO where a person must decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Page, Table, Text, Tone, count, warn

if TYPE_CHECKING:
    from pathlib import Path

    from staffords_gdpr.operations.propose.guesses import Guess, KeepGuess, Proposal, RecordGuess, StepGuess

_COMMENT_AT = 40
_WIDTH = 120
_PLAIN = re.compile(r"[^\W\d][\w./-]*(?: [\w./-]+)*\Z")
_WORDS_OF_YAML = {"null", "true", "false", "todo"}

_HEAD = """\
# A retention policy, proposed by `gdpr init` on {day} for {database}.
# Made from its tables and from at most {rows} rows of each. It is a guess, not in force, and holds no value of any row.
#
# Comments say why: certain (declared in the database, or name and values agree), likely (one of them says so), unsure.
# Where TODO stands a person must decide, and gdpr does not load this file until no TODO is left:
#   TODO and a guess   take the word TODO away if the guess is right; correct or remove it if not
#   TODO alone         write what is right
# docs/policy.md explains every key. Then: gdpr check, gdpr scan, gdpr approve.

"""

_QUESTIONS = """
questions:
  - Is what this policy names still all the personal data that we hold of customers?
  - Are its periods still long enough, and still short enough?
  - Has a system, or anybody with whom we share data, changed since the last review?
"""


def policy_text(proposal: Proposal) -> str:
    """The proposal as a policy file."""
    page = _Lines()
    page.raw(_HEAD.format(day=proposal.made_on, database=proposal.database, rows=proposal.rows))
    page.add(0, "version: 1")
    page.add(0, "title: Data protection policy, customer data")
    page.add(0, "timezone: TODO", "whose calendar counts, as in Europe/London")
    page.add(0, "schedule: {purge: 1 day, audit: 6 months, review: 12 months}")
    page.add(0, "roles: {audit: [call-centre-manager, director], review: [director]}", "who signs what")
    _database(page, proposal)
    page.add(0, "")
    page.add(0, f"subject: {_said(proposal.subject)}", _why(proposal.subject))
    _dates(page, proposal)
    page.add(0, "")
    page.add(0, "records:")
    for record in proposal.records:
        (_left if record.leave else _record)(page, record)
    page.raw(_QUESTIONS)
    if proposal.unnamed:
        page.add(0, "")
        page.note(
            0, "Not named, since they lead to no subject and no column of theirs seems to tell of people:"
        )
        page.note(0, "  " + ", ".join(proposal.unnamed))
    for table in proposal.unread:
        page.note(0, f"Could not be looked at, or not quickly enough; guessed from names alone: {table}")
    return page.text()


def todos(text: str) -> int:
    """How many decisions are left in a policy file."""
    bare = "\n".join(line.split(" # ")[0] for line in text.splitlines() if not line.lstrip().startswith("#"))
    return len(re.findall(r"\bTODO\b", bare))


def summary(proposal: Proposal, path: Path) -> Page:
    """What was found, how much is left to decide, and what to do next."""
    left = todos(policy_text(proposal))
    rows = [
        (
            record.name,
            record.owner.value if record.owner else "",
            "left alone?" if record.leave else _kept(record),
            0 if record.leave else len(record.personal),
            _todos_of(record),
        )
        for record in proposal.records
    ]
    return (
        Text(f"Proposed: the policy {path}, from the tables of {proposal.database}.", Tone.GOOD),
        Table(
            ("record type", "goes with", "kept for", "personal columns", "TODO"),
            rows,
            numbers=frozenset({3, 4}),
        ),
        warn(
            f"{count(left, 'decision is', 'decisions are')} left to a person, each marked TODO in the file."
        ),
        Text("gdpr does not load it until none is left. Each guess has its reason beside it."),
    )


def summary_data(proposal: Proposal) -> dict[str, object]:
    """The same for scripts."""
    return {
        "subject": proposal.subject.value,
        "records": [record.name for record in proposal.records if not record.leave],
        "left_alone": [record.name for record in proposal.records if record.leave],
        "not_named": list(proposal.unnamed),
        "todo": todos(policy_text(proposal)),
    }


def _kept(record: RecordGuess) -> str:
    if record.keep is None:
        return "as its owner"
    return f"{record.keep.for_.value}{'?' if record.keep.for_.open else ''}"


def _todos_of(record: RecordGuess) -> int:
    page = _Lines()
    (_left if record.leave else _record)(page, record)
    return todos(page.text())


class _Lines:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def raw(self, text: str) -> None:
        self._lines += text.splitlines()

    def add(self, depth: int, text: str, comment: str = "") -> None:
        """A line, with its comment behind it, or above it where there is no room."""
        line = "  " * depth + text if text else ""
        whole = f"{line:<{_COMMENT_AT}}  # {' '.join(comment.split())}" if comment else line
        if len(whole) > _WIDTH and comment:
            self.note(depth, comment)
            whole = line
        self._lines.append(whole)

    def note(self, depth: int, comment: str) -> None:
        indent = "  " * depth + "# "
        self._lines += wrap(comment, _WIDTH, initial_indent=indent, subsequent_indent=indent)

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


# -- the parts of a policy ---------------------------------------------------------------------------------------


def _database(page: _Lines, proposal: Proposal) -> None:
    if proposal.naive or proposal.empty_dates:
        page.add(0, "database:")
    if proposal.naive:
        page.add(1, "timestamps_in: TODO UTC", "unsure: the zone of the timestamps that store none")
    if proposal.empty_dates:
        listed = ", ".join(json.dumps(day) for day in proposal.empty_dates)
        page.add(
            1, f"empty_dates: [{listed}]", "likely: found in date columns; they mean that there is no date"
        )


def _dates(page: _Lines, proposal: Proposal) -> None:
    if not proposal.latest and not proposal.warranties:
        return
    page.add(0, "dates:")
    if proposal.latest:
        listed = ", ".join(map(_name, proposal.latest))
        page.add(
            1,
            f"last_contact: {{latest_of: [{listed}]}}",
            "likely: when calls and repairs began and were done",
        )
    if proposal.warranties:
        listed = ", ".join(map(_name, proposal.warranties))
        page.add(
            1, f"warranty_end: {{latest_of: [{listed}], future: true}}", "likely: by the names of the columns"
        )


def _left(page: _Lines, record: RecordGuess) -> None:
    page.add(0, "")
    page.add(1, f"{_name(record.name)}:")
    page.note(2, record.note)
    if record.personal:
        page.note(2, "seems personal: " + ", ".join(guess.value for guess in record.personal))
    page.add(2, f"table: {_name(record.table)}")
    if record.leave:
        page.add(2, f"leave: {_words(record.leave)}", _why(record.leave))


def _record(page: _Lines, record: RecordGuess) -> None:
    page.add(0, "")
    page.add(1, f"{_name(record.name)}:")
    if record.note:
        page.note(2, record.note)
    page.add(2, f"table: {_name(record.table)}")
    if record.key:
        page.add(2, f"key: [{', '.join(map(_said, record.key))}]", _why(record.key[0]))
    if record.dates:
        page.add(2, "dates:")
    for date in record.dates:
        column = f"column: {_name(date.column)}" if date.name != date.column else ""
        stored = f"stored_as: {date.stored_as}" if date.stored_as else ""
        plus = f"plus: {{{date.plus[0]}: {_name(date.plus[1])}}}" if date.plus else ""
        page.add(
            3, f"{date.name}: {{{', '.join(filter(None, (column, stored, plus)))}}}", f"likely: {date.reason}"
        )
    _ways(page, record)
    _listed(page, "personal", record.personal)
    _listed(page, "not_personal", record.not_personal)
    if record.keep:
        _keep(page, "keep", record.keep)
    if record.orphans:
        page.note(2, "rows whose owner is gone, or was never known (R8)")
        _keep(page, "orphans", record.orphans)
    if record.steps:
        page.add(2, "sooner:")
    for step in record.steps:
        _step(page, step)
    if record.triggers:
        page.add(
            2,
            "triggers:",
            "those that run when rows go or change may keep a copy: say why it may stay. Remove the others",
        )
    for trigger in record.triggers:
        page.add(3, f"{_name(trigger)}: TODO")


def _ways(page: _Lines, record: RecordGuess) -> None:
    if record.owner:
        page.add(2, f"belongs_to: {_said(record.owner)}", _why(record.owner))
    if record.way.through:
        on = _mapping(record.way.through_on)
        page.add(2, f"through: {{table: {_name(record.way.through)}, on: {on}}}")
    if record.way.on:
        ways = [_mapping(way) for way in record.way.on]
        page.add(2, f"on: {ways[0] if len(ways) == 1 else '[' + ', '.join(ways) + ']'}")
    if record.refers_to:
        if any(record.refers_to.values()):
            parts = (
                f"{_name(name)}: {_mapping(on) if on else 'null'}" for name, on in record.refers_to.items()
            )
            listed = "{" + ", ".join(parts) + "}"
        else:
            listed = "[" + ", ".join(map(_name, record.refers_to)) + "]"
        page.add(2, f"refers_to: {listed}", "what it refers to stays while it stays (R5)")


def _listed(page: _Lines, key: str, guesses: Iterable[Guess]) -> None:
    guesses = tuple(guesses)
    if not guesses:
        return
    page.add(2, f"{key}:")
    for guess in guesses:
        page.add(
            3, f"- {_said(guess)}", _why(guess) + ("; if not, move it to not_personal" if guess.open else "")
        )


def _keep(page: _Lines, key: str, keep: KeepGuess) -> None:
    page.add(2, f"{key}:")
    page.add(3, f"for: {_words(keep.for_)}", _why(keep.for_))
    page.add(3, f"after: {_said(keep.after)}", _why(keep.after))
    for guess in keep.or_until:
        page.add(3, f"or_until: {_said(guess)}", _why(guess))
    if keep.while_empty or (keep.status and keep.status.open):
        page.add(3, "while:", "open work stays, however old (R3)")
    if keep.while_empty:
        name = _name(keep.while_empty.value)
        page.add(4, f"{name}: {'TODO null' if keep.while_empty.open else 'null'}", _why(keep.while_empty))
    if keep.status and keep.status.open:
        page.add(4, f"{_name(keep.status.value)}: TODO", _why(keep.status) + " As in [open, waiting]")
    elif keep.status:
        page.note(4, f"{keep.status.value} {keep.status.reason}")


def _step(page: _Lines, step: StepGuess) -> None:
    page.add(3, f"{step.name}:", step.reason)
    if step.with_:
        page.add(4, f"with: {_name(step.with_)}")
    if step.for_ and step.after:
        page.add(4, f"for: {_words(step.for_)}", _why(step.for_))
        page.add(4, f"after: {_said(step.after)}", _why(step.after))
    if all(step.anonymise.values()):
        page.add(4, "anonymise: {" + ", ".join(f"{_name(column)}: null" for column in step.anonymise) + "}")
    else:
        said = "a replacement is generated where null is not allowed"
        page.add(4, "anonymise: [" + ", ".join(map(_name, step.anonymise)) + "]", said)


# -- words -------------------------------------------------------------------------------------------------------


def _said(guess: Guess) -> str:
    """A guessed name as it stands in the file: marked TODO where a person must decide."""
    text = _name(guess.value) if guess.value else ""
    if not guess.open:
        return text
    return "TODO" if text.startswith('"') else f"TODO {text}".rstrip()


def _words(guess: Guess) -> str:
    """The same for a period or a sentence, which are words of ours."""
    return f"TODO {guess.value}".rstrip() if guess.open else guess.value


def _why(guess: Guess) -> str:
    lost = guess.open and guess.value and _name(guess.value).startswith('"')
    return f"{guess.sure}: {f'{guess.value}: ' if lost else ''}{guess.reason}"


def _name(text: str) -> str:
    """A name, in quotes where YAML would read it as something else."""
    if _PLAIN.match(text) and text.casefold().partition(" ")[0] not in _WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)


def _mapping(pairs: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_name(own)}: {_name(other)}" for own, other in pairs.items()) + "}"

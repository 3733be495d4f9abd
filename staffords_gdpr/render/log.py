"""The pages of `gdpr log`, and of commands that only append an entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Page, Table, Text, Tone

if TYPE_CHECKING:
    from staffords_gdpr.auditlog import Entry
    from staffords_gdpr.auditlog.verify import Verification

LONGEST = 28  # in a table; json has everything in full. An identifier of 26 signs is not cut
SHOWN = 12  # of a hash or a key that is cut


def sentence(text: str) -> Page:
    """A page of one good sentence."""
    return (Text(text, Tone.GOOD),)


def page(entries: Sequence[Entry]) -> Page:
    """The entries, one a row."""
    if not entries:
        return (Text("The log has no such entries."),)
    rows = [(str(e.seq), f"{e.time:%Y-%m-%d %H:%M:%S}", e.type, _summary(e.fields)) for e in entries]
    return (Table(("Entry", "Time (UTC)", "Type", "What"), rows, numbers=frozenset({0})),)


def _summary(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in fields.items() if value not in ({}, None))


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {_short(part)}" for name, part in value.items()) + ")"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:SHOWN]}…"


def entry_data(entry: Entry) -> dict[str, object]:
    """An entry as JSON."""
    return {"seq": entry.seq, "time": moment(entry.time), "type": entry.type, **entry.fields}


def data(entries: Sequence[Entry]) -> dict[str, object]:
    """`gdpr log show --format json`"""
    return {"entries": [entry_data(entry) for entry in entries]}


def verification(result: Verification) -> Page:
    """The one sentence with which a verification ends."""
    return (
        *(Text(note, Tone.WARN) for note in result.notes),
        Text(result.sentence, Tone.GOOD if result.ok else Tone.BAD),
    )


def verification_data(result: Verification) -> dict[str, object]:
    """`gdpr log verify --format json`"""
    return {
        "ok": result.ok,
        "entries": result.entries,
        "line": result.line,
        "problem": result.problem,
        "checkpoint_time": None if result.checkpoint_time is None else moment(result.checkpoint_time),
        "notes": list(result.notes),
        "sentence": result.sentence,
    }

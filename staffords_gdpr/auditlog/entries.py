"""Entries and their closed schemas: what each type may say, field by field.

docs/audit-log.md holds a table made from `TYPES`; a test compares the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from staffords_gdpr.auditlog.canonical import parse_moment
from staffords_gdpr.auditlog.kinds import (
    BATCH,
    BATCHES,
    CODE,
    COUNT,
    DATE,
    FINDINGS,
    HASH,
    IDENTIFIER,
    IDENTITY,
    KEY,
    MOMENT,
    PERIOD,
    PERSON,
    ROLE,
    ROWS,
    SEEN,
    TOOL,
    Kind,
    flag,
    is_count,
    is_moment,
    one_of,
)

VERSION = 1
_ENVELOPE = frozenset({"v", "log", "seq", "time", "prev", "type"})


@dataclass(frozen=True)
class Entry:
    """One line of the log, without its signatures and its place in the chain. `seq` counts lines from 0."""

    seq: int
    time: dt.datetime
    type: str
    fields: Mapping[str, object]


@dataclass(frozen=True)
class Type:
    """A type of entry. `signed_by` says whose signature the line carries besides the log's."""

    meaning: str
    fields: Mapping[str, Kind]
    signed_by: str = ""
    later: bool = field(
        default=False
    )  # known, so that nothing else takes its name; not yet written or accepted


RESULTS = ("complete", "unclear", "put-off", "max-runtime", "until", "signal", "stopped")
"""How a purge can end: with all work done; with that of an earlier batch unclear; with batches put off that others kept
from going through; between two batches, as it was told to; by an error."""

_OUTCOME = {"run": IDENTIFIER, "batch": BATCH, "root": HASH, "rows": ROWS}

TYPES: Mapping[str, Type] = {
    "log.open": Type("The first line of a log, and only that.", {"key": KEY, "tool": TOOL}),
    "person.add": Type(
        "A person's key is enrolled for a role.",
        {"role": ROLE, "person": PERSON, "key": KEY},
        "the key itself where it is the first of its role, otherwise a director",
    ),
    "person.remove": Type(
        "A person's key signs no more.", {"person": PERSON, "by": PERSON}, "`by`, a director"
    ),
    "policy.approve": Type(
        "A policy file is approved for a database.",
        {"policy": HASH, "database": IDENTITY, "fingerprint": HASH, "role": ROLE, "person": PERSON},
        "`person`",
    ),
    "purge.start": Type(
        "A purge begins.",
        {"run": IDENTIFIER, "as_of": MOMENT, "policy": HASH, "dry": flag(False), "confirm": COUNT},
    ),
    "purge.refused": Type("A brake refused.", {"run": IDENTIFIER, "brake": CODE, "seen": SEEN}),
    "purge.intent": Type(
        "These rows are about to be erased in one transaction.", {**_OUTCOME, "subjects": COUNT}
    ),
    "purge.done": Type("The transaction of the intent was committed.", _OUTCOME),
    "purge.aborted": Type("The transaction of the intent was rolled back.", {**_OUTCOME, "code": CODE}),
    "purge.recovered": Type(
        "After a crash: what the database says became of the intent.",
        {**_OUTCOME, "outcome": one_of("committed", "not-committed", "unclear")},
    ),
    "purge.settled": Type(
        "A person closes a batch whose outcome is unclear: what is gone is gone, of the rest the rules decide anew.",
        {
            "batch": BATCH,
            "root": HASH,
            "rows": ROWS,
            "gone": ROWS,
            "gone_root": HASH,
            "left": ROWS,
            "role": ROLE,
            "person": PERSON,
        },
        "`person`",
    ),
    "batch.forget": Type(
        "The keys of these batches were destroyed: no backup is as old as they are.",
        {"run": IDENTIFIER, "before": DATE, "batches": BATCHES},
    ),
    "purge.end": Type(
        "A purge is over; also where nothing was due.",
        {
            "run": IDENTIFIER,
            "rows": ROWS,
            "subjects": COUNT,
            "undecidable": ROWS,
            "held": COUNT,
            "result": one_of(*RESULTS),
            "confirm": COUNT,
        },
    ),
    "purge.rehearsed": Type(
        "A rehearsal: what a purge would have erased. Nothing was.",
        {
            "run": IDENTIFIER,
            "as_of": MOMENT,
            "policy": HASH,
            "would_erase": ROWS,
            "subjects": COUNT,
            "undecidable": ROWS,
            "held": COUNT,
            "confirm": COUNT,
        },
    ),
    "reclaim": Type(
        "The files of the database were rid of the traces of erased rows, as far as this goes on its engine.",
        {
            "run": IDENTIFIER,
            "level": one_of("vacuum", "full"),
            "tables": COUNT,
            "failed": COUNT,
            "result": one_of("complete", "incomplete"),
        },
    ),
    "audit": Type(
        "An audit and what it found.",
        {
            "run": IDENTIFIER,
            "period": PERIOD,
            "verdict": one_of("pass", "fail"),
            "findings": FINDINGS,
            "report": HASH,
            "statement": HASH,
        },
    ),
    "review": Type(
        "A review of the policy.",
        {
            "run": IDENTIFIER,
            "period": PERIOD,
            "report": HASH,
            "statement": HASH,
            "answers": HASH,
            "changes": COUNT,
        },
        "one or more enrolled people",
    ),
    "signoff": Type(
        "A person signed the statement of an audit or review.",
        {"of": COUNT, "statement": HASH, "role": ROLE, "person": PERSON, "sig": HASH},
    ),
    "action.open": Type(
        "A corrective action was deemed necessary.",
        {"action": IDENTIFIER, "of": COUNT, "code": CODE, "due": DATE},
    ),
    "action.close": Type(
        "A corrective action was taken.", {"action": IDENTIFIER, "role": ROLE, "person": PERSON}
    ),
    "hold.add": Type("A legal hold on a subject.", {"hold": IDENTIFIER, "subject": HASH, "look_again": DATE}),
    "hold.release": Type("A legal hold was released.", {"hold": IDENTIFIER}),
    "key.rotate": Type("The log's key changes.", {"key": KEY}, "the new key", later=True),
    "key.revoke": Type("A key of the log is not to be trusted.", {"key": KEY, "since": COUNT}, later=True),
    "log.torn": Type(
        "The bytes before this line were torn by a fault and are no entry.", {"hash": HASH, "length": COUNT}
    ),
}

INTENT = "purge.intent"
OUTCOMES = frozenset({"purge.done", "purge.aborted", "purge.recovered"})
SIGNED = frozenset(name for name, known in TYPES.items() if known.signed_by)
STATEMENTS = frozenset({"audit", "review"})
SETTLED = "purge.settled"
FORGOTTEN = "batch.forget"
RECLAIMED = "reclaim"
NOT_COUNTED = frozenset({"purge.refused", "reclaim", "log.torn"})
"""Types that do not tell when the log was last used in earnest."""

_ROWS_NOTE = {  # what the fields mean where their kind does not say it
    ("purge.intent", "root"): "RFC 6962 root of the batch's leaves",
    ("purge.settled", "root"): "as in the intent",
    ("purge.settled", "rows"): "as in the intent",
    (
        "purge.settled",
        "gone",
    ): "of them, those that are gone or replaced; empty, as `left`, where nobody can tell",
    (
        "purge.settled",
        "gone_root",
    ): "RFC 6962 root of the leaves of the rows that are gone: only these can be proved",
    ("purge.settled", "left"): "of them, those that are as they were",
    ("batch.forget", "before"): "batches of earlier days, in the policy's zone, are older than every backup",
    ("purge.intent", "subjects"): "a row that belongs to nobody counts as one",
    ("signoff", "of"): "`seq` of the audit or review",
    ("signoff", "sig"): "SHA-256 of the file `<role>.sig`",
    ("hold.add", "subject"): "keyed hash (HMAC-SHA256) of the subject's key",
    ("purge.start", "confirm"): "up to how many subjects a person has allowed, 0 if nobody was asked",
    ("purge.end", "confirm"): "what is left of a confirmed backlog",
    ("purge.rehearsed", "confirm"): "up to how many subjects a person has allowed, for rehearsals only",
    ("reclaim", "tables"): "how many tables of the policy it was about",
    ("reclaim", "failed"): "how many tables or files could not be done",
    ("log.torn", "length"): "bytes, without the LF that closes them",
    ("key.revoke", "since"): "the first `seq` that it must not sign",
    ("audit", "report"): "SHA-256 of the report",
    ("audit", "statement"): "SHA-256 of statement.txt",
    ("review", "report"): "SHA-256 of the report",
    ("review", "statement"): "SHA-256 of statement.txt",
    ("review", "answers"): "SHA-256 of the answers",
    ("policy.approve", "policy"): "SHA-256 of the policy file",
    ("policy.approve", "fingerprint"): "SHA-256 of the database's schema",
    ("purge.start", "policy"): "SHA-256 of the policy file",
}


def problem_with(entry_type: str, fields: Mapping[str, object]) -> str:
    """What is wrong with these fields for this type; empty when they fit its closed schema."""
    known = TYPES.get(entry_type)
    if known is None:
        return f"{entry_type[:60]!r} is no type of entry"
    if known.later:
        return f"entries of type {entry_type} are not known to this version"
    for name in sorted(fields.keys() - known.fields.keys()):
        return f"{entry_type} has no field {name[:60]!r}"
    for name in sorted(known.fields.keys() - fields.keys()):
        return f"{entry_type} lacks the field {name!r}"
    for name, kind in known.fields.items():
        if not kind.fits(fields[name]):
            return f"{entry_type}: {name} is not {kind.words}"
    return ""


def split_entry(body: Mapping[str, object]) -> tuple[Entry, str, str]:
    """The entry, its log's name and its `prev`, from the object `entry` of a line. Raises ValueError."""
    missing = _ENVELOPE - body.keys()
    if missing:
        raise ValueError(f"the entry lacks {', '.join(sorted(missing))}")
    entry_type, log, prev, seq = body["type"], body["log"], body["prev"], body["seq"]
    if body["v"] != VERSION or isinstance(body["v"], bool):
        raise ValueError("an entry of a version that this tool does not know")
    if (
        not isinstance(entry_type, str)
        or not isinstance(log, str)
        or not HASH.fits(prev)
        or not is_count(seq)
    ):
        raise ValueError("type, log, prev or seq is not what it should be")
    if not is_moment(body["time"]):
        raise ValueError("time is not a moment in UTC such as 2026-11-23T02:00:04Z")
    fields = {name: value for name, value in body.items() if name not in _ENVELOPE}
    problem = problem_with(entry_type, fields)
    if problem:
        raise ValueError(problem)
    return Entry(int(str(seq)), parse_moment(str(body["time"])), entry_type, fields), log, str(prev)


def table() -> str:
    """The types field by field, as Markdown, for docs/audit-log.md."""
    lines = []
    for name, known in TYPES.items():
        lines += [f"### `{name}`", "", known.meaning]
        if known.signed_by:
            lines[-1] += f" The line is signed by {known.signed_by}, too."
        if known.later:
            lines[-1] += " Reserved: this version neither writes nor accepts it."
        lines += ["", "| field | holds |", "|---|---|"]
        for field_name, kind in known.fields.items():
            note = _ROWS_NOTE.get((name, field_name), "")
            lines.append(f"| `{field_name}` | {kind.words}{': ' + note if note else ''} |")
        lines.append("")
    return "\n".join(lines)

"""The policy language as data: every key, what may stand under it, and one sentence on what it is for.

The loader, the JSON Schema and the test of docs/policy.md all read this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Text:
    """Words for people."""

    example: str = "a sentence"


@dataclass(frozen=True)
class Name:
    """A name given in the policy itself: letters, digits, '_' and '-'."""

    of: Literal["record type", "date", "step", "role"]


@dataclass(frozen=True)
class Column:
    """A table, or a column of one: any text, since databases allow any."""

    of: Literal["table", "column"] = "column"


@dataclass(frozen=True)
class Reference:
    """A date that a rule counts from: `column`, `record.column`, or one of `dates`."""

    dotted: bool = False


@dataclass(frozen=True)
class PeriodText:
    """`3 years`."""

    example: str = "3 years"


@dataclass(frozen=True)
class Percent:
    """`5 %`."""


@dataclass(frozen=True)
class Zone:
    """`Europe/London`."""


@dataclass(frozen=True)
class Flag:
    """`true` or `false`."""


@dataclass(frozen=True)
class Value:
    """Anything that a column can hold, null included."""


@dataclass(frozen=True)
class Only:
    """This one value and no other."""

    value: int | str


@dataclass(frozen=True)
class ListOf:
    """A list without doubles. With `alone` a single item may stand without its brackets."""

    item: Kind
    alone: bool = False
    empty: bool = False


@dataclass(frozen=True)
class MapOf:
    """Names of the writer's own choosing, each with a value."""

    name: Name | Column
    value: Kind
    empty: bool = False


@dataclass(frozen=True)
class Key:
    """One key: what stands under it, and what it is for."""

    kind: Kind
    says: str
    required: bool = False


@dataclass(frozen=True)
class Fields:
    """A mapping whose keys the language knows."""

    title: str
    keys: Mapping[str, Key]


@dataclass(frozen=True)
class ByShape:
    """What may stand here depends on whether it is a plain value, a list or a mapping."""

    plain: Kind
    listing: ListOf | None = None
    mapping: Kind | None = None
    nothing: bool = False  # an empty value is allowed


Kind = (
    Text
    | Name
    | Column
    | Reference
    | PeriodText
    | Percent
    | Zone
    | Flag
    | Value
    | Only
    | ListOf
    | MapOf
    | Fields
    | ByShape
)

_COLUMNS = ListOf(Column(), empty=True)
_ON = MapOf(Column(), Column())
_REPLACEMENTS = MapOf(Column(), Value())

_FOR = Key(PeriodText(), "How long: a whole number of days, weeks, months or years.", required=True)
_AFTER = Key(Reference(), "The date from which `for` is counted.", required=True)
_OR_UNTIL = Key(
    ListOf(Reference(), alone=True),
    "Dates until which the row is kept at least; the latest of all clauses wins.",
)
_OR_ELSE = Key(Reference(), "The date that stands in where nothing else contributes one.")
_WHILE = Key(
    MapOf(Column(), ByShape(Value(), listing=ListOf(Value()))),
    "Open work: while all of these columns hold one of these values, the row is kept whatever its dates.",
)
_FUTURE = Key(Flag(), "`true` where the date is no event and may lie in the future.")

KEEP = Fields(
    "keep",
    {
        "for": _FOR,
        "after": _AFTER,
        "or_until": _OR_UNTIL,
        "or_else": _OR_ELSE,
        "while": _WHILE,
        "future": _FUTURE,
    },
)
ORPHANS = Fields("orphans", {"for": _FOR, "after": _AFTER, "or_else": _OR_ELSE})

STEP = Fields(
    "step",
    {
        "for": Key(PeriodText(), _FOR.says),
        "after": Key(Reference(), _AFTER.says),
        "or_until": _OR_UNTIL,
        "or_else": _OR_ELSE,
        "with": Key(
            Name("record type"), "The owner with whose erasure this step comes, in place of a period."
        ),
        "anonymise": Key(
            _REPLACEMENTS, "The columns that this step replaces, each with its replacement.", required=True
        ),
    },
)

RECORD = Fields(
    "record type",
    {
        "title": Key(Text("Technical helpline call"), "The name that people use."),
        "table": Key(Column("table"), "The table that holds these rows.", required=True),
        "key": Key(
            ListOf(Column(), alone=True),
            "The columns that name a row, where the table declares no primary key.",
        ),
        "belongs_to": Key(
            Name("record type"), "The owner of these rows: the subject, or a record type on the way to it."
        ),
        "on": Key(_ON, "Own columns and the owner's columns they equal, where no foreign key is declared."),
        "refers_to": Key(
            ByShape(
                Name("record type"),
                listing=ListOf(Name("record type")),
                mapping=MapOf(Name("record type"), ByShape(_ON, mapping=_ON, nothing=True)),
            ),
            "Record types whose rows stay while a row of this one refers to them.",
        ),
        "personal": Key(_COLUMNS, "The columns that hold personal data."),
        "not_personal": Key(
            _COLUMNS, "Columns that look personal and are not; `gdpr check` stops asking for them."
        ),
        "keep": Key(KEEP, "How long a row is kept. Without it a row goes with its owner."),
        "orphans": Key(ORPHANS, "How long a row is kept whose subject is gone; own columns only."),
        "erase": Key(
            ByShape(
                Only("delete"),
                mapping=Fields(
                    "erase",
                    {
                        "anonymise": Key(
                            _REPLACEMENTS,
                            "The columns replaced, in place of deleting the row.",
                            required=True,
                        )
                    },
                ),
            ),
            "What erasing means here: `delete`, or `anonymise` with a replacement for every personal column.",
        ),
        "sooner": Key(MapOf(Name("step"), STEP), "Named steps that come before the row goes."),
        "leave": Key(
            Text("the mailing system deletes these rows"),
            "Why this table is left alone. Nothing else is given then.",
        ),
    },
)

DATE = Fields(
    "date",
    {
        "latest_of": Key(
            ListOf(Reference(dotted=True), alone=True),
            "The columns whose latest day it is, over all rows.",
            required=True,
        ),
        "or_else": Key(
            Reference(dotted=True), "A column of the subject that stands in where there is no other."
        ),
        "future": Key(Flag(), "`true` where the date is no event and may lie in the future."),
    },
)

POLICY = Fields(
    "policy",
    {
        "version": Key(Only(1), "The version of the language: 1.", required=True),
        "title": Key(
            Text("Data protection policy"), "The policy's name, as it stands on certificates.", required=True
        ),
        "timezone": Key(Zone(), "The zone in whose calendar periods are counted.", required=True),
        "schedule": Key(
            Fields(
                "schedule",
                {
                    "purge": Key(PeriodText("1 day"), "How often data that is due is erased.", required=True),
                    "audit": Key(PeriodText("6 months"), "How often the purge is audited.", required=True),
                    "review": Key(
                        PeriodText("12 months"), "How often the policy is reviewed.", required=True
                    ),
                },
            ),
            "How often each duty comes round.",
            required=True,
        ),
        "roles": Key(
            Fields(
                "roles",
                {
                    "audit": Key(ListOf(Name("role")), "The roles that sign an audit off.", required=True),
                    "review": Key(
                        ListOf(Name("role")), "The roles that review and approve the policy.", required=True
                    ),
                },
            ),
            "Who signs what.",
            required=True,
        ),
        "database": Key(
            Fields(
                "database",
                {
                    "timestamps_in": Key(
                        Zone(), "The zone of columns that store none; UTC where nothing is said."
                    ),
                    "empty_dates": Key(
                        ListOf(Text("1970-01-01 00:00:00"), empty=True),
                        "Dates that mean 'no date', in whatever spelling.",
                    ),
                },
            ),
            "How this database stores dates.",
        ),
        "subject": Key(
            Name("record type"), "The record type that is the person whose data it is.", required=True
        ),
        "dates": Key(MapOf(Name("date"), DATE, empty=True), "Dates with one value for each subject."),
        "records": Key(
            MapOf(Name("record type"), RECORD),
            "Every kind of record, each bound to one table.",
            required=True,
        ),
        "questions": Key(
            ListOf(Text("Is the policy still adequate?"), empty=True), "What `gdpr review` asks."
        ),
        "backups_kept": Key(PeriodText("35 days"), "How long backups of the database exist."),
        "erase_at_most": Key(
            Percent(), "The share of all subjects that one purge may erase; 5 % where nothing is said."
        ),
    },
)

"""What may stand under a key of the policy language: the words in which `language` is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """A table, a column of one, or a trigger: any text, since databases allow any."""

    of: Literal["table", "column", "trigger"] = "column"


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
class OneOf:
    """One of these words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Sql:
    """An expression in the database's own words."""


@dataclass(frozen=True)
class Amount:
    """A whole number above 0 of this unit, or the column that holds it."""

    unit: Literal["day", "week", "month", "year"]


@dataclass(frozen=True)
class Test:
    """A condition: columns with what they must hold; with `hatch` also an expression, `{sql: ...}`.

    A kind of its own because conditions stand in conditions, in a look-up.
    """

    hatch: bool = False


@dataclass(frozen=True)
class ListOf:
    """A list without doubles. With `alone` a single item may stand without its brackets.

    `instead` tells what to write in place of an item that is a mapping.
    """

    item: Kind
    alone: bool = False
    empty: bool = False
    instead: str = ""


@dataclass(frozen=True)
class MapOf:
    """Names of the writer's own choosing, each with a value.

    `elsewhere`: keys of the language that people look for here, with what to do about each; they are names as any
    other where a plain word stands under them.
    """

    name: Name | Column
    value: Kind
    empty: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """One key: what stands under it, and what it is for. `unless`: another key that makes it unnecessary."""

    kind: Kind
    says: str
    required: bool = False
    unless: str = ""


@dataclass(frozen=True)
class Fields:
    """A mapping whose keys the language knows. With `one` it has exactly one of them.

    `elsewhere`: keys that people look for here, with what to write instead.
    """

    title: str
    keys: Mapping[str, Key]
    one: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)


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
    | OneOf
    | Sql
    | Amount
    | Test
    | ListOf
    | MapOf
    | Fields
    | ByShape
)

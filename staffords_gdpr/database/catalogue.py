"""The catalogue: the policy's names bound to the real tables of one database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from staffords_gdpr.database.facts import TableFacts
from staffords_gdpr.policy.models import Hop, Plus, Policy, Record

if TYPE_CHECKING:
    import sqlalchemy as sa


class DateKind(StrEnum):
    """How a value stores a date.

    DAY: a calendar day in the policy's zone; a time part is ignored. TIMESTAMP: a moment without a zone, in the zone
    of its `DateSource`; a value without a time part (SQLite text) is a day. ZONED: a moment with its zone. TEXT: like
    TIMESTAMP, in a column that is declared as text. EPOCH_SECONDS, EPOCH_MILLISECONDS: a whole number, or text that
    spells one, counted from 1970-01-01 00:00 UTC; fractions of it are ignored.
    """

    DAY = "day"
    TIMESTAMP = "timestamp"
    ZONED = "zoned"
    TEXT = "text"
    EPOCH_SECONDS = "epoch seconds"
    EPOCH_MILLISECONDS = "epoch milliseconds"


@dataclass(frozen=True)
class DateSource:
    """How one date of a row is read: from `column` of its own table, or of the last table of `through` (the latest day
    of all rows there), in the way of `kind`, with `plus` added. `zone` is that of values that store none.

    With `sql` the column is one of `Bound.expressions`.
    """

    name: str
    column: str
    kind: DateKind
    zone: str
    plus: Plus | None = None
    through: tuple[Hop, ...] = ()

    @property
    def plain(self) -> bool:
        """A column of the row's own table, read as it is."""
        return self.plus is None and not self.through


@dataclass(frozen=True)
class Edge:
    """Rows of `source_table` refer to rows of the record type `target`, over `columns` (source column, target column).

    `source` is the record type of the referring rows; None for a table that the policy does not name or leaves
    alone: its rows always survive. A reference with a NULL in any of its columns refers to nothing.

    Of a table that is divided into record types (`where`) the rows that are of none of them survive as well: there is
    an edge for each record type, and one with source None whose `beyond` names them.

    A link over other tables (`through`), or with several ways to its target (`ends`), leads from *owner columns*: a
    row appears once for every target that it leads to, with the target's columns as `gdpr_owner_0`, `gdpr_owner_1`, ….
    `columns` has these then. Each of `ends` pairs columns of the last table on the way with the target's.
    """

    source_table: str
    source: str | None
    target: str
    columns: tuple[tuple[str, str], ...]
    kind: Literal["belongs_to", "refers_to", "foreign_key"]
    through: tuple[Hop, ...] = ()
    ends: tuple[tuple[tuple[str, str], ...], ...] = ()
    beyond: tuple[str, ...] = ()

    @property
    def direct(self) -> bool:
        """The row's own columns hold the reference."""
        return not self.through and len(self.ends) <= 1

    @property
    def own(self) -> tuple[str, ...]:
        """The columns of the row's own table that hold the reference, or its first part."""
        if self.through:
            return tuple(self.through[0].on.values())
        if len(self.ends) > 1:
            return tuple(dict.fromkeys(own for end in self.ends for own, _ in end))
        return tuple(own for own, _ in self.columns)


@dataclass(frozen=True)
class Bound:
    """One record type bound to its table. Names are the database's own spelling, also within `record`.

    `several`: a row can belong to more than one owner, and so appears once for each (its keys are not unique in what
    is read). `shares`: the other record types over the same table. `expressions`: the database's own expressions that
    the policy gives, each with the name of the column as which it is read.
    """

    record: Record
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    dates: Mapping[
        str, DateSource
    ]  # every date of `record.dates`, and every column that is a date or is used as one
    owner: Edge | None
    refers: tuple[Edge, ...]
    sa_table: sa.Table = field(repr=False, compare=False)
    several: bool = False
    shares: tuple[str, ...] = ()
    expressions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """What the rules need to know of a database. `edges` holds every way in which a row can refer to a row of ours:
    belongs_to, refers_to and declared foreign keys from any table; each (source table, columns, target) once.

    `policy` is the policy as bound: with the database's spelling of every name, and a value for every replacement.
    A subject without a table (`values_of`) is not among `records`; `subject_key` names its key then, too.
    """

    policy: Policy
    records: Mapping[str, Bound]  # policy.ours only
    edges: tuple[Edge, ...]
    fingerprint: str  # sha256 hex over the schema's tables, columns, types and keys
    identity: str  # what the engine tells of which database this is; no password
    schema: Mapping[str, object] = field(
        default_factory=dict, repr=False, compare=False
    )  # what the fingerprint covers
    tables: Mapping[str, TableFacts] = field(
        default_factory=dict, repr=False, compare=False
    )  # every table there

    @property
    def subject(self) -> Bound | None:
        """The subject's record type; None where the subject has no table of its own."""
        return self.records.get(self.policy.subject)

    @property
    def subject_key(self) -> tuple[str, ...]:
        """The subject's key columns."""
        return self.subject.key if self.subject else ("value",)

"""The catalogue: the policy's names bound to the real tables of one database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from staffords_gdpr.policy.models import Policy, Record

if TYPE_CHECKING:
    import sqlalchemy as sa


class DateKind(StrEnum):
    """How a column stores a date.

    DAY: a calendar day in the policy's zone; a time part is ignored. TIMESTAMP: a moment without a zone, in
    `database.timestamps_in`; a value without a time part (SQLite text) is a day. ZONED: a moment with its zone.
    TEXT: like TIMESTAMP, in a column that is declared as text.
    """

    DAY = "day"
    TIMESTAMP = "timestamp"
    ZONED = "zoned"
    TEXT = "text"


@dataclass(frozen=True)
class Edge:
    """Rows of `source_table` refer to rows of the record type `target`, over `columns` (source column, target column).

    `source` is the record type of the referring rows; None for a table that the policy does not name or leaves
    alone: its rows always survive. A reference with a NULL in any of its columns refers to nothing.
    """

    source_table: str
    source: str | None
    target: str
    columns: tuple[tuple[str, str], ...]
    kind: Literal["belongs_to", "refers_to", "foreign_key"]


@dataclass(frozen=True)
class Bound:
    """One record type bound to its table. Names are the database's own spelling."""

    record: Record
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    dates: Mapping[str, DateKind]  # every column that is a date by type, or that the policy uses as one
    owner: Edge | None
    refers: tuple[Edge, ...]
    sa_table: sa.Table = field(repr=False, compare=False)


@dataclass(frozen=True)
class Catalogue:
    """What the rules need to know of a database. `edges` holds every way in which a row can refer to a row of ours:
    belongs_to, refers_to and declared foreign keys from any table; each (source table, columns, target) once.
    """

    policy: Policy
    records: Mapping[str, Bound]  # policy.ours only
    edges: tuple[Edge, ...]
    fingerprint: str  # sha256 hex over the schema's tables, columns, types and keys
    identity: str  # what the engine tells of which database this is; no password

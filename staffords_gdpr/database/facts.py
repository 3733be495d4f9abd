"""What is known of a table before any policy: columns, keys, references, and what may stand in an eraser's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Family(StrEnum):
    """What a column's values are, whatever the engine calls the type."""

    NUMBER = "number"
    TEXT = "text"
    DAY = "day"
    TIMESTAMP = "timestamp"  # a moment without a zone
    ZONED = "zoned"  # a moment with its zone; on MariaDB, TIMESTAMP columns, which come in the session's zone, UTC
    TIME = "time"
    BOOLEAN = "boolean"
    BINARY = "binary"
    OTHER = "other"
    NONE = "none"  # no type at all: SQLite keeps any value


@dataclass(frozen=True)
class ColumnFacts:
    """A column as the engine describes it."""

    type: str  # the engine's own spelling
    family: Family
    nullable: bool = True
    length: int | None = None  # the longest text, in characters
    has_default: bool = False
    generated: bool = False  # computed from others: cannot be written
    now_on_update: bool = False  # MariaDB: changes by itself when the row does
    exact: bool = True  # text: two spellings are two values, capitals and trailing spaces included
    charset: str | None = None  # MariaDB
    collation: str | None = None  # where it is not the engine's plain one


@dataclass(frozen=True)
class StoredTable:
    """How a table is kept. `kind`: table, partitioned, inherited (rows of other tables show in it), foreign (rows are
    on another server), versioned (the engine keeps a copy of every row that goes).
    """

    kind: str = "table"
    storage: str | None = None  # MariaDB: InnoDB, MyISAM …
    row_security: bool = False  # PostgreSQL: some users do not see every row


@dataclass(frozen=True)
class ForeignKey:
    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"  # or RESTRICT, CASCADE, SET NULL, SET DEFAULT
    deferrable: bool = False  # can wait for the commit


@dataclass(frozen=True)
class Outside:
    """A foreign key on one of our tables from a table that is not among them, `schema.table`: of another schema, a
    partition, or `hidden` from this user, and then its columns are not known.
    """

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    hidden: bool = False
    partition: bool = False


@dataclass(frozen=True)
class Trigger:
    name: str
    table: str
    source: str  # SHA-256 (hex) of its text, shortened


@dataclass(frozen=True)
class Check:
    name: str | None
    text: str


@dataclass(frozen=True)
class TableFacts:
    """A table as the engine describes it. Types are the engine's own spelling."""

    name: str
    columns: Mapping[str, str]
    not_null: tuple[str, ...]
    key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    unique: tuple[frozenset[str], ...] = ()
    """Sets of columns of which no two rows hold the same, the key included; no partial indexes, no expressions."""
    details: Mapping[str, ColumnFacts] = field(default_factory=dict)
    indexes: tuple[tuple[str, ...], ...] = ()
    """Ordered columns of every index that covers all rows, the key's and the unique ones included."""
    checks: tuple[Check, ...] = ()
    stored: StoredTable = StoredTable()

    def indexed(self, columns: frozenset[str]) -> bool:
        """Whether some index begins with these columns, in any order."""
        return any(frozenset(index[: len(columns)]) == columns for index in self.indexes)

"""What a column's declared type makes of its values, told from the type's name: many a type has no class of its own."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import sqlalchemy as sa

BYTEWISE = "utf8mb4_nopad_bin"
"""MariaDB's collation that takes no two texts for one, not even those that differ in spaces at their end."""

_TEXTS = ("CHAR", "TEXT", "CLOB", "ENUM", "SET(", "UUID", "JSON")
_BINARY = ("BLOB", "BYTEA", "BINARY", "BIT")


class Stored(Enum):
    """How an engine with real types stores a column."""

    DATE = auto()
    MOMENT = auto()
    ZONED = auto()
    INTEGER = auto()
    FRACTION = auto()  # exact, with or without places after the point
    FLOAT = auto()
    BOOLEAN = auto()
    BINARY = auto()
    TEXT = auto()
    OTHER = auto()


def stored(column: sa.ColumnElement[Any]) -> Stored:
    """How a column of PostgreSQL or MariaDB is stored."""
    name = _name(column.type)
    if name == "DATE":
        return Stored.DATE
    if name.startswith(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")) or "WITH TIME ZONE" in name:
        return Stored.ZONED
    if name.startswith(("TIMESTAMP", "DATETIME")):
        return Stored.MOMENT
    if name.startswith("BOOL"):
        return Stored.BOOLEAN
    if any(sign in name for sign in _BINARY):
        return Stored.BINARY
    if any(sign in name for sign in _TEXTS):
        return Stored.TEXT
    if "INT" in name and not name.startswith("INTERVAL"):
        return Stored.INTEGER
    if name.startswith(("NUMERIC", "DECIMAL")):
        return Stored.FRACTION
    if name.startswith(("FLOAT", "DOUBLE", "REAL")):
        return Stored.FLOAT
    return Stored.OTHER


def _name(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.DateTime):
        return "TIMESTAMP WITH TIME ZONE" if kind.timezone else "TIMESTAMP"
    if isinstance(kind, sa.Boolean):
        return "BOOLEAN"
    return str(kind).upper()


def is_bits(column: sa.ColumnElement[Any]) -> bool:
    """Whether a column of MariaDB holds bits, which its driver gives as bytes and everybody reads as a number."""
    return _name(column.type).startswith("BIT")

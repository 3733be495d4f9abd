"""The key by which a row is known again: declared, or verified against the rows that are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.facts import TableFacts
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.policy.models import Record

_NOT_PLAIN = {
    "mysql": re.compile(r"(set|float)\b", re.IGNORECASE),
    "postgresql": re.compile(r"(inet|cidr|jsonb?)$|.*range$|.*\[\]$", re.IGNORECASE),
}
"""Types whose values are no plain numbers or texts: they cannot be told apart again when a log is read. MariaDB
tells a FLOAT rounded to six digits, and by those no row is found again."""


def require_key(dialect: str, record: Record, facts: TableFacts, misfits: Misfits) -> None:
    """Note a record type whose rows have no key by which they can be told apart, or a key of a type that gdpr cannot
    write down and find again.
    """
    if not (record.key or facts.key):
        what = f"table {facts.name} has no primary key, so its rows cannot be told apart"
        advice = "Name columns that are unique and never null, as in key: [number]"
        if dialect == "sqlite":
            advice += ". SQLite's rowid is no key: VACUUM may number the rows anew"
        misfits.add("no-key", ("records", record.name, "table"), what, advice)
    for column in record.key or facts.key:
        kind = facts.columns.get(column, "")
        if dialect in _NOT_PLAIN and _NOT_PLAIN[dialect].match(kind):
            what = (
                f"{facts.name}.{column} is part of the key and of type {kind}, which gdpr cannot use as a key"
            )
            advice = (
                "Name other columns that are unique and never null, as in key: [number], numbers or texts"
            )
            misfits.add("key-type", ("records", record.name, "key" if record.key else "table"), what, advice)


def check_key(connection: sa.Connection, record: Record, facts: TableFacts, misfits: Misfits) -> None:
    """Note a key that is not declared and that some rows do not have, or share."""
    at, key = ("records", record.name), record.key
    if not key or frozenset(key) == frozenset(facts.key):
        return
    declared = any(unique <= frozenset(key) for unique in facts.unique)
    if not declared and _doubled(connection, facts.name, key):
        what = f"two rows of {facts.name} may hold the same key: some do"
        misfits.add("key-not-unique", (*at, "key"), what, "Name columns that together are unique")
    if not set(key) <= set(facts.not_null) and _empty(connection, facts.name, key):
        what = f"some rows of {facts.name} hold no value in {' or '.join(key)}"
        misfits.add("key-empty", (*at, "key"), what, "Name columns that are never null")


def _doubled(connection: sa.Connection, table: str, key: Sequence[str]) -> bool:
    columns: list[sa.ColumnElement[Any]] = [sa.column(name) for name in key]
    query: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(sa.table(table))
        .group_by(*columns)
        .having(sa.func.count() > 1)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def _empty(connection: sa.Connection, table: str, key: Sequence[str]) -> bool:
    columns: list[sa.ColumnElement[Any]] = [sa.column(name) for name in key]
    query: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(sa.table(table))
        .where(sa.or_(*(column.is_(None) for column in columns)))
        .limit(1)
    )
    return connection.execute(query).first() is not None

"""Whether replaced values would break a CHECK constraint: asked of the database, over some of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.expressions import words_of
from staffords_gdpr.database.facts import TableFacts
from staffords_gdpr.database.replacements import KEY
from staffords_gdpr.policy.models import Record, Scalar, Values

SAMPLE = 1000


def broken(
    connection: sa.Connection,
    record: Record,
    facts: TableFacts,
    table: sa.Table,
    key: Sequence[str],
    listed: Mapping[str, Scalar],
) -> Iterator[str]:
    """The name of every constraint that some of the first rows would break with these values in them."""
    touched = [check for check in facts.checks if words_of(check.text) & {c.casefold() for c in listed}]
    if not touched:
        return
    real = sa.select(
        *(
            _replaced(connection, table, column, listed[column.name], key).label(column.name)
            if column.name in listed
            else column
            for column in table.columns
        )
    ).where(*_members(table, record))
    for check in touched:
        rows: list[sa.Select[Any]] = [real.limit(SAMPLE)]
        others = {name.casefold() for name in facts.columns} - {name.casefold() for name in listed}
        if not words_of(check.text) & others:  # then it can be asked without a row, too
            rows.append(
                sa.select(
                    *(
                        _typed(connection, table.c[name], _spoken(value)).label(name)
                        for name, value in listed.items()
                    )
                )
            )
        if any(_breaks(connection, some, facts.name, check.text) for some in rows):
            yield check.name or _short(check.text)


def _breaks(connection: sa.Connection, rows: sa.Select[Any], table: str, check: str) -> bool:
    query: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(rows.subquery(table))  # under the table's name: the constraint may use it
        .where(sa.not_(sa.literal_column(f"({check})")))
        .limit(1)
    )
    try:
        with connection.begin_nested():
            return connection.execute(query).first() is not None
    except sa.exc.DBAPIError:
        return False  # it cannot be asked outside its table: the database will still refuse what breaks it


def _members(table: sa.Table, record: Record) -> Iterator[sa.ColumnElement[bool]]:
    """As much of `where` as is said by plain values: a constraint may differ from kind to kind."""
    for name, test in record.where.columns.items() if record.where else ():
        if isinstance(test, Values) and None not in test.values:
            column = table.c[name]
            yield column.not_in(test.values) if test.negated else column.in_(test.values)
    if record.where and record.where.sql is not None:
        yield sa.literal_column(f"({record.where.sql})")


def _replaced(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], value: Scalar, key: Sequence[str]
) -> sa.ColumnElement[Any]:
    if not (isinstance(value, str) and KEY in value):
        return _typed(connection, column, value)
    text: sa.ColumnElement[str] = sa.cast(table.c[key[0]], sa.String)
    for part in key[1:]:
        text = text + "-" + sa.cast(table.c[part], sa.String)
    whole: sa.ColumnElement[str] = sa.literal("", sa.String)
    for n, piece in enumerate(value.split(KEY)):
        whole = whole + (text if n else sa.literal("", sa.String)) + sa.literal(piece, sa.String)
    return whole


def _typed(connection: sa.Connection, column: sa.Column[Any], value: Scalar) -> sa.ColumnElement[Any]:
    literal = sa.null() if value is None else sa.literal(value)
    return sa.cast(literal, column.type) if connection.dialect.name == "postgresql" else literal


def _spoken(value: Scalar) -> Scalar:
    return value.replace(KEY, "1") if isinstance(value, str) else value


def _short(text: str) -> str:
    said = re.sub(r"\s+", " ", text)
    return f"CHECK ({said if len(said) <= 60 else said[:57] + '...'})"

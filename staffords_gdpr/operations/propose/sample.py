"""A bounded look at a database's values: shapes of columns, and whether guessed links lead anywhere.

Values are read to be counted. None of them leaves this module, and none stands in an error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.facts import ColumnFacts, Family, TableFacts
from staffords_gdpr.operations.propose.shapes import Shape, shape_of

ROWS = 200
"""The most rows of a table that are looked at: the first and the last by its key, half of each."""

SEARCHED = 100 * ROWS  # rows among which a link's values are looked for: most of them may be empty
LONGEST = 400  # characters of a value
SECONDS = 5  # the longest that one statement may take, where the engine can be told so
_LIMITS = {
    "postgresql": f"SET LOCAL statement_timeout = '{SECONDS}s'",
    "mysql": f"SET SESSION max_statement_time = {SECONDS}",
}
_UNREADABLE = (sa.exc.DBAPIError, ValueError)  # a driver that cannot decode what it reads says ValueError
_READ = {Family.NUMBER, Family.TEXT, Family.DAY, Family.TIMESTAMP, Family.ZONED, Family.NONE}


@dataclass(frozen=True)
class Sample:
    """The shapes of a table's columns. `looked`: False where the table could not be read, or not quickly enough."""

    rows: int
    shapes: Mapping[str, Shape]
    looked: bool = True

    def shape(self, column: str) -> Shape:
        return self.shapes.get(column, Shape())


@dataclass(frozen=True)
class Matches:
    """Of the sampled values of a column, how many are there, and how many of them exist where it may lead."""

    values: int
    found: int

    @property
    def percent(self) -> int:
        return self.found * 100 // self.values if self.values else 0


def limit_statements(connection: sa.Connection) -> None:
    """Let no statement of this transaction run for long: the look is taken at a system that people work with."""
    if statement := _LIMITS.get(connection.dialect.name):
        connection.exec_driver_sql(statement)


def sample(connection: sa.Connection, table: TableFacts, today: dt.date) -> Sample:
    """The shapes of at most ROWS rows of a table."""
    read = [name for name, facts in table.details.items() if facts.family in _READ]
    if not read:
        return Sample(0, {})
    columns = [_as_text(name, table.details[name]).label(f"c{n}") for n, name in enumerate(read)]
    query = sa.select(*columns).select_from(_table(table.name))
    key = [_column(name) for name in table.key]
    rows: list[tuple[str | None, ...]] | None = None
    with suppress(*_UNREADABLE), connection.begin_nested():
        rows = [tuple(row) for row in connection.execute(query.order_by(*key).limit(ROWS))]
        if len(rows) == ROWS and key:
            last = query.order_by(*(column.desc() for column in key)).limit(ROWS // 2)
            rows[ROWS // 2 :] = [tuple(row) for row in connection.execute(last)]
    if rows is None:
        return Sample(0, {}, looked=False)
    shapes = {name: shape_of((_text(row[n]) for row in rows), today) for n, name in enumerate(read)}
    return Sample(len(rows), shapes)


def matches(
    connection: sa.Connection, table: TableFacts, column: str, target: str, other: str
) -> Matches | None:
    """How many of a column's first values exist in `target`; None where that could not be found out quickly.

    0 counts as empty: many systems write it where a row belongs to nothing.
    """
    own = _column(column)
    first = sa.select(own.label("v")).select_from(_table(table.name)).limit(SEARCHED).subquery("first")
    some = sa.select(first.c.v).where(first.c.v.is_not(None))
    if table.details[column].family is Family.NUMBER:
        some = some.where(first.c.v != 0)
    given = some.limit(ROWS).subquery("given")
    there = sa.exists().where(_column(other, _table(target)) == given.c.v).correlate(given)
    query = sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((there, 1), else_=0)), 0)
    ).select_from(given)
    with suppress(*_UNREADABLE), connection.begin_nested():
        values, found = connection.execute(query).one()
        return Matches(int(values), int(found))
    return None


def _table(name: str) -> sa.TableClause:
    return sa.table(sa.quoted_name(name, quote=True))


def _column(name: str, table: sa.TableClause | None = None) -> sa.ColumnClause[object]:
    column: sa.ColumnClause[object] = sa.column(sa.quoted_name(name, quote=True))
    if table is not None:
        table.append_column(column)
    return column


def _as_text(name: str, facts: ColumnFacts) -> sa.ColumnElement[str]:
    text = sa.cast(_column(name), sa.String)
    return sa.func.substr(text, 1, LONGEST) if facts.family in (Family.TEXT, Family.NONE) else text


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return None if value is None else str(value)

"""The tables that the pure function needs, read with queries of its own, in the driver's own values (R9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue
from staffords_gdpr.policy.models import Condition, Hop, LookUp
from staffords_gdpr.retention.pure.conditions import Line, truth_of
from staffords_gdpr.retention.states import Key

Query = sa.Select[*tuple[Any, ...]]
_KEYS_A_QUERY = 500


class Reading:
    """Queries over the tables without types: values come as the driver gives them, and odd text in a date survives.

    Only what the database says of its own expressions is asked of it; everything else is raw.
    """

    def __init__(self, connection: sa.Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        columns = columns_read(catalogue)
        self.tables = {name: sa.table(name, *map(sa.column, names)) for name, names in columns.items()}
        self._expressions: dict[str, dict[str, sa.ColumnElement[Any]]] = defaultdict(dict)
        for bound in catalogue.records.values():
            self._expressions[bound.table].update(_expressions(bound))

    def everything(self, table: str) -> list[Line]:
        """Every row of a table."""
        return self._fetch(table)

    def matching(self, table: str, columns: Sequence[str], keys: Iterable[Key]) -> list[Line]:
        """The rows that hold one of these keys in these columns."""
        source = self.tables[table]
        wanted = list(dict.fromkeys(keys))
        found: list[Line] = []
        for start in range(0, len(wanted), _KEYS_A_QUERY):
            some = wanted[start : start + _KEYS_A_QUERY]
            found += self._fetch(
                table,
                source.c[columns[0]].in_([_given(key[0]) for key in some])
                if len(columns) == 1
                else sa.tuple_(*(source.c[name] for name in columns)).in_(
                    [sa.tuple_(*map(_given, key)) for key in some]
                ),
            )
        return found

    def pages(self, table: str, key: Sequence[str], size: int) -> Iterator[list[Key]]:
        """The keys of a table in key order, `size` at a time."""
        source = self.tables[table]
        columns = [source.c[name] for name in key]
        return self.pages_of(sa.select(*columns), columns, size)

    def pages_of(
        self, query: Query, columns: Sequence[sa.ColumnElement[Any]], size: int
    ) -> Iterator[list[Key]]:
        """The keys of a query in key order, `size` at a time, each page found from the last key before it."""
        page = query.order_by(*columns).limit(size)
        found: list[Key] = [tuple(row) for row in self._connection.execute(page)]
        while found:
            yield found
            if len(found) < size:
                return
            last = [_given(part) for part in found[-1]]
            beyond = columns[0] > last[0] if len(columns) == 1 else sa.tuple_(*columns) > sa.tuple_(*last)
            found = [tuple(row) for row in self._connection.execute(page.where(beyond))]

    def _fetch(self, table: str, *where: sa.ColumnElement[bool]) -> list[Line]:
        source, asked = self.tables[table], self._expressions.get(table, {})
        names = [*source.c.keys(), *asked]
        given = [column.label(f"x{n}") for n, column in enumerate(asked.values())]
        query: Query = sa.select(*source.c, *given).where(*where)
        return [dict(zip(names, row, strict=True)) for row in self._connection.execute(query)]


def _given(value: object) -> sa.ColumnElement[Any]:
    """A value without a type of its own: PostgreSQL takes a text for what it is compared with, a UUID or a date."""
    return sa.literal(value, sa.types.NullType())


def columns_read(catalogue: Catalogue) -> Mapping[str, Sequence[str]]:
    """Of every table that the rules read, the columns that they need; of a record type's table all."""
    found: dict[str, dict[str, None]] = defaultdict(dict)

    def need(table: str, columns: Iterable[str]) -> None:
        found[table].update(dict.fromkeys(columns))

    def test(table: str, condition: Condition | None, dates: Collection[str] = ()) -> None:
        for column, wanted in condition.columns.items() if condition else ():
            need(table, [column] if column not in dates else [])
            if isinstance(wanted, LookUp):
                need(wanted.table, [wanted.column])
                test(wanted.table, wanted.where)

    def way(through: Sequence[Hop], last: Iterable[str]) -> None:
        for place, hop in enumerate(through):
            need(hop.table, hop.on)
            need(hop.table, through[place + 1].on.values() if place + 1 < len(through) else last)
            test(hop.table, hop.where)

    for bound in catalogue.records.values():
        need(bound.table, bound.columns)
        for condition in conditions_of(bound):
            test(bound.table, condition, bound.record.dates)
        for date in bound.dates.values():
            amount = [date.plus.column] if date.plus and date.plus.column else []
            way(date.through, [date.column, *amount])
        if bound.owner is not None:
            way(bound.owner.through, [own for end in bound.owner.ends for own, _ in end])
    for edge in catalogue.edges:
        if edge.source is None:
            need(edge.source_table, [own for own, _ in edge.columns])
    return {table: list(columns) for table, columns in found.items()}


def conditions_of(bound: Bound) -> list[Condition]:
    """Every condition of a record type."""
    record = bound.record
    keeps = [record.keep, *(step.keep for step in record.sooner)]
    found = [record.where, *(keep.while_ for keep in keeps if keep)]
    return [condition for condition in found if condition is not None]


def _expressions(bound: Bound) -> dict[str, sa.ColumnElement[Any]]:
    asked: dict[str, sa.ColumnElement[Any]] = {}
    for condition in conditions_of(bound):
        if condition.sql is not None:
            said: sa.ColumnElement[Any] = sa.literal_column(f"({condition.sql})")
            asked[truth_of(condition.sql)] = sa.case((said, 1), (sa.not_(said), 0))
    for date in bound.record.dates.values():
        if date.sql is not None:
            asked[date.sql] = sa.literal_column(f"({date.sql})")
    return asked

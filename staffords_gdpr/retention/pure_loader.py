"""Loads what the pure function needs, in the driver's own values and with queries of its own (R9).

What speaks for or against erasing a row lies with the rows that refer to it, with its owner, and with
everything else of its subject. So a load grows by those until nothing is added; rows that are only looked at
for a date are loaded without what hangs on them, and are not to be judged.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure_conditions import Rows
from staffords_gdpr.retention.pure_values import comparable
from staffords_gdpr.retention.states import Key, Verdict

Values = Mapping[str, object]
Query = sa.Select[*tuple[Any, ...]]
_KEYS_A_QUERY = 500


def load_everything(connection: sa.Connection, catalogue: Catalogue) -> Rows:
    """Every row of every record type, and of every table that refers to one."""
    tables = _tables(catalogue)
    return {name: _fetch(connection, sa.select(*table.c)) for name, table in tables.items()}


def load_subjects(connection: sa.Connection, catalogue: Catalogue, subjects: Sequence[Key]) -> Rows:
    """The rows with which `judge` gives these subjects the verdicts it would give over the whole database.

    Verdicts on other subjects' rows, and on rows without a subject, are by-products: look only at those whose
    `subject` is one of `subjects`.
    """
    load = _Load(connection, catalogue)
    bound = catalogue.records[catalogue.policy.subject]
    load.start(bound, bound.key, subjects)
    return load.rows()


def chunks(connection: sa.Connection, catalogue: Catalogue, size: int) -> Iterator[tuple[list[Key], Rows]]:
    """All subjects in key order, `size` at a time, each chunk with the rows of `load_subjects`.

    Rows without a subject come from `subjectless_chunks`; `judge_in_chunks` judges both, every row once.
    """
    bound = catalogue.records[catalogue.policy.subject]
    table = _tables(catalogue)[bound.table]
    for keys in _pages(connection, sa.select(*_columns(table, bound.key)), table, bound, size):
        yield keys, load_subjects(connection, catalogue, keys)


def subjectless_chunks(
    connection: sa.Connection, catalogue: Catalogue, size: int
) -> Iterator[tuple[str, list[Key], Rows]]:
    """The rows that reach no subject, as (record type, keys, rows to judge them with), `size` at a time."""
    for name, bound in catalogue.records.items():
        if name == catalogue.policy.subject:
            continue
        table, query = _reaching_nobody(catalogue, bound)
        for keys in _pages(connection, query, table, bound, size):
            load = _Load(connection, catalogue)
            load.start(bound, bound.key, keys)
            yield name, keys, load.rows()


def judge_in_chunks(
    connection: sa.Connection, catalogue: Catalogue, as_of: dt.datetime, holds: frozenset[Key], size: int
) -> Iterator[list[Verdict]]:
    """The verdicts of `judge` over everything, a chunk at a time: every row and step exactly once."""
    for subjects, rows in chunks(connection, catalogue, size):
        wanted = {_comparable(key) for key in subjects}
        verdicts = judge(catalogue, rows, as_of, holds)
        yield [v for v in verdicts if v.subject is not None and _comparable(v.subject) in wanted]
    for record, keys, rows in subjectless_chunks(connection, catalogue, size):
        wanted = {_comparable(key) for key in keys}
        verdicts = judge(catalogue, rows, as_of, holds)
        yield [
            v
            for v in verdicts
            if v.subject is None and v.record.partition(".")[0] == record and _comparable(v.key) in wanted
        ]


class _Load:
    """A set of rows that grows until nothing that matters to it is missing."""

    def __init__(self, connection: sa.Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._tables = _tables(catalogue)
        self._referring: dict[str, list[Edge]] = defaultdict(list)
        for edge in catalogue.edges:
            self._referring[edge.target].append(edge)
        self._judged: dict[str, dict[Key, Values]] = defaultdict(dict)
        self._looked_at: dict[str, dict[Key, Values]] = defaultdict(dict)
        self._outside: dict[str, dict[Key, Values]] = defaultdict(dict)
        self._new: dict[str, list[Values]] = {}

    def start(self, bound: Bound, columns: Sequence[str], keys: Iterable[Key]) -> None:
        """Take in these rows and all that matters to them."""
        self._take(bound, self._matching(bound.table, columns, keys))
        while self._new:
            name, rows = self._new.popitem()
            self._grow(self._catalogue.records[name], rows)

    def rows(self) -> Rows:
        """Table name -> rows; what was only looked at is among them."""
        found: dict[str, list[Values]] = dict[str, list[Values]]()
        for name, bound in self._catalogue.records.items():
            found[bound.table] = list({**self._looked_at[name], **self._judged[name]}.values())
        for table, rows in self._outside.items():
            found[table] = list(rows.values())
        return found

    def _grow(self, bound: Bound, rows: Sequence[Values]) -> None:
        for edge in self._referring[bound.record.name]:
            own = tuple(column for column, _ in edge.columns)
            theirs = tuple(column for _, column in edge.columns)
            referring = self._matching(edge.source_table, own, _keys(rows, theirs))
            if edge.source is None:
                self._outside[edge.source_table].update((tuple(row.values()), row) for row in referring)
            else:
                self._take(self._catalogue.records[edge.source], referring)
        if bound.owner is not None:
            self._take(self._catalogue.records[bound.owner.target], self._referred(bound.owner, rows))
        for edge in bound.refers:
            target = self._catalogue.records[edge.target]
            for row in self._referred(edge, rows):
                self._looked_at[edge.target][_key(row, target.key)] = row

    def _referred(self, edge: Edge, rows: Sequence[Values]) -> list[Values]:
        own = tuple(column for column, _ in edge.columns)
        theirs = tuple(column for _, column in edge.columns)
        return self._matching(self._catalogue.records[edge.target].table, theirs, _keys(rows, own))

    def _take(self, bound: Bound, rows: Iterable[Values]) -> None:
        name, judged = bound.record.name, self._judged[bound.record.name]
        for row in rows:
            key = _key(row, bound.key)
            if key not in judged:
                judged[key] = row
                self._new.setdefault(name, []).append(row)

    def _matching(self, table: str, columns: Sequence[str], keys: Iterable[Key]) -> list[Values]:
        source = self._tables[table]
        wanted = list(dict.fromkeys(keys))
        found: list[Values] = []
        for start in range(0, len(wanted), _KEYS_A_QUERY):
            some = wanted[start : start + _KEYS_A_QUERY]
            where = (
                source.c[columns[0]].in_([key[0] for key in some])
                if len(columns) == 1
                else sa.tuple_(*_columns(source, columns)).in_(some)
            )
            found.extend(_fetch(self._connection, sa.select(*source.c).where(where)))
        return found


def _tables(catalogue: Catalogue) -> dict[str, sa.TableClause]:
    """The tables without types: values come as the driver gives them, and odd text in a date survives."""
    columns: dict[str, dict[str, None]] = defaultdict(dict)
    for edge in catalogue.edges:
        if edge.source is None:
            columns[edge.source_table].update(dict.fromkeys(own for own, _ in edge.columns))
    for bound in catalogue.records.values():
        columns[bound.table].update(dict.fromkeys(bound.columns))
    return {name: sa.table(name, *(sa.column(c) for c in names)) for name, names in columns.items()}


def _columns(table: sa.FromClause, names: Iterable[str]) -> list[sa.ColumnElement[object]]:
    return [table.c[name] for name in names]


def _fetch(connection: sa.Connection, query: Query) -> list[Values]:
    result = connection.execute(query)
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def _keys(rows: Iterable[Values], columns: Sequence[str]) -> Iterator[Key]:
    """The references that lead somewhere: those without a NULL."""
    for row in rows:
        key = tuple(row[column] for column in columns)
        if None not in key:
            yield key


def _key(row: Values, columns: Sequence[str]) -> Key:
    return _comparable(tuple(row[column] for column in columns))


def _comparable(key: Key) -> Key:
    return tuple(comparable(part) for part in key)


def _reaching_nobody(catalogue: Catalogue, bound: Bound) -> tuple[sa.FromClause, Query]:
    """The table of a record type, and a query for the keys of its rows whose chain of owners breaks off."""
    tables = _tables(catalogue)
    here = first = tables[bound.table].alias("t0")
    joined: sa.FromClause = first
    owner, step = bound.owner, bound
    while owner is not None:
        step = catalogue.records[owner.target]
        there = tables[step.table].alias(f"{step.record.name}_of")
        joined = joined.outerjoin(
            there, sa.and_(*(here.c[own] == there.c[other] for own, other in owner.columns))
        )
        here, owner = there, step.owner
    query = sa.select(*_columns(first, bound.key)).select_from(joined)
    if step.record.name == catalogue.policy.subject:
        query = query.where(here.c[step.key[0]].is_(None))
    return first, query


def _pages(
    connection: sa.Connection,
    query: Query,
    table: sa.FromClause,
    bound: Bound,
    size: int,
) -> Iterator[list[Key]]:
    """The keys of a query in key order, `size` at a time, each page found from the last key before it."""
    columns = _columns(table, bound.key)
    page = query.order_by(*columns).limit(size)
    found: list[Key] = [tuple(row) for row in connection.execute(page)]
    while found:
        yield found
        if len(found) < size:
            return
        beyond = (
            columns[0] > found[-1][0] if len(columns) == 1 else sa.tuple_(*columns) > sa.tuple_(*found[-1])
        )
        found = [tuple(row) for row in connection.execute(page.where(beyond))]

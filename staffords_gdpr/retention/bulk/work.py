"""The work tables in which SQL decides: temporary, private to one connection, never part of the firm's database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge
from staffords_gdpr.policy.models import Condition, LookUp, Record, Step, SubjectDate
from staffords_gdpr.retention.bulk.chain import Column, numbered
from staffords_gdpr.retention.bulk.engines import day_type, days_on
from staffords_gdpr.retention.bulk.todo import place
from staffords_gdpr.retention.bulk.view import Views
from staffords_gdpr.retention.bulk.work_tables import WorkTables


@dataclass(frozen=True)
class Candidates:
    """Rows of one record type, or `sooner` steps of them, that are not simply kept.

    Columns of the table: `k*` key, `s*` subject, `p*` key of the row that decides for this one, `x_*` columns that
    others refer to, `a` and `u` the days of `after` and `or_until`, `done` nothing is left to erase, `orphan`, `why` it
    stays: the place in the list of blocks, or less than 0, -Code: it did not pass its own rule. NULL: it is due. `b`
    the month from which on it has passed its own rule, `r` the round in which it was blocked.

    A row that can have several owners is in it once for each (`bound.several`), the kept ones too; with `whole` every
    row of the scope is.
    """

    name: str  # "payment" or "payment.card"
    bound: Bound
    step: Step | None
    table: sa.Table
    whole: bool = False

    @property
    def key(self) -> list[Column]:
        return [self.table.c[f"k{i}"] for i in range(len(self.bound.key))]

    @property
    def subject(self) -> list[Column]:
        return numbered(self.table, "s")

    @property
    def parent(self) -> list[Column]:
        return numbered(self.table, "p")

    @property
    def unblocked(self) -> sa.ColumnElement[bool]:
        return self.table.c.why.is_(None)

    @property
    def to_erase(self) -> sa.ColumnElement[bool]:
        return sa.and_(self.unblocked, self.table.c.done == 0)

    def due(self) -> sa.Select[Any]:
        """The keys of the rows to erase, each once."""
        query = sa.select(*self.key).where(self.to_erase)
        return query.distinct() if self.bound.several else query

    def extra(self, table: sa.FromClause) -> dict[str, Column]:
        """The columns of the record's own table that are kept as `x_*`, by those names."""
        return {
            column.name: table.c[self.bound.columns[int(column.name[2:])]]
            for column in self.table.c
            if column.name.startswith("x_")
        }

    def column(self, name: str) -> Column:
        """A column of the row, which edges compare with: part of the key, or kept as `x_*`."""
        if name in self.bound.key:
            return self.key[self.bound.key.index(name)]
        return self.table.c[f"x_{self.bound.columns.index(name)}"]


class Work:
    """All work tables of one catalogue on one connection."""

    def __init__(self, connection: sa.Connection, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.dialect = connection.dialect
        self._tables = WorkTables(connection)
        self.shifts = self._tables.table(
            "shifts",
            [
                sa.Column("zone", day_type(), primary_key=True),
                sa.Column("since", day_type(), primary_key=True),
                sa.Column("year", day_type()),
                sa.Column("seconds", sa.Integer),
            ],
        )
        self._tables.index(self.shifts, ["year", "zone"])
        # which values mean "no date" is the same at any moment
        moment = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        self.views = Views(catalogue, days_on(connection.dialect, catalogue.policy, moment, self.shifts))
        subject = self.views.members(catalogue.policy.subject)
        self.subject_key = [_plain(subject.c[name]) for name in catalogue.subject_key]
        self.holds = self._tables.table("holds", self._subject_columns(primary_key=True))
        self.scope = self._tables.table("scope", self._subject_columns(primary_key=True))
        self.subjects = self._tables.table(
            "subjects", [*self._subject_columns(primary_key=True), *self._date_columns()]
        )
        self.todo = self._tables.table(
            "todo", [place(), *self._subject_columns(primary_key=False), *self._date_columns()]
        )
        self._tables.index(self.todo, [f"s{i}" for i in range(len(self.subject_key))])
        self.apart = self._tables.table("apart", self._subject_columns(primary_key=True))
        self.touched = self._tables.table("touched", self._subject_columns(primary_key=True))
        self.row_scopes: dict[str, sa.Table] = {}
        self.row_todos: dict[str, sa.Table] = {}
        self.candidates: dict[str, Candidates] = {}
        for bound in catalogue.records.values():
            name = bound.record.name
            key = _key_columns(bound, "k", primary_key=True)
            self.row_scopes[name] = self._tables.table(f"rows_{len(self.row_scopes)}", key)
            listed: list[sa.Column[Any]] = [place(), *_key_columns(bound, "k", primary_key=False)]
            self.row_todos[name] = self._tables.table(f"todo_{len(self.row_todos)}", listed)
            self.candidates[name] = self._candidates(name, bound, None, parent_of(catalogue, bound.record))
            for step in bound.record.sooner:
                full = f"{name}.{step.name}"
                self.candidates[full] = self._candidates(full, bound, step, step.with_)
        self.staying = {
            name: self._tables.table(f"stay_{place}", self._subject_columns(primary_key=True))
            for place, (name, found) in enumerate(self.candidates.items())
            if any(uses(found, date) for date in catalogue.policy.dates)
        }
        self._list_whole()
        self.lists = (
            {
                name: self._tables.table(
                    f"list_{number}",
                    [place(), *_key_columns(found.bound, "k", primary_key=True)],
                    key_later=True,
                )
                for number, (name, found) in enumerate(self.candidates.items())
            }
            if _has_one_place(catalogue, self.views) and not self._looks_up()
            else {}
        )
        self._tables.make()
        self._connection = connection

    def _looks_up(self) -> bool:
        """Whether rules read look-up tables that only a decision within the batch would lock: on MariaDB, which locks
        what an INSERT ... SELECT reads.
        """
        return self.dialect.name in ("mysql", "mariadb") and any(
            isinstance(test, LookUp)
            for bound in self.catalogue.records.values()
            for given in conditions_of(bound.record)
            for test in given.columns.values()
        )

    def clear(self) -> None:
        """Empty the tables of the last decision; the scope stays."""
        self._tables.clear(self._decided)

    def renew(self) -> None:
        """Make them anew where an engine would read past what they held; never in a transaction that locks."""
        self._tables.renew(self._decided)

    @property
    def _decided(self) -> list[sa.Table]:
        candidates = [found.table for found in self.candidates.values()]
        return [self.subjects, *self.staying.values(), *candidates]

    def drop(self) -> None:
        """Do away with all of them."""
        self._tables.drop()

    def reset(self, tables: Sequence[sa.Table]) -> None:
        """Empty these for good, see `renew`."""
        self._tables.reset(tables)

    def empty(self, tables: Sequence[sa.Table]) -> None:
        """Empty these."""
        self._tables.clear(tables)

    def fill(self, table: sa.Table, keys: Iterable[Sequence[object]]) -> None:
        """Write keys into a table of keys, replacing what it held."""
        self._connection.execute(sa.delete(table))
        names = [column.name for column in table.columns]
        rows = [dict(zip(names, key, strict=True)) for key in keys]
        if rows:
            self._connection.execute(sa.insert(table), rows)
        self.filled(table, len(rows))

    def filled(self, table: sa.FromClause, rows: int) -> None:
        """To be called after so many rows were written to a work table, or changed in it."""
        self._tables.filled(table, rows)

    def index_keys(self) -> None:
        """To be called when all candidates were listed, or all lists written."""
        self._tables.index_keys()

    def forget(self) -> None:
        """To be called after a rollback, which may have undone what `index_keys` did."""
        self._tables.forget()

    def index(self) -> None:
        """Have candidates found by what a round of blocking reads of the one before; worth it for many rounds."""
        for found in self.candidates.values():
            wanted = [["r"], ["b"], [c.name for c in found.subject], [c.name for c in found.parent]]
            self._tables.index_now(found.table, [names for names in wanted if names])

    def _candidates(self, name: str, bound: Bound, step: Step | None, parent: str | None) -> Candidates:
        integers = ["done", "orphan", "why", "b", "r"]
        columns: list[Any] = [
            *_key_columns(bound, "k", primary_key=not bound.several),
            *self._subject_columns(primary_key=False),
            *(_key_columns(self.catalogue.records[parent], "p", primary_key=False) if parent else ()),
            *(
                sa.Column(f"x_{bound.columns.index(column)}", _plain(bound.sa_table.c[column]))
                for column in sorted(_referred(bound, self.catalogue.edges) - set(bound.key))
            ),
            sa.Column("a", day_type()),
            sa.Column("u", day_type()),
            *(sa.Column(column, sa.Integer) for column in integers),
        ]
        table = self._tables.table(f"due_{len(self.candidates)}", columns, key_later=not bound.several)
        if bound.several:
            self._tables.index(table, [f"k{i}" for i in range(len(bound.key))])
        return Candidates(name, bound, step, table)

    def _list_whole(self) -> None:
        """Find out of which record types every row is listed: those of several owners, and what decides for them."""
        waiting = [found for found in self.candidates.values() if found.bound.several]
        while waiting:
            found = waiting.pop()
            if not self.candidates[found.name].whole:
                self.candidates[found.name] = replace(found, whole=True)
                parent = decided_by(self.catalogue, found)
                waiting += [self.candidates[parent]] if parent else []

    def _date_columns(self) -> list[sa.Column[Any]]:
        """Whether a subject is under a legal hold, and its dates."""
        return [
            sa.Column("held", sa.Integer),
            *(sa.Column(f"d_{name}", day_type()) for name in self.catalogue.policy.dates),
        ]

    def _subject_columns(self, *, primary_key: bool) -> list[sa.Column[object]]:
        return [
            sa.Column(f"s{i}", kind, primary_key=primary_key, autoincrement=False)
            for i, kind in enumerate(self.subject_key)
        ]


def _has_one_place(catalogue: Catalogue, views: Views) -> bool:
    """Whether every row has one subject at most, so that the rows of a subject can stand in one place of a list."""
    return catalogue.subject is not None and not any(
        bound.several or bound.shares or views.contestable(bound) for bound in catalogue.records.values()
    )


def conditions_of(record: Record) -> Iterator[Condition]:
    """Every condition that a record type's rules ask of its rows, or of rows on the way to others."""
    keeps = [record.keep, record.orphans, *(step.keep for step in record.sooner)]
    hops = [*(hop for date in record.dates.values() for hop in date.through)]
    if record.belongs_to is not None:
        hops += record.belongs_to.through
    given = [record.where, *(keep.while_ for keep in keeps if keep), *(hop.where for hop in hops)]
    yield from (condition for condition in given if condition is not None)


def parent_of(catalogue: Catalogue, record: Record) -> str | None:
    """The record type that decides for the rows of this one: its owner where it has no keep rule (R4)."""
    return catalogue.policy.owner(record.name) if record.keep is None else None


def decided_by(catalogue: Catalogue, found: Candidates) -> str | None:
    """The record type whose rows decide for these: the owner of rows without a rule, what a `with:` step names."""
    return parent_of(catalogue, found.bound.record) if found.step is None else found.step.with_


def uses(found: Candidates, date: str) -> bool:
    """Whether the rule of these rows or steps counts from a subject date."""
    keep = found.step.keep if found.step else found.bound.record.keep
    if keep is None:
        return False
    refs = (keep.after, keep.or_else, *keep.or_until)
    return any(isinstance(ref, SubjectDate) and ref.date == date for ref in refs)


def nulls(listed: Mapping[str, object], edge: Edge | None) -> bool:
    """Whether a list of replacements sets a column of the edge to null, so that the row refers no longer."""
    return edge is not None and any(own in listed and listed[own] is None for own in edge.own)


def undone(edge: Edge, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """That the row's own part of a link is empty, so that it leads nowhere."""
    if edge.through or edge.direct:
        return sa.or_(*(table.c[own].is_(None) for own in edge.own))
    return table.c[edge.columns[0][0]].is_(None)  # several ways: none of them leads anywhere


def _referred(bound: Bound, edges: Iterable[Edge]) -> set[str]:
    return {other for edge in edges if edge.target == bound.record.name for _, other in edge.columns}


def _key_columns(bound: Bound, letter: str, *, primary_key: bool) -> list[sa.Column[object]]:
    return [
        sa.Column(
            f"{letter}{i}", _plain(bound.sa_table.c[name]), primary_key=primary_key, autoincrement=False
        )
        for i, name in enumerate(bound.key)
    ]


def _plain(column: Column) -> sa.types.TypeEngine[object]:
    """The column's type without what belongs to its own table alone (sequences, checks)."""
    return column.type.copy() if isinstance(column.type, sa.types.SchemaType) else column.type

"""The rows in memory and how they hang together: owners, subjects, references, and the dates of a subject."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from staffords_gdpr.database.catalogue import Bound, Catalogue, DateKind, Edge
from staffords_gdpr.policy.models import DateRule, OtherColumn, Scalar
from staffords_gdpr.retention.pure_dates import DateReader, Day, Trouble
from staffords_gdpr.retention.states import Key

Rows = Mapping[str, Sequence[Mapping[str, object]]]
"""Table name -> rows as the driver gives them, uninterpreted."""

Values = Mapping[str, object]
IN_THE_FUTURE = Trouble("lies in the future")
DANGLING = Trouble("leads to a row that is not there")


class Row:
    """One row of a record type. `subject` is None for orphans and for unlinked rows."""

    __slots__ = ("bound", "key", "orphan", "outgoing", "owner", "owner_is_null", "subject", "values")

    def __init__(self, bound: Bound, values: Values) -> None:
        self.bound = bound
        self.values = values
        self.key: Key = tuple(values[column] for column in bound.key)
        self.owner: Row | None = None
        self.owner_is_null = False
        self.subject: Row | None = None
        self.orphan = False
        self.outgoing: list[tuple[Edge, Row]] = []

    @property
    def record(self) -> str:
        return self.bound.record.name

    def __str__(self) -> str:
        return f"{self.record} {key_text(self.key)}"

    @property
    def unlinked(self) -> bool:
        """The policy nulled the link to the owner: without a subject, and no orphan."""
        return self.owner_is_null and not self.orphan

    def unlinked_by(self, replacements: Mapping[str, Scalar]) -> bool:
        """Whether this very list nulls the link to the owner, and the link is null."""
        return self.owner_is_null and nulls(replacements, self.bound.owner)


class SubjectDay:
    """One of the policy's `dates` for one subject: its day, and the rows that it rests on.

    `carriers` are the rows with the latest day; where it is impossible, every row that contributes (R6).
    """

    __slots__ = ("carriers", "day", "source")

    def __init__(self, day: Day, carriers: list[Row], source: str) -> None:
        self.day = day
        self.carriers = carriers
        self.source = source


NO_DAY = SubjectDay(None, [], "")


class World:
    """Indexes over rows in memory. Building it is linear in rows and references."""

    def __init__(self, catalogue: Catalogue, rows: Rows, today: dt.date) -> None:
        self.catalogue = catalogue
        self.policy = catalogue.policy
        self.today = today
        self.reader = DateReader(catalogue.policy)
        self.rows: dict[str, list[Row]] = {
            name: [Row(bound, values) for values in rows.get(bound.table, ())]
            for name, bound in catalogue.records.items()
        }
        self._indexes: dict[tuple[str, tuple[str, ...]], dict[Key, list[Row]]] = {}
        self.incoming: dict[Row, list[tuple[Edge, Row | None]]] = defaultdict(list)
        self._refer(rows)
        self.owners_first = _owners_first(catalogue)
        for name in self.owners_first:
            for row in self.rows[name]:
                self._settle_subject(row)
        self._days = {rule.name: self._subject_days(rule) for rule in self.policy.dates.values()}

    # -- references --

    def _refer(self, rows: Rows) -> None:
        for edge in self.catalogue.edges:
            if edge.source is None:
                for values in rows.get(edge.source_table, ()):
                    for target in self._targets(values, edge):
                        self.incoming[target].append((edge, None))
                continue
            for row in self.rows[edge.source]:
                for target in self._targets(row.values, edge):
                    if target is not row:
                        row.outgoing.append((edge, target))
                        self.incoming[target].append((edge, row))

    def _targets(self, values: Values, edge: Edge) -> Sequence[Row]:
        sought = tuple(comparable(values[own]) for own, _ in edge.columns)
        if None in sought:
            return ()
        columns = tuple(theirs for _, theirs in edge.columns)
        return self._index(edge.target, columns).get(sought, ())

    def _index(self, record: str, columns: tuple[str, ...]) -> dict[Key, list[Row]]:
        index = self._indexes.get((record, columns))
        if index is None:
            index = defaultdict(list)
            for row in self.rows[record]:
                index[tuple(comparable(row.values[column]) for column in columns)].append(row)
            self._indexes[record, columns] = index
        return index

    def _along(self, row: Row, edge: Edge) -> Row | Trouble | None:
        """The row at the other end; None where the reference is NULL, DANGLING where no such row is there."""
        if any(row.values[own] is None for own, _ in edge.columns):
            return None
        targets = self._targets(row.values, edge)
        return targets[0] if targets else DANGLING

    def follow(self, row: Row, record: str) -> Row | Trouble | None:
        """The row of `record` that `row` belongs or refers to, also through its owners (R2)."""
        for edge in (row.bound.owner, *row.bound.refers):
            if edge is not None and edge.target == record:
                return self._along(row, edge)
        if row.bound.owner is None:
            return None
        owner = self._along(row, row.bound.owner)
        return self.follow(owner, record) if isinstance(owner, Row) else owner

    # -- subjects --

    def _settle_subject(self, row: Row) -> None:
        if row.record == self.policy.subject:
            row.subject = row
            return
        edge = row.bound.owner
        owner = self._along(row, edge) if edge else None
        if isinstance(owner, Row):
            row.owner, row.subject = owner, owner.subject
            row.orphan = row.subject is None
            return
        row.owner_is_null = edge is not None and owner is None
        record = row.bound.record
        lists = [step.anonymise for step in record.sooner]
        if record.anonymise is not None:
            lists.append(record.anonymise)
        row.orphan = not any(row.unlinked_by(replacements) for replacements in lists)

    # -- values --

    def value(self, row: Row, column: str) -> object:
        """A stored value, None where it is NULL or stands for "no date"."""
        raw = row.values[column]
        date = row.bound.dates.get(column)
        return None if date is not None and self.reader.is_empty(raw, date.kind) else raw

    def day(self, row: Row, column: str) -> Day:
        date = row.bound.dates.get(column)
        return self.reader.read(row.values[column], date.kind if date else DateKind.TEXT)

    def holds_all(self, row: Row, replacements: Mapping[str, Scalar]) -> bool:
        """Whether every listed column holds its replacement already (R10)."""
        return all(same(self.value(row, column), new) for column, new in replacements.items())

    # -- the dates of a subject --

    def subject_day(self, subject: Row | None, name: str) -> SubjectDay:
        return NO_DAY if subject is None else self._days[name].get(subject, NO_DAY)

    def dates_of(self, subject: Row) -> dict[str, SubjectDay]:
        return {name: self.subject_day(subject, name) for name in self._days}

    def _subject_days(self, rule: DateRule) -> dict[Row, SubjectDay]:
        found: dict[Row, list[tuple[Day, Row, str]]] = defaultdict(list)
        for source in rule.latest_of:
            for row in self.rows[source.record]:
                if row.subject is not None:
                    self._collect(found[row.subject], rule, row, source)
        if rule.or_else is not None:
            for subject in self.rows[self.policy.subject]:
                if not found[subject]:
                    self._collect(found[subject], rule, subject, rule.or_else)
        return {subject: _latest(values) for subject, values in found.items() if values}

    def _collect(
        self, values: list[tuple[Day, Row, str]], rule: DateRule, row: Row, source: OtherColumn
    ) -> None:
        day = self.day(row, source.column)
        if isinstance(day, dt.date) and day > self.today and not rule.future:
            day = IN_THE_FUTURE
        if day is not None:
            values.append((day, row, source.column))


def _latest(values: list[tuple[Day, Row, str]]) -> SubjectDay:
    troubles = sorted(
        (key_text(row.key), str(row), column, day.why)
        for day, row, column in values
        if isinstance(day, Trouble)
    )
    if troubles:
        _, name, column, why = troubles[0]
        source = f"{name} {column}"
        return SubjectDay(
            Trouble(f"cannot be told: {source} {why}"), _distinct(row for _, row, _ in values), source
        )
    days = [(day, row, column) for day, row, column in values if isinstance(day, dt.date)]
    latest = max(day for day, _, _ in days)
    sources = sorted(f"{row} {column}" for day, row, column in days if day == latest)
    return SubjectDay(latest, _distinct(row for day, row, _ in days if day == latest), sources[0])


def _distinct(rows: Iterable[Row]) -> list[Row]:
    return list(dict.fromkeys(rows))


def _owners_first(catalogue: Catalogue) -> list[str]:
    ordered: list[str] = []

    def place(name: str) -> None:
        if name not in ordered:
            owner = catalogue.records[name].owner
            if owner is not None:
                place(owner.target)
            ordered.append(name)

    for name in catalogue.records:
        place(name)
    return ordered


def nulls(replacements: Mapping[str, Scalar], edge: Edge | None) -> bool:
    """Whether a list of replacements sets one of the edge's own columns to null: the reference is undone."""
    return edge is not None and any(
        own in replacements and replacements[own] is None for own, _ in edge.columns
    )


def comparable(value: object) -> object:
    """A key's value for comparing: 5, 5.0 and '5' are the same key, as they are in a join."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, (int, float, Decimal)):
        whole = math.isfinite(value) and value == int(value)
        return str(int(value)) if whole else str(value)
    return str(value)


def same(value: object, wanted: Scalar) -> bool:
    """Whether a stored value is the one that the policy writes; None is NULL. '5' in a text column is 5."""
    if value is None or wanted is None:
        return value is wanted
    return value == wanted or comparable(value) == comparable(wanted)


def key_text(key: Key) -> str:
    return ", ".join(str(part) for part in key)

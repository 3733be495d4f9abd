"""The rows in memory and how they hang together: owners, subjects, references, and the dates of a subject."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from staffords_gdpr.database.catalogue import Bound, Catalogue, DateKind, DateSource, Edge
from staffords_gdpr.policy.models import DateRule, OtherColumn, Scalar
from staffords_gdpr.retention.pure.conditions import Line, Rows, Tables
from staffords_gdpr.retention.pure.dates import DateReader, Day, Trouble, later, not_early
from staffords_gdpr.retention.pure.values import comparable_key, filled, key_text, nulls, same
from staffords_gdpr.retention.pure.view import Member, View, valued
from staffords_gdpr.retention.states import Key

IN_THE_FUTURE = Trouble("lies in the future")
DANGLING = Trouble("leads to a row that is not there")


class Row:
    """One appearance of a row of a record type: a row with several owners appears once for each.

    `whole` are all appearances of the same row, this one included. `subject` is None for orphans and for unlinked
    rows. `also` names the other record types that claim the row; `contested`: one does, or an owner of another kind.
    """

    __slots__ = (
        "also", "bound", "contested", "key", "orphan", "outgoing", "owner", "owner_is_null", "subject", "values",
        "whole",
    )  # fmt: skip

    def __init__(self, bound: Bound, values: Line) -> None:
        self.bound = bound
        self.values = values
        self.key: Key = tuple(values[column] for column in bound.key)
        self.owner: Row | None = None
        self.owner_is_null = False
        self.subject: Row | None = None
        self.orphan = False
        self.outgoing: list[tuple[Edge, Row]] = []
        self.whole: list[Row] = [self]
        self.also: tuple[str, ...] = ()
        self.contested = False

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
        self.tables = Tables(rows)
        self.view = View(catalogue, self.tables, self.reader)
        self.owners_first = self.view.owners_first
        self.rows: dict[str, list[Row]] = {}
        self._texts = {
            name: {column: sql for sql, column in bound.expressions.items()}
            for name, bound in catalogue.records.items()
        }
        self._indexes: dict[tuple[str, tuple[str, ...]], dict[Key, list[Row]]] = {}
        self._appear()
        self.incoming: dict[Row, list[tuple[Edge, Row | None]]] = defaultdict(list)
        self._refer()
        self._days = {rule.name: self._subject_days(rule) for rule in self.policy.dates.values()}

    # -- owners and subjects --

    def _appear(self) -> None:
        """Every row, once for each of its owners."""
        subject = valued(self.catalogue)
        if subject is not None:
            self.rows[subject.record.name] = [
                Row(subject, dict(zip(subject.key, key, strict=True))) for key in self.view.values()
            ]
            for row in self.rows[subject.record.name]:
                row.subject = row
        for name in self.owners_first:
            bound = self.catalogue.records[name]
            self.rows[name] = [row for member in self.view.members[name] for row in self._each(bound, member)]
        self._note_claims()

    def _each(self, bound: Bound, member: Member) -> list[Row]:
        edge, line = bound.owner, member.line
        if edge is None:
            row = Row(bound, line)
            row.subject = row
            return [row]
        found: list[Row] = []
        owned: set[Row] = set()
        for link in member.links or ((),):
            for owner in (link and self._linked(edge, link)) or (None,):
                if owner is None or owner not in owned:
                    found.append(self._owned(Row(bound, line), owner, is_null=not link))
                if owner is not None:
                    owned.add(owner)
        if len(found) > 1:
            for row in found:
                row.whole = found
        return found

    def _owned(self, row: Row, owner: Row | None, *, is_null: bool) -> Row:
        if owner is not None:
            row.owner, row.subject = owner, owner.subject
            row.orphan = row.subject is None
            return row
        edge, record = row.bound.owner, row.bound.record
        assert edge is not None
        # a way over other tables is undone only in the row itself: what stands in those tables is not the policy's
        row.owner_is_null = is_null and (not edge.through or any(row.values[own] is None for own in edge.own))
        lists = [step.anonymise for step in record.sooner]
        if record.anonymise is not None:
            lists.append(record.anonymise)
        row.orphan = not any(row.unlinked_by(replacements) for replacements in lists)
        return row

    def _linked(self, edge: Edge, link: Key) -> Sequence[Row]:
        columns = tuple(other for _, other in edge.columns)
        return self._index(edge.target, columns).get(comparable_key(link), ())

    def _note_claims(self) -> None:
        """A row that several record types claim is known by all of them."""
        for name, bound in self.catalogue.records.items():
            others = [other for other in bound.shares if other in self.rows]
            claimed = {other: {id(member.line) for member in self.view.members[other]} for other in others}
            contested = {id(member.line) for member in self.view.members[name] if member.contested}
            for row in self.rows[name] if others or contested else ():
                row.also = tuple(other for other in others if id(row.values) in claimed[other])
                row.contested = bool(row.also) or id(row.values) in contested

    # -- references --

    def _refer(self) -> None:
        for edge in self.catalogue.edges:
            if edge.source is None:
                for line in self.tables.all(edge.source_table):
                    if not any(self.view.is_member(name, line) for name in edge.beyond):
                        for target in self._targets(line, edge):
                            self.incoming[target].append((edge, None))
                continue
            owns = edge.kind == "belongs_to"
            for row in self.rows[edge.source]:
                if owns:
                    targets: Sequence[Row] = row.owner.whole if row.owner is not None else ()
                else:
                    targets = self._targets(row.values, edge)
                for target in targets:
                    if target.whole[0] is not row.whole[0]:
                        row.outgoing.append((edge, target))
                        self.incoming[target].append((edge, row))

    def _targets(self, line: Line, edge: Edge) -> Sequence[Row]:
        link = tuple(line[own] for own, _ in edge.columns)
        return () if None in link else self._linked(edge, link)

    def _index(self, record: str, columns: tuple[str, ...]) -> dict[Key, list[Row]]:
        index = self._indexes.get((record, columns))
        if index is None:
            index = defaultdict(list)
            for row in self.rows[record]:
                index[comparable_key(tuple(row.values[column] for column in columns))].append(row)
            self._indexes[record, columns] = index
        return index

    def follow(self, row: Row, record: str) -> Row | Trouble | None:
        """The row of `record` that `row` belongs or refers to, also through its owners (R2).

        None where the reference is NULL, DANGLING where no such row is there.
        """
        edge = row.bound.owner
        owner = row.owner or (None if row.owner_is_null else DANGLING)
        if edge is not None and edge.target == record:
            return owner
        for edge in row.bound.refers:
            if edge.target == record:
                if any(row.values[own] is None for own, _ in edge.columns):
                    return None
                targets = self._targets(row.values, edge)
                return targets[0] if targets else DANGLING
        if row.bound.owner is None:
            return None
        return self.follow(owner, record) if isinstance(owner, Row) else owner

    # -- values --

    def value(self, row: Row, name: str) -> object:
        """A stored value, or a date of the row; None where it is NULL or stands for "no date"."""
        date = row.bound.dates.get(name)
        if date is None:
            return row.values[name]
        if name in row.bound.record.dates:
            return self.day(row, name)
        raw = row.values[name]
        return None if self.reader.is_empty(raw, date.kind) else raw

    def day(self, row: Row, name: str) -> Day:
        """The day that a column, or a date of the row's record type, says."""
        source = row.bound.dates.get(name)
        if source is None:
            return self.reader.read(row.values[name], DateKind.TEXT)
        column = self._texts[row.record].get(source.column, source.column)
        if source.plain:
            return self.reader.read(row.values[column], source.kind, source.zone)
        if not source.through:
            return self._read(source, column, row.values)
        days = [self._read(source, column, line) for line in self.tables.along(source.through, row.values)]
        troubles = [day for day in days if isinstance(day, Trouble)]
        return min(troubles, key=lambda t: t.why) if troubles else max(_only_days(days), default=None)

    def _read(self, source: DateSource, column: str, line: Line) -> Day:
        if source.plus is None:
            return self.reader.read(line[column], source.kind, source.zone)
        start = self.reader.start(line[column], source.kind, source.zone)
        amount = line[source.plus.column] if source.plus.column else source.plus.number
        return not_early(later(start, source.plus.unit, amount))

    def origin(self, row: Row, name: str) -> str:
        """Where a date of a row comes from, in prose: "device 1 covered (bought_on 2023-11-30 plus 3 months)"."""
        source = row.bound.dates.get(name)
        if source is None or (source.plain and source.column == name):
            return f"{row} {name}"
        told = self._texts[row.record].get(source.column, source.column)
        if source.through:
            told = f"{told} in {source.through[-1].table}"
        elif source.plus is not None:
            told = f"{told} {row.values[told]}"
        if source.plus is not None:
            by_row = source.plus.column if source.through else row.values.get(source.plus.column)
            amount = by_row if source.plus.column else source.plus.number
            told += f" plus {'no' if amount is None else amount} {source.plus.unit}s"
        return f"{row} {name} ({told})"

    def holds_all(self, row: Row, replacements: Mapping[str, Scalar]) -> bool:
        """Whether every listed column holds its replacement already, to the letter (R10)."""
        return all(same(row.values[column], filled(new, row.key)) for column, new in replacements.items())

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
        return {subject: self._latest(values) for subject, values in found.items() if values}

    def _collect(
        self, values: list[tuple[Day, Row, str]], rule: DateRule, row: Row, source: OtherColumn
    ) -> None:
        day = self.day(row, source.column)
        if isinstance(day, dt.date) and day > self.today and not rule.future:
            day = IN_THE_FUTURE
        if day is not None:
            values.append((day, row, source.column))

    def _latest(self, values: list[tuple[Day, Row, str]]) -> SubjectDay:
        troubles = sorted(
            (key_text(row.key), str(row), column, day.why)
            for day, row, column in values
            if isinstance(day, Trouble)
        )
        if troubles:
            _, name, column, why = troubles[0]
            source = f"{name} {column}"
            told = Trouble(f"cannot be told: {source} {why}")
            return SubjectDay(told, _distinct(row for _, row, _ in values), source)
        latest = max(_only_days(day for day, _, _ in values))
        first = min((value for value in values if value[0] == latest), key=lambda v: f"{v[1]} {v[2]}")
        carriers = _distinct(row for day, row, _ in values if day == latest)
        return SubjectDay(latest, carriers, self.origin(first[1], first[2]))


def _distinct(rows: Iterable[Row]) -> list[Row]:
    return list(dict.fromkeys(rows))


def _only_days(days: Iterable[Day]) -> list[dt.date]:
    return [day for day in days if isinstance(day, dt.date)]

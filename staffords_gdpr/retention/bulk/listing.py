"""The statements that fill the work tables: the subjects with their dates, then every row that is not simply kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateSource
from staffords_gdpr.policy.models import DateRule, OtherColumn
from staffords_gdpr.retention.bulk.chain import (
    Column,
    joined,
    key_of,
    numbered,
    owner_edges,
    same,
    with_subject,
)
from staffords_gdpr.retention.bulk.codes import Code
from staffords_gdpr.retention.bulk.rows import Rows, Scope
from staffords_gdpr.retention.bulk.sources import day_of, latest_of
from staffords_gdpr.retention.bulk.work import Candidates, Work, decided_by


def listing(rows: Rows) -> list[sa.Insert]:
    """All of them, in the order in which they must run."""
    statements = [] if rows.scope is Scope.ROWS else [_subjects(rows)]
    for found in _deciders_first(rows):
        statements += _candidates(rows, found)
    return statements


def owning_together(work: Work) -> Iterator[sa.Select[Any]]:
    """Who owns a row together with a subject of the scope: a query for each record type with several owners."""
    for name, bound in work.catalogue.records.items():
        if not bound.several or bound.owner is None or bound.owner.direct:
            continue
        here, there = (work.views.appearances(name).alias() for _ in range(2))
        source, subject = with_subject(work.views, name, here)
        others, other = with_subject(work.views, name, there)
        ours = source.join(work.scope, same(numbered(work.scope, "s"), subject))
        shared = same(key_of(here, bound), key_of(there, bound))
        known = [column.is_not(None) for column in other]
        yield sa.select(*other).select_from(ours, others).where(shared, *known).distinct()


def _subjects(rows: Rows) -> sa.Insert:
    table = rows.work.subjects
    return sa.insert(table).from_select([column.name for column in table.c], subject_dates(rows))


def subject_dates(rows: Rows) -> sa.Select[Any]:
    """One row a subject of the scope: its key, whether it is under a legal hold, and its dates (R2)."""
    work, policy = rows.work, rows.policy
    table = rows.views.appearances(policy.subject).alias()
    key = [table.c[name] for name in rows.catalogue.subject_key]
    query = rows.of_scope(sa.select().select_from(table), key)
    held = sa.exists().where(same(numbered(work.holds, "s"), key))
    columns: list[Column] = [*key, sa.case((held, 1), else_=0)]
    for rule in policy.dates.values():
        latest, day = _latest_day(rows, rule)
        query = query.outerjoin(latest, same(numbered(latest, "s"), key))
        if rule.or_else is not None:
            dates = rows.catalogue.records[policy.subject].dates
            other = day_of(rows.days, dates[rule.or_else.column], table, event=not rule.future)
            day = sa.func.coalesce(day, other)
        columns.append(day)
    named = (column.label(own.name) for own, column in zip(work.subjects.c, columns, strict=True))
    return query.add_columns(*named)


def _latest_day(rows: Rows, rule: DateRule) -> tuple[sa.FromClause, Column]:
    """The subjects of the scope with their latest day, as a table and a column.

    Where all values are alike it is the day of the latest value: only of that a day is made.
    """
    event = not rule.future
    sources = [_Source.of(rows, ref) for ref in rule.latest_of]
    alike = {one.kind for one in sources}
    typical = [one.in_order(rows, event=event) for one in sources] if len(alike) == 1 else [None]
    if None in typical:
        parts = sa.union_all(
            *(
                one.select(day_of(rows.days, one.source, one.table, event=event).label("day"))
                for one in sources
            )
        ).subquery()
        latest = _greatest(parts, [parts.c.day])
        return latest, latest.c.day
    parts = sa.union_all(
        *(
            one.latest(moment.label("moment"), odd.label("odd"))
            for one, (moment, odd) in zip(sources, filter(None, typical), strict=True)
        )
    ).subquery()
    latest = _greatest(parts, [parts.c.moment, parts.c.odd])
    source = sources[0].source
    day = rows.days.day(latest.c.moment, source.kind, event=event, zone=source.zone)
    return latest, latest_of([day, latest.c.odd])


def _greatest(parts: sa.FromClause, columns: Sequence[Column]) -> sa.FromClause:
    keys = numbered(parts, "s")
    return sa.select(*keys, *_maxima(columns)).group_by(*keys).subquery()


def _maxima(columns: Sequence[Column]) -> list[Column]:
    return [sa.func.max(column, type_=column.type).label(column.name) for column in columns]


@dataclass(frozen=True, eq=False)
class _Source:
    """A date that a subject date is taken from, and the rows of the scope that have it."""

    source: DateSource
    table: sa.FromClause
    rows: sa.Select[Any]
    subject: list[Column]

    @classmethod
    def of(cls, rows: Rows, ref: OtherColumn) -> _Source:
        table = rows.views.appearances(ref.record).alias()
        source, key = with_subject(rows.views, ref.record, table)
        chosen = rows.of_scope(sa.select().select_from(source), key)
        return cls(rows.catalogue.records[ref.record].dates[ref.column], table, chosen, key)

    @property
    def kind(self) -> tuple[object, ...]:
        """What the values of two sources have to have in common to be compared with each other."""
        source = self.source
        return (
            (source.kind, source.zone, repr(self.table.c[source.column].type))
            if source.plain
            else (id(self),)
        )

    def in_order(self, rows: Rows, *, event: bool) -> tuple[Column, Column] | None:
        if not self.source.plain:
            return None
        column = self.table.c[self.source.column]
        return rows.days.in_order(column, self.source.kind, event=event, zone=self.source.zone)

    def latest(self, *columns: Column) -> sa.Select[Any]:
        """The same, each subject once: with the greatest of what its rows have in each column."""
        return self.select(*_maxima(columns)).group_by(*self.subject)

    def select(self, *columns: Column) -> sa.Select[Any]:
        labelled = (column.label(f"s{i}") for i, column in enumerate(self.subject))
        return self.rows.add_columns(*labelled, *columns)


def _deciders_first(rows: Rows) -> list[Candidates]:
    """Candidates after those that decide for them."""
    placed: list[str] = []
    waiting = list(rows.work.candidates)
    while waiting:
        for name in list(waiting):
            parent = decided_by(rows.catalogue, rows.work.candidates[name])
            if parent is None or parent in placed:
                placed.append(name)
                waiting.remove(name)
    return [rows.work.candidates[name] for name in placed]


def _candidates(rows: Rows, found: Candidates) -> Iterator[sa.Insert]:
    """The statements that list one record type or step."""
    parent = decided_by(rows.catalogue, found)
    twice = rows.contestable(
        found.bound
    )  # what is somebody else's, too, is undecidable, whatever it goes with
    if parent is not None and not twice and rows.scope is Scope.SUBJECTS:
        # rows that reach a subject go with the one that decides for them
        yield _with_parent(rows, found, rows.work.candidates[parent])
        return
    standing = rows.standing(found, alone=parent is not None and not twice)
    names = [c.name for c in found.table.c if c.name in standing.c]
    why = sa.case((standing.c.code != int(Code.CANDIDATE), -standing.c.code))
    own = sa.select(*(standing.c[name] for name in names), why)
    if found.bound.several:
        own = own.distinct()  # two ways may lead to one owner
    if not found.whole:
        own = own.where(standing.c.code != int(Code.KEPT))
    names.append("why")
    if parent is None:
        yield sa.insert(found.table).from_select(names, own)
        return
    # rows without the one that would decide for them, then those that go with it
    alone = standing.c.orphan == 1
    if found.step is not None:
        alone = standing.c.orphan > 0
        if "free" in standing.c:
            alone = sa.or_(alone, standing.c.free == 1)
    if twice:
        alone = sa.or_(sa.and_(standing.c.s0.is_(None), alone), standing.c.code == int(Code.AMBIGUOUS))
    yield sa.insert(found.table).from_select(names, own.where(alone))
    yield _with_parent(rows, found, rows.work.candidates[parent])


def _with_parent(rows: Rows, found: Candidates, parent: Candidates) -> sa.Insert:
    """Dependent rows of candidates: they share the days and the fate of their parent (R4)."""
    table: sa.FromClause = rows.views.appearances(found.bound.record.name).alias()
    here, links = table, []
    for edge in owner_edges(rows.catalogue, found.bound.record.name):
        if edge.target == parent.name:
            links.append(
                (here, sa.and_(*(here.c[own] == parent.column(other) for own, other in edge.columns)))
            )
            break
        above = rows.views.appearances(edge.target).alias()
        links.append((here, joined(here, edge, above)))
        here = above
    source: sa.FromClause = parent.table
    for below, on in reversed(links):
        source = source.join(below, on)
    columns: dict[str, Column] = {
        **{f"k{i}": key for i, key in enumerate(key_of(table, found.bound))},
        **{s.name: s for s in parent.subject},
        **{f"p{i}": key for i, key in enumerate(parent.key)},
        **found.extra(table),
        **{name: parent.table.c[name] for name in ("a", "u", "why", "b")},
        # seen from here, the row whose rule for orphans decides is one level further up
        "orphan": sa.case((parent.table.c.orphan > 0, parent.table.c.orphan + 1), else_=0),
        "done": sa.case((rows.erased(found, table), 1), else_=0),
    }
    query = sa.select(*columns.values()).select_from(source)
    if found.step is not None:
        query = query.where(parent.subject[0].is_not(None))
    if rows.contestable(found.bound):
        query = query.where(sa.not_(rows.contested(found.bound, table)))
    if found.bound.several:
        query = query.distinct()
    return sa.insert(found.table).from_select(list(columns), query)

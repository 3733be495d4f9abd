"""The statements that fill the work tables: the subjects with their dates, then every row that is not simply kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.policy.models import OtherColumn
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
from staffords_gdpr.retention.bulk.sources import day_of
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
    """One row a subject of the scope: its key, whether it is under a legal hold, and its dates (R2)."""
    work, policy = rows.work, rows.policy
    table = rows.views.appearances(policy.subject).alias()
    key = [table.c[name] for name in rows.catalogue.subject_key]
    source: sa.FromClause = table
    if rows.scope is Scope.SUBJECTS:
        source = work.scope.join(table, same(numbered(work.scope, "s"), key))
    held = sa.exists().where(same(numbered(work.holds, "s"), key))
    columns: list[Column] = [*key, sa.case((held, 1), else_=0)]
    for rule in policy.dates.values():
        parts = sa.union_all(
            *(_source(rows, ref, event=not rule.future) for ref in rule.latest_of)
        ).subquery()
        keys = numbered(parts, "s")
        latest = sa.select(*keys, sa.func.max(parts.c.day).label("day")).group_by(*keys).subquery()
        source = source.join(latest, same(numbered(latest, "s"), key), isouter=True)
        day: Column = latest.c.day
        if rule.or_else is not None:
            dates = rows.catalogue.records[policy.subject].dates
            other = day_of(rows.days, dates[rule.or_else.column], table, event=not rule.future)
            day = sa.func.coalesce(day, other)
        columns.append(day)
    names = [column.name for column in work.subjects.c]
    return sa.insert(work.subjects).from_select(names, sa.select(*columns).select_from(source))


def _source(rows: Rows, ref: OtherColumn, *, event: bool) -> sa.Select[Any]:
    """(subject key, day) of every row of the scope that a subject date is taken from."""
    bound = rows.catalogue.records[ref.record]
    table = rows.views.appearances(ref.record).alias()
    source, key = with_subject(rows.views, ref.record, table)
    if rows.scope is Scope.SUBJECTS:
        source = source.join(rows.work.scope, same(numbered(rows.work.scope, "s"), key))
    day = day_of(rows.days, bound.dates[ref.column], table, event=event)
    return sa.select(*(column.label(f"s{i}") for i, column in enumerate(key)), day.label("day")).select_from(
        source
    )


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
    alone = (
        standing.c.orphan == 1 if found.step is None else sa.or_(standing.c.orphan > 0, standing.c.free == 1)
    )
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
    dates = rows.work.subjects.alias()
    source = source.outerjoin(dates, same(numbered(dates, "s"), parent.subject))
    columns: dict[str, Column] = {
        **{f"k{i}": key for i, key in enumerate(key_of(table, found.bound))},
        **{s.name: s for s in parent.subject},
        **{f"p{i}": key for i, key in enumerate(parent.key)},
        **found.extra(table),
        **{name: parent.table.c[name] for name in ("a", "u", "why", "b")},
        # seen from here, the row whose rule for orphans decides is one level further up
        "orphan": sa.case((parent.table.c.orphan > 0, parent.table.c.orphan + 1), else_=0),
        "done": sa.case((rows.erased(found, table), 1), else_=0),
        **rows.evidence(found, table, dates),
    }
    query = sa.select(*columns.values()).select_from(source)
    if found.step is not None:
        query = query.where(parent.subject[0].is_not(None))
    if rows.contestable(found.bound):
        query = query.where(sa.not_(rows.contested(found.bound, table)))
    if found.bound.several:
        query = query.distinct()
    return sa.insert(found.table).from_select(list(columns), query)

"""Which rows a subject date is counted from, and so must not go while others count from it (R6)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.retention.bulk.chain import Column, Condition, joined, owner_edges
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE, Days
from staffords_gdpr.retention.bulk.sources import day_of
from staffords_gdpr.retention.bulk.view import Views
from staffords_gdpr.retention.bulk.work import Candidates, nulls


def carries(
    views: Views,
    days: Days,
    candidates: Candidates,
    table: sa.FromClause,
    dates: sa.FromClause,
    date: str,
) -> Column:
    """1 where erasing this row would take away the latest day of a subject date, 2 where that date is impossible.

    A step that undoes the link to the owner takes away the row's own days, and those of all that belongs to it.
    """
    catalogue, name = views.catalogue, candidates.bound.record.name
    if not touched(catalogue, candidates, date):
        return sa.literal(0)
    latest = dates.c[f"d_{date}"]
    some: list[Condition] = []
    newest: list[Condition] = []
    for record, column in _sources(catalogue, date):
        if record == name:
            day = _day(catalogue, days, table, record, column, date)
            some.append(day.is_not(None))
            newest.append(day == latest)
        elif name in (edge.target for edge in owner_edges(catalogue, record)) and candidates.step is not None:
            below, linked = _below(views, record, name, table)
            day = _day(catalogue, days, below, record, column, date)
            some.append(linked.where(day.is_not(None)).exists())
            newest.append(linked.where(day == latest).exists())
    return sa.case((sa.and_(latest == IMPOSSIBLE, sa.or_(*some)), 2), (sa.or_(*newest), 1), else_=0)


def touched(catalogue: Catalogue, candidates: Candidates, date: str) -> bool:
    """Whether erasing such rows can take anything away from a subject date."""
    name, step = candidates.bound.record.name, candidates.step
    if step is not None and not nulls(step.anonymise, candidates.bound.owner):
        return False
    return any(
        record == name
        or (step is not None and name in (edge.target for edge in owner_edges(catalogue, record)))
        for record, _ in _sources(catalogue, date)
    )


def _sources(catalogue: Catalogue, date: str) -> list[tuple[str, str]]:
    """(record type, column) of everything that a subject date is taken from."""
    rule = catalogue.policy.dates[date]
    found = [(ref.record, ref.column) for ref in rule.latest_of]
    return found + ([(catalogue.policy.subject, rule.or_else.column)] if rule.or_else else [])


def _day(
    catalogue: Catalogue, days: Days, table: sa.FromClause, record: str, column: str, date: str
) -> Column:
    source = catalogue.records[record].dates[column]
    return day_of(days, source, table, event=not catalogue.policy.dates[date].future)


def _below(views: Views, record: str, top: str, table: sa.FromClause) -> tuple[sa.FromClause, sa.Select[Any]]:
    """The rows of `record` that belong, over however many links, to the row of `table`, which is a `top`."""
    below = views.appearances(record).alias()
    source: sa.FromClause = below
    here: sa.FromClause = below
    for edge in owner_edges(views.catalogue, record):
        if edge.target == top:
            linked = sa.select(sa.literal(1)).select_from(source).where(joined(here, edge, table))
            return below, linked.correlate(table)
        above = views.appearances(edge.target).alias()
        source = source.join(above, joined(here, edge, above))
        here = above
    raise ValueError(f"{record} does not belong to {top}")

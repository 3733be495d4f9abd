"""Which rows a subject date is counted from, and so must not go while others count from it (R6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.retention.bulk.chain import Column, Condition, joined, owner_edges
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE, Days
from staffords_gdpr.retention.bulk.sources import day_of
from staffords_gdpr.retention.bulk.view import Views
from staffords_gdpr.retention.bulk.work import Candidates, nulls


def carries(
    views: Views, days: Days, candidates: Candidates, table: sa.FromClause, dates: sa.FromClause, date: str
) -> Condition:
    """Erasing this row would take away the latest day of a subject date, one that can be.

    A step that undoes the link to the owner takes away the row's own days, and those of all that belongs to it.
    """
    latest = dates.c[f"d_{date}"]
    newest = _any_day(views, days, candidates, table, date, lambda day: day == latest)
    return sa.and_(latest != IMPOSSIBLE, newest)


def contributes(
    views: Views, days: Days, candidates: Candidates, table: sa.FromClause, dates: sa.FromClause, date: str
) -> Condition:
    """The same of a subject date that is impossible: the row has a day for it."""
    some = _any_day(views, days, candidates, table, date, lambda day: day.is_not(None))
    return sa.and_(dates.c[f"d_{date}"] == IMPOSSIBLE, some)


def _any_day(
    views: Views,
    days: Days,
    candidates: Candidates,
    table: sa.FromClause,
    date: str,
    test: Callable[[Column], Condition],
) -> Condition:
    """The test is true of a day that goes with the row."""
    catalogue, name = views.catalogue, candidates.bound.record.name
    found: list[Condition] = []
    for record, column in _sources(catalogue, date) if touched(catalogue, candidates, date) else ():
        if record == name:
            found.append(test(_day(catalogue, days, table, record, column, date)))
        elif name in (edge.target for edge in owner_edges(catalogue, record)) and candidates.step is not None:
            below, linked = _below(views, record, name, table)
            found.append(linked.where(test(_day(catalogue, days, below, record, column, date))).exists())
    return sa.or_(sa.false(), *found)


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

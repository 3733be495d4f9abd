"""The dates of a row by the policy's `dates:`: over other tables, with time added, in a zone of their own."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateSource
from staffords_gdpr.policy.models import Plus
from staffords_gdpr.retention.bulk.chain import Column
from staffords_gdpr.retention.bulk.conditions import plainly
from staffords_gdpr.retention.bulk.date_values import Text
from staffords_gdpr.retention.bulk.dates import Days
from staffords_gdpr.retention.bulk.engines import greatest
from staffords_gdpr.retention.bulk.view import chained, first_hop, hops_of, start_of


def day_of(days: Days, source: DateSource, table: sa.FromClause, *, event: bool) -> Text:
    """The day that `source` has for a row of `table`: see `bulk/dates` for what it can be.

    Over other tables the latest counts, and one impossible day makes it impossible: that sorts last.
    """
    if not source.through:
        return _read(days, source, table, event=event)
    if source.plus is not None:
        return _over_with_time_added(days, source, source.plus, table, event=event)
    hops = hops_of(source.through, [source.column])
    return (
        sa.select(sa.func.max(_read(days, source, hops[-1], event=event)))
        .select_from(chained(source.through, hops))
        .where(first_hop(source.through, hops, table))
        .correlate(table)
        .scalar_subquery()
    )


def latest_of(days: Sequence[Column]) -> Column:
    """The latest of several days, of which any may be NULL."""
    if not days:
        return sa.null()
    if len(days) == 1:
        return days[0]
    return sa.func.nullif(greatest(*(sa.func.coalesce(day, "") for day in days)), "")


def _read(days: Days, source: DateSource, table: sa.FromClause, *, event: bool) -> Text:
    plus = source.plus
    if plus is None:
        return days.day(table.c[source.column], source.kind, event=event, zone=source.zone)
    start: Text = table.c[start_of(source)]
    return days.plus(start, plus.unit, table.c[plus.column] if plus.column else plus.number, event=event)


def _over_with_time_added(
    days: Days, source: DateSource, plus: Plus, table: sa.FromClause, *, event: bool
) -> Text:
    """In two steps, since the engines give up on one that repeats so long an expression (see `start_of`)."""
    hops = hops_of(source.through, [source.column, *([plus.column] if plus.column else [])])
    first, last = source.through[0], hops[-1]
    starts = (
        sa.select(
            *(hops[0].c[own].label(f"on_{own}") for own in first.on),
            days.day(last.c[source.column], source.kind, event=False, zone=source.zone, early=True).label(
                "day"
            ),
            *([last.c[plus.column].label("amount")] if plus.column else []),
        )
        .select_from(chained(source.through, hops))
        .where(plainly(first.where, hops[0]))
        .subquery()
    )
    amount = starts.c.amount if plus.column else plus.number
    return (
        sa.select(sa.func.max(days.plus(starts.c.day, plus.unit, amount, event=event)))
        .where(*(starts.c[f"on_{own}"] == table.c[before] for own, before in first.on.items()))
        .correlate(table)
        .scalar_subquery()
    )

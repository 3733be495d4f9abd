"""The dates of a row by the policy's `dates:`: over other tables, with time added, in a zone of their own."""

from __future__ import annotations

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateSource
from staffords_gdpr.retention.bulk_dates import Days, Text
from staffords_gdpr.retention.bulk_view import chained, first_hop, hops_of


def day_of(days: Days, source: DateSource, table: sa.FromClause, *, event: bool) -> Text:
    """The day that `source` has for a row of `table`: see `bulk_dates` for what it can be.

    Over other tables the latest counts, and one impossible day makes it impossible: that sorts last.
    """
    if not source.through:
        return _read(days, source, table, event=event)
    names = [source.column, *([source.plus.column] if source.plus and source.plus.column else [])]
    hops = hops_of(source.through, names)
    day = _read(days, source, hops[-1], event=event)
    return (
        sa.select(sa.func.max(day))
        .select_from(chained(source.through, hops))
        .where(first_hop(source.through, hops, table))
        .correlate(table)
        .scalar_subquery()
    )


def _read(days: Days, source: DateSource, table: sa.FromClause, *, event: bool) -> Text:
    column, plus = table.c[source.column], source.plus
    if plus is None:
        return days.day(column, source.kind, event=event, zone=source.zone)
    start = days.day(column, source.kind, event=False, zone=source.zone)
    return days.plus(start, plus.unit, table.c[plus.column] if plus.column else plus.number, event=event)

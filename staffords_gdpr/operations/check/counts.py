"""How many rows each rule sees, so that a wrong rule shows at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.binding_dates import dates_used
from staffords_gdpr.database.catalogue import Bound, Catalogue
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.chain import joined, key_names
from staffords_gdpr.retention.bulk.codes import Code
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE, text
from staffords_gdpr.retention.bulk.reasons import reason_of
from staffords_gdpr.retention.bulk.sources import day_of
from staffords_gdpr.retention.bulk.work import Candidates
from staffords_gdpr.retention.states import State

_UNDECIDABLE = (Code.IMPOSSIBLE, Code.MISSING, Code.ORPHAN, Code.DANGLING, Code.AMBIGUOUS)


@dataclass(frozen=True)
class DateCounts:
    """What the rules read as one date of a record type, over all its rows."""

    name: str
    empty: int
    impossible: int
    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True)
class RecordCounts:
    """`rows` of the table, `members` of them of this record type, `orphans` of these without an owner, `several` with
    more than one; `states` (R7), and why rows are undecidable.
    """

    record: str
    table: str
    rows: int
    members: int
    orphans: int
    several: int
    states: Mapping[State, int]
    undecidable: Mapping[str, int]
    dates: tuple[DateCounts, ...]


def counts(connection: sa.Connection, catalogue: Catalogue, as_of: dt.datetime) -> tuple[RecordCounts, ...]:
    """Count what the rules see at `as_of`, record type by record type. Legal holds are left out."""
    bulk = Bulk(connection, catalogue)
    bulk.decide(as_of)
    found = bulk.counts()
    dates = {name: list(_days(bulk, bound)) for name, bound in catalogue.records.items()}
    # the expressions may have looked at zones that no rule has asked for
    bulk.work.fill(bulk.work.shifts, {*bulk.rows.days.rows(), *bulk.work.views.days.rows()})
    return tuple(
        RecordCounts(
            record=name,
            table=bound.table,
            rows=_count(connection, bound.sa_table),
            members=_count(connection, bulk.work.views.members(name)),
            orphans=_orphans(bulk, bound),
            several=_several(bulk, bound) if bound.several else 0,
            states=found[name],
            undecidable=_reasons(bulk, bulk.candidates[name]),
            dates=tuple(_date(connection, bulk, name, date, day) for date, day in dates[name]),
        )
        for name, bound in catalogue.records.items()
    )


def _days(bulk: Bulk, bound: Bound) -> Iterator[tuple[str, sa.Subquery]]:
    """For every date that the policy counts from, its day in every row."""
    used = dates_used(bulk.catalogue.policy, bound.record.name)
    for name in [name for name in bound.dates if name in used]:
        rows = bulk.work.views.members(bound.record.name).alias()
        day = day_of(bulk.rows.days, bound.dates[name], rows, event=False)
        yield name, sa.select(day.label("day")).select_from(rows).subquery()


def _date(connection: sa.Connection, bulk: Bulk, record: str, name: str, days: sa.Subquery) -> DateCounts:
    day = days.c.day
    known = sa.case((day != text(IMPOSSIBLE), day))
    empty, impossible, first, last = connection.execute(
        sa.select(
            sa.func.sum(sa.case((day.is_(None), 1), else_=0)),
            sa.func.sum(sa.case((day == text(IMPOSSIBLE), 1), else_=0)),
            sa.func.min(known),
            sa.func.max(known),
        ).select_from(days)
    ).one()
    return DateCounts(name, int(empty or 0), int(impossible or 0), _read(first), _read(last))


def _read(day: str | None) -> dt.date | None:
    return dt.date.fromisoformat(day) if day else None


def _orphans(bulk: Bulk, bound: Bound) -> int:
    """Rows whose link leads to no row of their owner's record type."""
    edge = bound.owner
    if edge is None:
        return 0
    rows = bulk.work.views.appearances(bound.record.name).alias()
    owners = bulk.work.views.members(edge.target).alias()
    missing = owners.c[key_names(bulk.catalogue, edge.target)[0]].is_(None)
    source = rows.join(owners, joined(rows, edge, owners), isouter=True)
    query = sa.select(*(rows.c[name] for name in bound.key)).select_from(source).where(missing)
    return _count(bulk.connection, query.distinct().subquery())


def _several(bulk: Bulk, bound: Bound) -> int:
    """Rows that belong to more than one subject."""
    found = bulk.candidates[bound.record.name]
    each = sa.select(*found.key, *found.subject).where(found.subject[0].is_not(None)).distinct().subquery()
    key = [each.c[column.name] for column in found.key]
    doubled: sa.Select[Any] = sa.select(sa.literal(1).label("one")).select_from(each).group_by(*key)
    return _count(bulk.connection, doubled.having(sa.func.count() > 1).subquery())


def _reasons(bulk: Bulk, found: Candidates) -> Mapping[str, int]:
    """How many rows are undecidable for which reason."""
    why = found.table.c.why
    each = (
        sa.select(why, *found.key).where(why.in_([-int(code) for code in _UNDECIDABLE])).distinct().subquery()
    )
    query = sa.select(each.c.why, sa.func.count()).group_by(each.c.why).order_by(each.c.why.desc())
    rule = bulk.rows.rule(found)
    return {
        reason_of(rule, found.bound, Code(-code), None, None): number
        for code, number in bulk.connection.execute(query)
    }


def _count(connection: sa.Connection, rows: sa.FromClause) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one()

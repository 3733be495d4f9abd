"""How many rows are in which state, and what becomes due. Writes nothing anywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connected
from staffords_gdpr.operations.drift import Drift, drift_since
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Progress
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.states import Key, State, Verdict

MONTHS = 12


@dataclass(frozen=True)
class Counts:
    """Rows by state (R7)."""

    kept: int = 0
    held: int = 0
    due: int = 0
    undecidable: int = 0
    anonymised: int = 0


@dataclass(frozen=True)
class Month:
    """What becomes due up to and including the day `until`, and was not due a month before."""

    until: dt.date
    due: Mapping[str, int]


@dataclass(frozen=True)
class ScanResult:
    """`records` has every record type, and every `sooner` step as `payment.card`. `rows` is None unless asked for."""

    as_of: dt.datetime
    records: Mapping[str, Counts]
    subjects: int
    subjects_affected: int
    forecast: tuple[Month, ...]
    oldest_due: dt.date | None
    rows: tuple[Verdict, ...] | None
    drift: Drift = field(default_factory=Drift)


def scan(
    policy: Policy,
    engine: sa.Engine,
    *,
    as_of: dt.datetime,
    holds: Collection[Key] = frozenset(),
    details: bool = False,
    states: Collection[State] | None = None,
    log: AuditLog | None = None,
    progress: Progress = SILENT,
) -> ScanResult:
    """Count every row of every record type by its state, at `as_of`, and what becomes due in the next 12 months.

    `details` lists the rows too, those in `states` where given. With `log` the schema is held against the approved one.
    Raises PolicyError where the policy does not fit the
    database, DatabaseError where the database does not answer.
    """
    with connected(engine) as connection:
        catalogue = bind(policy, connection)
        bulk = Bulk(connection, catalogue)
        progress.start("Deciding which rows are due", None)
        ahead = bulk.forecast(as_of, MONTHS, holds=holds)
        counts = bulk.counts()
        result = ScanResult(
            as_of=as_of,
            records={
                name: Counts(**{str(state): n for state, n in found.items()})
                for name, found in counts.items()
            },
            subjects=bulk.total_subjects(),
            subjects_affected=bulk.subjects_affected(),
            forecast=_months(ahead, bulk.due_counts()),
            oldest_due=bulk.oldest_due(),
            rows=tuple(bulk.verdicts(states)) if details else None,
            drift=drift_since(log.last("policy.approve"), log.home, catalogue) if log else Drift(),
        )
        progress.finish()
        return result


def _months(ahead: list[tuple[dt.date, dict[str, int]]], now: dict[str, int]) -> tuple[Month, ...]:
    """From how many are due on each day, farthest first, to how many more than a month before."""
    months = []
    before = now
    for until, due in reversed(ahead):
        months.append(Month(until, {name: due[name] - before[name] for name in due}))
        before = due
    return tuple(months)

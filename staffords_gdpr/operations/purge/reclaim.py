"""Clearing the traces of erased rows out of the database's files, and writing to the log that it was done.

It comes after the run's last entry: the rows are erased when their transactions are committed, whatever becomes of
their traces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.database.reclaim import Guarantee, Reclaimed, guarantee, reclaim, takes
from staffords_gdpr.policy.models import Policy, Reclaim
from staffords_gdpr.progress import Progress


@dataclass(frozen=True)
class ReclaimResult:
    """What was done about traces at a level: part by part, and what holds where every part was done.

    `takes` is what the database's user must be allowed for it.
    """

    level: Reclaim
    parts: tuple[Reclaimed, ...]
    guarantee: Guarantee
    takes: str

    @property
    def failures(self) -> tuple[Reclaimed, ...]:
        """The parts that were not done, or not wholly."""
        return tuple(part for part in self.parts if part.failure)

    @property
    def complete(self) -> bool:
        """Whether everything was done that the level asks for. At `no` nothing is asked for."""
        return self.level == "no" or not self.failures


def traces(policy: Policy, log: AuditLog) -> list[str]:
    """The record types of which rows were erased since the files were last rid of them as the policy says."""
    left = log.standing().traces["full" if policy.reclaim == "full" else "vacuum"]
    return [name for name in policy.ours if name in left]


def after_a_run(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    run: str,
    erased: Mapping[str, int],
    clock: Callable[[], datetime],
    progress: Progress,
) -> ReclaimResult | None:
    """What the policy says of the tables in which rows were erased since this was last done wholly: also by a run that
    was cut off, or whose reclaiming failed. None where there are no such tables.

    Where the policy says `no` it is what comes for nothing, and only after a run that has `erased` something.
    """
    level = policy.reclaim
    if level == "no" and not erased:
        return None
    records = traces(policy, log)
    if not records:
        return None
    return carry_out(policy, engine, log, records, level, run, clock, progress)


def carry_out(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    records: Iterable[str],
    level: Reclaim,
    run: str,
    clock: Callable[[], datetime],
    progress: Progress,
) -> ReclaimResult:
    """Clear the tables of these record types, table by table, and log it. The caller holds the run's lock.

    At `no` nothing is promised, and nothing logged.
    """
    tables = list(dict.fromkeys(policy.ours[name].table for name in records))
    progress.start("Reclaiming space", None)
    parts = []
    for part in reclaim(engine, tables, level):
        parts.append(part)
        progress.advance()
    progress.finish()
    result = ReclaimResult(level, tuple(parts), guarantee(engine, level), takes(engine))
    if level != "no":
        log.append(
            "reclaim",
            {
                "run": run,
                "level": level,
                "tables": len(tables),
                "failed": len(result.failures),
                "result": "complete" if result.complete else "incomplete",
            },
            now=clock(),
        )
        log.write_checkpoint(clock())
    return result

"""`gdpr reclaim`: clear the traces of all that was erased out of the database's files, in a maintenance window."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.database.connection import connected
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.errors import BrakeError
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.reclaim import ReclaimResult, carry_out
from staffords_gdpr.operations.purge.run import running_clock
from staffords_gdpr.policy.models import Policy, Reclaim
from staffords_gdpr.progress import SILENT, Progress

__all__ = ["ReclaimResult", "reclaim"]


def reclaim(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    now: dt.datetime,
    full: bool = False,
    progress: Progress = SILENT,
) -> ReclaimResult:
    """Clear every table that the policy erases from: with `full`, or where the policy says so, by writing it anew.

    A policy that says `no` speaks of the nightly purge: here a person asks, and gets `vacuum` at least. Raises
    BrakeError unless policy and database are those that were approved, LogBrokenError, LockedError while a purge runs,
    and DatabaseError where the database cannot be reached. What cannot be done is in the result.
    """
    log.require_verified(full=False)
    clock = running_clock(now)
    with log.run_lock():
        with connected(engine) as connection:
            identity = backend_of(connection).identity(connection)
        approved = log.last("policy.approve")
        for refusing in (*brakes.approval(policy, log), *brakes.database(policy, approved, identity)):
            raise BrakeError(refusing.code, f"reclaim refused: {refusing.message}", refusing.hint)
        level: Reclaim = "full" if full or policy.reclaim == "full" else "vacuum"
        return carry_out(policy, engine, log, policy.ours, level, new_batch_id(now), clock, progress)

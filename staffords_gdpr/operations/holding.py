"""Putting a subject on hold while a purge may be running: what the hold came too late for is found out, and told."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connected
from staffords_gdpr.errors import FindingsError
from staffords_gdpr.operations import holds
from staffords_gdpr.operations.history import Batch, read_history
from staffords_gdpr.operations.holds import Hold
from staffords_gdpr.operations.subjects import located
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Progress
from staffords_gdpr.retention.pure.loader import find_subject
from staffords_gdpr.retention.states import Key

BETWEEN_LOOKS = 0.1  # seconds


@dataclass(frozen=True)
class Held:
    """A hold, and what it came too late for: batches that were committed, or whose end is not known yet. `gone`: the
    subject was erased after it had been looked up, before the hold.
    """

    hold: Hold
    too_late: tuple[Batch, ...]
    gone: bool

    @property
    def exit_code(self) -> int:
        return FindingsError.exit_code if self.too_late or self.gone else 0


def hold_subject(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    words: Key,
    reason: str,
    look_again: dt.date,
    now: dt.datetime,
    patience: float = 30.0,
    progress: Progress = SILENT,
) -> Held:
    """Put the subject that `words` name on hold, see `holds.add`; then wait up to `patience` seconds for the end of
    batches that had announced to erase something of it.
    """
    with connected(engine) as connection:
        catalogue = bind(policy, connection)
        subject = located(connection, catalogue, words)
        connection.rollback()  # while this waits, nothing of the database does
        today = policy.today(now)
        hold = holds.add(log, subject=subject, reason=reason, look_again=look_again, now=now, today=today)
        if hold.late:
            progress.start("Waiting for the end of a batch with this subject", None)
        ends = _ends_of(log, hold.late, patience)
        gone = find_subject(connection, catalogue, subject) is None
    return Held(hold, tuple(batch for batch in ends if batch.outcome != "not-committed"), gone)


def _ends_of(log: AuditLog, batches: Collection[str], patience: float) -> tuple[Batch, ...]:
    until = time.monotonic() + patience
    while not log.standing().open.keys().isdisjoint(batches) and time.monotonic() < until:
        time.sleep(BETWEEN_LOOKS)
    about = (entry for batch in batches for entry in log.entries(containing=batch))
    return tuple(batch for batch in read_history(about).batches if batch.batch in batches)

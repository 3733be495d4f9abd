"""Destroying the keys of batches that no backup is as old as: from then on nobody can tell what was in them."""

from __future__ import annotations

import datetime as dt
import json

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.files import write_atomic
from staffords_gdpr.auditlog.kinds import BATCH, MOST_BATCHES
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.rows import batch_time, destroy_batch_keys, list_batch_keys
from staffords_gdpr.policy.models import Policy


def forget(policy: Policy, log: AuditLog, *, run: str, now: dt.datetime) -> tuple[str, ...]:
    """Destroy the keys of batches older than `backups_kept`, at most as many as one entry can name, and say so in the
    log. Returns the batches. Only the holder of run.lock may do so.

    The last backup with a batch's rows was made on its day, and is kept for so long: the day after, the key goes.
    Which keys are to go is written down first, so that a crash on the way loses no name: the next run goes on.
    """
    if policy.backups_kept is None:
        return ()
    before = policy.backups_kept.cutoff(policy.today(now)) + dt.timedelta(days=1)
    begun = _begun(log.home)
    batches = begun or _old(policy, log, before)
    if not batches:
        return ()
    if not begun:
        write_atomic(log.home.forgetting, json.dumps(batches).encode(), 0o600)
    destroy_batch_keys(log.home, batches)
    log.append("batch.forget", {"run": run, "before": before, "batches": batches}, now=now)
    log.write_checkpoint(now)
    log.home.forgetting.unlink()
    return tuple(batches)


def _old(policy: Policy, log: AuditLog, before: dt.date) -> list[str]:
    """The oldest batches that have a key and are older than every backup. What has no outcome yet keeps its key."""
    standing = log.standing()
    keys = (batch for batch in list_batch_keys(log.home) if BATCH.fits(batch))
    old = [batch for batch in keys if policy.today(batch_time(batch)) < before]
    return [batch for batch in old if batch not in standing.open and batch not in standing.unclear][
        :MOST_BATCHES
    ]


def _begun(home: Home) -> list[str]:
    try:
        found = json.loads(home.forgetting.read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return [batch for batch in found if BATCH.fits(batch)] if isinstance(found, list) else []

"""Dangling intents: batches that were announced, and of which nobody wrote down what became of them.

The database knows. Deleted rows are tested by their absence, anonymised ones by their values: all done, it was
committed; none done, it was not; anything else is unclear, and its subjects are left alone until a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.entries import INTENT
from staffords_gdpr.auditlog.rows import (
    list_pending,
    read_batch_key,
    read_pending,
    remove_pending,
    write_leaves,
)
from staffords_gdpr.database.connection import begin, may_pass
from staffords_gdpr.operations.purge.announcements import Clock
from staffords_gdpr.operations.purge.erasure import Erasure, Plan, remaining
from staffords_gdpr.operations.purge.pending import plan_in
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.states import Key


@dataclass(frozen=True)
class Recovered:
    """What became of a batch: `outcome` is committed, not-committed or unclear. `left`: rows that are still there."""

    batch: str
    outcome: str
    rows: Mapping[str, int]
    left: Mapping[str, int]


def settle(bulk: Bulk, log: AuditLog, clock: Clock) -> list[Recovered]:
    """Find out what became of every dangling intent and write it to the log. Only the holder of run.lock may do so.

    Pending files that a crash left behind go too, except those of batches whose end is unclear.
    """
    recovered = []
    for intent in tuple(log.standing().open.values()):
        found = _find_out(bulk, log, intent, lock=True)
        fields = {name: intent.fields[name] for name in ("run", "batch", "root", "rows")}
        log.append("purge.recovered", {**fields, "outcome": found.outcome}, now=clock())
        recovered.append(found)
    unclear = log.standing().unclear
    clear = [batch for batch in list_pending(log.home) if batch not in unclear]
    for batch in clear:
        _write_leaves(log, batch)
    if recovered or clear:
        log.write_checkpoint(clock())
    for batch in clear:
        remove_pending(log.home, batch)
    log.remove_drafts()  # a pending batch's holds keys, and no intent names it
    return recovered


def foresee(bulk: Bulk, log: AuditLog) -> tuple[list[Recovered], frozenset[Key]]:
    """What `settle` would find, and the subjects that would be left alone then. Writes nothing."""
    standing = log.standing()
    found = [_find_out(bulk, log, intent, lock=False) for intent in standing.open.values()]
    unclear = {*standing.unclear, *(one.batch for one in found if one.outcome == "unclear")}
    return found, _subjects(log, unclear)


def unclear_subjects(log: AuditLog) -> frozenset[Key]:
    """The subjects of batches whose end is unclear, or not settled yet: no run touches them before that."""
    return _subjects(log, set(list_pending(log.home)))


def unclear_rows(log: AuditLog) -> frozenset[tuple[str, Key]]:
    """The rows of such batches, each with its record type."""
    pending = (read_pending(log.home, batch) for batch in list_pending(log.home))
    return frozenset(
        (erasure.name.partition(".")[0], key)
        for one in pending
        if one is not None
        for erasure in plan_in(one).erasures
        for key in erasure.keys
    )


def _subjects(log: AuditLog, batches: set[str]) -> frozenset[Key]:
    pending = (read_pending(log.home, batch) for batch in batches)
    return frozenset(key for one in pending if one is not None for key in plan_in(one).subjects)


def _find_out(bulk: Bulk, log: AuditLog, intent: Entry, *, lock: bool) -> Recovered:
    batch, rows = str(intent.fields["batch"]), rows_of(intent)
    pending = read_pending(log.home, batch)
    if pending is None:
        return Recovered(batch, "unclear", rows, {})
    plan = plan_in(pending)
    if not fits(bulk, plan):
        return Recovered(batch, "unclear", rows, {})
    left = remaining_in_the_end(bulk, plan.erasures) if lock else remaining(bulk, plan.erasures)
    outcome = "committed" if not any(left.values()) else "not-committed" if left == rows else "unclear"
    return Recovered(batch, outcome, rows, {name: n for name, n in left.items() if n})


def remaining_in_the_end(bulk: Bulk, erasures: Sequence[Erasure]) -> dict[str, int]:
    """How many rows of each erasure are still as they were before it, once nobody is at them any more.

    Whoever may still be committing is waited for. In a cluster that can cost the locks by which one waits.
    """
    for _ in range(2):
        try:
            return _remaining_under_lock(bulk, erasures)
        except sa.exc.DBAPIError as error:
            if not may_pass(bulk.connection, error):
                raise
    return _remaining_under_lock(bulk, erasures)


def _remaining_under_lock(bulk: Bulk, erasures: Sequence[Erasure]) -> dict[str, int]:
    transaction = begin(bulk.connection, lock=True)
    try:
        return remaining(bulk, erasures, lock=True)
    finally:
        transaction.rollback()


def fits(bulk: Bulk, plan: Plan) -> bool:
    """Whether today's policy and database still know all that the plan names: both may have changed since."""
    return all(
        found is not None
        and set(erasure.values or ()) <= set(found.bound.columns)
        and all(len(key) == len(found.bound.key) for key in erasure.keys)
        for erasure in plan.erasures
        for found in [bulk.candidates.get(erasure.name)]
    )


def _write_leaves(log: AuditLog, batch: str) -> None:
    """Write the leaves of a batch that was carried out, whatever a crash has left of them."""
    about = {entry.type: entry for entry in log.entries(containing=batch)}
    if not any(map(_is_committed, about.values())):
        return
    key, pending = read_batch_key(log.home, batch), read_pending(log.home, batch)
    if key is not None and pending is not None:
        write_leaves(log.home, batch, about[INTENT].time, plan_in(pending).leaves(key))


def _is_committed(outcome: Entry) -> bool:
    return outcome.type == "purge.done" or outcome.fields.get("outcome") == "committed"


def rows_of(intent: Entry) -> dict[str, int]:
    rows = intent.fields["rows"]
    return {str(name): int(count) for name, count in rows.items()} if isinstance(rows, Mapping) else {}

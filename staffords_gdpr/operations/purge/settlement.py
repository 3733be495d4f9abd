"""Settling a batch whose end is unclear: a person looks at what is gone, and closes it with a signature.

What is gone is gone; of the rest the rules decide anew. Only rows that are really gone can be proved afterwards: the
entry carries a root over their leaves alone, for the root of the intent covers rows that are still there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.people import PersonKey
from staffords_gdpr.auditlog.rows import (
    leaf,
    read_batch_key,
    read_pending,
    remove_pending,
    root,
    write_leaves,
)
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, connected
from staffords_gdpr.errors import BrakeError, UsageError
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.erasure import Erasure, remaining
from staffords_gdpr.operations.purge.pending import plan_in
from staffords_gdpr.operations.purge.settle import fits, rows_of
from staffords_gdpr.operations.setup import require_role
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.states import Key

Rows = Mapping[str, tuple[Key, ...]]


@dataclass(frozen=True)
class UnclearBatch:
    """A batch whose end is unclear: how many rows it was to erase, and which of them are gone (or replaced) and which
    are as they were, each by record type and step. `known` is False where nobody can tell any more. `entry` closes it;
    None where it was only looked at.
    """

    batch: str
    time: dt.datetime
    rows: Mapping[str, int]
    gone: Rows
    left: Rows
    known: bool
    entry: Entry | None = None


def look(policy: Policy, engine: sa.Engine, log: AuditLog, *, batch: str) -> UnclearBatch:
    """What became of the rows of an unclear batch. Only reads.

    Raises UsageError for a batch that is not unclear, BrakeError where this is not the approved policy and database,
    LockedError while a purge runs, LogBrokenError.
    """
    log.require_verified(full=False)
    with log.run_lock():
        return _look(policy, engine, log, _intent(log, batch))


def settle_unclear(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    batch: str,
    key: PersonKey,
    role: str,
    now: dt.datetime,
) -> UnclearBatch:
    """Close an unclear batch: write the leaves of the rows that are gone, and an entry signed by a person.

    Raises what `look` raises, and UsageError unless `key` is enrolled with `role` and the policy names that role.
    """
    log.require_verified(full=False)
    roles = tuple(dict.fromkeys((*policy.roles.review, *policy.roles.audit)))
    require_role(log, key, role, roles, "settle a batch")
    with log.run_lock():
        intent = _intent(log, batch)
        found = _look(policy, engine, log, intent)
        leaves = list(_leaves(log, found))
        if leaves:
            write_leaves(log.home, batch, intent.time, leaves)
        fields = {
            **{name: intent.fields[name] for name in ("batch", "root", "rows")},
            "gone": _counts(found.gone),
            "gone_root": root(leaves),
            "left": _counts(found.left),
            "role": role,
            "person": key.fingerprint,
        }
        entry = log.append("purge.settled", fields, now=now, signers=(key,))
        log.write_checkpoint(now)
        remove_pending(log.home, batch)
    return replace(found, entry=entry)


def _intent(log: AuditLog, batch: str) -> Entry:
    standing = log.standing()
    if batch in standing.unclear:
        return standing.unclear[batch]
    if batch in standing.open:
        raise UsageError(
            f"batch {batch} has no outcome yet", "Run gdpr purge first: it finds out from the database."
        )
    known = ", ".join(standing.unclear) or "there is none"
    raise UsageError(
        f"{batch} is not a batch whose outcome is unclear", f"Batches with an unclear outcome: {known}."
    )


def _look(policy: Policy, engine: sa.Engine, log: AuditLog, intent: Entry) -> UnclearBatch:
    batch, gone, left = (
        str(intent.fields["batch"]),
        dict[str, tuple[Key, ...]](),
        dict[str, tuple[Key, ...]](),
    )
    pending = read_pending(log.home, batch)
    with connected(engine) as connection:
        catalogue = bind(policy, connection)
        for brake in brakes.approval(policy, log, catalogue):
            # in another database every row would look gone
            raise BrakeError(brake.code, f"not settled: {brake.message}", brake.hint)
        bulk = Bulk(connection, catalogue)
        plan = plan_in(pending) if pending is not None else None
        known = plan is not None and fits(bulk, plan)
        if plan is not None and known:
            connection.commit()
            with begin(connection, lock=False):
                for erasure in plan.erasures:
                    there = frozenset(_still_there(bulk, erasure))
                    left[erasure.name] = tuple(key for key in erasure.keys if key in there)
                    gone[erasure.name] = tuple(key for key in erasure.keys if key not in there)
    return UnclearBatch(batch, intent.time, rows_of(intent), gone, left, known)


def _still_there(bulk: Bulk, erasure: Erasure) -> Iterator[Key]:
    """The keys of the rows that are as they were: found by halves, so that none is compared but by the database."""
    if not erasure.keys:
        return
    count = remaining(bulk, [erasure])[erasure.name]
    if count == len(erasure.keys):
        yield from erasure.keys
    elif count:
        middle = len(erasure.keys) // 2
        for half in (erasure.keys[:middle], erasure.keys[middle:]):
            yield from _still_there(bulk, replace(erasure, keys=half))


def _leaves(log: AuditLog, found: UnclearBatch) -> Iterator[bytes]:
    """The leaves of the rows that are gone; none where the batch's key is."""
    secret = read_batch_key(log.home, found.batch)
    if secret is not None:
        for name, keys in found.gone.items():
            yield from (leaf(secret, name, key) for key in keys)


def _counts(rows: Mapping[str, Sequence[Key]]) -> dict[str, int]:
    return {name: len(keys) for name, keys in rows.items() if keys}

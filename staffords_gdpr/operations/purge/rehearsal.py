"""What a purge would do: for a person who asks (`--dry-run`), or night after night for the log (`mode = "rehearsal"`).

Nothing here can erase: a transaction for reading is all that it opens.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.refusals import require_all_shown
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.operations.holds import current_holds
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.announcements import Clock
from staffords_gdpr.operations.purge.earlier import earlier
from staffords_gdpr.operations.purge.erasure import planned
from staffords_gdpr.operations.purge.result import PurgeResult, rows_in
from staffords_gdpr.operations.purge.settle import foresee
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import Progress
from staffords_gdpr.retention.bulk import Bulk


def foretell(
    policy: Policy, connection: sa.Connection, log: AuditLog, now: dt.datetime, confirm: int | None
) -> PurgeResult:
    """The same decision as a purge makes, up to the erase, with the brakes that would refuse. Writes nothing."""
    try:
        catalogue = bind(policy, connection)
        require_all_shown(connection, catalogue)
    except PolicyError as error:
        if list(brakes.approval(policy, log)):
            raise
        return PurgeResult(
            run="", erased={}, subjects_affected=0, dry_run=True, held=0, undecidable={},
            brakes=(brakes.does_not_fit(policy, error), *brakes.clock(policy, log, now)),
            recovered=(), result="complete",
        )  # fmt: skip
    bulk = Bulk(connection, catalogue)
    recovered, unclear = foresee(bulk, log)
    bulk.decide(now, holds=current_holds(log) | unclear)
    todo, before = bulk.agenda.write(), earlier(log)
    refusing = (
        *brakes.approval(policy, log, catalogue),
        *brakes.clock(policy, log, now),
        *brakes.share(policy, todo, bulk.total_subjects(), max(confirm or 0, before.allowed)),
    )
    held_why, undecidable = bulk.left_alone()
    is_unclear = any(one.outcome == "unclear" for one in recovered)
    return PurgeResult(
        run="", erased=planned(bulk), subjects_affected=todo.subjects, dry_run=True, held=rows_in(held_why),
        undecidable=undecidable, brakes=refusing, recovered=tuple(recovered),
        result="unclear" if is_unclear else "complete", undecidable_before=before.undecidable,
        held_before=before.held, held_why=held_why, left=todo.subjects + todo.rows,
    )  # fmt: skip


def rehearse(
    policy: Policy,
    connection: sa.Connection,
    log: AuditLog,
    clock: Clock,
    confirm: int | None,
    progress: Progress,
) -> PurgeResult:
    """A night on which nothing is erased, and the log gets what would have been. Raises BrakeError where a purge would
    have been refused; what `confirm` allows lasts until the next purge, so that a first backlog can be watched, too.

    An intent that a purge has left open is not settled: that takes locks, and waits for the next purge.
    """
    now = clock()
    run = new_batch_id(now)
    progress.start("Deciding what is due", None)
    allowed = max(confirm or 0, earlier(log).rehearsed)
    found = foretell(policy, connection, log, now, allowed)
    progress.finish()
    if found.brakes:
        raise brakes.refused(found.brakes[0], policy, log, run, now)
    log.append(
        "purge.rehearsed",
        {
            "run": run,
            "as_of": now,
            "policy": policy.sha256,
            "would_erase": dict(found.erased),
            "subjects": found.subjects_affected,
            "undecidable": dict(found.undecidable),
            "held": found.held,
            "confirm": allowed,
        },
        now=clock(),
    )
    log.write_checkpoint(clock())
    return replace(found, run=run, dry_run=False, rehearsal=True)

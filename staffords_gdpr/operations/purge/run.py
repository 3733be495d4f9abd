"""Erasing what is due: what cron runs every night."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import begin, connected
from staffords_gdpr.database.refusals import require_all_shown
from staffords_gdpr.errors import BrakeError, PolicyError
from staffords_gdpr.operations.holds import current_holds
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.batches import Batches, Clock, HoldsWatch, Tally
from staffords_gdpr.operations.purge.brakes import Brake
from staffords_gdpr.operations.purge.erasure import planned
from staffords_gdpr.operations.purge.result import PurgeResult
from staffords_gdpr.operations.purge.settle import Recovered, foresee, settle, unclear_rows, unclear_subjects
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Planned, Progress
from staffords_gdpr.retention.bulk import Bulk, Todo

DEFAULT_BATCH_SIZE = 500


def purge(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    now: dt.datetime,
    dry_run: bool = False,
    confirm: int | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    progress: Progress = SILENT,
) -> PurgeResult:
    """Erase what is due at `now`, in batches of `batch_size` subjects, and write it to the log.

    `confirm` allows up to so many subjects where the brake on large runs would refuse, until that backlog is done.
    With `dry_run` nothing is erased and nothing is written anywhere. Raises BrakeError (before the first row),
    LogBrokenError, LockedError, DatabaseError, PolicyError.
    """
    log.require_verified(full=False)
    if dry_run:
        with connected(engine) as connection:
            return _rehearse(policy, connection, log, now, confirm)
    with log.run_lock(), connected(engine) as connection:
        return _Run(policy, connection, log, now, batch_size, progress).go(confirm)


def _rehearse(
    policy: Policy,
    connection: sa.Connection,
    log: AuditLog,
    now: dt.datetime,
    confirm: int | None,
) -> PurgeResult:
    """The same decision as a purge makes, up to the erase."""
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
    todo = bulk.list_todo()
    refusing = (
        *brakes.approval(policy, log, catalogue),
        *brakes.clock(policy, log, now),
        *brakes.share(policy, todo, bulk.total_subjects(), _confirmed(log, confirm)),
    )
    held_why, undecidable = bulk.left_alone()
    undecidable_before, held_before = _left_alone_before(log)
    return PurgeResult(
        run="", erased=planned(bulk), subjects_affected=todo.subjects, dry_run=True, held=_rows(held_why),
        undecidable=undecidable, brakes=refusing, recovered=tuple(recovered), result=_result(recovered),
        undecidable_before=undecidable_before, held_before=held_before, held_why=held_why,
        left=todo.subjects + todo.rows,
    )  # fmt: skip


class _Run:
    """One purge, from its first look to its last entry."""

    def __init__(
        self,
        policy: Policy,
        connection: sa.Connection,
        log: AuditLog,
        now: dt.datetime,
        batch_size: int,
        progress: Progress,
    ) -> None:
        self.policy = policy
        self.connection = connection
        self.log = log
        self.now = now
        self.batch_size = batch_size
        self.progress = progress
        self.run = new_batch_id(now)
        self.clock = running_clock(now)
        self.allowed = self.total = 0

    def go(self, confirm: int | None) -> PurgeResult:
        self._refuse(brakes.clock(self.policy, self.log, self.now))
        bulk = Bulk(self.connection, self._catalogue())
        self.connection.commit()
        recovered = settle(bulk, self.log, self.clock)
        holds = HoldsWatch(self.log, unclear_subjects(self.log))
        todo, planned_rows = self._decide(bulk, holds)
        allowed, (undecidable_before, held_before) = (
            _confirmed(self.log, confirm),
            _left_alone_before(self.log),
        )
        self.allowed, self.total = allowed, bulk.total_subjects()
        self._refuse(brakes.share(self.policy, todo, self.total, allowed))
        held_why, undecidable = bulk.left_alone()
        held = _rows(held_why)
        self.progress.plan(
            Planned(planned_rows, todo.subjects, self.total, todo.rows, held_why, undecidable, allowed)
        )
        self.connection.commit()
        self.log.append(
            "purge.start",
            {
                "run": self.run,
                "as_of": self.now,
                "policy": self.policy.sha256,
                "dry": False,
                "confirm": allowed,
            },
            now=self.clock(),
        )
        tally, unclear = Tally(), unclear_rows(self.log)
        batches = Batches(bulk, self.log, holds, self.run, self.now, self.clock, tally, unclear)
        result = "unclear" if unclear else _result(recovered)
        remaining = allowed
        try:
            self._work_through(batches, todo, planned_rows)
            remaining = 0
        except BaseException:
            result, remaining = "stopped", max(allowed - tally.subjects - tally.alone, 0)
            raise
        finally:
            self._end(tally, undecidable, held, result, remaining)
        return PurgeResult(
            run=self.run, erased=dict(tally.rows), subjects_affected=tally.subjects, dry_run=False, held=held,
            undecidable=undecidable, brakes=(), recovered=tuple(recovered), result=result,
            undecidable_before=undecidable_before, held_before=held_before, held_why=held_why,
        )  # fmt: skip

    def _catalogue(self) -> Catalogue:
        """The catalogue, once the policy is known to be the approved one for this database."""
        try:
            catalogue = bind(self.policy, self.connection)
            require_all_shown(self.connection, catalogue)
        except PolicyError as error:
            if list(brakes.approval(self.policy, self.log)):
                raise
            self._refuse(iter([brakes.does_not_fit(self.policy, error)]))
            raise
        self._refuse(brakes.approval(self.policy, self.log, catalogue))
        return catalogue

    def _decide(self, bulk: Bulk, holds: HoldsWatch) -> tuple[Todo, Mapping[str, int]]:
        """What is due now by the whole database, as the list to work through, and how many erasures that makes."""
        self.progress.start("Deciding what is due", None)
        with begin(self.connection, lock=False):
            bulk.decide(self.now, holds=holds.current(), left_alone=unclear_rows(self.log))
            return bulk.list_todo(), planned(bulk)

    def _work_through(self, batches: Batches, todo: Todo, planned_rows: Mapping[str, int]) -> None:
        """All that is on the list: rows without a subject, then the subjects in key order.

        Rows that are due only together, across subjects, can fall into different batches, where each holds the
        other. What is left after a pass is tried again; when a pass gets nowhere, all of it goes in one transaction.
        """
        bulk = batches.bulk
        while planned_rows:
            before = batches.tally.rows.total()
            self.progress.start("Erasing", todo.subjects + todo.rows)
            for name, keys in bulk.todo_rows(lambda: self.batch_size):
                self.connection.commit()
                batches.rows({name: keys})
                self.progress.advance(len(keys))
            for subjects in bulk.todo_subjects(lambda: self.batch_size):
                self.connection.commit()
                batches.subjects(subjects)
                self.progress.advance(len(subjects))
            self.connection.commit()
            self.progress.finish()
            erased = batches.tally.rows.total() - before
            if erased == sum(planned_rows.values()):
                return
            todo, planned_rows = self._decide(bulk, batches.holds)
            self._still_within(batches.tally, todo)
            if erased == 0 and planned_rows:
                batches.everything()
                return

    def _still_within(self, tally: Tally, todo: Todo) -> None:
        """The brake on large runs holds for the whole run, however much has become due since its first look."""
        run = Todo(subjects=tally.subjects + todo.subjects, rows=tally.alone + todo.rows)
        self._refuse(brakes.share(self.policy, run, self.total, self.allowed))

    def _refuse(self, refusing: Iterator[Brake]) -> None:
        """Raise the first brake, and write it to the log, once a day."""
        brake = next(refusing, None)
        if brake is None:
            return
        if self.connection.in_transaction():
            self.connection.rollback()
        today = self.policy.today(self.now)
        if not any(
            entry.type == "purge.refused"
            and entry.fields["brake"] == brake.code
            and self.policy.today(entry.time) == today
            for entry in self.log.entries()
        ):
            self.log.append(
                "purge.refused", {"run": self.run, "brake": brake.code, "seen": brake.seen}, now=self.clock()
            )
            self.log.write_checkpoint(self.clock())
        raise BrakeError(brake.code, f"purge refused: {brake.message}", brake.hint)

    def _end(
        self, tally: Tally, undecidable: Mapping[str, int], held: int, result: str, confirm: int
    ) -> None:
        self.log.append(
            "purge.end",
            {
                "run": self.run,
                "rows": dict(tally.rows),
                "subjects": tally.subjects,
                "undecidable": dict(undecidable),
                "held": held,
                "result": result,
                "confirm": confirm,
            },
            now=self.clock(),
        )
        self.log.write_checkpoint(self.clock())


def running_clock(now: dt.datetime) -> Clock:
    """A clock that was `now` when it was made, and goes on from there at the machine's steady pace."""
    started = time.monotonic()
    return lambda: now + dt.timedelta(seconds=time.monotonic() - started)


def _confirmed(log: AuditLog, confirm: int | None) -> int:
    """Up to how many subjects a person has allowed: now, or for a backlog of earlier nights that is not done yet.

    A run that was killed wrote no end: what it had been allowed stands, less what it got done.
    """
    carried = 0
    subjects: dict[object, int] = {}
    for entry in log.entries():
        match entry.type:
            case "purge.start" | "purge.end":
                carried = _count(entry.fields["confirm"])
            case "purge.intent":
                subjects[entry.fields["batch"]] = _count(entry.fields["subjects"])
            case "purge.done":
                carried = max(carried - subjects[entry.fields["batch"]], 0)
            case "purge.recovered" if entry.fields["outcome"] == "committed":
                carried = max(carried - subjects[entry.fields["batch"]], 0)
    return max(confirm or 0, carried)


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _left_alone_before(log: AuditLog) -> tuple[Mapping[str, int] | None, int | None]:
    """How many rows were undecidable, by record type, and how many held, when the last purge looked."""
    last = log.last("purge.end")
    if last is None:
        return None, None
    before = last.fields["undecidable"]
    undecidable = {str(name): int(n) for name, n in before.items()} if isinstance(before, Mapping) else {}
    return undecidable, _count(last.fields["held"])


def _result(recovered: Sequence[Recovered]) -> str:
    return "unclear" if any(one.outcome == "unclear" for one in recovered) else "complete"


def _rows(held_why: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(reasons.values()) for reasons in held_why.values())

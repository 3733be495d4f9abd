"""Erasing what is due: what cron runs every night."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.rows import list_pending, new_batch_id
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import begin, connected
from staffords_gdpr.database.refusals import require_all_shown
from staffords_gdpr.errors import GdprError, PolicyError
from staffords_gdpr.operations.history import COMPLETED
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.announcements import Announcements, Clock
from staffords_gdpr.operations.purge.batches import Batches, Done, HoldsWatch, Tally
from staffords_gdpr.operations.purge.brakes import Brake
from staffords_gdpr.operations.purge.earlier import Earlier, earlier
from staffords_gdpr.operations.purge.erasure import planned
from staffords_gdpr.operations.purge.forget import forget
from staffords_gdpr.operations.purge.pace import ALONE_ANYWAY, OTHERS_WAIT, Pace
from staffords_gdpr.operations.purge.reclaim import after_a_run
from staffords_gdpr.operations.purge.rehearsal import foretell, rehearse
from staffords_gdpr.operations.purge.result import PurgeResult, rows_in
from staffords_gdpr.operations.purge.retries import Retries
from staffords_gdpr.operations.purge.settle import Recovered, settle, unclear_rows, unclear_subjects
from staffords_gdpr.operations.purge.window import NO_LIMITS, Limits, Window
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Planned, Progress
from staffords_gdpr.retention.bulk import Bulk, Chunk, Todo


def purge(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    now: dt.datetime,
    dry_run: bool = False,
    rehearsal: bool = False,
    compare_clocks: bool = True,
    confirm: int | None = None,
    limits: Limits = NO_LIMITS,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = SILENT,
) -> PurgeResult:
    """Erase what is due at `now`, batch by batch, and write it to the log.

    `confirm` allows up to so many subjects where the brake on large runs would refuse, until that backlog is done. The
    run ends between two batches where its `limits` say so, or once `stop` returns True. With `dry_run` nothing is
    erased and nothing is written anywhere; with `rehearsal` nothing is erased, and the log gets what would have been.
    `now` is what this machine's clock says; with `compare_clocks` it must agree with the database server's.
    In the end it does what the policy says of the traces in the database's files (`reclaim`), unless it is to end.
    Raises BrakeError (before the first row), LogBrokenError, LockedError, DatabaseError, PolicyError.
    """
    log.require_verified(full=False)
    if dry_run:
        with connected(engine) as connection:
            apart = tuple(brakes.clocks(connection, now)) if compare_clocks else ()
            found = foretell(policy, connection, log, now, confirm)
            return replace(found, brakes=(*apart, *found.brakes))
    clock = running_clock(now)
    with log.run_lock():
        with connected(engine) as connection:
            for brake in brakes.clocks(connection, clock()) if compare_clocks else ():
                raise brakes.refused(brake, policy, log, new_batch_id(now), clock())
            if rehearsal:
                return rehearse(policy, connection, log, clock, confirm, progress)
            window = Window(limits, clock, policy.zone, stop)
            result = _Run(policy, connection, log, now, clock, limits, window, progress).go(confirm)
        if window.over():
            return result
        reclaimed = after_a_run(policy, engine, log, result.run, result.erased, clock, progress)
        return replace(result, reclaimed=reclaimed)


@dataclass(frozen=True)
class _Portion:
    """What one batch is to take up: so much of the list, carried out by `erase`, measured by `pace`."""

    amount: int
    erase: Callable[[], Done]
    pace: Pace


class _Run:
    """One purge, from its first look to its last entry."""

    def __init__(
        self,
        policy: Policy,
        connection: sa.Connection,
        log: AuditLog,
        now: dt.datetime,
        clock: Clock,
        limits: Limits,
        window: Window,
        progress: Progress,
    ) -> None:
        self.policy = policy
        self.connection = connection
        self.log = log
        self.now = now
        self.clock = clock
        self.limits = limits
        self.window = window
        self.progress = progress
        self.run = new_batch_id(now)
        self.tally = Tally()
        self.allowed = self.total = self.left = self.put_off = 0

    def go(self, confirm: int | None) -> PurgeResult:
        self._refuse(brakes.clock(self.policy, self.log, self.now))
        bulk = Bulk(self.connection, self._catalogue())
        self.connection.commit()
        recovered = settle(bulk, self.log, self.clock)
        holds = HoldsWatch(self.log, unclear_subjects(self.log))
        todo, planned_rows = self._decide(bulk, holds)
        before = earlier(self.log)
        self.allowed, self.total = max(confirm or 0, before.allowed), bulk.total_subjects()
        self._refuse(brakes.share(self.policy, todo, self.total, self.allowed))
        held_why, undecidable = bulk.left_alone()
        self.connection.commit()
        self.progress.plan(
            Planned(
                planned_rows, todo.subjects, self.total, todo.rows, held_why, undecidable, self.allowed,
                self.window.ends_at,
            )
        )  # fmt: skip
        self._log("purge.start", as_of=self.now, policy=self.policy.sha256, dry=False, confirm=self.allowed)
        unclear = unclear_rows(self.log)
        announcements = Announcements(self.log, self.run, self.clock)
        batches = Batches(bulk, announcements, holds, self.now, self.clock, self.tally, unclear)
        try:
            result = self._work_through(batches, todo, planned_rows)
            announcements.finish()
            if result == "complete" and (unclear or _is_unclear(recovered)):
                result = "unclear"
            forget(self.policy, self.log, run=self.run, now=self.clock())
        except BaseException as error:
            done = self.tally.rows.total()
            error.add_note(
                f"Until then {done:,} of {sum(planned_rows.values()):,} erasures were done; the log has them."
            )
            # the log may be what failed, and what failed first is what a person has to hear
            with suppress(GdprError):
                try:
                    announcements.finish()
                finally:
                    self._end("stopped", undecidable, rows_in(held_why))
            raise
        self._end(result, undecidable, rows_in(held_why))
        return self._result(result, held_why, undecidable, recovered, before)

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
            bulk.agenda.watch()
            bulk.decide(self.now, holds=holds.current(), left_alone=unclear_rows(self.log))
            todo = bulk.agenda.write()
            self.left = todo.subjects + todo.rows
            return todo, planned(bulk)

    def _work_through(self, batches: Batches, todo: Todo, planned_rows: Mapping[str, int]) -> str:
        """All that is on the list, until it is done or the run is to end. Returns how it ended.

        Rows that are due only together, across subjects, can fall into different batches, where each holds the
        other; and a batch that others are in the way of is put off. What is left after a pass is tried again; when a
        pass gets nowhere, all of it goes in one transaction, unless others are in the way.
        """
        bulk = batches.bulk
        target = self.limits.hold_locks_for or _target(self.connection)
        paces = [Pace(target, self.limits.batch_size) for _ in range(3)]
        retries = Retries(bulk, self.window)
        while planned_rows:
            before, put_off = self.tally.rows.total(), retries.put_off
            self.progress.start("Erasing", todo.subjects + todo.rows)
            if end := self._one_pass(batches, self._portions(batches, todo, *paces), retries):
                return end
            self.connection.commit()
            self.progress.finish()
            erased = self.tally.rows.total() - before
            if erased == sum(planned_rows.values()):
                break
            batches.begin_pass()
            todo, planned_rows = self._decide(bulk, batches.holds)
            self._still_within(todo)
            self.put_off = retries.put_off - put_off
            if planned_rows and not erased:
                if self.put_off or (end := self.window.over()):
                    return end or "put-off"
                if retries.attempt(batches.everything) is None:
                    self.put_off = 1
                    return "put-off"
                break
        self.left = self.put_off = 0
        return "complete"

    def _one_pass(self, batches: Batches, portions: Iterator[_Portion], retries: Retries) -> str:
        """Each batch once. Returns what ended the run on the way, empty where nothing did."""
        for portion in portions:
            self.connection.commit()
            if end := self.window.over():
                return end
            done = retries.attempt(portion.erase)
            if done is None:
                portion.pace.failed()
            else:
                portion.pace.took(portion.amount, done.seconds)
                self.left -= done.amount
            self.progress.advance(portion.amount if done is None else done.amount)
            self.window.wait(self.limits.pause)
        return ""

    def _portions(
        self, batches: Batches, todo: Todo, of_rows: Pace, of_lists: Pace, of_subjects: Pace
    ) -> Iterator[_Portion]:
        """The list: rows without a subject, the subjects whose rows stand on lists, then the others, and those of whom
        not all was due any more.
        """
        bulk = batches.bulk
        for name, keys in bulk.agenda.rows(lambda: of_rows.size):
            yield _Portion(len(keys), partial(batches.rows, {name: keys}), of_rows)
        for chunk in bulk.agenda.subjects(lambda: of_lists.size, last=todo.plain):
            yield _Portion(len(chunk), partial(batches.listed, chunk), of_lists)
        for rest in (*batches.aside, Chunk(todo.plain, bulk.agenda.last_place())):
            for chunk in bulk.agenda.subjects(lambda: of_subjects.size, rest.after, rest.last):
                yield _Portion(len(chunk), partial(batches.subjects, chunk), of_subjects)

    def _still_within(self, todo: Todo) -> None:
        """The brake on large runs holds for the whole run, however much has become due since its first look."""
        run = Todo(subjects=self.tally.subjects + todo.subjects, rows=self.tally.alone + todo.rows)
        self._refuse(brakes.share(self.policy, run, self.total, self.allowed))

    def _refuse(self, refusing: Iterator[Brake]) -> None:
        """Raise the first brake, and write it to the log."""
        if (brake := next(refusing, None)) is None:
            return
        if self.connection.in_transaction():
            self.connection.rollback()
        raise brakes.refused(brake, self.policy, self.log, self.run, self.clock())

    def _end(self, result: str, undecidable: Mapping[str, int], held: int) -> None:
        done = self.tally.subjects + self.tally.alone
        self._log(
            "purge.end",
            rows=dict(self.tally.rows),
            subjects=self.tally.subjects,
            undecidable=dict(undecidable),
            held=held,
            result=result,
            confirm=0 if result in COMPLETED else max(self.allowed - done, 0),
        )
        if result != "stopped" or not list_pending(self.log.home):
            # not over a batch whose leaves could not be written
            self.log.write_checkpoint(self.clock())

    def _log(self, entry_type: str, **fields: object) -> None:
        self.log.append(entry_type, {"run": self.run, **fields}, now=self.clock())

    def _result(
        self,
        result: str,
        held_why: Mapping[str, Mapping[str, int]],
        undecidable: Mapping[str, int],
        recovered: list[Recovered],
        before: Earlier,
    ) -> PurgeResult:
        return PurgeResult(
            run=self.run,
            erased=dict(self.tally.rows),
            subjects_affected=self.tally.subjects,
            dry_run=False,
            held=rows_in(held_why),
            undecidable=undecidable,
            brakes=(),
            recovered=tuple(recovered),
            result=result,
            undecidable_before=before.undecidable,
            held_before=before.held,
            held_why=held_why,
            left=self.left,
            put_off=self.put_off,
        )


def running_clock(now: dt.datetime) -> Clock:
    """A clock that was `now` when it was made, and goes on from there at the machine's steady pace."""
    started = time.monotonic()
    return lambda: now + dt.timedelta(seconds=time.monotonic() - started)


def _is_unclear(recovered: list[Recovered]) -> bool:
    return any(one.outcome == "unclear" for one in recovered)


def _target(connection: sa.Connection) -> float:
    return ALONE_ANYWAY if connection.dialect.name == "sqlite" else OTHERS_WAIT

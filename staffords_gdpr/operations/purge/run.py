"""Erasing what is due: what cron runs every night."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Lock

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.rows import list_pending, new_batch_id
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connected
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.refusals import require_all_shown
from staffords_gdpr.errors import GdprError, PolicyError
from staffords_gdpr.operations.history import COMPLETED
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.announcements import Announcements, Clock
from staffords_gdpr.operations.purge.batches import Batches, Tally
from staffords_gdpr.operations.purge.brakes import Brake
from staffords_gdpr.operations.purge.earlier import Earlier, earlier
from staffords_gdpr.operations.purge.forget import forget
from staffords_gdpr.operations.purge.holds_watch import HoldsWatch
from staffords_gdpr.operations.purge.lanes import (
    MANY,
    USUAL,
    Found,
    Lane,
    alone,
    at_once,
    beside,
    crossed,
    watch,
)
from staffords_gdpr.operations.purge.pace import Pace
from staffords_gdpr.operations.purge.reclaim import after_a_run
from staffords_gdpr.operations.purge.rehearsal import foretell, rehearse
from staffords_gdpr.operations.purge.result import PurgeResult, rows_in
from staffords_gdpr.operations.purge.settle import Recovered, settle, unclear_rows, unclear_subjects
from staffords_gdpr.operations.purge.window import NO_LIMITS, Limits, Window
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Planned, Progress
from staffords_gdpr.retention.bulk import Bulk, Part, Todo


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
        self.counting = Lock()

    def go(self, confirm: int | None) -> PurgeResult:
        self._refuse(brakes.clock(self.policy, self.log, self.now))
        bulk = Bulk(self.connection, self._catalogue())
        self.connection.commit()
        recovered = settle(bulk, self.log, self.clock)
        self.total = bulk.total_subjects()
        unclear = unclear_rows(self.log)
        announcements = Announcements(self.log, self.run, self.clock)
        holds = HoldsWatch(announcements, unclear_subjects(self.log))

        def lane(bulk: Bulk) -> Lane:
            batches = Batches(bulk, announcements, holds, self.now, self.clock, self.tally, unclear)
            return Lane(batches, self.window, self._pace)

        with beside(lane(bulk), lane, self._connections()) as there:
            lanes, found = self._decide(there)
            before = earlier(self.log)
            self.allowed = max(confirm or 0, before.allowed)
            self._refuse(brakes.share(self.policy, found.todo, self.total, self.allowed))
            self.connection.commit()
            self._plan(found)
            self._log(
                "purge.start", as_of=self.now, policy=self.policy.sha256, dry=False, confirm=self.allowed
            )
            try:
                result = self._work_through(lanes, found)
                announcements.finish()
                if result == "complete" and (unclear or _is_unclear(recovered)):
                    result = "unclear"
                forget(self.policy, self.log, run=self.run, now=self.clock())
            except BaseException as error:
                done = self.tally.rows.total()
                error.add_note(
                    f"Until then {done:,} of {sum(found.rows.values()):,} erasures were done; the log has them."
                )
                # the log may be what failed, and what failed first is what a person has to hear
                with suppress(GdprError):
                    try:
                        announcements.finish()
                    finally:
                        self._end("stopped", found)
                raise
            self._end(result, found)
            return self._result(result, found, recovered, before)

    def _connections(self) -> int:
        """How many connections are wanted."""
        if self.limits.connections is not None:
            return self.limits.connections
        return USUAL if self.total >= MANY and not self.limits.pause else 1

    def _plan(self, found: Found) -> None:
        self.progress.plan(
            Planned(
                found.rows, found.todo.subjects, self.total, found.todo.rows, found.held, found.undecidable,
                self.allowed, self.window.ends_at,
            )
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

    def _decide(self, lanes: Sequence[Lane]) -> tuple[Sequence[Lane], Found]:
        """What is due now by the whole database, as lists to work through, and who is to do it."""
        self.progress.start("Deciding what is due", None)
        if len(lanes) > 1:
            parts = {lane: Part(number, len(lanes)) for number, lane in enumerate(lanes)}
            watch(lanes)
            decided = at_once(lanes, lambda lane: lane.decide(parts[lane]), self.window, interruptible=True)
            found = sum(decided, Found())
            if crossed(lanes):
                lanes = alone(lanes)
        if len(lanes) == 1:
            watch(lanes)
            found = lanes[0].decide()
        self.left = found.todo.subjects + found.todo.rows
        return lanes, found

    def _work_through(self, lanes: Sequence[Lane], found: Found) -> str:
        """All that is on the lists, until it is done or the run is to end. Returns how it ended.

        Rows that are due only together, across subjects, can fall into different batches, where each holds the
        other; and a batch that others are in the way of is put off. What is left after a pass is tried again, by one
        connection; when a pass of one gets nowhere, all of it goes in one transaction, unless others are in the way.
        """
        main = lanes[0]
        while found.rows:
            before, put_off = self.tally.rows.total(), self._put_off(lanes)
            self.progress.start("Erasing", found.todo.subjects + found.todo.rows)
            main.batches.announcements.shared = len(lanes) > 1
            ends = at_once(lanes, self._one_pass, self.window)
            if end := next(filter(None, ends), ""):
                return end
            self.connection.commit()
            self.progress.finish()
            erased, several = self.tally.rows.total() - before, len(lanes) > 1
            if erased == sum(found.rows.values()):
                break
            self.put_off = self._put_off(lanes) - put_off
            lanes, found = self._decide(self._go_on_alone(lanes))
            self._still_within(found.todo)
            if found.rows and not erased and not several:
                if self.put_off or (end := self.window.over()):
                    return end or "put-off"
                if main.retries.attempt(main.batches.everything) is None:
                    self.put_off = 1
                    return "put-off"
                break
        self.left = self.put_off = 0
        return "complete"

    def _go_on_alone(self, lanes: Sequence[Lane]) -> Sequence[Lane]:
        """Before subjects get other places: the first lane takes over what all have done."""
        for lane in lanes:
            lane.batches.begin_pass()
        for other in lanes[1:]:
            lanes[0].take_over(other)
        return alone(lanes)

    def _pace(self) -> Pace:
        return Pace.within(self.limits, writes_at_once=backend_of(self.connection).writes_at_once)

    def _put_off(self, lanes: Sequence[Lane]) -> int:
        return sum(lane.retries.put_off for lane in lanes)

    def _one_pass(self, lane: Lane) -> str:
        """Each batch of a lane once. Returns what ended the run on the way, empty where nothing did."""
        for portion in lane.portions():
            lane.bulk.connection.commit()
            if end := self.window.over():
                return end
            done = lane.retries.attempt(portion.erase)
            with self.counting:
                if done is None:
                    portion.pace.failed()
                else:
                    portion.pace.took(portion.amount, done.seconds, undisturbed=done.undisturbed)
                    self.left -= done.amount
                self.progress.advance(portion.amount if done is None else done.amount)
            self.window.wait(self.limits.pause)
        lane.bulk.connection.commit()
        return ""

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

    def _end(self, result: str, found: Found) -> None:
        done = self.tally.subjects + self.tally.alone
        self._log(
            "purge.end",
            rows=dict(self.tally.rows),
            subjects=self.tally.subjects,
            undecidable=dict(found.undecidable),
            held=rows_in(found.held),
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
        found: Found,
        recovered: list[Recovered],
        before: Earlier,
    ) -> PurgeResult:
        return PurgeResult(
            run=self.run,
            erased=dict(self.tally.rows),
            subjects_affected=self.tally.subjects,
            dry_run=False,
            held=rows_in(found.held),
            undecidable=found.undecidable,
            brakes=(),
            recovered=tuple(recovered),
            result=result,
            undecidable_before=before.undecidable,
            held_before=before.held,
            held_why=found.held,
            left=self.left,
            put_off=self.put_off,
        )


def running_clock(now: dt.datetime) -> Clock:
    """A clock that was `now` when it was made, and goes on from there at the machine's steady pace."""
    started = time.monotonic()
    return lambda: now + dt.timedelta(seconds=time.monotonic() - started)


def _is_unclear(recovered: list[Recovered]) -> bool:
    return any(one.outcome == "unclear" for one in recovered)

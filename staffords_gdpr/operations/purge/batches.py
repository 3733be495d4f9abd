"""Batches: subject by subject, one transaction each, with an intent before and an outcome after.

The order of durability is batch key and pending file, intent, commit, outcome, leaves, checkpoint; only then does the
pending file go. Whatever is cut off in between is settled by the next run, see `purge/settle`. The database erases
while the intent is being written: what it does before the commit is lost with whoever asked for it, so that only the
commit has to wait for the intent. And the next batch takes its locks while the outcome is being written, which its own
intent waits for. Several connections prepare and erase at the same time (on MariaDB one of them erases, while nobody
else writes); from the intent to the commit they take turns.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial

import sqlalchemy as sa

from staffords_gdpr.database.connection import (
    begin,
    changes_so_far,
    check_deferred,
    commit_refused,
    may_pass,
    translated,
)
from staffords_gdpr.database.locks import ChunkLocks, lock_everything, lock_rows
from staffords_gdpr.errors import GdprError
from staffords_gdpr.operations.purge.announcements import Announcements, Clock, Intent, wait_for
from staffords_gdpr.operations.purge.erasure import NOTHING, Erased, Eraser, Plan
from staffords_gdpr.operations.purge.holds_watch import HoldsWatch
from staffords_gdpr.operations.purge.portions import most_changes, portion_of
from staffords_gdpr.retention.bulk import Bulk, Chunk, Scope
from staffords_gdpr.retention.bulk.chain import numbered
from staffords_gdpr.retention.bulk.lists import places, within
from staffords_gdpr.retention.states import Key


@dataclass
class Tally:
    """What a run has erased so far: rows by record type and step, how many subjects they belonged to (each counts once,
    however many batches it is in), and how many rows without a subject it took up.
    """

    rows: Counter[str] = field(default_factory=Counter)
    subjects: int = 0
    alone: int = 0


@dataclass(frozen=True)
class Done:
    """What came of a batch: for how many `seconds` it held its locks, and with how many of its subjects, or rows of
    nobody, it is done. The others come again. `undisturbed`: nobody else had written since the decision.
    """

    seconds: float
    amount: int
    undisturbed: bool = False


@dataclass
class Batches:
    """Carries out the batches of one run."""

    bulk: Bulk
    announcements: Announcements
    holds: HoldsWatch
    as_of: dt.datetime
    clock: Clock
    tally: Tally
    unclear: frozenset[tuple[str, Key]] = frozenset()  # rows of batches whose end is unclear
    aside: list[Chunk] = field(default_factory=list)
    """Places of the list that `listed` has left to `subjects`."""
    erased: list[Chunk] = field(default_factory=list)
    """Places of which it has erased what was listed, in the first pass."""
    first_pass: bool = True

    def listed(self, chunk: Chunk) -> Done:
        """Erase what is listed at these places, in one transaction, but of subjects of whom not all is due any more:
        these get other places, or the chunk is put `aside`.
        """
        left = 0

        def prepare(held: frozenset[Key]) -> _Portion:
            nonlocal left
            left, agenda = 0, self.bulk.agenda
            self._list_locks.take(self.bulk.connection, places(chunk))
            plan = self._listed.plan(chunk)
            if not agenda.still_due(chunk, held, plan.rows):
                left = agenda.move_changed(chunk, held)
                plan = self._listed.plan(chunk) if left else NOTHING
            if not plan.erasures:
                left = len(chunk)
            return _Portion(plan, chunk)

        seconds = self._batch(prepare, self._listed)
        if left == len(chunk):
            self.aside.append(chunk)
        return Done(seconds, len(chunk) - left, self.bulk.agenda.undisturbed)

    def subjects(self, chunk: Chunk) -> Done:
        """Erase what is due of these subjects, in one transaction."""
        seconds = self._decided(lambda: self.bulk.scope_to(subjects=chunk), Scope.SUBJECTS)
        return Done(seconds, len(chunk))

    def rows(self, keys: Mapping[str, Sequence[Key]]) -> Done:
        """The same of these rows without a subject."""
        wanted = {
            name: [key for key in some if (name, key) not in self.unclear] for name, some in keys.items()
        }
        seconds = self._decided(lambda: self.bulk.scope_to(rows=wanted), Scope.ROWS, of_nobody=tuple(wanted))
        amount = sum(len(some) for some in keys.values())
        self.tally.alone += amount
        return Done(seconds, amount)

    def everything(self) -> Done:
        """The same of all that is due: for rows that are due only together."""
        return Done(self._decided(lambda: None, Scope.ALL), 0)

    def _decided(self, choose: Callable[[], None], scope: Scope, of_nobody: Sequence[str] = ()) -> float:
        """Lock, and have the rules decide by what the database says now."""

        def prepare(held: frozenset[Key]) -> _Portion:
            self.bulk.agenda.begin_writing()
            choose()
            self._lock(scope)
            decide = partial(self._decide, scope, held)
            plan, whole = portion_of(
                self.bulk, self._now, decide, self._most, by_subjects=scope is Scope.SUBJECTS
            )
            return _Portion(plan, whole=whole)

        self.bulk.agenda.before_deciding()
        return self._batch(prepare, self._now, of_nobody, short=scope is not Scope.ALL)

    def _batch(
        self,
        prepare: Callable[[frozenset[Key]], _Portion],
        eraser: Eraser,
        of_nobody: Sequence[str] = (),
        *,
        short: bool = True,
    ) -> float:
        """`prepare` what to erase, under locks and these holds, log the intent, erase, commit, log the outcome. Returns
        for how many seconds locks were held.

        `of_nobody`: the record types of which each row counts as a subject of its own.
        """
        while True:
            transaction = begin(self.bulk.connection, lock=True, short=short)
            begun = self.clock()
            try:
                held = self.holds.current()
                portion = prepare(held)
                if not portion.plan.erasures:
                    transaction.rollback()
                    self.bulk.forget()
                    return (self.clock() - begun).total_seconds()
                committed = self._carry_out(transaction, portion, held, eraser, of_nobody)
            except BaseException:
                if transaction.is_active:
                    transaction.rollback()
                raise
            if committed is None:
                self.bulk.forget()  # a hold that came before the intent: decide again, with it
            elif portion.whole:
                return (committed - begun).total_seconds()

    def _carry_out(
        self,
        transaction: sa.Transaction,
        portion: _Portion,
        held: frozenset[Key],
        eraser: Eraser,
        of_nobody: Sequence[str],
    ) -> dt.datetime | None:
        """Erase, log the intent, commit, log the outcome. Returns when it was committed; None where a hold has come
        since, so that it was rolled back.
        """
        with ThreadPoolExecutor(1) as beside:
            erasing = beside.submit(self._erase, eraser, portion)
            try:
                intent = self.announcements.draw_up(portion.plan)
                if self.announcements.shared:
                    # who has the turn must not wait for rows that somebody has locked who waits for the turn
                    wait_for(erasing)
                    erasing.result()
                with self.announcements.turn():
                    self.announcements.announce(intent, portion.plan, of_nobody)
                    wait_for(erasing)
                    if self.holds.current() != held:
                        transaction.rollback()
                        self.announcements.outcome("purge.aborted", intent, code="hold")
                        return None
                    committed = self._commit(transaction, portion.plan, intent, erasing)
                    self.tally.rows.update(portion.plan.rows)
                    self._count_subjects(portion)
                    return committed
            finally:
                wait_for(erasing)

    def _count_subjects(self, portion: _Portion) -> None:
        """Count whom the batch was about. It is over and logged: whatever goes wrong, it must not be tried again."""
        chunk = portion.chunk
        if chunk is not None and self.first_pass:
            self.erased.append(chunk)  # nobody was in an earlier batch
            self.tally.subjects += len(portion.plan.subjects)
            return
        try:
            self.bulk.agenda.begin_writing()
            self.tally.subjects += self.bulk.agenda.touch(chunk)
            self.bulk.connection.commit()  # or a transaction stays open through the pause that follows
        except sa.exc.DBAPIError as error:
            raise translated(error, self.bulk.connection.engine) from error

    def _decide(self, scope: Scope, held: frozenset[Key], rows: frozenset[tuple[str, Key]]) -> None:
        """Decide what is due; `rows` are left alone, for a later batch."""
        self.bulk.decide(self.as_of, holds=held, scope=scope, left_alone=self.unclear | rows)

    @cached_property
    def _most(self) -> int | None:
        return most_changes(self.bulk)

    def _lock(self, scope: Scope) -> None:
        """Lock everything that is read for this batch, before it is read."""
        connection, catalogue, work = self.bulk.connection, self.bulk.catalogue, self.bulk.work
        match scope:
            case Scope.ALL:
                lock_everything(connection, catalogue)
            case Scope.SUBJECTS:
                lock_rows(connection, catalogue, {catalogue.policy.subject: work.scope})
            case Scope.ROWS:
                lock_rows(connection, catalogue, work.row_scopes)

    @cached_property
    def _now(self) -> Eraser:
        """Erases what a decision has found within the batch."""
        return Eraser(self.bulk)

    @cached_property
    def _listed(self) -> Eraser:
        return Eraser(self.bulk, listed=True)

    @cached_property
    def _list_locks(self) -> ChunkLocks:
        todo = self.bulk.work.todo
        return ChunkLocks(self.bulk.connection, self.bulk.catalogue, todo, numbered(todo, "s"), within(todo))

    def _erase(self, eraser: Eraser, portion: _Portion) -> _Erasing:
        """Erase, and look what that did. The transaction is still to be committed."""
        before = changes_so_far(self.bulk.connection)
        erased = eraser.erase(portion.plan, portion.chunk)
        check_deferred(self.bulk.connection)
        changed = changes_so_far(self.bulk.connection) - before
        return _Erasing(erased, changed, eraser.left_over(portion.plan, portion.chunk))

    def _commit(
        self, transaction: sa.Transaction, plan: Plan, intent: Intent, erasing: Future[_Erasing]
    ) -> dt.datetime:
        """Commit what was erased, if it is what was planned, and log it. Returns when it was committed."""
        try:
            erased, changed, left = erasing.result().erased, erasing.result().changed, erasing.result().left
        except sa.exc.DBAPIError as error:
            transaction.rollback()
            self.announcements.outcome("purge.aborted", intent, code=self._code(error))
            raise
        other = erased.reached != plan.rows or changed != erased.changes or erased.dragged
        if other or left:
            transaction.rollback()
            self.announcements.outcome("purge.aborted", intent, code="row-count")
            raise GdprError(
                f"batch {intent.batch}: the plan had {plan.rows}; the database reached {erased.reached}, changed "
                f"{changed} rows in all, would have taken {erased.dragged} others along, and left "
                f"{left} as they were. The batch was rolled back: nothing of it is erased",
                "Look for triggers on these tables that write, also those that the policy acknowledges, and for "
                "foreign keys with ON DELETE CASCADE or SET NULL; switch them off, approve, and run again. "
                "The log has the batch as purge.aborted.",
            )
        try:
            transaction.commit()
        except sa.exc.DBAPIError as error:
            if commit_refused(transaction, error):
                self.announcements.outcome("purge.aborted", intent, code=self._code(error))
                raise
            # what became of it only the next run can tell: it must not be tried again before
            raise translated(error, self.bulk.connection.engine) from error
        committed = self.clock()
        self.announcements.done(intent)
        return committed

    def begin_pass(self) -> None:
        """To be called before subjects get other places: those of whom something has gone are remembered. Nothing is
        pending then, and nobody else uses the log.
        """
        self.announcements.finish()
        for chunk in self.erased:
            self.bulk.agenda.touch(chunk)
        self.bulk.connection.commit()
        self.erased.clear()
        self.aside.clear()
        self.first_pass = False

    def _code(self, error: sa.exc.DBAPIError) -> str:
        """What the log says of a batch that the database did not carry out."""
        return "conflict" if may_pass(self.bulk.connection, error) else "database"


@dataclass(frozen=True)
class _Portion:
    """What one transaction is to erase: what is listed at the places of a chunk, or what was decided in it. `whole`:
    that is all for which it was begun.
    """

    plan: Plan
    chunk: Chunk | None = None
    whole: bool = True


@dataclass(frozen=True)
class _Erasing:
    """What erasing did: `changed` rows of the firm's tables, and `left` rows of the plan as they were."""

    erased: Erased
    changed: int
    left: int

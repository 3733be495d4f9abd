"""What the log hears of a batch: its intent before the commit, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.rows import (
    new_batch_id,
    new_batch_key,
    remove_pending,
    root,
    write_batch_key,
    write_leaves,
    write_pending,
)
from staffords_gdpr.errors import GdprError
from staffords_gdpr.operations.purge.erasure import Plan
from staffords_gdpr.operations.purge.pending import pending_of

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class Intent:
    """A batch that is announced: what the log is to hear of it, under its key."""

    batch: str
    key: bytes
    root: str
    rows: dict[str, int]
    leaves: list[bytes]


class BatchOpenError(GdprError):
    """No batch can be announced, as something went wrong with the one before: whoever had that one knows what."""


class Announcements:
    """The entries of one run's batches, with the files that go with them. Several connections take turns."""

    def __init__(self, log: AuditLog, run: str, clock: Clock) -> None:
        self.log = log
        self.run = run
        self.clock = clock
        self.shared = False  # whether several connections announce batches at the same time
        self._turn = RLock()
        self._within = 0  # how often whoever has the turn has asked for it
        self._open: Intent | None = None  # the batch of which the log has no outcome
        self._writing: Future[None] | None = None  # of the last outcome; nobody else uses the log meanwhile

    @contextmanager
    def turn(self) -> Iterator[None]:
        """From a batch's intent until it is committed or given up: one at a time, so that never more than one batch is
        open in the log. On entering, the log has the outcome of the one before. Raises BatchOpenError where it never
        came, because of an error that somebody else has.
        """
        with self._turn:
            if not self._within:
                self.finish()
                if self._open is not None:
                    raise BatchOpenError(
                        f"batch {self._open.batch} has no outcome", "Run again: that settles it first."
                    )
            self._within += 1
            try:
                yield
            finally:
                self._within -= 1

    def draw_up(self, plan: Plan) -> Intent:
        """What is going to be announced. It takes a while, and nothing is written."""
        batch, key = new_batch_id(self.clock()), new_batch_key()
        leaves = plan.leaves(key)
        return Intent(batch, key, root(leaves), plan.rows, leaves)

    def announce(self, intent: Intent, plan: Plan, of_nobody: Sequence[str]) -> None:
        """Announce a batch: its key, its pending file and its intent, each on the disk when this returns.

        `of_nobody`: the record types of which each row counts as a subject of its own.
        """
        self._open = intent
        write_batch_key(self.log.home, intent.batch, intent.key)
        write_pending(self.log.home, intent.batch, pending_of(plan, self.run))
        alone = {
            (record, key)
            for erasure in plan.erasures
            for record in [erasure.name.partition(".")[0]]
            if record in of_nobody
            for key in erasure.keys
        }
        fields = {**self._fields(intent), "subjects": len(plan.subjects) + len(alone)}
        self.log.append("purge.intent", fields, now=self.clock())

    def outcome(self, entry_type: str, intent: Intent, **more: str) -> None:
        """Write what became of a batch, with what it leaves behind."""
        now = self.clock()
        self.log.append(entry_type, {**self._fields(intent), **more}, now=now)
        if entry_type == "purge.done":
            write_leaves(self.log.home, intent.batch, now, intent.leaves)
        self.log.write_checkpoint(now)
        remove_pending(self.log.home, intent.batch)
        self._open = None

    def _fields(self, intent: Intent) -> dict[str, object]:
        return {"run": self.run, "batch": intent.batch, "root": intent.root, "rows": intent.rows}

    def done(self, intent: Intent) -> None:
        """Write in a thread beside that a batch was committed: the next one takes its locks meanwhile."""
        beside = ThreadPoolExecutor(1)
        self._writing = beside.submit(self.outcome, "purge.done", intent)
        beside.shutdown(wait=False)

    def finish(self) -> None:
        """Wait until the log has the outcome of the last batch. Raises what went wrong there.

        Nothing is announced, and so nothing committed, before.
        """
        if self._writing is not None:
            writing = self._writing
            wait_for(writing)
            self._writing = None
            writing.result()


def wait_for(other: Future[Any]) -> None:
    """Wait until nobody else uses the connection, or the log, whoever has no patience: rolled back too soon, the
    transaction could be followed by the rest of its statements, and SQLite takes what is outside of any as committed.
    """
    interrupted = None
    while not other.done():
        try:
            wait([other])
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted is not None:
        raise interrupted

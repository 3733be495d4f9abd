"""The connections of a run: several decide and erase at once, each a part of the subjects.

Rows of nobody are the first one's. Where something may be due only together with rows of another part (`crossed`), one
connection decides over everything, and goes on alone.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from staffords_gdpr.database.connection import begin, interrupt, translated
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.errors import GdprError
from staffords_gdpr.operations.purge.announcements import BatchOpenError
from staffords_gdpr.operations.purge.batches import Batches, Done
from staffords_gdpr.operations.purge.erasure import planned
from staffords_gdpr.operations.purge.pace import Pace
from staffords_gdpr.operations.purge.retries import Retries
from staffords_gdpr.operations.purge.window import Window
from staffords_gdpr.retention.bulk import Bulk, Chunk, Outside, Part, Scope, Todo, watch_together

USUAL = 2
"""How many connections a purge uses where it is worth it."""

MANY = 20_000
"""Of fewer subjects everything is decided sooner than another connection is made ready."""

_NOTHING = Todo(0, 0)

_TURN = 0.0001  # seconds
_AGAIN = 0.5  # seconds after which a lane is interrupted once more: it may have been between two statements
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What a decision has found: the list of it, how many rows of each record type and step that is, how many are held
    for each reason, and how many are undecidable.
    """

    todo: Todo = _NOTHING
    rows: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    undecidable: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Found) -> Found:
        return Found(
            self.todo + other.todo,
            _sum(self.rows, other.rows),
            {
                name: _sum(self.held.get(name, {}), other.held.get(name, {}))
                for name in {**self.held, **other.held}
            },
            _sum(self.undecidable, other.undecidable),
        )


@dataclass(frozen=True)
class Portion:
    """What one batch is to take up: so much of the list, carried out by `erase`, measured by `pace`."""

    amount: int
    erase: Callable[[], Done]
    pace: Pace


class Lane:
    """One connection of a run."""

    def __init__(self, batches: Batches, window: Window, new_pace: Callable[[], Pace]) -> None:
        self.batches = batches
        self.bulk = batches.bulk
        self.retries = Retries(self.bulk, window)
        self.todo = _NOTHING
        self._outside: list[Outside] = []
        self._of_nobody: frozenset[str] = frozenset()
        self._paces = [new_pace() for _ in range(3)]

    def decide(self, part: Part | None = None) -> Found:
        """What is due now of this part (None: by the whole database), written down as the list to work through."""
        bulk, agenda = self.bulk, self.bulk.agenda
        bulk.connection.commit()
        with begin(bulk.connection, lock=False):
            if part is None:
                found = self._decided(Scope.ALL, agenda.write)
            else:
                found, self._outside = Found(), []
                if part.number == 0:
                    bulk.scope_to_nobody()
                    found += self._decided(Scope.ROWS, agenda.write_rows)
                    self._outside += bulk.held_from_outside(None)
                    self._of_nobody = frozenset(name for name in bulk.candidates if bulk.may_go([name]))
                bulk.scope_to_part(part)
                found += self._decided(Scope.SUBJECTS, agenda.write_subjects)
                self._outside += bulk.held_from_outside(part)
        self.todo = found.todo
        return found

    def _decided(self, scope: Scope, write: Callable[[], Todo]) -> Found:
        bulk, batches = self.bulk, self.batches
        bulk.decide(batches.as_of, holds=batches.holds.current(), scope=scope, left_alone=batches.unclear)
        todo = write()
        return Found(todo, planned(bulk), *bulk.left_alone())

    def is_held_by(self, others: Sequence[Lane]) -> bool:
        """Whether something that the last decision has blocked may be due together with what these decide about."""
        return any(
            outside.keys is None
            or (outside.nobodys and any(not other._of_nobody.isdisjoint(outside.names) for other in others))
            or (outside.keys and any(other.bulk.may_go(outside.names, outside.keys) for other in others))
            for outside in self._outside
        )

    def take_over(self, other: Lane) -> None:
        """Remember whose rows the other has erased."""
        self.bulk.agenda.remember(other.bulk.agenda.remembered())
        self.bulk.connection.commit()

    def let_go(self) -> None:
        """Nothing more is to be done here. The work tables go first: PostgreSQL would drop them when the connection has
        ended, which looks as if somebody else had written.
        """
        with suppress(sa.exc.DBAPIError):
            self.bulk.work.drop()
            self.bulk.connection.commit()
        close(self.bulk.connection)

    def portions(self) -> Iterator[Portion]:
        """The list: rows without a subject, the subjects whose rows stand on lists, then the others, and those of whom
        not all was due any more.
        """
        agenda, batches, todo = self.bulk.agenda, self.batches, self.todo
        of_rows, of_lists, of_subjects = self._paces
        if todo.rows:
            for name, keys in agenda.rows(lambda: of_rows.size):
                yield Portion(len(keys), partial(batches.rows, {name: keys}), of_rows)
        for chunk in agenda.subjects(lambda: of_lists.size, last=todo.plain):
            yield Portion(len(chunk), partial(batches.listed, chunk), of_lists)
        for rest in (*batches.aside, Chunk(todo.plain, agenda.last_place())):
            for chunk in agenda.subjects(lambda: of_subjects.size, rest.after, rest.last):
                yield Portion(len(chunk), partial(batches.subjects, chunk), of_subjects)


@contextmanager
def beside(main: Lane, another: Callable[[Bulk], Lane], wanted: int) -> Iterator[list[Lane]]:
    """The lanes of a run, `main` first, up to as many as are wanted: one alone where the rows of a database cannot be
    divided among subjects, or only one connection at a time writes, or no more are to be had.
    """
    lanes, bulk = [main], main.bulk
    engine = bulk.connection.engine
    with ExitStack() as opened:
        if wanted > 1 and bulk.divisible and backend_of(bulk.connection).writes_at_once:
            for _ in range(wanted - 1):
                try:
                    connection = engine.connect()
                    opened.callback(close, connection)
                    new = another(Bulk(connection, bulk.catalogue))
                    connection.commit()
                except (sa.exc.DBAPIError, engine.dialect.loaded_dbapi.Error):
                    break  # a server that allows this user no more of them
                lanes.append(new)
        yield lanes


def close(connection: sa.Connection) -> None:
    """Close a connection of which nothing more is expected, so that it may have been lost."""
    with suppress(sa.exc.DBAPIError, connection.dialect.loaded_dbapi.Error):
        connection.close()


def watch(lanes: Sequence[Lane]) -> None:
    """To be called before these decide."""
    for lane in lanes:
        lane.bulk.connection.commit()
    watch_together([lane.bulk.agenda for lane in lanes])


def alone(lanes: Sequence[Lane]) -> list[Lane]:
    """The first lane; the others have nothing more to do."""
    for other in lanes[1:]:
        other.let_go()
    return [lanes[0]]


def crossed(lanes: Sequence[Lane]) -> bool:
    """Whether more may be due than the lanes have found, each in its part: together with rows of each other's."""
    found = any(lane.is_held_by(lanes) for lane in lanes)
    for lane in lanes:
        lane._outside.clear()
        lane.bulk.forget_scopes()
        lane.bulk.connection.commit()
    return found


def at_once(
    lanes: Sequence[Lane], work: Callable[[Lane], T], window: Window, *, interruptible: bool = False
) -> list[T]:
    """What `work` returns for each lane, all at the same time. Where one fails the others end after the batch that they
    are at, and its error is raised. So it is where somebody has no patience: whoever waits for the others holds nothing
    that they could wait for. `interruptible`: their statements are ended then. Never so where they erase: a COMMIT has
    to be answered.
    """
    failed: list[BaseException] = []
    interrupted = False

    def guarded(lane: Lane) -> T:
        try:
            return work(lane)
        except BaseException as error:
            window.close()
            if not interrupted:
                failed.append(error)
            raise

    with _in_short_turns():
        if len(lanes) == 1:
            return [work(lanes[0])]
        with ThreadPoolExecutor(len(lanes)) as threads:
            try:
                running = [threads.submit(guarded, lane) for lane in lanes]
                while any(not each.done() for each in running):
                    try:
                        for lane, each in zip(lanes, running, strict=True):
                            if interrupted and not each.done():
                                interrupt(lane.bulk.connection)
                        wait(running, _AGAIN if interrupted else None)
                    except KeyboardInterrupt as error:
                        window.close()
                        failed.append(error)
                        interrupted = interruptible
            except BaseException:
                window.close()
                raise
    if failed:
        raise _first(failed, lanes[0].bulk.connection.engine)
    return [each.result() for each in running]


def _first(failed: Sequence[BaseException], engine: sa.Engine) -> BaseException:
    """The error that came first, with a note of what else failed. An error says more than impatience, or than that of
    whoever was kept from announcing a batch by it.
    """
    own = [error for error in failed if not isinstance(error, BatchOpenError | KeyboardInterrupt)]
    if not own:
        return next((error for error in failed if isinstance(error, KeyboardInterrupt)), failed[0])
    first = own[0]
    for words in dict.fromkeys(_words(error, engine) for error in own[1:]):
        if words != _words(first, engine):
            first.add_note(f"Another connection failed as well: {words}")
    return first


def _words(error: BaseException, engine: sa.Engine) -> str:
    known = translated(error, engine) if isinstance(error, sa.exc.DBAPIError) else error
    return known.message if isinstance(known, GdprError) else type(known).__name__


@contextmanager
def _in_short_turns() -> Iterator[None]:
    """Let threads of this process take turns more often than Python's usual 5 ms. The one that erases says little and
    waits for the database: as often as an answer came, the one that hashes kept it waiting that long.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _sum(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(some) + Counter(others))

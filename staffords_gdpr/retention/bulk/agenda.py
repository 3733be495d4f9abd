"""What is due after one decision over everything, as it is worked off: it outlasts the decisions of single batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from staffords_gdpr.database.connection import Watch, watch
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.retention.bulk.chain import numbered, same
from staffords_gdpr.retention.bulk.lists import apart, at_places, listings, places
from staffords_gdpr.retention.bulk.recheck import Recheck
from staffords_gdpr.retention.bulk.rows import Rows, Scope
from staffords_gdpr.retention.bulk.todo import Chunk, Todo, chunks, listing_of, of_chunk
from staffords_gdpr.retention.states import Key

if TYPE_CHECKING:
    from staffords_gdpr.retention.bulk.decision import Bulk


@dataclass(frozen=True)
class _Listed:
    """What was true when rows were written onto the lists, and how to see whether they are still due."""

    recheck: Recheck
    holds: frozenset[Key]
    watch: Watch | None


@contextmanager
def _if_it_has_room() -> Iterator[None]:
    """Goes on after a statement that is too deep for this release of SQLite."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if "parser stack" not in str(error.orig):
            raise


def watch_together(agendas: Sequence[Agenda]) -> None:
    """To be called before what is to be written down is decided, to be told later whether anything has changed: for all
    connections of a run, which are idle.
    """
    told = watch([agenda._bulk.connection for agenda in agendas]) if agendas[0].lists_rows else None
    for number, agenda in enumerate(agendas):
        agenda._watch = told[number] if told is not None else None


class Agenda:
    """The lists of one `Bulk`."""

    def __init__(self, bulk: Bulk) -> None:
        self._bulk = bulk
        self._listed: _Listed | None = None
        self._watch: Watch | None = None
        self.undisturbed = False
        """Whether, when `still_due` was last asked, nobody else had written since the decision."""

    @property
    def lists_rows(self) -> bool:
        """Whether there are lists of rows here."""
        return bool(self._bulk.work.lists) and (
            backend_of(self._bulk.connection).most_rows(self._bulk.connection) is None
        )

    def write(self) -> Todo:
        """Write down which subjects, and which rows without a subject, the last decision found anything due of."""
        subjects = self.write_subjects()
        return Todo(subjects.subjects, self.write_rows().rows, subjects.plain)

    def write_subjects(self) -> Todo:
        """Write down the subjects.

        Those whose rows go without anybody else's come first: their rows are written down as well. Where a database
        is on several servers, each of which has to be locked, or takes so many rows at a time, there are none.
        """
        bulk, work = self._bulk, self._bulk.work
        self._listed, watch, self._watch = None, self._watch, None
        work.empty([work.todo, work.apart, *work.lists.values()])
        together = sum(bulk.run(statement) for statement in apart(work))
        due = bulk.due_subjects().order_by(None)
        subjects = bulk.run(listing_of(work.todo, due, work.subjects, work.apart if together else None))
        work.filled(work.todo, subjects)
        plain = 0
        if self.lists_rows:
            also = same(numbered(work.todo, "s"), list(work.apart.c))
            plain = subjects - (bulk.count(work.todo.join(work.apart, also)) if together else 0)
        if plain:
            self._list_rows(plain, watch)
        return Todo(subjects, 0, plain)

    def write_rows(self) -> Todo:
        """Write down the rows without a subject."""
        bulk, work = self._bulk, self._bulk.work
        work.empty(list(work.row_todos.values()))
        rows = 0
        for name, table in work.row_todos.items():
            alone = [
                found.due().where(found.subject[0].is_(None), *(p.is_(None) for p in found.parent[:1]))
                for found in bulk.candidates.values()
                if found.bound.record.name == name
            ]
            rows += bulk.run(listing_of(table, sa.select(*sa.union(*alone).subquery().c).distinct()))
        return Todo(0, rows)

    def _list_rows(self, plain: int, watch: Watch | None) -> None:
        """Write down the rows of the first so many subjects."""
        bulk, work = self._bulk, self._bulk.work
        for statement in listings(work, plain):
            work.filled(statement.table, bulk.run(statement))
        work.index_keys()
        as_of, held = bulk.decided
        rows = Rows(work, as_of, Scope.SUBJECTS, listed=True)
        recheck = Recheck(rows)
        bulk.look_up(frozenset(rows.days.rows()))
        self._listed = _Listed(recheck, held, watch)

    def still_due(self, chunk: Chunk, holds: Iterable[Key], listed: Mapping[str, int]) -> bool:
        """Whether all that is listed at these places is due by what the database says now, and under these holds.

        `listed`: how many rows that is, by record type and step. Only what is locked stays so. False also where that
        cannot be told so quickly.
        """
        found = self._under(holds)
        self.undisturbed = found is not None and found.watch is not None and found.watch.unchanged()
        if found is None or self.undisturbed:
            return self.undisturbed
        with _if_it_has_room():
            return found.recheck.holds(self._bulk.connection, chunk, listed)
        return False

    def begin_writing(self) -> None:
        """To be called in a batch that does not ask `still_due`, before it writes: other connections of the run would
        take what it writes for somebody else's.
        """
        if self._listed is not None and self._listed.watch is not None:
            self._listed.watch.writing()

    def move_changed(self, chunk: Chunk, holds: Iterable[Key]) -> int:
        """Give the subjects at these places of whom not all that is listed is due any more places behind all others,
        and have nothing listed of them. Returns how many they are; 0, and nothing is moved, where all have changed, or
        that cannot be told.
        """
        listed, work = self._under(holds), self._bulk.work
        if listed is None:
            return 0
        changed: list[int] = []
        with _if_it_has_room():
            changed = listed.recheck.changed(self._bulk.connection, chunk)
        if not 0 < len(changed) < len(chunk):
            return 0
        todo = work.todo
        behind = self.last_place() + sa.func.row_number().over(order_by=todo.c.place)
        moved = sa.select(behind, *list(todo.c)[1:]).where(todo.c.place.in_(changed))
        self._bulk.run(sa.insert(todo).from_select(list(todo.c.keys()), moved))
        for table in (todo, *work.lists.values()):
            self._bulk.run(sa.delete(table).where(table.c.place.in_(changed)))
        return len(changed)

    def _under(self, holds: Iterable[Key]) -> _Listed | None:
        """What was listed, if it was under just these holds."""
        return self._listed if self._listed is not None and self._listed.holds == frozenset(holds) else None

    def last_place(self) -> int:
        """The last place of a subject."""
        last = sa.select(sa.func.coalesce(sa.func.max(self._bulk.work.todo.c.place), 0))
        return int(self._bulk.connection.execute(last).scalar_one())

    def subjects(self, size: Callable[[], int], after: int = 0, last: int | None = None) -> Iterator[Chunk]:
        """The subjects of the list, those whose rows are listed first, in key order, after one place and up to another;
        each time as many as `size` then says.
        """
        return chunks(self.last_place() if last is None else last, size, after)

    def rows(self, size: Callable[[], int]) -> Iterator[tuple[str, list[Key]]]:
        """The rows without a subject of the list, record type by record type; each time as many as `size` says."""
        for name, table in self._bulk.work.row_todos.items():
            for chunk in chunks(self._bulk.count(table), size):
                query = of_chunk(table, numbered(table, "k"), chunk)
                yield name, [tuple(row) for row in self._bulk.connection.execute(query)]

    def touch(self, chunk: Chunk | None = None) -> int:
        """Remember the subjects of a chunk, or those of whom the last decision found anything due; how many were not
        remembered before.
        """
        work = self._bulk.work
        query = self._bulk.due_subjects().order_by(None) if chunk is None else at_places(work.todo)
        due = query.subquery()
        known = sa.exists().where(same(list(work.touched.c), list(due.c)))
        new = sa.select(*due.c).where(sa.not_(known))
        touched = self._bulk.run(
            sa.insert(work.touched).from_select(list(work.touched.c.keys()), new), places(chunk)
        )
        work.filled(work.touched, touched)
        return touched

    def remembered(self) -> list[Key]:
        """The keys of the subjects that `touch` has remembered."""
        return [tuple(row) for row in self._bulk.connection.execute(sa.select(*self._bulk.work.touched.c))]

    def remember(self, keys: Iterable[Key]) -> None:
        """Remember subjects of whom other connections have erased something."""
        work = self._bulk.work
        work.fill(work.touched, {*keys, *self.remembered()})

    def before_deciding(self) -> None:
        """To be called before a batch that decides begins: MariaDB would read past what all before it have left."""
        self.begin_writing()
        self._bulk.work.renew()
        self._bulk.connection.commit()

"""The rules of retention as set-based SQL: which rows of a whole database, or of some subjects, are due.

`Bulk.decide` first lists every row that is not simply kept, and among them the candidates, which have passed
their own rule; then it blocks those that R4 (children), R5 (references) and R6 (evidence) hold, until nothing
changes. What is left is the due set: the largest set of rows in which the rules hold against every row outside it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.retention.bulk.agenda import Agenda
from staffords_gdpr.retention.bulk.answers import Answers
from staffords_gdpr.retention.bulk.blocks import Block
from staffords_gdpr.retention.bulk.chain import same
from staffords_gdpr.retention.bulk.codes import Code
from staffords_gdpr.retention.bulk.listing import owning_together
from staffords_gdpr.retention.bulk.lists import at_places, places
from staffords_gdpr.retention.bulk.parts import (
    Outside,
    Part,
    divisible,
    holding_from_outside,
    may_go,
    rows_of_nobody,
    subjects_in,
)
from staffords_gdpr.retention.bulk.rows import Rows, Scope
from staffords_gdpr.retention.bulk.statements import Shift, Statements
from staffords_gdpr.retention.bulk.todo import Chunk
from staffords_gdpr.retention.bulk.work import Candidates, Work
from staffords_gdpr.retention.states import Key, State, Verdict

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_COUNTED = {"preserve_rowcount": True}  # or an INSERT … SELECT does not tell how many rows it wrote


class Bulk:
    """The rules over one connection. Everything it writes is in temporary tables, private to that connection."""

    def __init__(self, connection: sa.Connection, catalogue: Catalogue) -> None:
        self.connection = connection
        self.catalogue = catalogue
        self.work = Work(connection, catalogue)
        self._part: Part | None = None  # that Scope.SUBJECTS decides, to be told by its keys as well
        self._built: dict[tuple[dt.datetime, Scope, int, Part | None], Statements] = {}
        self._now: Statements | None = None
        self._shifts: frozenset[Shift] = frozenset()  # what is surely in their work table
        self._round = 0
        self.decided: tuple[dt.datetime, frozenset[Key]] = (_NEVER, frozenset())
        self.agenda = Agenda(self)

    @property
    def candidates(self) -> Mapping[str, Candidates]:
        return self.work.candidates

    def decide(
        self,
        as_of: dt.datetime,
        *,
        holds: Iterable[Key] = (),
        scope: Scope = Scope.ALL,
        left_alone: Iterable[tuple[str, Key]] = (),
    ) -> None:
        """Find the due set at `as_of`, within the scope that `scope_to` was given.

        Rows outside the scope count as rows that stay, so that a part of the database never shows more as due than
        the whole. `left_alone`: rows (record type, key) to treat as under a legal hold, whatever their subject. What
        was found is read by the other methods, until the next decision.
        """
        self._list(as_of, holds, scope, 0, left_alone)

    def forecast(
        self, as_of: dt.datetime, months: int, *, holds: Iterable[Key] = ()
    ) -> list[tuple[dt.date, dict[str, int]]]:
        """Like `decide`, and besides how many rows are due on each of the coming months' days, the farthest first.

        What is undecidable today counts as undecidable then: nobody knows when it will be corrected. A set that is due
        on an earlier day is part of that of a later one, so the farthest day is decided first and then narrowed down.
        """
        self._list(as_of, holds, Scope.ALL, months, ())
        self.work.index()
        rounds = []
        for month in range(months, 0, -1):
            rounds.append(self._round)
            self._narrow(month - 1)
        counts = {name: self._answers.due_after(each, rounds) for name, each in self.candidates.items()}
        found = [
            (self.rows.horizon[months - place], {name: each[place] for name, each in counts.items()})
            for place in range(months)
        ]
        for candidates in self.candidates.values():
            t = candidates.table
            running = sa.or_(t.c.why >= 0, t.c.why.in_([-Code.OPEN, -Code.HOLD]))
            self.run(sa.update(t).values(why=-int(Code.KEPT)).where(t.c.b > 0, running))
        return found

    def scope_to(
        self, *, subjects: Iterable[Key] | Chunk = (), rows: Mapping[str, Iterable[Key]] | None = None
    ) -> None:
        """Set what Scope.SUBJECTS and Scope.ROWS decide.

        Subjects come with those who own rows together with them: such a row is due only if it is due under each.
        """
        scope, self._part = self.work.scope, None
        if isinstance(subjects, Chunk):
            self.run(sa.delete(scope))
            listed = at_places(self.work.todo)
            self.run(sa.insert(scope).from_select(list(scope.c.keys()), listed), places(subjects))
            self.work.filled(scope, len(subjects))
        else:
            self.work.fill(scope, set(subjects))
        together = list(owning_together(self.work))
        if together:
            chosen = {tuple(row) for row in self.connection.execute(sa.select(*scope.c))}
            others = {tuple(row) for query in together for row in self.connection.execute(query)}
            if not others <= chosen:
                self.work.fill(scope, chosen | others)
        for name, table in self.work.row_scopes.items():
            self.work.fill(table, (rows or {}).get(name, ()))

    def scope_to_part(self, part: Part) -> None:
        """Set Scope.SUBJECTS to a part of the database."""
        self._part = part if backend_of(self.connection).filters_parts else None
        self.work.empty([self.work.scope])
        self.work.filled(self.work.scope, self.run(subjects_in(self.work, part)))

    def scope_to_nobody(self) -> None:
        """Set Scope.ROWS to all rows that reach no subject."""
        self.work.empty(list(self.work.row_scopes.values()))
        for statement in rows_of_nobody(self._of_rows):
            self.work.filled(statement.table, self.run(statement))

    @property
    def divisible(self) -> bool:
        """Whether the database can be decided part by part."""
        return self.agenda.lists_rows and divisible(self.work)

    def held_from_outside(self, part: Part | None) -> list[Outside]:
        """What holds from outside what the last decision has blocked: over this part; None: over the rows of nobody."""
        return list(holding_from_outside(self._of_rows, self.connection, part))

    def may_go(self, names: Sequence[str], keys: Iterable[Key] | None = None) -> bool:
        """Whether a row that the last decision looked at has passed its own rule, as one of these record types or
        steps; one of those with these keys, if they are given.
        """
        table = None
        if keys is not None:
            table = self.work.row_scopes[names[0].partition(".")[0]]
            self.work.fill(table, keys)
        return bool(self.connection.execute(may_go(self.work, names, table)).scalar_one())

    def forget_scopes(self) -> None:
        """Nothing is in a scope any more; never in a transaction that locks."""
        self._part = None
        self.work.reset([self.work.scope, *self.work.row_scopes.values()])

    @cached_property
    def _of_rows(self) -> Rows:
        """Who owns what; whichever moment it is."""
        return Rows(self.work, dt.datetime(2000, 1, 1, tzinfo=dt.UTC), Scope.ROWS)

    def forget(self) -> None:
        """To be called after a rollback, which may have undone what was written down for all decisions."""
        self._shifts = frozenset()
        self.work.forget()

    @property
    def rows(self) -> Rows:
        return self._statements.rows

    @property
    def blocks(self) -> Sequence[Block]:
        return self._statements.blocks

    @property
    def _statements(self) -> Statements:
        if self._now is None:
            raise ValueError("nothing was decided yet")
        return self._now

    # -- answers -------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, Counter[State]]:
        """How many rows of every record type, and of every step, are in which state (R7)."""
        totals = {name: self.count(self.work.views.members(name)) for name in self.catalogue.records}
        found = {name: self._answers.counts(candidates) for name, candidates in self.candidates.items()}
        for name, counter in found.items():
            counter[State.KEPT] += totals[name.partition(".")[0]] - counter.total()
        return found

    def left_alone(self) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
        """How many rows of each record type are held, for each reason; and how many of it, and of each step, are
        undecidable. Record types and steps without any are left out.
        """
        held, undecidable = {}, {}
        for name, found in self.candidates.items():
            reasons, unknown = self._answers.left_alone(found)
            if reasons and name in self.catalogue.records:
                held[name] = reasons
            if unknown:
                undecidable[name] = unknown
        return held, undecidable

    def due_counts(self) -> dict[str, int]:
        """How many rows of every record type, and of every step, are due."""
        return {name: self.count(found.due().subquery()) for name, found in self.candidates.items()}

    def due_subjects(self) -> sa.Select[Any]:
        """The keys of the subjects with anything due, in key order."""
        every = [
            sa.select(*found.subject).where(found.to_erase, found.subject[0].is_not(None))
            for found in self.candidates.values()
        ]
        union = sa.union(*every).subquery()
        return sa.select(*union.c).distinct().order_by(*union.c)  # a union of one select has doubles

    def subjects_affected(self) -> int:
        """How many subjects have anything due."""
        return self.count(self.due_subjects().order_by(None).subquery())

    def total_subjects(self) -> int:
        """How many subjects the database holds, due or not."""
        return self.count(self.work.views.members(self.catalogue.policy.subject))

    def oldest_due(self) -> dt.date | None:
        """The earliest last day among the rows that are due."""
        days = [self._answers.oldest_due(found) for found in self.candidates.values()]
        return min((day for day in days if day is not None), default=None)

    def verdicts(self, states: Iterable[State] | None = None) -> Iterator[Verdict]:
        """The verdict of every row and step, record type by record type, in key order."""
        wanted = set(states) if states is not None else set(State)
        for name, found in self.candidates.items():
            for verdict in self._answers.verdicts(name, found):
                if verdict.state in wanted:
                    yield verdict

    @property
    def _answers(self) -> Answers:
        return Answers(self.connection, self.rows, self.blocks)

    # -- deciding ------------------------------------------------------------------------------------------------

    def _list(
        self,
        as_of: dt.datetime,
        holds: Iterable[Key],
        scope: Scope,
        months: int,
        left_alone: Iterable[tuple[str, Key]],
    ) -> None:
        """List the candidates and block until nothing changes."""
        held = frozenset(holds)
        self.work.clear()
        self.work.fill(self.work.holds, held)
        self.decided = (as_of, held)
        self._build(as_of, scope, months)
        self.look_up(self._statements.first_shifts)
        for statement in self._statements.inserts:
            self.work.filled(statement.table, self.run(statement))
        self.work.index_keys()
        for name, key in left_alone:
            self._leave(name, key)
        for statement in self._statements.staying:
            self.work.filled(statement.table, self.run(statement))
        self._round = 1
        self.look_up(self._statements.shifts)
        self._settle({block.target for block in self.blocks if self._mark(block.everywhere)})

    def _leave(self, record: str, key: Key) -> None:
        """Hold one row, and the steps of it."""
        for name, found in self.candidates.items():
            if name.partition(".")[0] == record and len(key) == len(found.key):
                held = sa.update(found.table).values(why=-int(Code.HOLD))
                self.run(held.where(found.unblocked, same(found.key, [sa.literal(part) for part in key])))

    def _build(self, as_of: dt.datetime, scope: Scope, months: int) -> None:
        kind = as_of, scope, months, self._part
        if self._now is not None:
            self._now.wait()  # it would write down shifts meanwhile, if its decision was cut off
        if kind not in self._built:
            self._built[kind] = Statements.of(
                Rows(self.work, as_of, scope, months, part=self._part), self.connection
            )
        self._now = self._built[kind]

    def look_up(self, shifts: frozenset[Shift]) -> None:
        """Have these in the table of shifts."""
        if not shifts <= self._shifts:
            self._shifts |= shifts
            self.work.fill(self.work.shifts, self._shifts)

    def _settle(self, changed: set[str]) -> None:
        """Block until nothing changes. Each round looks only at what the round before has changed."""
        while changed:
            self._round += 1
            changed = {
                block.target
                for block in self.blocks
                for name, statement in block.after.items()
                if name in changed and self._mark(statement)
            }

    def _narrow(self, month: int) -> None:
        """Go back from the due set of one month to that of an earlier one."""
        self._round += 1
        changed = set()
        for name, found in self.candidates.items():
            t = found.table
            later = (
                sa.update(t)
                .values(why=-int(Code.KEPT), r=self._round)
                .where(t.c.why.is_(None), t.c.b == month + 1)
            )
            if self.run(later):
                changed.add(name)
        self._settle(changed)

    def _mark(self, statement: sa.Update) -> int:
        """Run a block's statement; how many candidates it blocked."""
        marked = self.run(statement, {"now": self._round, "before": self._round - 1})
        self.work.filled(statement.table, marked)
        return marked

    def count(self, rows: sa.FromClause) -> int:
        """How many rows there are."""
        return self.connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one()

    def run(self, statement: sa.Executable, values: Mapping[str, int] | None = None) -> int:
        """Execute a statement that writes; how many rows it wrote."""
        return self.connection.execute(statement, values, execution_options=_COUNTED).rowcount

"""The rules of retention as set-based SQL: which rows of a whole database, or of some subjects, are due.

`Bulk.decide` first lists the candidates, the rows that have passed their own rule, and then blocks those that
R4 (children), R5 (references) and R6 (evidence) hold, until nothing changes. What is left is the due set: the largest
set of rows in which the rules hold against every row outside it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.retention.bulk_blocks import Block, blocks
from staffords_gdpr.retention.bulk_rows import Code, Rows, Scope, joined
from staffords_gdpr.retention.bulk_work import Candidates, Work, parent_of
from staffords_gdpr.retention.reasons import reason_of
from staffords_gdpr.retention.states import Key, State, Verdict

_STATES = {
    Code.KEPT: State.KEPT,
    Code.OPEN: State.HELD,
    Code.IMPOSSIBLE: State.UNDECIDABLE,
    Code.MISSING: State.UNDECIDABLE,
    Code.HOLD: State.HELD,
    Code.ORPHAN: State.UNDECIDABLE,
    Code.DANGLING: State.UNDECIDABLE,
    Code.DONE: State.ANONYMISED,
}


class Bulk:
    """The rules over one connection. Everything it writes is in temporary tables, private to that connection."""

    def __init__(self, connection: sa.Connection, catalogue: Catalogue) -> None:
        self.connection = connection
        self.catalogue = catalogue
        self.work = Work(connection, catalogue)
        self.blocks: list[Block] = []
        self._built: tuple[dt.datetime, Scope] | None = None
        self._rows: Rows | None = None

    @property
    def candidates(self) -> Mapping[str, Candidates]:
        return self.work.candidates

    def decide(self, as_of: dt.datetime, *, holds: Iterable[Key] = (), scope: Scope = Scope.ALL) -> None:
        """Find the due set at `as_of`, within the scope that `scope_to` was given.

        Rows outside the scope count as rows that stay, so that a part of the database never shows more as due than
        the whole. What was found is read by the other methods, until the next decision.
        """
        self.work.clear()
        self.work.fill(self.work.holds, holds)
        if self._built != (as_of, scope):
            self._build(as_of, scope)
        rows = self.rows
        if scope is not Scope.ROWS:
            self._run(sa.insert(self.work.subjects).from_select(self.work.subjects.c.keys(), rows.subject_rows()))
        for statement in self._inserts:
            self._run(statement)
        self._block()

    def scope_to(self, *, subjects: Iterable[Key] = (), rows: Mapping[str, Iterable[Key]] | None = None) -> None:
        """Set what Scope.SUBJECTS and Scope.ROWS decide."""
        self.work.fill(self.work.scope, subjects)
        for name, table in self.work.row_scopes.items():
            self.work.fill(table, (rows or {}).get(name, ()))

    @property
    def rows(self) -> Rows:
        if self._rows is None:
            raise ValueError("nothing was decided yet")
        return self._rows

    # -- answers -------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, Counter[State]]:
        """How many rows of every record type, and of every step, are in which state (R7)."""
        found = {}
        for name, candidates in self.candidates.items():
            counter: Counter[State] = Counter()
            standing = self.rows.standing(candidates)
            query = sa.select(standing.c.code, sa.func.count()).group_by(standing.c.code)
            for code, count in self.connection.execute(query):
                if code != Code.CANDIDATE:
                    counter[_STATES[Code(code)]] += count
            table = candidates.table
            split = sa.select(table.c.why.is_(None), table.c.done, sa.func.count()).group_by(
                table.c.why.is_(None), table.c.done
            )
            for due, done, count in self.connection.execute(split):
                counter[State.HELD if not due else State.ANONYMISED if done else State.DUE] += count
            found[name] = counter
        return found

    def due_counts(self) -> dict[str, int]:
        """How many rows of every record type, and of every step, are due."""
        return {
            name: self.connection.execute(
                sa.select(sa.func.count()).select_from(found.table).where(found.to_erase)
            ).scalar_one()
            for name, found in self.candidates.items()
        }

    def due_subjects(self) -> sa.Select[tuple[object, ...]]:
        """The keys of the subjects with anything due, in key order."""
        every = [
            sa.select(*found.subject).where(found.to_erase, found.subject[0].is_not(None))
            for found in self.candidates.values()
        ]
        union = sa.union(*every).subquery()
        return sa.select(*union.c).order_by(*union.c)

    def total_subjects(self) -> int:
        table = self.catalogue.records[self.catalogue.policy.subject].sa_table
        return self.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()

    def oldest_due(self) -> dt.date | None:
        """The earliest last day among the rows that are due."""
        oldest: dt.date | None = None
        for found in self.candidates.values():
            t = found.table
            query = sa.select(t.c.a, t.c.u, t.c.orphan).where(found.to_erase, t.c.a.is_not(None)).distinct()
            for after, until, orphan in self.connection.execute(query):
                last = self._last_day(found, after, until, orphan)
                if last is not None and (oldest is None or last < oldest):
                    oldest = last
        return oldest

    def verdicts(self, states: Iterable[State] | None = None) -> Iterator[Verdict]:
        """The verdict of every row and step, record type by record type, in key order."""
        wanted = set(states) if states is not None else set(State)
        for name, found in self.candidates.items():
            standing = self.rows.standing(found)
            keys = [standing.c[f"k{i}"] for i in range(len(found.key))]
            subjects = [standing.c[f"s{i}"] for i in range(len(found.subject))]
            t = found.table
            query = (
                sa.select(*keys, *subjects, standing.c.a, standing.c.u, standing.c.orphan, standing.c.code, t.c.why, t.c.done)
                .select_from(standing.outerjoin(t, sa.and_(*(k == c for k, c in zip(keys, found.key, strict=True)))))
                .order_by(*keys)
            )  # fmt: skip
            with self.connection.execution_options(yield_per=10_000).execute(query) as result:
                for row in result:
                    verdict = self._verdict(name, found, tuple(row))
                    if verdict.state in wanted:
                        yield verdict

    def _verdict(self, name: str, found: Candidates, row: Sequence[object]) -> Verdict:
        width = len(found.key)
        key, rest = tuple(row[:width]), row[width:]
        subject = tuple(rest[: len(found.subject)])
        after, until, orphan, code, why, done = rest[len(found.subject) :]
        block = self.blocks[why] if isinstance(why, int) else None
        if code != Code.CANDIDATE:
            state = _STATES[Code(code)]  # type: ignore[arg-type]
        else:
            state = State.HELD if block else State.ANONYMISED if done else State.DUE
        last = None if state is State.UNDECIDABLE else self._last_day(found, after, until, orphan)
        return Verdict(
            record=name,
            key=key,
            subject=None if subject[0] is None else subject,
            state=state,
            last_day=last,
            reason=reason_of(self.rows.rule(found), found.bound.record, found.step, Code(code), block, last),  # type: ignore[arg-type]
        )

    def _last_day(self, found: Candidates, after: object, until: object, orphan: object) -> dt.date | None:
        if not isinstance(after, str) or not after[:1].isdigit():
            return None
        last = self._period(found, orphan).after(dt.date.fromisoformat(after))
        return max(last, dt.date.fromisoformat(until)) if isinstance(until, str) and until[:1].isdigit() else last

    def _period(self, found: Candidates, orphan: object) -> Period:
        return self.rows.period(found, int(orphan) if isinstance(orphan, int) else 0)

    # -- deciding ------------------------------------------------------------------------------------------------

    def _build(self, as_of: dt.datetime, scope: Scope) -> None:
        self._rows = Rows(self.work, as_of, scope)
        self.work.fill(self.work.shifts, [tuple(row.values()) for row in self._rows.days.rows()])
        self._inserts = [statement for found in self._in_order() for statement in self._listing(found)]
        self.blocks = blocks(self._rows)
        self._built = (as_of, scope)

    def _in_order(self) -> list[Candidates]:
        """Candidates after those that decide for them."""
        placed: list[str] = []
        waiting = list(self.candidates)
        while waiting:
            for name in list(waiting):
                parent = decided_by(self.catalogue, self.candidates[name])
                if parent is None or parent in placed:
                    placed.append(name)
                    waiting.remove(name)
        return [self.candidates[name] for name in placed]

    def _listing(self, found: Candidates) -> Iterator[sa.Insert]:
        """The statements that list the candidates of one record type or step."""
        standing = self.rows.standing(found)
        names = [c.name for c in found.table.c if c.name in standing.c]
        own = sa.select(*(standing.c[name] for name in names)).where(standing.c.code == int(Code.CANDIDATE))
        parent = decided_by(self.catalogue, found)
        if parent is None:
            yield sa.insert(found.table).from_select(names, own)
            return
        # rows without the one that would decide for them, then those that go with it
        if found.step is None:
            alone = sa.and_(standing.c.orphan == 1, found.bound.record.orphans is not None)
        else:
            alone = sa.or_(standing.c.orphan > 0, standing.c.free == 1)
        yield sa.insert(found.table).from_select(names, own.where(alone))
        yield self._with_parent(found, self.candidates[parent])

    def _with_parent(self, found: Candidates, parent: Candidates) -> sa.Insert:
        """Dependent rows of candidates: they share the days and the fate of their parent (R4)."""
        table = found.bound.sa_table.alias()
        bound, alias, source = found.bound, table, None
        links: list[tuple[sa.FromClause, sa.ColumnElement[bool]]] = []
        while True:
            edge = bound.owner
            assert edge is not None
            if edge.target == parent.name:
                on = sa.and_(*(alias.c[own] == parent.column(other) for own, other in edge.columns))
                links.append((alias, on))
                break
            above = self.catalogue.records[edge.target].sa_table.alias()
            links.append((alias, joined(alias, edge, above)))
            bound, alias = self.catalogue.records[edge.target], above
        source = parent.table
        for joined_table, on in reversed(links):
            source = source.join(joined_table, on)
        dates = self.work.subjects.alias()
        source = source.outerjoin(
            dates, sa.and_(*(dates.c[s.name] == s for s in parent.subject))
        )
        columns: dict[str, sa.ColumnElement[object]] = {
            **{f"k{i}": table.c[name] for i, name in enumerate(found.bound.key)},
            **{s.name: s for s in parent.subject},
            **{f"p{i}": key for i, key in enumerate(parent.key)},
            **found.extra(table),
            "a": parent.table.c.a,
            "u": parent.table.c.u,
            "done": sa.case((self.rows.erased(found, table), 1), else_=0),
            "orphan": parent.table.c.orphan,
            **{f"e_{date}": self.rows.carries(found, table, dates, date) for date in self.catalogue.policy.dates},
        }
        query = sa.select(*columns.values()).select_from(source)
        if found.step is not None:
            query = query.where(parent.table.c.orphan == 0)
        return sa.insert(found.table).from_select(list(columns), query)

    def _block(self) -> None:
        """Block candidates until nothing changes. A block is tried again only when something that it reads has changed."""
        waiting = list(self.blocks)
        while waiting:
            block = waiting.pop(0)
            if self._run(block.statement) == 0:
                continue
            waiting += [other for other in self.blocks if block.target in other.reads and other not in waiting]

    def _run(self, statement: sa.Executable) -> int:
        return self.connection.execute(statement).rowcount  # type: ignore[no-any-return, attr-defined]


def decided_by(catalogue: Catalogue, found: Candidates) -> str | None:
    """The record type whose rows decide for these: the owner of rows without a rule, what a `with:` step names."""
    if found.step is not None:
        return found.step.with_
    return parent_of(catalogue, found.bound.record)

"""What was decided, read from the work tables: how many rows are in which state, and each row's verdict (R7)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue
from staffords_gdpr.retention.bulk.blocks import Block
from staffords_gdpr.retention.bulk.chain import same
from staffords_gdpr.retention.bulk.codes import Code, Rule, period_of
from staffords_gdpr.retention.bulk.reasons import reason_of
from staffords_gdpr.retention.bulk.rows import Rows
from staffords_gdpr.retention.bulk.work import Candidates
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
    Code.AMBIGUOUS: State.UNDECIDABLE,
}


# of a row that appears under several owners, the first of these that one of its appearances is in
_FIRST = (State.UNDECIDABLE, State.KEPT, State.HELD, State.DUE, State.ANONYMISED)


@dataclass(frozen=True)
class Answers:
    """Reads what one decision has left in the work tables."""

    connection: sa.Connection
    rows: Rows
    blocks: Sequence[Block]

    def counts(self, found: Candidates) -> Counter[State]:
        """How many rows are in which state, but for the kept ones that are not listed."""
        t = found.table
        counter: Counter[State] = Counter()
        if found.bound.several:
            rank = sa.func.min(_rank(found)).label("rank")
            each = sa.select(rank).group_by(*found.key).subquery()
            for place, count in self.connection.execute(
                sa.select(each.c.rank, sa.func.count()).group_by(each.c.rank)
            ):
                counter[_FIRST[place]] += count
            return counter
        place = sa.case((t.c.why >= 0, 0), else_=t.c.why)  # which block holds a row is not asked here
        for why, done, count in self.connection.execute(
            sa.select(place, t.c.done, sa.func.count()).group_by(place, t.c.done)
        ):
            counter[_state(why, done)] += count
        return counter

    def left_alone(self, found: Candidates) -> tuple[dict[str, int], int]:
        """How many rows are held for each reason, and how many are undecidable."""
        t = found.table
        held, undecidable = Counter[str](), 0
        listed: sa.FromClause = t
        place: sa.ColumnElement[Any] = t.c.why
        if found.bound.several:
            # held under one owner and kept under another is kept: the row's rank says which counts
            rank = sa.func.min(_rank(found))
            stays = sa.case((_rank(found) == _FIRST.index(State.HELD), t.c.why))
            listed = (
                sa.select(rank.label("rank"), sa.func.max(stays).label("why")).group_by(*found.key).subquery()
            )
            place = sa.case(
                (listed.c.rank == _FIRST.index(State.HELD), listed.c.why),
                (listed.c.rank == _FIRST.index(State.UNDECIDABLE), -int(Code.MISSING)),
            )
        clerk = self._clerk(found)
        query = sa.select(place.label("why"), sa.func.count()).select_from(listed).group_by(place)
        for why, count in self.connection.execute(query.where(place.is_not(None))):  # most are due
            state = _state(why, 0)
            if state is State.HELD:
                held[clerk.reason(why, None)] += count
            elif state is State.UNDECIDABLE:
                undecidable += count
        return dict(held), undecidable

    def due_after(self, found: Candidates, rounds: Sequence[int]) -> list[int]:
        """How many rows were due when each of these rounds of blocking was over, which are given in their order."""
        t = found.table
        blocked = sa.func.min(sa.func.coalesce(t.c.r, rounds[-1] + 1)).label("blocked")
        each = sa.select(blocked).where(t.c.done == 0, sa.or_(t.c.why.is_(None), t.c.r.is_not(None)))
        rows = each.group_by(*found.key).subquery()
        query = sa.select(rows.c.blocked, sa.func.count()).group_by(rows.c.blocked)
        counts = [(blocked, count) for blocked, count in self.connection.execute(query)]
        return [sum(count for blocked, count in counts if blocked > end) for end in rounds]

    def oldest_due(self, found: Candidates) -> dt.date | None:
        """The earliest last day among the rows that are due."""
        t = found.table
        key = found.key if found.bound.several else []
        clerk, days = self._clerk(found), dict[Key, dt.date]()
        query = sa.select(t.c.a, t.c.u, t.c.orphan, *key).where(found.to_erase, t.c.a.is_not(None)).distinct()
        for number, (after, until, orphan, *which) in enumerate(self.connection.execute(query)):
            last = clerk.last_day(after, until, orphan)
            if last is not None:
                name = tuple(which) or (number,)
                days[name] = max(last, days.get(name, last))
        return min(days.values(), default=None)

    def verdicts(self, name: str, found: Candidates) -> Iterator[Verdict]:
        """The verdict of every row (or step of it), in key order."""
        options = streaming(self.connection)
        with self.connection.execute(self._query(found), execution_options=options) as result:
            clerk = self._clerk(found)
            rows = (clerk.verdict(name, row) for row in result)
            if not found.bound.several:
                yield from rows
                return
            for _, appearances in groupby(rows, key=lambda verdict: verdict.key):
                yield _merged(list(appearances))

    def _query(self, found: Candidates) -> sa.Select[Any]:
        t = found.table
        if found.bound.several:  # every appearance of every row is listed
            return sa.select(
                *found.key, *found.subject, t.c.a, t.c.u, t.c.orphan, t.c.k0, t.c.why, t.c.done
            ).order_by(*found.key)  # fmt: skip
        standing = self.rows.standing(found)
        keys = [standing.c[f"k{i}"] for i in range(len(found.key))]
        subjects = [standing.c[f"s{i}"] for i in range(len(found.subject))]
        return (
            sa.select(*keys, *subjects, standing.c.a, standing.c.u, standing.c.orphan, t.c.k0, t.c.why, t.c.done)
            .select_from(standing.outerjoin(t, same(keys, found.key)))
            .order_by(*keys)
        )  # fmt: skip

    def _clerk(self, found: Candidates) -> _Clerk:
        rule = self.rows.rule(found)
        return _Clerk(self.rows.catalogue, self.blocks, found.bound, rule, len(found.key), len(found.subject))


class _Clerk:
    """Writes the verdicts of one record type or step. Many rows have few different days, so those are remembered."""

    def __init__(
        self, catalogue: Catalogue, blocks: Sequence[Block], bound: Bound, rule: Rule, key: int, subject: int
    ) -> None:
        self._catalogue = catalogue
        self._blocks = blocks
        self._bound = bound
        self._rule = rule
        self._key = key
        self._rest = key + subject
        self._days: dict[tuple[object, ...], dt.date | None] = {}

    def verdict(self, name: str, row: sa.Row[Any]) -> Verdict:
        subject = tuple(row[self._key : self._rest])
        after, until, orphan, listed, why, done = row[self._rest :]
        if listed is None:
            why = -int(Code.KEPT)
        state = _state(why, done)
        last = None if state is State.UNDECIDABLE else self.last_day(after, until, orphan)
        return Verdict(
            record=name,
            key=tuple(row[: self._key]),
            subject=None if subject[0] is None else subject,
            state=state,
            last_day=last,
            reason=self.reason(why, last),
        )

    def reason(self, why: object, last: dt.date | None) -> str:
        """Why a row is in its state, by its column `why` and its last day."""
        block = self._blocks[why] if isinstance(why, int) and why >= 0 else None
        code = Code(-why) if isinstance(why, int) and why < 0 else Code.CANDIDATE
        return reason_of(self._rule, self._bound, code, block, last)

    def last_day(self, after: object, until: object, orphan: object) -> dt.date | None:
        """The last day of a row whose `after` and `or_until` have these days, by the rule that `orphan` tells of."""
        known = (after, until, orphan)
        if known not in self._days:
            self._days[known] = self._count(after, until, orphan)
        return self._days[known]

    def _count(self, after: object, until: object, orphan: object) -> dt.date | None:
        if not isinstance(after, str) or not after[:1].isdigit():
            return None
        period = period_of(self._catalogue, self._rule, orphan if isinstance(orphan, int) else 0)
        last = period.after(dt.date.fromisoformat(after))
        if isinstance(until, str) and until[:1].isdigit():
            return max(last, dt.date.fromisoformat(until))
        return last


def _merged(appearances: Sequence[Verdict]) -> Verdict:
    """The one verdict of a row that appears under several owners: it is due only if it is due under each."""
    first = min(appearances, key=lambda verdict: _FIRST.index(verdict.state))
    days = [verdict.last_day for verdict in appearances]
    known = [day for day in days if day is not None]
    subjects = [verdict.subject for verdict in appearances if verdict.subject is not None]
    return Verdict(
        record=first.record,
        key=first.key,
        subject=min(subjects, key=lambda key: tuple(map(str, key)), default=None),
        state=first.state,
        last_day=max(known) if len(known) == len(days) else None,
        reason=first.reason,
    )


def _rank(found: Candidates) -> sa.ColumnElement[int]:
    """The place in `_FIRST` of an appearance's state."""
    t = found.table
    states = [(t.c.why == -int(code), _FIRST.index(state)) for code, state in _STATES.items()]
    gone = sa.case((t.c.done == 0, _FIRST.index(State.DUE)), else_=_FIRST.index(State.ANONYMISED))
    return sa.case((t.c.why.is_(None), gone), *states, else_=_FIRST.index(State.HELD))


def _state(why: object, done: object) -> State:
    """A candidate's state by its columns `why` and `done`."""
    if why is None:
        return State.ANONYMISED if done else State.DUE
    if isinstance(why, int) and why < 0:
        return _STATES[Code(-why)]
    return State.HELD


def streaming(connection: sa.Connection) -> Mapping[str, Any]:
    """Rows come as they are read; not on MariaDB, where nothing else could be asked until the last has come."""
    return {} if connection.dialect.name in ("mysql", "mariadb") else {"yield_per": 10_000}

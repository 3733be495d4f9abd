"""What SQL says of each row by its own rule, before other rows are looked at (R1 to R3, R8, R10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue
from staffords_gdpr.policy import models
from staffords_gdpr.policy.models import Keep, OtherColumn, OwnColumn, Ref, SubjectDate
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.retention.bulk.chain import (
    Column,
    Condition,
    holds_key,
    joined,
    key_in_link,
    key_of,
    numbered,
    owner_edges,
    same,
)
from staffords_gdpr.retention.bulk.codes import Rule, code_of, month_of
from staffords_gdpr.retention.bulk.conditions import passes, replaced
from staffords_gdpr.retention.bulk.engines import days_on, driving
from staffords_gdpr.retention.bulk.lists import at_places
from staffords_gdpr.retention.bulk.parts import Part
from staffords_gdpr.retention.bulk.sources import day_of, latest_of
from staffords_gdpr.retention.bulk.work import Candidates, Work, nulls, parent_of, undone


class Scope(StrEnum):
    """Which rows are decided: all, those of subjects in `work.scope`, or those in `work.row_scopes` that have none."""

    ALL = "all"
    SUBJECTS = "subjects"
    ROWS = "rows"


# what `standing` works out for the code alone
_OWN = ("gone", "dangling", "open", "held", "also")


@dataclass(frozen=True)
class Chain:
    """A record type joined to its owners, up to the subject. `aliases` is by record type, the row itself first."""

    source: sa.FromClause
    aliases: Mapping[str, sa.FromClause]
    subject: list[Column]  # the subject's key, NULL where the row does not reach one
    row_key: list[Column]
    dates: sa.FromClause  # what is known of the subject, joined


class Rows:
    """Builds the queries of one catalogue at one moment, within one scope."""

    def __init__(
        self,
        work: Work,
        as_of: dt.datetime,
        scope: Scope,
        months: int = 0,
        *,
        part: Part | None = None,
        listed: bool = False,
    ) -> None:
        self.work = work
        # the subjects of Scope.SUBJECTS: as a part, if they are one, their keys, and what is known of them
        self.part = part
        self.chosen: sa.FromClause = at_places(work.todo).subquery() if listed else work.scope
        self.known = work.todo if listed else work.subjects
        self.catalogue: Catalogue = work.catalogue
        self.policy = work.catalogue.policy
        self.views = work.views
        self.scope = scope
        self.days = days_on(work.dialect, self.policy, as_of, work.shifts)
        # the days at which rows are asked for: today, and as many months later as were asked for
        self.horizon = [
            self.days.today,
            *(Period(n + 1, "month").after(self.days.today) for n in range(months)),
        ]

    # -- who owns what -------------------------------------------------------------------------------------------

    def chain(self, record: str, needs: Iterable[str] = (), *, outside: bool = False) -> Chain:
        """`record` joined to its owners and to the subject's dates; the tables of the record types in `needs` always.

        Within Scope.SUBJECTS only rows that reach a subject of the scope; with `outside` the others as well.
        """
        aliases: dict[str, sa.FromClause] = {record: self.views.appearances(record).alias()}
        row_key = key_of(aliases[record], self._bound(record))
        source = here = aliases[record]
        outer = outside or self.scope is not Scope.SUBJECTS
        dates = self.known.alias()
        short = self.scope is not Scope.ROWS and self.policy.subject not in needs
        for edge in owner_edges(self.catalogue, record):
            if short and edge.target == self.policy.subject and holds_key(self.catalogue, edge):
                # the link already holds the subject's key: its dates are joined without the subject's table
                key = key_in_link(self.catalogue, edge, here)
                source = source.join(dates, same(numbered(dates, "s"), key), isouter=outer)
                return Chain(source, aliases, numbered(dates, "s"), row_key, dates)
            owner = self.views.appearances(edge.target).alias()
            source = source.join(owner, joined(here, edge, owner), isouter=outer)
            aliases[edge.target] = here = owner
        key = [here.c[name] for name in self.catalogue.subject_key]
        source = source.join(dates, same(numbered(dates, "s"), key), isouter=outer)
        return Chain(
            source, aliases, key if self.scope is Scope.ROWS else numbered(dates, "s"), row_key, dates
        )

    def of_scope(self, query: sa.Select[Any], subject: Sequence[Column]) -> sa.Select[Any]:
        """A query for rows that may have a subject, with this key: of Scope.SUBJECTS only those that are in it."""
        if self.scope is not Scope.SUBJECTS:
            return query
        if self.part is not None and isinstance(subject[0].type, sa.Integer):
            return query.where(self.part.of_subjects(subject[0]))
        # from the chosen on rows are to be read
        return query.join(self.chosen, same([driving(key) for key in numbered(self.chosen, "s")], subject))

    def _bound(self, record: str) -> Bound:
        return self.catalogue.records[record]

    # -- one row by its own rule ---------------------------------------------------------------------------------

    def standing(
        self,
        candidates: Candidates,
        *,
        alone: bool = False,
        only: Callable[[Chain], Iterable[Condition]] | None = None,
        more: Sequence[Column] = (),
    ) -> sa.Subquery:
        """Every row of the scope (or a step of it) with its code, days, subject and what the candidates table keeps.

        `alone`: only rows that do not reach a subject. `only`: more conditions on a row. `more`: more columns.
        Columns: k*, s*, x_*, a, u, orphan, done, code, b; free, unless no row can be so.
        """
        record, step = candidates.bound.record, candidates.step
        rule = self.rule(candidates)
        chain = self.chain(record.name, [rule.at, *_others(rule.keep)])
        source, (after, until), dangling = self._clauses(rule.keep, rule.at, chain)
        table = chain.aliases[record.name]
        decider = candidates.bound if step else self._bound(rule.at)
        deciding = chain.aliases[decider.record.name]
        there = key_of(deciding, decider)[0].is_not(None)
        own_link_null = self._unlinked(candidates.bound, table)
        unlinked = _both(self._unlinked(decider, deciding), there)
        orphan = self._orphan(rule, chain, unlinked)
        for level, name in enumerate(rule.levels, 1):
            orphans = self._bound(name).record.orphans
            if orphans is not None and not rule.timed:
                after = sa.case((orphan == level, self._after(orphans, name, chain)), else_=after)
                until = sa.case((orphan == level, sa.null()), else_=until)
        if record.keep is None and record.orphans is not None and not rule.timed:
            after = sa.case((own_link_null, sa.null()), else_=after)  # unlinked by the policy: no orphan
        done = self.erased(candidates, table)
        nulled = nulls(step.anonymise if step else record.anonymise or {}, candidates.bound.owner)
        flags: dict[str, Condition] = {
            "free": _both(own_link_null, self._left_over(candidates, table, done)),
            "gone": _both(own_link_null, done) if nulled else sa.false(),
            "dangling": _both(dangling, orphan == 0),
            "open": _both(self._open(rule.keep, rule.at, chain), orphan == 0),
        }
        if self.contestable(candidates.bound):
            flags["also"] = self.contested(candidates.bound, table)
        facts: dict[str, Column] = {
            "a": after,
            "u": until,
            "orphan": orphan,
            "done": _flag(done),
            **{name: _flag(condition) for name, condition in flags.items() if not _never(condition)},
            "held": sa.func.coalesce(chain.dates.c.held, 0),
        }
        base = sa.select(
            *(column.label(f"k{i}") for i, column in enumerate(chain.row_key)),
            *(column.label(f"s{i}") for i, column in enumerate(chain.subject)),
            *(column.label(name) for name, column in candidates.extra(table).items()),
            *(column.label(name) for name, column in facts.items()),
            *more,
        ).select_from(source)
        if only is not None:
            base = base.where(*only(chain))
        if alone or self.scope is Scope.ROWS:
            base = base.where(chain.subject[0].is_(None))
        if self.scope is Scope.ROWS:
            scoped = self.work.row_scopes[record.name]
            base = base.where(same([driving(key) for key in numbered(scoped, "k")], chain.row_key))
        # a fence: without it the engine copies each date expression into every place that reads it
        row = base.offset(0).subquery()
        kept = [column for column in row.c if column.name not in _OWN]
        code = code_of(self.catalogue, rule, row, self.horizon[-1]).label("code")
        return sa.select(*kept, code, month_of(self.catalogue, rule, row, self.horizon).label("b")).subquery()

    def contestable(self, bound: Bound) -> bool:
        """Whether a row can be somebody else's as well."""
        return bool(bound.shares) or self.views.contestable(bound)

    def contested(self, bound: Bound, table: sa.FromClause) -> Condition:
        """The row is a member of another record type over the same table as well, or has an owner of another kind."""
        found = [self.views.contested(bound, table)]
        for name in bound.shares:
            other = self.views.members(name, dated=False).alias()
            there = (
                sa.select(sa.literal(1))
                .select_from(other)
                .where(same(key_of(other, bound), key_of(table, bound)))
            )
            found.append(there.correlate_except(other).exists())
        return sa.or_(*found)

    def rule(self, candidates: Candidates) -> Rule:
        """Whose rule decides for these rows or steps."""
        step, record = candidates.step, candidates.bound.record
        levels = [record.name]
        while (above := parent_of(self.catalogue, self._bound(levels[-1]).record)) is not None:
            levels.append(above)
        if step is not None and step.keep is not None:
            return Rule(record.name, step.keep, timed=True, levels=tuple(levels))
        carrier = self.policy.carrier(step.with_ if step and step.with_ else record.name)
        return Rule(carrier, self._keep_of(carrier), timed=False, levels=tuple(levels))

    def _orphan(self, rule: Rule, chain: Chain, unlinked: Condition) -> Column:
        """0 where the row reaches its subject, else which of `rule.levels` (from 1) is the topmost row there (R8)."""
        if rule.levels[-1] == self.policy.subject and len(rule.levels) == 1:
            return sa.literal(0)
        if self.scope is Scope.SUBJECTS:
            return sa.literal(0)  # others are not looked at
        cases: list[tuple[Condition, int]] = [(chain.subject[0].is_not(None), 0)]
        if not _never(unlinked):
            cases.append((sa.func.coalesce(unlinked, sa.false()), 0))
        for level in range(len(rule.levels), 1, -1):
            name = rule.levels[level - 1]
            if name in chain.aliases:
                cases.append((key_of(chain.aliases[name], self._bound(name))[0].is_not(None), level))
        return sa.case(*cases, else_=1)

    def _keep_of(self, carrier: str) -> Keep:
        keep = self._bound(carrier).record.keep
        assert keep is not None
        return keep

    def _clauses(
        self, keep: Keep, record: str, chain: Chain
    ) -> tuple[sa.FromClause, tuple[Column, Column], Condition]:
        """The days of `after` and of the latest `or_until`, and whether a reference that they need is not there."""
        source, joined_to = chain.source, dict(chain.aliases)
        dangling: list[Condition] = []
        for ref in (keep.after, keep.or_else, *keep.or_until):
            if isinstance(ref, OtherColumn) and ref.record not in joined_to:
                edge = next(edge for edge in self._bound(record).refers if edge.target == ref.record)
                other = self.views.members(ref.record).alias()
                own = chain.aliases[record]
                source = source.join(other, joined(own, edge, other), isouter=True)
                joined_to[ref.record] = other
                there = [other.c[name].is_not(None) for name in self._bound(ref.record).key]
                given = [own.c[name].is_not(None) for name, _ in edge.columns]
                dangling.append(sa.and_(*given, sa.not_(sa.and_(*there))))
        known = Chain(source, joined_to, chain.subject, chain.row_key, chain.dates)
        untils = [self._ref(ref, record, known, event=False) for ref in keep.or_until]
        after = self._after(keep, record, known)
        return source, (after, latest_of(untils)), sa.or_(*dangling) if dangling else sa.false()

    def _after(self, keep: Keep, record: str, chain: Chain) -> Column:
        after = self._ref(keep.after, record, chain, event=not keep.future)
        if keep.or_else is None:
            return after
        return sa.func.coalesce(after, self._ref(keep.or_else, record, chain, event=not keep.future))

    def _ref(self, ref: Ref, record: str, chain: Chain, *, event: bool) -> Column:
        if isinstance(ref, SubjectDate):
            return chain.dates.c[f"d_{ref.date}"]
        name = record if isinstance(ref, OwnColumn) else ref.record
        return day_of(self.days, self._bound(name).dates[ref.column], chain.aliases[name], event=event)

    def _unlinked(self, bound: Bound, table: sa.FromClause) -> Condition:
        """The policy nulls the row's link to its owner, and that link is null (R10)."""
        lists = [bound.record.anonymise or {}, *(step.anonymise for step in bound.record.sooner)]
        if bound.owner is None or not any(nulls(listed, bound.owner) for listed in lists):
            return sa.false()
        return undone(bound.owner, table)

    def erased(self, candidates: Candidates, table: sa.FromClause) -> Condition:
        """Nothing is left of this erasure: every listed column holds its replacement and no dependent row is there."""
        record, step, key = candidates.bound.record, candidates.step, key_of(table, candidates.bound)
        if step is not None:
            return replaced(table, step.anonymise, key)
        if record.anonymise is None:
            return sa.false()
        left = []
        for child in self.catalogue.records.values():
            if parent_of(self.catalogue, child.record) == record.name and child.owner is not None:
                direct, views = child.owner.direct, self.views
                name = child.record.name
                below = (views.members(name, dated=False) if direct else views.appearances(name)).alias()
                whole = self.erased(self.work.candidates[child.record.name], below)
                left.append(sa.exists().where(joined(below, child.owner, table), sa.not_(whole)))
        return sa.and_(replaced(table, record.anonymise, key), *(sa.not_(some) for some in left))

    def _open(self, keep: Keep, record: str, chain: Chain) -> Condition:
        """Open work: the `while` condition is not false (R3)."""
        if keep.while_ is None:
            return sa.false()
        condition = self._condition(keep.while_, self._bound(record), chain.aliases[record])
        return sa.func.coalesce(condition, sa.true())

    def _condition(self, condition: models.Condition, bound: Bound, table: sa.FromClause) -> Condition:
        def empty(name: str) -> Condition | None:
            date = bound.dates.get(name)
            if name in bound.record.dates and date is not None:
                return day_of(self.days, date, table, event=False).is_(None)
            return None if date is None else self.days.is_empty(table.c[name], date.kind)

        return passes(condition, table, empty, bound.expressions)

    def _left_over(self, candidates: Candidates, table: sa.FromClause, done: Condition) -> Condition:
        """Of a row whose link to its owner is undone by the policy: something is left, which no rule can decide."""
        record, step = candidates.bound.record, candidates.step
        if step is not None:
            return sa.true() if step.with_ else sa.false()
        if record.anonymise is None or not nulls(record.anonymise, candidates.bound.owner):
            return sa.false()
        if record.keep is None:
            return sa.not_(done)
        replacing = replaced(table, record.anonymise, key_of(table, candidates.bound))
        return sa.and_(replacing, sa.not_(done))


def _others(keep: Keep) -> list[str]:
    """The record types whose rows a rule reads besides its own."""
    refs = (keep.after, keep.or_else, *keep.or_until)
    return [ref.record for ref in refs if isinstance(ref, OtherColumn)]


def _never(condition: Condition) -> bool:
    return isinstance(condition, sa.sql.elements.False_)  # the policy has no such rule


def _both(one: Condition, other: Condition) -> Condition:
    return sa.false() if _never(one) or _never(other) else sa.and_(one, other)


def _flag(condition: Condition) -> Column:
    """1 where it is true, else 0."""
    return sa.literal_column("0", sa.Integer) if _never(condition) else sa.case((condition, 1), else_=0)

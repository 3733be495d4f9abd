"""One row's own rule: its clauses, its last day, and whether it is open work (R1 to R3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from staffords_gdpr.policy.models import Condition, Keep, OtherColumn, OwnColumn, Ref, SubjectDate
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.retention.pure.conditions import said, truth_of
from staffords_gdpr.retention.pure.dates import Day, Trouble, written
from staffords_gdpr.retention.pure.world import IN_THE_FUTURE, Row, World

_SUFFIXES = ("_at", "_on", "_date", "_until", "_end")


@dataclass(frozen=True)
class Clause:
    """One clause of a keep rule, read for one row. `last_day` is None where the clause says nothing."""

    kind: Literal["after", "or_else", "or_until"]
    ref: Ref
    found: Day
    source: str  # where the date comes from: "call 17 received_at"
    last_day: dt.date | None
    period: Period | None  # None for or_until

    @property
    def text(self) -> str:
        """The clause in prose: "3 years after last contact on 2 May 2024"."""
        day = written(self.found) if isinstance(self.found, dt.date) else ""
        if self.period is None:
            return f"{label(self.ref)} until {day}".rstrip()
        return f"{self.period} after {label(self.ref)}" + (f" on {day}" if day else "")

    @property
    def problem(self) -> str:
        return f"{self.ref} {self.found.why}" if isinstance(self.found, Trouble) else ""


@dataclass(frozen=True)
class Clock:
    """What a keep rule says of one row, before holds and other rows are asked.

    `last_day` is None where `after` (and `or_else`) are empty or a date is impossible.
    """

    clauses: tuple[Clause, ...]
    winner: Clause | None
    last_day: dt.date | None
    problem: str  # an impossible or dangling date
    open_work: str  # why the row counts as open work


def read_clock(keep: Keep, row: Row, world: World) -> Clock:
    """Read every clause of `keep` for `row` (R2: the latest wins)."""
    base = [_event("after", keep.after, keep, row, world)]
    if keep.or_else is not None and base[0].found is None:
        base.append(_event("or_else", keep.or_else, keep, row, world))
    clauses = (*base, *(_until(ref, row, world) for ref in keep.or_until))
    problem = next((clause.problem for clause in clauses if clause.problem), "")
    known = not problem and base[-1].last_day is not None
    winner = _latest(clauses) if known else None
    return Clock(
        clauses=clauses,
        winner=winner,
        last_day=winner.last_day if winner else None,
        problem=problem,
        open_work=_open_work(keep.while_, row, world),
    )


def uses(keep: Keep) -> frozenset[str]:
    """The subject dates that a rule counts from, whichever clause wins (R6)."""
    refs = (keep.after, keep.or_else, *keep.or_until)
    return frozenset(ref.date for ref in refs if isinstance(ref, SubjectDate))


def own_columns_only(keep: Keep) -> bool:
    return all(
        isinstance(ref, OwnColumn) for ref in (keep.after, keep.or_else, *keep.or_until) if ref is not None
    )


def label(ref: Ref | str) -> str:
    """A date in prose: "last contact" for last_contact, "product warranty" for product.warranty_until."""
    text = str(ref)
    for suffix in _SUFFIXES:
        if text.endswith(suffix) and len(text) > len(suffix):
            text = text.removesuffix(suffix)
            break
    return text.replace(".", " ").replace("_", " ")


def _latest(clauses: tuple[Clause, ...]) -> Clause:
    """The clause with the latest day; the first of equals."""
    return max((c for c in clauses if c.last_day is not None), key=lambda c: c.last_day or dt.date.min)


def _event(kind: Literal["after", "or_else"], ref: Ref, keep: Keep, row: Row, world: World) -> Clause:
    found, source = _look_up(ref, row, world)
    future = keep.future or (isinstance(ref, SubjectDate) and world.policy.dates[ref.date].future)
    if isinstance(found, dt.date) and found > world.today and not future:
        found = IN_THE_FUTURE
    last_day = last_day_of(keep.for_, found) if isinstance(found, dt.date) else None
    return Clause(kind, ref, found, source, last_day, keep.for_)


def _until(ref: Ref, row: Row, world: World) -> Clause:
    found, source = _look_up(ref, row, world)
    return Clause("or_until", ref, found, source, found if isinstance(found, dt.date) else None, None)


@lru_cache(maxsize=65_536)
def last_day_of(period: Period, day: dt.date) -> dt.date:
    """`period.after(day)` (R1), remembered: a million rows have few different days."""
    return period.after(day)


def _look_up(ref: Ref, row: Row, world: World) -> tuple[Day, str]:
    """The day a name stands for, and where it comes from."""
    if isinstance(ref, SubjectDate):
        subject_day = world.subject_day(row.subject, ref.date)
        return subject_day.day, subject_day.source
    if isinstance(ref, OtherColumn):
        other = row if ref.record == row.record else world.follow(row, ref.record)
        if isinstance(other, Row):
            return world.day(other, ref.column), world.origin(other, ref.column)
        return other, ""
    return world.day(row, ref.column), world.origin(row, ref.column)


def _open_work(condition: Condition | None, row: Row, world: World) -> str:
    """Why a row is open work, "" where it is not. Neither true nor false counts as open (R3)."""
    if condition is None:
        return ""
    if condition.sql is not None:
        truth = row.values[truth_of(condition.sql)]
        return f"{condition.sql} is not known" if truth is None else condition.sql if truth else ""
    unknown: list[str] = []
    parts: list[str] = []
    for column, wanted in condition.columns.items():
        value = world.value(row, column)
        passed = world.tables.test(wanted, value)
        if passed is False:
            return ""
        (parts if passed else unknown).append(said(column, wanted, value, passed))
    return " and ".join([*parts, *unknown])

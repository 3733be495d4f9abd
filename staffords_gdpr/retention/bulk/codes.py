"""R7's order, as far as a row alone decides: from what a row's standing is made of to a code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.policy.models import Keep, OwnColumn
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.retention.bulk.chain import Column, Condition
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE


class Code(IntEnum):
    """A row's standing by its own rule alone."""

    CANDIDATE = 0
    KEPT = 1
    OPEN = 2
    IMPOSSIBLE = 3
    MISSING = 4
    HOLD = 5
    ORPHAN = 6
    DANGLING = 7
    DONE = 8
    AMBIGUOUS = 9


@dataclass(frozen=True)
class Rule:
    """The keep rule that decides for a row. `at`: whose row it reads; `levels`: the row and the owners it goes with."""

    at: str
    keep: Keep
    timed: bool  # the rule of a `sooner` step
    levels: tuple[str, ...]


def code_of(catalogue: Catalogue, rule: Rule, row: sa.Subquery, today: dt.date) -> Column:
    """R7's order, up to where other rows come in."""
    cases = [*_flagged(row, "also", Code.AMBIGUOUS), *_flagged(row, "gone", Code.DONE)]
    cases += _flagged(row, "free", Code.CANDIDATE)
    for level, name in enumerate(rule.levels, 1):
        if catalogue.records[name].record.orphans is None or (rule.timed and _uses_subject(rule.keep)):
            cases.append((row.c.orphan == level, Code.ORPHAN))
    cases += [
        (sa.or_(row.c.a == IMPOSSIBLE, row.c.u == IMPOSSIBLE), Code.IMPOSSIBLE),
        *_flagged(row, "dangling", Code.DANGLING),
        (sa.not_(_passed(catalogue, rule, row, today)), Code.KEPT),
        *_flagged(row, "open", Code.OPEN),
        (row.c.a.is_(None), Code.MISSING),
        (row.c.held == 1, Code.HOLD),
    ]
    return sa.case(*((test, int(code)) for test, code in cases), else_=int(Code.CANDIDATE))


def _flagged(row: sa.Subquery, name: str, code: Code) -> list[tuple[Condition, Code]]:
    """The case of rows with a flag, which is not there where no row has it."""
    return [(row.c[name] == 1, code)] if name in row.c else []


def _passed(catalogue: Catalogue, rule: Rule, row: sa.Subquery, today: dt.date) -> Condition:
    """The row's last day lies before `today`. True also where no last day is known (R7)."""
    cut: Column = _day(rule.keep.for_.cutoff(today))
    for level, name in enumerate(rule.levels, 1):
        orphans = catalogue.records[name].record.orphans
        if orphans is not None and not rule.timed and orphans.for_ != rule.keep.for_:
            cut = sa.case((row.c.orphan == level, _day(orphans.for_.cutoff(today))), else_=cut)
    in_time = sa.and_(row.c.a <= cut, sa.or_(row.c.u.is_(None), row.c.u < _day(today)))
    return sa.or_(row.c.a.is_(None), in_time)


def month_of(catalogue: Catalogue, rule: Rule, row: sa.Subquery, horizon: Sequence[dt.date]) -> Column:
    """The place in `horizon` of the first day at which the row has passed its own rule."""
    if len(horizon) == 1:
        return sa.literal(0)
    passed = [(_passed(catalogue, rule, row, day), place) for place, day in enumerate(horizon)]
    at_once = [(test, 0) for name in ("free", "gone") for test, _ in _flagged(row, name, Code.DONE)]
    return sa.case(*at_once, *passed, else_=len(horizon))


def period_of(catalogue: Catalogue, rule: Rule, orphan: int) -> Period:
    """The retention period that decided for a row, by its `orphan` column."""
    orphans = catalogue.records[rule.levels[orphan - 1]].record.orphans if orphan else None
    return rule.keep.for_ if orphans is None or rule.timed else orphans.for_


def _uses_subject(keep: Keep) -> bool:
    return any(
        not isinstance(ref, OwnColumn)
        for ref in (keep.after, keep.or_else, *keep.or_until)
        if ref is not None
    )


def _day(day: dt.date) -> Column:
    return sa.literal(day.isoformat(), sa.String)

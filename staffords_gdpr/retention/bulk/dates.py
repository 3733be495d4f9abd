"""Dates in SQL: every stored spelling of a date as one calendar day of the policy's zone (R1, R2).

A day is text `YYYY-MM-DD`, NULL where there is no date, and IMPOSSIBLE where there is one that cannot be: malformed,
before 1900, or an event after today. IMPOSSIBLE sorts after every day, so that max() over a subject's rows keeps it.
Here stands what all engines share; how each spells it is in `bulk/dates_sqlite` and its siblings.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk.date_values import Bounds, Condition, Text, Typical, Value
from staffords_gdpr.retention.bulk.repeated import repeat
from staffords_gdpr.retention.bulk.sentinels import Sentinel
from staffords_gdpr.retention.bulk.shifts import (
    keeps_order,
    same_day,
    shift_table,
    shifts_by_year,
    within_day,
)

IMPOSSIBLE = "~"
EARLIEST = dt.date(1900, 1, 1)
_FIRST = dt.date(1, 1, 2)
_DAY = dt.timedelta(days=1)
_UTC = ZoneInfo("UTC")
_SECONDS_A_DAY = 86_400
_EPOCH_RANGE = (-719_162 * _SECONDS_A_DAY, 2_932_897 * _SECONDS_A_DAY)  # the years 1 to 9999, in UTC
_MOST = {"day": 3_000_000, "week": 430_000, "month": 99_000, "year": 8_200}  # more leads out of the calendar

_LAST = dt.date(9999, 12, 30)  # a later one may lie beyond the calendar in another zone

Number = sa.ColumnElement[int]
Unit = Literal["day", "week", "month", "year"]


class Days(ABC):
    """Builds day expressions for one policy at one moment. `shifts` is the work table that `rows()` fills."""

    def __init__(self, policy: Policy, as_of: dt.datetime, shifts: sa.Table, dialect: sa.Dialect) -> None:
        self.today = policy.today(as_of)
        self._words = policy.database.empty_dates
        self._sentinels = [found for word in self._words if (found := Sentinel.read(word)) is not None]
        self._zone = policy.zone
        self._stored = policy.database.timestamps_in
        self._shifts = shifts
        self._looked_up: dict[str, ZoneInfo] = {}
        self._dialect = dialect
        self._same = (type(self), self.today, self._words, self._zone.key, shifts.fullname)

    def day(
        self,
        column: sa.ColumnElement[Any],
        kind: DateKind,
        *,
        event: bool,
        zone: str | None = None,
        early: bool = False,
    ) -> Text:
        """The day of a column. An event cannot lie after today. `zone`: of values without one, if not the policy's.

        `early`: it may lie before 1900, as time is still added to it.
        """
        stored = ZoneInfo(zone or self._stored)
        if kind is not DateKind.DAY:
            self._look_up(stored)
            self._look_up(_UTC)
        return repeat(
            column,
            self._dialect,
            (*self._same, kind, event, stored.key, early),
            lambda placed: self._day(placed, kind, stored, event=event, early=early),
        )

    def in_order(
        self, column: sa.ColumnElement[Any], kind: DateKind, *, event: bool, zone: str | None
    ) -> tuple[sa.ColumnElement[Any], Text] | None:
        """A column as two: the value itself where it is a typical date, of which a later one is never on an earlier
        day, and the day of any other value. Each is NULL where the other says something. None where none is typical.
        """
        stored = ZoneInfo(zone or self._stored)
        form = self._value(column, kind).form
        moves = kind is not DateKind.DAY and form != "day"
        if moves and not keeps_order(_UTC if form == "utc" else stored, self._zone):
            return None
        end = self.today + _DAY if event else _LAST
        inside = Bounds(EARLIEST + 2 * _DAY, end - 2 * _DAY, None, self._apart())
        typical = self._typical(column, kind, inside)
        if typical is None:
            return None
        test = sa.and_(*typical.tests)
        return sa.case((test, column)), sa.case(
            (test, sa.null()), else_=self.day(column, kind, event=event, zone=zone)
        )

    def _day(
        self, column: sa.ColumnElement[Any], kind: DateKind, stored: ZoneInfo, *, event: bool, early: bool
    ) -> Text:
        value = self._value(column, kind)
        day = self._local(value, kind, stored)
        cases: list[tuple[Condition, Any]] = [
            (column.is_(None), sa.null()),
            *self._quickly(column, kind, value, day, stored, event=event, early=early),
            *((empty, sa.null()) for empty in self._spelt_empty(value, kind)),
            (self._malformed(value, kind), text(IMPOSSIBLE)),
        ]
        return sa.case(*cases, (self._possible(day, event=event, early=early), day), else_=text(IMPOSSIBLE))

    def _malformed(self, value: Value, kind: DateKind) -> Condition:
        if value.real is not None:
            return sa.not_(value.real)
        if is_epoch(kind):
            return value.raw == text(IMPOSSIBLE)
        return sa.not_(self._well_formed(value.raw, kind))

    def plus(self, day: Text, unit: Unit, amount: sa.ColumnElement[Any] | int, *, event: bool) -> Text:
        """A day and so many units more; where that month has no such day, the month's last (R1).

        NULL where the day or the amount is NULL, IMPOSSIBLE where the amount is negative or no whole number.
        """
        number = sa.literal(amount, sa.Integer) if isinstance(amount, int) else self._whole(amount)
        later = self._later(day, unit, number)
        cases: list[tuple[Condition, Any]] = [
            (day.is_(None), sa.null()),
            (day == text(IMPOSSIBLE), text(IMPOSSIBLE)),
            (sa.or_(number.is_(None), sa.not_(number.between(0, _MOST[unit]))), text(IMPOSSIBLE)),
        ]
        if not isinstance(amount, int):
            cases.insert(2, (amount.is_(None), sa.null()))
        return sa.case(*cases, (self._possible(later, event=event), later), else_=text(IMPOSSIBLE))

    def is_empty(self, column: sa.ColumnElement[Any], kind: DateKind) -> Condition:
        """Whether a date column holds NULL, or a value that means "no date"."""
        empty = self._spelt_empty(self._value(column, kind), kind)
        spelt = sa.or_(column.is_(None), *(sa.func.coalesce(each, sa.false()) for each in empty))
        typical = self._typical(column, kind, Bounds(_FIRST, _LAST, None, self._apart()))
        if not empty or typical is None:
            return spelt
        return sa.case((sa.and_(*typical.tests), 0), (spelt, 1), else_=0) == 1

    def rows(self) -> list[tuple[str, str, str, int]]:
        """What the table of shifts must hold for the expressions built so far: for clock readings in which zone, since
        when, in which year, how many seconds to add."""
        return [
            (name, *row) for name, zone in self._looked_up.items() for row in shifts_by_year(zone, self._zone)
        ]

    def _quickly(
        self,
        column: sa.ColumnElement[Any],
        kind: DateKind,
        value: Value,
        day: Text,
        stored: ZoneInfo,
        *,
        event: bool,
        early: bool,
    ) -> list[tuple[Condition, Text]]:
        """The cases of nearly all dates. The long way says the same of them: it is there for the others.

        Of those near midnight the day is worked out once, where the long way names it three times; of those whose day
        cannot be out of bounds, that is.
        """
        clock = None
        if kind is not DateKind.DAY and value.form != "day":
            clock = same_day(shift_table(_UTC if value.form == "utc" else stored, self._zone))
        end = self.today + _DAY if event else _LAST
        first = _FIRST if early else EARLIEST
        typical = self._typical(column, kind, Bounds(first, end, clock, self._apart()))
        if typical is None:
            return []
        cases = [(sa.and_(*typical.tests), typical.day)]
        if clock is not None:
            inside = Bounds(first + 2 * _DAY, end - 2 * _DAY, None, self._apart())
            at_any_time = self._typical(column, kind, inside)
            assert at_any_time is not None
            cases.append((sa.and_(*at_any_time.tests), day))
        return cases

    def _apart(self) -> list[tuple[dt.date, dt.date]]:
        days = {day for one in self._sentinels for day in (one.day, (one.utc or one.day)[:10])}
        real = sorted(found for day in days if (found := real_day(day)) is not None)
        return [(day, day + _DAY) for day in real]

    def _possible(self, day: Text, *, event: bool, early: bool = False) -> Condition:
        """The day is one that can be: no NULL, and within bounds. It is named once, being a long expression."""
        first = text("0001-01-01" if early else EARLIEST.isoformat())
        return day.between(first, text(self.today.isoformat())) if event else day >= first

    def _spelt_empty(self, value: Value, kind: DateKind) -> list[Condition]:
        """For each value of `empty_dates`: whether `value` spells it."""
        typed, whole = value.moment is not None, kind is DateKind.DAY or value.form == "day"
        found: list[Condition] = []
        for word in self._words:
            moment = Sentinel.read(word) if typed else None
            # where it is compared as a moment, it has not to be compared as it is written
            if moment is None or (whole and not moment.whole_day):
                found.append(value.plain == text(word))
        for sentinel in self._sentinels:
            if typed:
                found += self._is_moment(value, sentinel, whole=whole)
            elif whole:
                if sentinel.whole_day:
                    found.append(sa.func.substr(value.raw, 1, 10) == text(sentinel.day))
            else:
                found.append(self._spells(value, sentinel))
        return found

    def _local(self, value: Value, kind: DateKind, stored: ZoneInfo) -> Text:
        """The day in the policy's zone of a well-formed value."""
        raw = value.raw
        if kind is DateKind.DAY or value.form == "day":
            return sa.func.substr(raw, 1, 10)
        if value.form == "utc":
            return self._shifted(raw, _UTC)
        if value.real is not None:
            return self._shifted(sa.func.substr(raw, 1, 19), stored, raw)
        reading = sa.func.replace(sa.func.substr(raw.concat(":00"), 1, 19), "T", " ")
        naive = self._shifted(reading, stored, raw)
        if value.form == "moment":
            return naive
        return sa.case(
            (sa.func.length(raw) == 10, raw),
            (self._has_offset(raw), self._shifted(self._in_utc(raw), _UTC)),
            else_=naive,
        )

    def _look_up(self, stored: ZoneInfo) -> None:
        """Have readings in this zone among `rows()`. Asked of each column: one may only be repeated."""
        if any(seconds for _, seconds in shift_table(stored, self._zone)):
            self._looked_up[stored.key] = stored

    def _shifted(self, reading: Text, stored: ZoneInfo, raw: Text | None = None) -> Text:
        """The local day of a clock reading `YYYY-MM-DD HH:MM:SS` in `stored`. Only those near midnight are looked up.

        `raw`: the text that it was made from, if its day and minute stand in the same place: quicker to read.
        """
        raw = reading if raw is None else raw
        day = sa.func.substr(raw, 1, 10)
        table = shift_table(stored, self._zone)
        within = same_day(table)
        if within is None:
            return day
        clock = sa.func.substr(raw, 12, 5)
        safe = sa.and_(clock >= text(within[0]), clock < text(within[1]))
        shifts = self._shifts
        seconds = (
            sa.select(shifts.c.seconds)
            # the long expression first: within the others it may stand too deep for SQLite's parser
            .where(reading >= shifts.c.since, shifts.c.zone == text(stored.key), *self._year(raw))
            .order_by(shifts.c.since.desc())
            .limit(1)
            .scalar_subquery()
        )
        beyond: Number = sa.literal(table[0][1])
        if table[-1][1] != table[0][1]:
            beyond = sa.case((raw >= text("2"), table[-1][1]), else_=beyond)
        edges = self._edges(day, clock, within_day(table[0][1], 0)[0], within_day(0, table[-1][1])[1])
        return sa.case((safe, day), *edges, else_=self._moved(reading, sa.func.coalesce(seconds, beyond)))

    # -- what the engines spell each in their own way ------------------------------------------------------------

    @abstractmethod
    def _value(self, column: sa.ColumnElement[Any], kind: DateKind) -> Value:
        """A column as text; of an epoch the second in UTC, as `YYYY-MM-DD HH:MM:SS`."""

    @abstractmethod
    def _typical(self, column: sa.ColumnElement[Any], kind: DateKind, bounds: Bounds) -> Typical | None:
        """Of a column with dates that are told quickly: how. None where there is no quicker way."""

    @abstractmethod
    def _spells(self, value: Value, sentinel: Sentinel) -> Condition:
        """Whether a value that may have a time of day spells this moment."""

    @abstractmethod
    def _well_formed(self, raw: Text, kind: DateKind) -> Condition:
        """Whether a text, never NULL, is in the shape of a real date, with a time and an offset or without."""

    @abstractmethod
    def _has_offset(self, raw: Text) -> Condition:
        """Whether a well-formed text with a time ends with its offset from UTC."""

    @abstractmethod
    def _in_utc(self, raw: Text) -> Text:
        """The clock reading in UTC, to the second, of a well-formed text with an offset."""

    def _is_moment(self, value: Value, sentinel: Sentinel, *, whole: bool) -> list[Condition]:
        """The same of a value that has a `moment`; none where it cannot be. `whole`: whatever its time of day."""
        raise NotImplementedError

    def _edges(self, day: Text, clock: Text, since: str, before: str) -> list[tuple[Condition, Text]]:
        """Where an engine is not to be asked for moments beyond its calendar: the cases of the calendar's first day,
        on which clock readings count from `since` on, and of its last, on which they count before `before`.
        """
        return []

    def _year(self, reading: Text) -> list[Condition]:
        """Where an engine does not find the latest shift before a reading by its index: that it is of the same year."""
        return []

    @abstractmethod
    def _moved(self, reading: Text, seconds: Number) -> Text:
        """The day of a clock reading that many seconds later; NULL, or no day, where the calendar ends before."""

    @abstractmethod
    def _whole(self, amount: sa.ColumnElement[Any]) -> Number:
        """The whole number that a value is or spells, NULL where it is none."""

    @abstractmethod
    def _later(self, day: Text, unit: Unit, number: Number) -> Text:
        """The day so many units later; NULL, or no day, where the calendar ends before."""


def epoch_range(kind: DateKind) -> tuple[int, int, int]:
    """Of an epoch kind: units a second, the first and the last value that can be a date."""
    units = 1000 if kind is DateKind.EPOCH_MILLISECONDS else 1
    return units, _EPOCH_RANGE[0] * units, _EPOCH_RANGE[1] * units - 1


def is_epoch(kind: DateKind) -> bool:
    return kind in (DateKind.EPOCH_SECONDS, DateKind.EPOCH_MILLISECONDS)


def text(value: str) -> Text:
    """A text in SQL, as a parameter."""
    return sa.literal(value, sa.String())


def real_day(day: str) -> dt.date | None:
    """The day, if the calendar has it, and one after it."""
    try:
        found = dt.date.fromisoformat(day)
    except ValueError:
        return None
    return found if found < dt.date.max else None

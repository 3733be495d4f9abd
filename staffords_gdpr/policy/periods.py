"""Calendar arithmetic: periods, last days, cut-offs and the day of a moment (rule R1).

Everything here is in calendar days of the policy's zone. 29 Feb 2024 + 3 years is 28 Feb 2027: the
corresponding date rule, Dodds v Walker [1981] 1 WLR 1027.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import pendulum

Unit = Literal["day", "week", "month", "year"]
_PERIOD = re.compile(r"\s*([0-9]{1,9})\s+(day|week|month|year)s?\s*\Z")
_UNITS = ("days", "weeks", "months", "years", "day", "week", "month", "year")
_MOST_YEARS = 200
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Period:
    """A count of calendar units, such as `3 years`.

    Nothing is converted: 12 months and 1 year stay what they are.
    """

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read "3 years". Raises ValueError with what is wrong and what to write instead."""
        match = _PERIOD.match(text)
        if match is None:
            raise ValueError(f"'{text}' is no period. {_advice(text)}")
        period = cls(int(match[1]), match[2])  # type: ignore[arg-type]
        if period.count == 0:
            raise ValueError(f"'{text}' is no time at all. Write at least '1 {period.unit}'.")
        if period.rough_days > _MOST_YEARS * 366:
            raise ValueError(f"'{text}' is longer than {_MOST_YEARS} years. Write a shorter period.")
        return period

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @cached_property
    def rough_days(self) -> int:
        """About how many days this is; for sizes and starting points of searches, never for a last day."""
        return int(self.count * {"day": 1, "week": 7, "month": 30.44, "year": 365.25}[self.unit])

    def after(self, day: dt.date) -> dt.date:
        """The last day of a row dated `day` (R1). Where that month has no such day, the month's last day."""
        try:
            moved = pendulum.date(day.year, day.month, day.day).add(**{f"{self.unit}s": self.count})
        except (OverflowError, ValueError):
            return dt.date.max
        return dt.date(moved.year, moved.month, moved.day)

    def cutoff(self, today: dt.date) -> dt.date:
        """The latest day whose last day lies before `today`: rows dated on it or earlier have passed.

        The exact inverse of `after`: for every day d, `after(d) < today` if and only if `d <= cutoff(today)`.
        Found by bisection, which needs only that `after` never decreases.
        """
        low, high = self._around(today)
        while low < high:
            middle = high - (high - low) // 2
            if self.after(middle) < today:
                low = middle
            else:
                high = middle - dt.timedelta(days=1)
        return low

    def _around(self, today: dt.date) -> tuple[dt.date, dt.date]:
        """Two days with the cut-off between them: near by if they prove to be, else all that there is."""
        try:
            guess = today - dt.timedelta(days=self.rough_days)
            low, high = guess - dt.timedelta(days=40), min(today, guess + dt.timedelta(days=40))
        except OverflowError:
            return dt.date.min, today
        proven = self.after(low) < today <= self.after(high)
        return (low, high) if proven else (dt.date.min, today)


def _advice(text: str) -> str:
    """What to write in place of a period that cannot be read."""
    number = re.match(r"\s*([-+]?[0-9]+(?:[.,][0-9]+)?)\s*(.*?)\s*\Z", text)
    if number is None:
        return "Write a whole number of days, weeks, months or years, as in '3 years'."
    count, unit = number.groups()
    if count.startswith("-"):
        return "A period cannot be negative; write a whole number above 0."
    if not count.isdigit():
        return "Write a whole number, in a smaller unit where needed: '18 months', not '1.5 years'."
    if len(count) > 9:
        return f"It is longer than {_MOST_YEARS} years; write a shorter one."
    near = difflib.get_close_matches(unit.lower(), _UNITS, n=1)
    if near:
        return f"Did you mean '{count} {near[0]}'?"
    return f"Write days, weeks, months or years after {count}, as in '{count} years'."


def day_of(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The calendar day of an aware moment in `zone`."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return moment.astimezone(zone).date()


def start_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first moment of a calendar day in `zone`, as UTC.

    Where a clock change skips midnight, the first moment that the day has.
    """
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=zone)  # of two midnights the first (fold=0)
    try:
        start = midnight.astimezone(dt.UTC)
    except OverflowError:
        return _LATEST if day.year > 1 else _EARLIEST
    if start.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    return _first_moment(day, zone, start - dt.timedelta(days=1), start)


def _first_moment(day: dt.date, zone: ZoneInfo, before: dt.datetime, within: dt.datetime) -> dt.datetime:
    """Bisect, to the second, between a moment of the day before and one of the day itself or later."""
    while within - before > dt.timedelta(seconds=1):
        middle = before + dt.timedelta(seconds=(within - before) // dt.timedelta(seconds=2))
        if day_of(middle, zone) < day:
            before = middle
        else:
            within = middle
    return within

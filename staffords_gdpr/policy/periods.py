"""Calendar arithmetic: periods, last days, cut-offs and the day of a moment (rule R1).

Everything here is in calendar days of the policy's zone. 29 Feb 2024 + 3 years is 28 Feb 2027: the corresponding
date rule, Dodds v Walker [1981] 1 WLR 1027.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import pendulum

Unit = Literal["day", "week", "month", "year"]
_PERIOD = re.compile(r"^\s*(\d{1,4})\s+(day|week|month|year)s?\s*$")
_MOST_YEARS = 200


@dataclass(frozen=True)
class Period:
    """A count of calendar units, such as `3 years`. Nothing is converted: 12 months and 1 year stay what they are."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read "3 years". Raises ValueError with what to write instead."""
        match = _PERIOD.match(text)
        if match is None or int(match[1]) == 0:
            raise ValueError(f"{text!r} is no period: write a whole number of days, weeks, months or years, as in '3 years'")
        period = cls(int(match[1]), match[2])  # type: ignore[arg-type]
        if period.rough_days > _MOST_YEARS * 366:
            raise ValueError(f"{text!r} is longer than {_MOST_YEARS} years")
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
        low = dt.date.min
        high = today
        while low < high:
            middle = high - (high - low) // 2
            if self.after(middle) < today:
                low = middle
            else:
                high = middle - dt.timedelta(days=1)
        return low


def day_of(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The calendar day of an aware moment in `zone`."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return moment.astimezone(zone).date()


def start_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first moment of a calendar day in `zone`, as UTC. Where a clock change skips midnight, the first moment there is."""
    start = pendulum.datetime(day.year, day.month, day.day, tz=zone.key)
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(seconds=start.int_timestamp)

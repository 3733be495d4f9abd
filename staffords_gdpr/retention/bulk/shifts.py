"""How clock readings in one zone become readings in another, as rows of a table that every engine can look up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

_FIRST_YEAR = 1900
_LAST_YEAR = 2200
_SECONDS_A_DAY = 86_400


@cache
def shifts_by_year(stored: ZoneInfo, local: ZoneInfo) -> tuple[tuple[str, str, int], ...]:
    """The same as rows (since, year, seconds), for each year what is in force at its beginning, too: so an engine finds
    the few of one year by a key. Earlier than all of them the first shift holds, later the last.
    """
    found, seconds = [], 0
    coming = list(shift_table(stored, local))
    for year in range(_FIRST_YEAR - 1, _LAST_YEAR):
        here = [one for one in coming if int(one[0][:4]) <= year]
        coming = coming[len(here) :]
        found.append((f"{year}", f"{year}", seconds))
        found += [(since, f"{year}", seconds) for since, seconds in here]
        seconds = here[-1][1] if here else seconds
    return tuple(found[1:])


@cache
def shift_table(stored: ZoneInfo, local: ZoneInfo) -> tuple[tuple[str, int], ...]:
    """(since which clock reading in `stored`, seconds to add for the reading in `local`), ascending.

    Scanned week by week (no zone ever changed its clocks and changed them back within one), then bisected to the
    second; a reading that a clock change skips or repeats counts as its first.
    """

    def shift(reading: dt.datetime) -> int:
        there = reading.replace(tzinfo=stored).astimezone(local).replace(tzinfo=None)
        return round((there - reading).total_seconds())

    start = dt.datetime(_FIRST_YEAR - 1, 12, 30)  # noqa: DTZ001 - a clock reading, in no zone
    found = [(start, shift(start))]
    if stored == local:
        return ((str(start), 0),)
    low = start
    while low.year < _LAST_YEAR:
        high = low + dt.timedelta(days=7)
        if shift(high) != found[-1][1]:
            first, last = low, high
            while last - first > dt.timedelta(seconds=1):
                middle = first + (last - first) // 2
                middle = middle.replace(microsecond=0)
                if shift(middle) == found[-1][1]:
                    first = middle
                else:
                    last = middle
            found.append((last, shift(last)))
        low = high
    return tuple((str(since), seconds) for since, seconds in found)


@cache
def keeps_order(stored: ZoneInfo, local: ZoneInfo) -> bool:
    """Whether a later clock reading in `stored` is never on an earlier day in `local`: no clock there was ever set back
    over midnight.
    """
    table = shift_table(stored, local)
    for (_, before), (since, after) in pairwise(table):
        change = dt.datetime.fromisoformat(since)
        last = change - dt.timedelta(microseconds=1) + dt.timedelta(seconds=before)
        if (change + dt.timedelta(seconds=after)).date() < last.date():
            return False
    return True


def same_day(shifts: Sequence[tuple[str, int]]) -> tuple[str, str] | None:
    """From and before which clock readings no shift leads to another day; None where nothing is ever shifted."""
    least, most = min(s for _, s in shifts), max(s for _, s in shifts)
    if least == most == 0:
        return None
    return within_day(least, most)


def within_day(least: int, most: int) -> tuple[str, str]:
    """From and before which clock readings no shift of so many seconds leads to another day, to the minute."""
    return _clock(-least + 59), _clock(_SECONDS_A_DAY - most)


def _clock(seconds: int) -> str:
    """Seconds after midnight as HH:MM, kept within a day."""
    minutes = max(0, min(seconds, _SECONDS_A_DAY)) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

"""How clock readings in one zone become readings in another, as rows of a table that every engine can look up."""

from __future__ import annotations

import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

_FIRST_YEAR = 1900
_LAST_YEAR = 2200


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

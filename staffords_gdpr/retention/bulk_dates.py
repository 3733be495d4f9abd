"""Dates in SQL: every stored spelling of a date as one calendar day of the policy's zone (R1, R2).

A day is text `YYYY-MM-DD`, NULL where there is no date, and IMPOSSIBLE where there is one that cannot be: malformed,
before 1900, or an event after today. IMPOSSIBLE sorts after every day, so that max() over a subject's rows keeps it.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.policy.models import Policy

IMPOSSIBLE = "~"
EARLIEST = dt.date(1900, 1, 1)
_LAST_YEAR = 2200
_UTC = ZoneInfo("UTC")
_DATE = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"
_SENTINEL = re.compile(r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.0+)?)?$")

Text = sa.ColumnElement[str]


class Days:
    """Builds day expressions for one policy at one moment. `shifts` is the work table that `rows()` fills."""

    def __init__(self, policy: Policy, as_of: dt.datetime, shifts: sa.Table) -> None:
        self.today = policy.today(as_of)
        self._empty = policy.database.empty_dates
        self._zone = policy.zone
        self._stored = ZoneInfo(policy.database.timestamps_in)
        self._shifts = shifts

    def day(self, column: sa.ColumnElement[object], kind: DateKind, *, event: bool) -> Text:
        """The day of a column. An event cannot lie after today."""
        raw: Text = sa.type_coerce(column, sa.String())
        day = sa.func.substr(raw, 1, 10) if kind is DateKind.DAY else self._local(raw)
        cases = [
            (raw.is_(None), sa.null()),
            *((spelled, sa.null()) for spelled in self._sentinels(raw, kind)),
            (sa.not_(_well_formed(raw, kind)), _text(IMPOSSIBLE)),
            (day < _text(EARLIEST.isoformat()), _text(IMPOSSIBLE)),
        ]
        if event:
            cases.append((day > _text(self.today.isoformat()), _text(IMPOSSIBLE)))
        return sa.case(*cases, else_=day)

    def is_empty(self, column: sa.ColumnElement[object], kind: DateKind) -> sa.ColumnElement[bool]:
        """Whether a date column holds NULL, or a value that means "no date"."""
        raw: Text = sa.type_coerce(column, sa.String())
        return sa.or_(raw.is_(None), *self._sentinels(raw, kind))

    def rows(self) -> list[tuple[str, str, int]]:
        """What the table of shifts must hold: for clock readings in which zone, since when, how many seconds to add."""
        zones = {self._stored.key: self._stored, _UTC.key: _UTC}
        return [
            (name, since, seconds)
            for name, zone in zones.items()
            for since, seconds in _shift_table(zone, self._zone)
        ]

    def _local(self, raw: Text) -> Text:
        """The day in the policy's zone of a text with or without time and offset."""
        naive = self._shifted(raw, self._stored)
        zoned = self._shifted(sa.func.datetime(raw), _UTC)
        has_offset = sa.func.substr(raw, -1, 1) == _text("Z")
        has_offset |= sa.func.substr(raw, -6, 1).in_([_text("+"), _text("-")]) & (sa.func.length(raw) > 16)
        return sa.case(
            (sa.func.length(raw) == 10, raw),
            (has_offset, zoned),
            else_=naive,
        )

    def _shifted(self, text: Text, stored: ZoneInfo) -> Text:
        """The local day of a clock reading in `stored`. Only readings near midnight need the look-up."""
        day = sa.func.substr(text, 1, 10)
        table = _shift_table(stored, self._zone)
        least, most = min(s for _, s in table), max(s for _, s in table)
        if least == most == 0:
            return day
        clock = sa.func.substr(text, 12, 5)
        safe = sa.and_(clock >= _text(_clock(-least + 59)), clock < _text(_clock(86_400 - most)))
        shifts = self._shifts
        seconds = (
            sa.select(shifts.c.seconds)
            .where(shifts.c.zone == _text(stored.key))
            .where(shifts.c.since <= sa.func.replace(sa.func.substr(text, 1, 19), "T", " "))
            .order_by(shifts.c.since.desc())
            .limit(1)
            .scalar_subquery()
        )
        moved = sa.func.date(text, sa.func.coalesce(seconds, table[0][1]).concat(_text(" seconds")))
        return sa.case((safe, day), else_=moved)

    def _sentinels(self, raw: Text, kind: DateKind) -> list[sa.ColumnElement[bool]]:
        """For each value of `empty_dates`: whether `raw` spells it."""
        found: list[sa.ColumnElement[bool]] = []
        for sentinel in self._empty:
            match = _SENTINEL.match(sentinel)
            if match is None:
                found.append(raw == _text(sentinel))
                continue
            day, minutes, seconds = match[1], match[2] or "00:00", match[3] or ":00"
            midnight = (minutes, seconds) == ("00:00", ":00")
            same_day = sa.func.substr(raw, 1, 10) == _text(day)
            if kind is DateKind.DAY:
                found.append(same_day if midnight else sa.false())
                continue
            length = sa.func.length(raw)
            tail = sa.func.rtrim(sa.func.ltrim(_without_offset(sa.func.substr(raw, 20)), "."), "0")
            second = sa.func.substr(raw, 17, 1)
            same_time = sa.and_(
                sa.func.substr(raw, 11, 1).in_([_text(" "), _text("T")]),
                sa.func.substr(raw, 12, 5) == _text(minutes),
                sa.case(
                    (
                        second == _text(":"),
                        sa.and_(sa.func.substr(raw, 17, 3) == _text(seconds), tail == _text("")),
                    ),
                    else_=sa.literal(seconds == ":00")
                    & (_without_offset(sa.func.substr(raw, 17)) == _text("")),
                ),
            )
            found.append(sa.and_(same_day, sa.or_(length == 10, same_time) if midnight else same_time))
        return found


def _without_offset(tail: Text) -> Text:
    """What follows a clock reading, without its offset from UTC."""
    signed = sa.func.substr(tail, -6, 1).in_([_text("+"), _text("-")])
    return sa.case(
        (sa.func.substr(tail, -1, 1) == _text("Z"), sa.func.substr(tail, 1, sa.func.length(tail) - 1)),
        (signed, sa.func.substr(tail, 1, sa.func.length(tail) - 6)),
        else_=tail,
    )


def _well_formed(raw: Text, kind: DateKind) -> sa.ColumnElement[bool]:
    """Whether `raw` is text in the shape of a real date, with a time and an offset or without.

    SQLite's own reader takes more (24:00, spaces), and gives 31 February back as it came: only by way of the Julian day
    does it become a day of March. So its answer is narrowed down.
    """
    day = sa.func.substr(raw, 1, 10)
    real_day = sa.and_(
        sa.func.typeof(raw) == _text("text"),
        raw.op("GLOB")(_text(_DATE + "*")),
        sa.func.date(sa.func.julianday(day)) == day,
    )
    if kind is DateKind.DAY:
        return sa.func.coalesce(real_day, sa.false())
    time = sa.func.substr(raw, 12)
    real_time = sa.and_(
        sa.func.substr(raw, 11, 1).in_([_text(" "), _text("T")]),
        sa.func.julianday(raw).is_not(None),
        time.op("GLOB")(_text("[0-2][0-9]:*[0-9Z]")),
        time < _text("24"),
        sa.func.instr(time, " ") == 0,
    )
    return sa.func.coalesce(sa.and_(real_day, sa.or_(sa.func.length(raw) == 10, real_time)), sa.false())


@cache
def _shift_table(stored: ZoneInfo, local: ZoneInfo) -> tuple[tuple[str, int], ...]:
    """(since which clock reading in `stored`, seconds to add for the reading in `local`), ascending.

    Scanned week by week (no zone ever changed its clocks and changed them back within one), then bisected to the
    second; a reading that a clock change skips or repeats counts as its first.
    """

    def shift(reading: dt.datetime) -> int:
        there = reading.replace(tzinfo=stored).astimezone(local).replace(tzinfo=None)
        return round((there - reading).total_seconds())

    start = dt.datetime(EARLIEST.year - 1, 12, 30)  # noqa: DTZ001 - a clock reading, in no zone
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


def _clock(seconds: int) -> str:
    """Seconds after midnight as HH:MM, kept within a day."""
    minutes = max(0, min(seconds, 86_400)) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _text(value: str) -> sa.ColumnElement[str]:
    return sa.literal(value, sa.String())

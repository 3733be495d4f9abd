"""What day a stored value means: the pure function's own reading of dates, apart from the database's.

A reading is a calendar day in the policy's zone, None for "no date", or a `Trouble` for an impossible one.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.policy.models import Policy

FIRST_DAY = dt.date(1900, 1, 1)
_TEXT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_REMEMBERED = 100_000
_MOST_OFFSET_HOURS = 14  # no clock on earth is further from UTC
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_UNITS_A_SECOND = {DateKind.EPOCH_SECONDS: 1, DateKind.EPOCH_MILLISECONDS: 1000}
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001


@dataclass(frozen=True)
class Trouble:
    """Why a date cannot be used: it is impossible, or a reference to it leads nowhere (R2)."""

    why: str


Day = dt.date | None | Trouble
IMPOSSIBLE = Trouble("holds no possible date")
TOO_EARLY = Trouble("lies before 1900")
NO_AMOUNT = Trouble("is counted with an impossible amount")


@dataclass(frozen=True)
class _Spelt:
    """A moment as it is written down, before anybody asks whether the calendar has it: 0000-00-00 is one."""

    day: tuple[int, int, int]
    clock: tuple[int, int, int, int]  # hours, minutes, seconds, nanoseconds
    offset: int | None  # minutes east of UTC
    timed: bool  # a time of day was written

    @property
    def whole(self) -> _Spelt:
        """The day alone."""
        return _Spelt(self.day, (0, 0, 0, 0), None, False)

    def moment(self) -> dt.datetime:
        """Raises ValueError or OverflowError where calendar or clock have no such moment."""
        hours, minutes, seconds, nanoseconds = self.clock
        return dt.datetime(*self.day, hours, minutes, seconds, nanoseconds // 1000)  # noqa: DTZ001

    def utc(self) -> tuple[dt.datetime, int] | None:
        """The moment in UTC and its nanoseconds; None without an offset or without such a moment."""
        if self.offset is None:
            return None
        try:
            return self.moment() - dt.timedelta(minutes=self.offset), self.clock[3]
        except (ValueError, OverflowError):
            return None

    def same(self, other: _Spelt) -> bool:
        """Whether both spell the same moment. Offsets count only where both have one."""
        if self.offset is not None and other.offset is not None:
            mine, others = self.utc(), other.utc()
            if mine is not None and others is not None:
                return mine == others
        return self.day == other.day and self.clock == other.clock


def _spell(raw: object) -> _Spelt | None:
    """The parts of a text, date or datetime; None for what is none of them."""
    if isinstance(raw, dt.datetime):
        offset = raw.utcoffset()
        minutes = None if offset is None else int(offset.total_seconds()) // 60
        clock = (raw.hour, raw.minute, raw.second, raw.microsecond * 1000)
        return _Spelt((raw.year, raw.month, raw.day), clock, minutes, True)
    if isinstance(raw, dt.date):
        return _Spelt((raw.year, raw.month, raw.day), (0, 0, 0, 0), None, False)
    match = _TEXT.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    clock = (int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0").ljust(9, "0")))
    return _Spelt((int(year), int(month), int(day)), clock, _offset(zone), hour is not None)


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


class DateReader:
    """Reads raw values of one database by one policy.

    `zone` is that of moments that are stored without one; if none is given, `database.timestamps_in`.
    """

    def __init__(self, policy: Policy) -> None:
        self._zone = policy.zone
        self._naive = policy.database.timestamps_in
        self._words = frozenset(policy.database.empty_dates)
        self._sentinels = tuple(_sentinels(policy.database.empty_dates))
        self._known: dict[tuple[str, DateKind, str], Day] = {}

    def is_empty(self, raw: object, kind: DateKind) -> bool:
        """Whether a value means "no date": NULL, or one of `empty_dates` in any spelling and type."""
        if raw is None:
            return True
        if isinstance(raw, (str, int, float, Decimal)) and plainly(raw) in self._words:
            return True
        if not self._sentinels:
            return False
        spelt = self._spelt(raw, kind)
        return spelt is not None and any(spelt.same(sentinel) for sentinel in self._sentinels)

    def read(self, raw: object, kind: DateKind, zone: str = "") -> Day:
        """The day of a value, None where it means "no date", `Trouble` where impossible or before 1900."""
        return not_early(self.start(raw, kind, zone))

    def start(self, raw: object, kind: DateKind, zone: str = "") -> Day:
        """As `read`, of a day to which time is still added: it may lie before 1900."""
        zone = zone or self._naive
        if not isinstance(raw, str):
            return self._read(raw, kind, zone)
        if (raw, kind, zone) not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            self._known[raw, kind, zone] = self._read(raw, kind, zone)
        return self._known[raw, kind, zone]

    def _read(self, raw: object, kind: DateKind, zone: str) -> Day:
        if self.is_empty(raw, kind):
            return None
        spelt = self._spelt(raw, kind)
        if spelt is None:
            return IMPOSSIBLE
        try:
            return self._day(spelt, raw, zone)
        except (ValueError, OverflowError):
            return IMPOSSIBLE

    @staticmethod
    def _spelt(raw: object, kind: DateKind) -> _Spelt | None:
        if kind in _UNITS_A_SECOND:
            return _counted(raw, _UNITS_A_SECOND[kind])
        if kind is not DateKind.DAY:
            return _spell(raw)
        spelt = _spell(raw[:10] if isinstance(raw, str) else raw)
        return spelt.whole if spelt else None

    def _day(self, spelt: _Spelt, raw: object, zone: str) -> dt.date:
        if not spelt.timed:
            return dt.date(*spelt.day)
        if isinstance(raw, dt.datetime):
            moment = raw
        else:
            moment = spelt.moment()
            if spelt.offset is not None:
                if abs(spelt.offset) >= (_MOST_OFFSET_HOURS + 1) * 60 or abs(spelt.offset) % 60 != _minutes(
                    raw
                ):
                    raise ValueError("no such offset")
                moment = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=spelt.offset)))
        if moment.tzinfo is None:
            if zone == self._zone.key:
                return moment.date()
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return moment.astimezone(self._zone).date()


def _counted(raw: object, units: int) -> _Spelt | None:
    """The moment that a number of seconds, or parts of them, since 1970 is; None for what is no such number."""
    number = rounded_down(raw)
    if number is None:
        return None
    try:
        moment = _EPOCH + dt.timedelta(seconds=number // units)
    except OverflowError:
        return None
    return _Spelt(
        (moment.year, moment.month, moment.day), (moment.hour, moment.minute, moment.second, 0), 0, True
    )


def rounded_down(raw: object) -> int | None:
    """A number rounded down, or the whole number that a text spells; None for anything else."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, (float, Decimal)):
        return math.floor(raw) if math.isfinite(raw) else None
    return int(raw) if isinstance(raw, str) and _WHOLE.fullmatch(raw) else None


def not_early(day: Day) -> Day:
    """The day, or `Trouble` where it lies before 1900."""
    return TOO_EARLY if isinstance(day, dt.date) and day < FIRST_DAY else day


def later(day: Day, unit: str, amount: object) -> Day:
    """So much calendar time after a day; where that month has no such day, on its last day (R1).

    None where the day or the amount is. `Trouble` where the amount is negative or no whole number, or leads out of
    the calendar.
    """
    if not isinstance(day, dt.date):
        return day
    if amount is None:
        return None
    number = rounded_down(amount)
    if number is None or number < 0 or (isinstance(amount, (float, Decimal)) and number != amount):
        return NO_AMOUNT
    try:
        if unit in ("day", "week"):
            return day + dt.timedelta(days=number * (7 if unit == "week" else 1))
        months = day.month - 1 + number * (12 if unit == "year" else 1)
        year, month = day.year + months // 12, months % 12 + 1
        return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
    except (ValueError, OverflowError):
        return NO_AMOUNT


def plainly(raw: float | str | Decimal) -> str:
    """A value as it stands in the database: a whole number without a point."""
    if isinstance(raw, str):
        return raw
    return str(int(raw)) if math.isfinite(raw) and raw == int(raw) else str(raw)


def _minutes(raw: object) -> int:
    """The minutes written in an offset, so that +01:75 is found out."""
    return int(raw[-2:]) if isinstance(raw, str) and raw[-3:-2] == ":" and raw[-6] in "+-" else 0


def _sentinels(empty_dates: Iterable[str]) -> Iterable[_Spelt]:
    for text in empty_dates:
        spelt = _spell(text)
        if spelt is not None:
            yield spelt


def written(day: dt.date) -> str:
    """A day as a manager writes it: 2 May 2024."""
    return f"{day.day} {day:%B} {day.year}"

"""Dates in MariaDB's SQL. In strict mode an INSERT fails where a cast or a sum has no result, so that each stands
behind a test in the same CASE.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.retention.bulk.column_types import BYTEWISE, Stored, stored
from staffords_gdpr.retention.bulk.date_values import Bounds, Condition, Form, Text, Typical, Value
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE, Number, Unit, epoch_range, is_epoch, text
from staffords_gdpr.retention.bulk.dates_regex import FRACTION, WHOLE, RegexDays
from staffords_gdpr.retention.bulk.written import written

_FORMS: dict[Stored, Form] = {Stored.DATE: "day", Stored.MOMENT: "moment"}
_DATETIME = mysql.DATETIME()
_UNITS = {"day": "DAY", "week": "WEEK", "month": "MONTH", "year": "YEAR"}
_FIRST_DAY = "0001-01-01"
_LAST_DAY = "9999-12-31"
_MONTHS = 9999 * 12 + 11


class MariadbDays(RegexDays):
    """See `Days`."""

    end = r"\z"

    def _matches(self, raw: sa.ColumnElement[Any], pattern: str) -> Condition:
        return raw.op("REGEXP", is_comparison=True)(text(pattern))

    def _value(self, column: sa.ColumnElement[Any], kind: DateKind) -> Value:
        plain = written(column)
        if is_epoch(kind):
            units, first, last = epoch_range(kind)
            number = self._number(column)
            moment = _later_by("SECOND", sa.func.floor(number / units), sa.literal_column("'1970-01-01'"))
            known = sa.case((number.between(first, last), moment), else_=text(IMPOSSIBLE))
            return Value(known, plain, "utc")
        form = _FORMS.get(stored(column))
        return Value(plain, plain, form, _real(column)) if form else Value(plain, plain, "any")

    def _typical(self, column: sa.ColumnElement[Any], kind: DateKind, bounds: Bounds) -> Typical | None:
        how = stored(column)
        if is_epoch(kind) or how not in _FORMS:
            return None
        tests = [
            column >= _moment(bounds.first),
            column < _moment(bounds.end),
            *_in_calendar(column),
        ]
        if bounds.clock is not None and how is Stored.MOMENT:
            minute = sa.func.hour(column) * 60 + sa.func.minute(column)
            tests.append(minute.between(_minutes(bounds.clock[0]), _minutes(bounds.clock[1]) - 1))
        tests += [sa.or_(column < _moment(day), column >= _moment(after)) for day, after in bounds.apart]
        return Typical(tests, bytewise(sa.cast(column, sa.Date())))

    def _in_utc(self, raw: Text) -> Text:
        right = sa.func.right
        minutes = _whole_number(right(raw, 2)) + 60 * _whole_number(sa.func.left(right(raw, 5), 2))
        east = sa.case(
            (right(raw, 1) == text("Z"), 0),
            (sa.func.left(right(raw, 6), 1) == text("-"), -minutes),
            else_=minutes,
        )
        seconds = sa.case(
            (sa.func.substr(raw, 17, 1) == text(":"), sa.func.substr(raw, 17, 3)), else_=text(":00")
        )
        return _moment_later("MINUTE", sa.func.concat(sa.func.substr(raw, 1, 16), seconds), -east)

    def _year(self, reading: Text) -> list[Condition]:
        return [self._shifts.c.year == sa.func.substr(reading, 1, 4)]

    def _moved(self, reading: Text, seconds: Number) -> Text:
        return sa.func.substr(_later_by("SECOND", seconds, sa.cast(reading, _DATETIME)), 1, 10)

    def _edges(self, day: Text, clock: Text, since: str, before: str) -> list[tuple[Condition, Text]]:
        return [
            (day == text(_FIRST_DAY), sa.case((clock >= text(since), day))),
            (day == text(_LAST_DAY), sa.case((clock < text(before), day))),
        ]

    def _number(self, column: sa.ColumnElement[Any]) -> Number:
        match stored(column):
            case Stored.INTEGER | Stored.BOOLEAN:
                return column
            case Stored.FRACTION | Stored.FLOAT:
                return sa.func.floor(column)
            case Stored.TEXT | Stored.OTHER:
                plain = written(column)
                cases = [(self._is_like(plain, WHOLE), _whole_number(plain))]
                if stored(column) is Stored.OTHER:
                    fraction = sa.and_(self._is_like(plain, FRACTION), sa.not_(_in_quotes(column)))
                    cases.append((fraction, sa.func.floor(sa.cast(plain, mysql.DECIMAL(38, 9)))))
                return sa.case(*cases)
            case _:
                return sa.cast(sa.null(), mysql.INTEGER())

    def _later(self, day: Text, unit: Unit, number: Number) -> Text:
        if unit in ("month", "year"):
            months = _whole_number(sa.func.left(day, 4)) * 12 + _whole_number(sa.func.substr(day, 6, 2)) - 1
            reached = months + (number * 12 if unit == "year" else number)
            in_range = reached <= _MONTHS
        else:
            reached = sa.func.to_days(sa.cast(day, sa.Date)) + (number * 7 if unit == "week" else number)
            in_range = reached <= sa.func.to_days(sa.literal_column(f"'{_LAST_DAY}'"))
        return sa.case((in_range, _later_by(_UNITS[unit], number, sa.cast(day, sa.Date))))


def bytewise(value: sa.ColumnElement[Any]) -> Text:
    """The value as text that compares byte by byte, whatever the column's own collation."""
    return sa.collate(sa.cast(value, mysql.CHAR(charset="utf8mb4")), BYTEWISE)


def _in_calendar(column: sa.ColumnElement[Any]) -> list[Condition]:
    """A column can hold 31 February, and a day or a month of nought."""
    return [
        sa.func.month(column) > 0,
        sa.func.dayofmonth(column).between(1, sa.func.dayofmonth(sa.func.last_day(column))),
    ]


def _real(column: sa.ColumnElement[Any]) -> Condition:
    valid = sa.and_(column >= _moment(dt.date.min), *_in_calendar(column))
    return sa.func.coalesce(valid, sa.false())


def _moment(day: dt.date) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"TIMESTAMP'{day} 00:00:00'")


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _later_by(unit: str, number: Number, moment: sa.ColumnElement[Any]) -> Text:
    return bytewise(sa.func.timestampadd(sa.literal_column(unit), number, moment))


def _moment_later(unit: str, reading: Text, number: Number) -> Text:
    """A clock reading so much later, as `YYYY-MM-DD HH:MM:SS`; NULL where that is beyond the calendar."""
    moment = sa.cast(sa.func.replace(reading, text("T"), text(" ")), _DATETIME)
    seconds = sa.func.time_to_sec(sa.func.substr(reading, 12)) + number * (60 if unit == "MINUTE" else 1)
    day = sa.func.left(reading, 10)
    beyond = sa.or_(
        sa.and_(day == text(_FIRST_DAY), seconds < 0), sa.and_(day == text(_LAST_DAY), seconds >= 86_400)
    )
    return sa.case((sa.not_(beyond), _later_by(unit, number, moment)))


def _in_quotes(column: sa.ColumnElement[Any]) -> Condition:
    """A value whose type is known only to the engine is a text: JSON writes it in quotes."""
    return sa.func.left(sa.func.json_array(column), 2) == text('["')


def _whole_number(value: sa.ColumnElement[Any]) -> Number:
    return sa.cast(value, mysql.INTEGER())

"""Dates in SQLite's SQL. Any column can hold a value of any type; dates are texts in SQLite's own spellings."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.retention.bulk.date_values import Bounds, Condition, Text, Typical, Value
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE, Days, Number, Unit, epoch_range, is_epoch, text
from staffords_gdpr.retention.bulk.sentinels import Sentinel
from staffords_gdpr.retention.bulk.written import written

_DATE = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"


class SqliteDays(Days):
    """See `Days`."""

    def _value(self, column: sa.ColumnElement[Any], kind: DateKind) -> Value:
        if not is_epoch(kind):
            raw = _text(column)
            return Value(raw, raw, "any")
        units, first, last = epoch_range(kind)
        number = _number(column)
        # rounded down, also before 1970
        seconds = number if units == 1 else (number - (number % units + units) % units) // units
        moment = sa.func.datetime(seconds, text("unixepoch"))
        in_range = sa.case((number.between(first, last), moment), else_=text(IMPOSSIBLE))
        return Value(in_range, written(column), "utc")

    def _typical(self, column: sa.ColumnElement[Any], kind: DateKind, bounds: Bounds) -> Typical | None:
        """SQLite writes a reading that it has computed with in one way, and no 31 February: a text that comes out as it
        went in is a date in that spelling.
        """
        if is_epoch(kind):
            return None
        raw = _text(column)
        tests: list[Condition] = [raw >= text(str(bounds.first)), raw < text(str(bounds.end))]
        if kind is DateKind.DAY:
            tests.append(sa.func.date(raw, text("+0 days")) == raw)
        else:
            tests.append(sa.func.datetime(raw, text("+0 days")) == raw)
        if bounds.clock is not None:
            since, before = map(text, bounds.clock)
            clock = sa.func.substr(raw, 12)
            tests += [clock >= since, clock < before]
        tests += [sa.or_(raw < text(str(day)), raw >= text(str(after))) for day, after in bounds.apart]
        return Typical(tests, sa.func.substr(raw, 1, 10))

    def _spells(self, value: Value, sentinel: Sentinel) -> Condition:
        raw = value.raw
        if value.form == "utc":
            second = sentinel.utc or f"{sentinel.day} {sentinel.minute}:{sentinel.second}"
            return sa.false() if sentinel.fraction else raw == text(second)
        # the texts of the same day and clock, and what may follow the minutes of one
        tail = _without_offset(sa.func.substr(raw, 20))
        fraction = sa.and_(
            sa.func.substr(tail, 1, 1) == text("."),
            sa.func.rtrim(sa.func.substr(tail, 2), "0") == text(sentinel.fraction),
            sa.func.length(tail) > 1,
        )
        even = sentinel.fraction == ""
        fits = sa.or_(tail == text(""), fraction) if even else fraction
        seconds_are_given = sa.func.substr(raw, 17, 1) == text(":")
        without = sa.and_(
            sa.literal(even and sentinel.second == "00"),
            _without_offset(sa.func.substr(raw, 17)) == text(""),
        )
        same_second = sa.and_(sa.func.substr(raw, 18, 2) == text(sentinel.second), fits)
        same_time = sa.and_(
            sa.func.substr(raw, 1, 10) == text(sentinel.day),
            sa.func.substr(raw, 11, 1).in_([text(" "), text("T")]),
            sa.func.substr(raw, 12, 5) == text(sentinel.minute),
            sa.case((seconds_are_given, same_second), else_=without),
        )
        same = sa.or_(raw == text(sentinel.day), same_time) if sentinel.whole_day else same_time
        if sentinel.utc is None:
            return same
        there = sa.and_(
            self._in_utc(raw) == text(sentinel.utc),
            sa.case((seconds_are_given, fits), else_=sa.literal(even)),
        )
        return sa.case((_has_offset(raw), there), else_=same)

    def _well_formed(self, raw: Text, kind: DateKind) -> Condition:
        """SQLite's own reader takes more (24:00, spaces), and gives 31 February back as it came: only by way of the
        Julian day does it become a day of March. So its answer is narrowed down.
        """
        day = sa.func.substr(raw, 1, 10)
        real_day = sa.and_(
            sa.func.typeof(raw) == text("text"),
            raw.op("GLOB", is_comparison=True)(text(_DATE + "*")),
            sa.func.date(sa.func.julianday(day)) == day,
        )
        if kind is DateKind.DAY:
            return sa.func.coalesce(real_day, sa.false())
        time = sa.func.substr(raw, 12)
        real_time = sa.and_(
            sa.func.substr(raw, 11, 1).in_([text(" "), text("T")]),
            sa.func.julianday(raw).is_not(None),
            time.op("GLOB", is_comparison=True)(text("[0-2][0-9]:*[0-9Z]")),
            time < text("24"),
            sa.not_(time.op("GLOB", is_comparison=True)(text("*[^0-9:.Z+-]*"))),
            sa.func.length(_without_offset(sa.func.substr(raw, 20))) <= 10,  # nanoseconds at the finest
        )
        return sa.func.coalesce(sa.and_(real_day, sa.or_(sa.func.length(raw) == 10, real_time)), sa.false())

    def _has_offset(self, raw: Text) -> Condition:
        return _has_offset(raw)

    def _in_utc(self, raw: Text) -> Text:
        """Without its fraction, which SQLite would round to the next second, or day."""
        ends_with_z: Number = sa.type_coerce(sa.func.substr(raw, -1, 1) == text("Z"), sa.Integer())
        places = sa.func.length(raw) - 25 + 5 * ends_with_z
        return sa.func.datetime(
            sa.func.replace(raw, sa.func.substr(raw, 20, sa.func.max(places, 0)), text(""))
        )

    def _moved(self, reading: Text, seconds: Number) -> Text:
        return sa.func.date(reading, seconds.concat(text(" seconds")))

    def _whole(self, amount: sa.ColumnElement[Any]) -> Number:
        number = _number(amount)
        return sa.case((sa.func.typeof(amount) != text("real"), number), (amount == number, number))

    def _later(self, day: Text, unit: Unit, number: Number) -> Text:
        if unit in ("day", "week"):
            days = number * 7 if unit == "week" else number
            return sa.func.date(day, sa.cast(days, sa.Text).concat(text(" days")))
        months = sa.cast(number * 12 if unit == "year" else number, sa.Text).concat(text(" months"))
        first = sa.func.date(day, text("start of month"), months)
        last = sa.func.date(first, text("+1 month"), text("-1 day"))
        place = sa.func.min(
            sa.func.substr(day, 9, 2), sa.func.substr(sa.func.coalesce(last, text("9999-12-31")), 9, 2)
        )
        return sa.func.substr(first, 1, 8).concat(place)


def _text(column: sa.ColumnElement[Any]) -> Text:
    """The column as it is, compared byte by byte: a column can take `NEVER`, or spaces at the end, for the same."""
    return sa.collate(sa.type_coerce(column, sa.String()), "BINARY")


def _number(column: sa.ColumnElement[Any]) -> Number:
    """A number rounded down, or the whole number that a text spells; NULL for anything else."""
    raw: Text = sa.type_coerce(column, sa.String())
    number: Number = sa.type_coerce(column, sa.Integer())
    cut: Number = sa.cast(number, sa.Integer)
    signed = raw.op("GLOB", is_comparison=True)(text("-[0-9]*"))
    spelled = sa.and_(
        sa.or_(signed, raw.op("GLOB", is_comparison=True)(text("[0-9]*"))),
        sa.not_(raw.op("GLOB", is_comparison=True)(text("?*[^0-9]*"))),
        sa.func.length(raw) <= 18 + sa.type_coerce(signed, sa.Integer()),
    )
    kind = sa.func.typeof(raw)
    return sa.case(
        (kind == text("integer"), number),
        (kind == text("real"), cut - sa.type_coerce(cut > number, sa.Integer())),
        (sa.and_(kind == text("text"), spelled), cut),
    )


def _has_offset(raw: Text) -> Condition:
    signed = sa.func.substr(raw, -6, 1).in_([text("+"), text("-")]) & (sa.func.length(raw) > 16)
    return sa.or_(sa.func.substr(raw, -1, 1) == text("Z"), signed)


def _without_offset(tail: Text) -> Text:
    """What follows a clock reading, without its offset from UTC."""
    signed = sa.func.substr(tail, -6, 1).in_([text("+"), text("-")])
    return sa.case(
        (sa.func.substr(tail, -1, 1) == text("Z"), sa.func.substr(tail, 1, sa.func.length(tail) - 1)),
        (signed, sa.func.substr(tail, 1, sa.func.length(tail) - 6)),
        else_=tail,
    )

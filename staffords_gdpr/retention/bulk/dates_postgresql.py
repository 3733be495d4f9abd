"""Dates in PostgreSQL's SQL. A cast of malformed text raises an error there, so that each stands behind a test in the
same CASE, whose order PostgreSQL keeps.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.retention.bulk.column_types import Stored, stored
from staffords_gdpr.retention.bulk.date_values import Bounds, Condition, Form, Text, Typical, Value
from staffords_gdpr.retention.bulk.dates import (
    IMPOSSIBLE,
    Number,
    Unit,
    epoch_range,
    is_epoch,
    text,
)
from staffords_gdpr.retention.bulk.dates_regex import FRACTION, WHOLE, RegexDays
from staffords_gdpr.retention.bulk.sentinels import Sentinel
from staffords_gdpr.retention.bulk.written import written

_FORMATS = {
    Stored.DATE: "YYYY-MM-DD",
    Stored.MOMENT: "YYYY-MM-DD HH24:MI:SS.US",
    Stored.ZONED: "YYYY-MM-DD HH24:MI:SS.US",
}
_FORMS: dict[Stored, Form] = {Stored.DATE: "day", Stored.MOMENT: "moment", Stored.ZONED: "utc"}
_FRACTIONS = ("numeric", "real", "double precision")
_SECOND = "YYYY-MM-DD HH24:MI:SS"
_MICROSECONDS = 6


class PostgresqlDays(RegexDays):
    """See `Days`."""

    def _matches(self, raw: sa.ColumnElement[Any], pattern: str) -> Condition:
        return raw.op("~", is_comparison=True)(text(pattern))

    def _value(self, column: sa.ColumnElement[Any], kind: DateKind) -> Value:
        how = stored(column)
        plain = written(column)
        if is_epoch(kind):
            units, first, last = epoch_range(kind)
            number = self._number(column)
            seconds = sa.cast(sa.func.floor(sa.cast(number, sa.Numeric) / units), sa.Float)
            moment = sa.func.to_char(
                sa.literal_column("TIMESTAMP '1970-01-01'")
                + seconds * sa.literal_column("INTERVAL '1 second'"),
                text(_SECOND),
            )
            # an INTEGER column would have the bounds be of its type, which they exceed
            in_range = number.between(sa.literal(first, sa.BigInteger), sa.literal(last, sa.BigInteger))
            known = sa.case((in_range, moment), else_=text(IMPOSSIBLE))
            return Value(bytewise(known), plain, "utc")
        if how not in _FORMATS:
            return Value(plain, plain, "any")
        there: sa.ColumnElement[Any] = (
            sa.func.timezone(text("UTC"), column) if how is Stored.ZONED else column
        )
        # years that have four digits: neither BC nor infinity
        real = sa.and_(there >= _constant("DATE", "0001-01-01"), there < _constant("DATE", "10000-01-01"))
        return Value(bytewise(sa.func.to_char(there, text(_FORMATS[how]))), plain, _FORMS[how], real, there)

    def _typical(self, column: sa.ColumnElement[Any], kind: DateKind, bounds: Bounds) -> Typical | None:
        how = stored(column)
        if is_epoch(kind) or how not in _FORMATS:
            return None
        there: sa.ColumnElement[Any] = (
            sa.func.timezone(text("UTC"), column) if how is Stored.ZONED else column
        )
        tests = [there >= _constant("DATE", bounds.first), there < _constant("DATE", bounds.end)]
        if bounds.clock is not None:
            time = sa.cast(there, sa.Time())
            since, before = bounds.clock
            tests += [time >= _constant("TIME", since), time < _constant("TIME", before)]
        for day, after in bounds.apart:
            tests.append(sa.or_(there < _constant("DATE", day), there >= _constant("DATE", after)))
        return Typical(tests, bytewise(sa.cast(sa.cast(there, sa.Date()), sa.Text)))

    def _is_moment(self, value: Value, sentinel: Sentinel, *, whole: bool) -> list[Condition]:
        assert value.moment is not None
        written_as = sentinel.utc if value.form == "utc" and not whole and sentinel.utc else None
        moment = written_as or f"{sentinel.day} {sentinel.minute}:{sentinel.second}"
        if not _is_real(moment[:10]) or len(sentinel.fraction) > _MICROSECONDS:
            return []
        if whole:
            same_day = sa.cast(value.moment, sa.Date()) == _constant("DATE", sentinel.day)
            return [same_day] if sentinel.whole_day else []
        return [value.moment == _constant("TIMESTAMP", f"{moment}.{sentinel.fraction or 0}")]

    def _in_utc(self, raw: Text) -> Text:
        whole = sa.func.regexp_replace(raw, text("[.][0-9]+"), text(""))  # a fraction would be rounded up
        moment = sa.func.timezone(text("UTC"), sa.cast(whole, postgresql.TIMESTAMP(timezone=True)))
        reading = sa.func.regexp_replace(
            sa.func.to_char(moment, text(_SECOND)), text("^[0-9]{5}.*"), text("")
        )
        return bytewise(sa.func.nullif(reading, text("")))  # the calendar ends with the year 9999

    def _moved(self, reading: Text, seconds: Number) -> Text:
        there = sa.cast(sa.func.substr(reading, 1, 19), postgresql.TIMESTAMP())
        moved = there + seconds * sa.literal_column("INTERVAL '1 second'")
        return bytewise(sa.func.to_char(moved, text("YYYY-MM-DD")))

    def _number(self, column: sa.ColumnElement[Any]) -> Number:
        match stored(column):
            case Stored.INTEGER:
                return column
            case Stored.FRACTION | Stored.FLOAT:
                return sa.func.floor(column)
            case Stored.TEXT:
                return sa.case((self._is_like(written(column), WHOLE), sa.cast(column, sa.Numeric)))
            case Stored.OTHER:
                plain, kind = written(column), sa.cast(sa.func.pg_typeof(column), sa.Text)
                number = sa.cast(plain, sa.Numeric)
                return sa.case(
                    (kind == text("boolean"), sa.null()),
                    (self._is_like(plain, WHOLE), number),
                    (
                        sa.and_(kind.in_(list(map(text, _FRACTIONS))), self._is_like(plain, FRACTION)),
                        sa.func.floor(number),
                    ),
                )
            case _:
                return sa.cast(sa.null(), sa.BigInteger)

    def _later(self, day: Text, unit: Unit, number: Number) -> Text:
        place = ("year", "month", "week", "day").index(unit)
        parts = [sa.literal(0, sa.Integer)] * place + [sa.cast(number, sa.Integer)]
        later = sa.cast(day, sa.Date) + sa.func.make_interval(*parts)
        return bytewise(sa.func.to_char(later, text("YYYY-MM-DD")))


def _is_real(day: str) -> bool:
    try:
        dt.date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _constant(kind: str, value: object) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"{kind} '{value}'")


def bytewise(value: sa.ColumnElement[Any]) -> Text:
    """A text that compares byte by byte, whatever the database's own collation."""
    return sa.collate(value, "C")

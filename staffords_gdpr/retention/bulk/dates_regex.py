"""What the engines share that know regular expressions, and real types for dates besides texts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.retention.bulk.column_types import Stored, stored
from staffords_gdpr.retention.bulk.date_values import Condition, Text, Value
from staffords_gdpr.retention.bulk.dates import Days, Number, text
from staffords_gdpr.retention.bulk.sentinels import OFFSET, Sentinel
from staffords_gdpr.retention.bulk.written import written

_YEAR = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"  # all but 0000
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][48]|[13579][26]|[2468]0)00)"
_IN_EVERY_YEAR = (
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
)
_DATE = f"({_YEAR}-({_IN_EVERY_YEAR})|{_LEAP}-02-29)"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_REAL_OFFSET = "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
WHOLE = "-?[0-9]{1,18}"
FRACTION = r"-?[0-9]{1,18}\.[0-9]+"


class RegexDays(Days):
    """See `Days`."""

    end = "$"  # of a regular expression: the end of the text, not of a line

    @abstractmethod
    def _matches(self, raw: sa.ColumnElement[Any], pattern: str) -> Condition:
        """Whether a text matches a regular expression, somewhere."""

    @abstractmethod
    def _number(self, column: sa.ColumnElement[Any]) -> Number:
        """A number rounded down, or the whole number that a text spells; NULL for anything else."""

    def _is_like(self, raw: sa.ColumnElement[Any], pattern: str) -> Condition:
        """Whether all of a text matches a regular expression."""
        return self._matches(raw, f"^{pattern}{self.end}")

    def _whole(self, amount: sa.ColumnElement[Any]) -> Number:
        number = self._number(amount)
        match stored(amount):
            case Stored.FRACTION | Stored.FLOAT:
                return sa.case((amount == number, number))
            case Stored.OTHER:
                return sa.case((self._is_like(written(amount), WHOLE), number))
            case _:
                return number

    def _spells(self, value: Value, sentinel: Sentinel) -> Condition:
        clock = sentinel.clock_pattern
        if sentinel.whole_day:
            clock = f"^{sentinel.day}({clock.removeprefix(f'^{sentinel.day}')}{OFFSET}?)?"
            same = self._matches(value.raw, clock + self.end)
        else:
            same = self._matches(value.raw, f"{clock}{OFFSET}?{self.end}")
        if sentinel.utc is None:
            return same
        fraction = rf"\.{sentinel.fraction}0*" if sentinel.fraction else r"(\.0+)?"
        if value.form == "utc":
            return self._matches(value.raw, f"^{sentinel.utc}{fraction}{self.end}")
        offset = sa.and_(self._well_formed(value.raw, DateKind.ZONED), self._has_offset(value.raw))
        before = rf":[0-9][0-9]{fraction}" if sentinel.fraction else rf":[0-9][0-9](:[0-9][0-9]{fraction})?"
        there = sa.and_(
            self._in_utc(value.raw) == text(sentinel.utc),
            self._matches(value.raw, f"{before}{OFFSET}{self.end}"),
        )
        return sa.case((offset, there), else_=same)

    def _well_formed(self, raw: Text, kind: DateKind) -> Condition:
        if kind is DateKind.DAY:
            return self._matches(raw, f"^{_DATE}")
        return self._matches(raw, f"^{_DATE}([T ]{_TIME}{_REAL_OFFSET}?)?{self.end}")

    def _has_offset(self, raw: Text) -> Condition:
        return self._matches(raw, f":[0-9.:]+{OFFSET}{self.end}")

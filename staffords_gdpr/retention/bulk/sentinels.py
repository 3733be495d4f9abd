"""The values of `empty_dates` that are dates: which texts spell the same moment."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

_SENTINEL = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
OFFSET = "(Z|[+-][0-9][0-9]:[0-9][0-9])"


@dataclass(frozen=True)
class Sentinel:
    """A moment that stands for "no date", in its parts: 0000-00-00 is one, though no calendar has it."""

    day: str
    minute: str = "00:00"
    second: str = "00"
    fraction: str = ""  # without zeros at its end
    offset: str | None = None

    @classmethod
    def read(cls, word: str) -> Sentinel | None:
        """The moment that a word of `empty_dates` spells; None where it is no date."""
        match = _SENTINEL.fullmatch(word)
        if match is None:
            return None
        day, minute, second, fraction, offset = match.groups()
        return cls(day, minute or "00:00", second or "00", (fraction or "").rstrip("0"), offset)

    @property
    def whole_day(self) -> bool:
        """It is the start of a day: a column of days can hold it."""
        return (self.minute, self.second, self.fraction) == ("00:00", "00", "")

    @property
    def utc(self) -> str | None:
        """The second in UTC; None without an offset, or where the calendar has no such moment."""
        if self.offset is None:
            return None
        offset = self.offset.replace("Z", "+00:00")
        try:
            moment = dt.datetime.fromisoformat(f"{self.day} {self.minute}:{self.second}{offset}")
            return str(moment.astimezone(dt.UTC).replace(tzinfo=None))
        except (ValueError, OverflowError):
            return None

    @property
    def clock_pattern(self) -> str:
        """A regular expression for the texts with this day and clock, up to an offset, but not without a clock."""
        fraction = rf"\.{self.fraction}0*" if self.fraction else r"(\.0+)?"
        second = f":{self.second}{fraction}"
        if self.second == "00" and not self.fraction:
            second = f"({second})?"
        return f"^{self.day}[T ]{self.minute}{second}"

"""What a date column is to the rules, before it is a day: how its values are spelled, and which of them are typical."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

Text = sa.ColumnElement[str]
Condition = sa.ColumnElement[bool]
Form = Literal["day", "moment", "utc", "any"]


@dataclass(frozen=True)
class Value:
    """A date column as text in one of the spellings that the rules know, and in which of them it can stand.

    `plain` is the value as it is written in the database: what words of `empty_dates` are compared with.
    """

    raw: Text
    plain: Text
    form: Form  # utc: a moment in UTC, written without an offset
    real: Condition | None = None
    """Of a column that the engine itself stores as dates: that the calendar has this one. Only then `raw` is right."""
    moment: sa.ColumnElement[Any] | None = None
    """Of such a column: the value as the engine compares it, without a zone."""


@dataclass(frozen=True)
class Typical:
    """Quick tests that are true of nearly all dates in a column, and the day of those of which they are true."""

    tests: Sequence[Condition]
    day: Text


@dataclass(frozen=True)
class Bounds:
    """Within what a date is typical: days (`first`, and before `end`), and clock readings (from, before) that lie on
    the same day in the policy's zone. `apart`: days that may mean "no date", each with the next.
    """

    first: dt.date
    end: dt.date
    clock: tuple[str, str] | None
    apart: Sequence[tuple[dt.date, dt.date]]

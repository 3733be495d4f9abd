"""The words in which both ways of deciding give their answer (R7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Every row, and every `sooner` step of a row, is in exactly one of these."""

    KEPT = "kept"
    HELD = "held"
    DUE = "due"
    UNDECIDABLE = "undecidable"
    ANONYMISED = "anonymised"


Key = tuple[object, ...]
"""A row's key: the values of its key columns, as the database gives them (int or str)."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of one row. `record` is the record type, or `payment.card` for a step.

    `last_day` is the last day on which it must still be there, None where it is not known.
    """

    record: str
    key: Key
    subject: Key | None
    state: State
    last_day: dt.date | None
    reason: str

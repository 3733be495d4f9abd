"""A page: what a result says to a person, before it is drawn on a terminal or written as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How loud a text is."""

    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True)
class Text:
    """A paragraph. It is wrapped on a terminal and left alone elsewhere."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Table:
    """A table. Numbers stand right, everything else left. A row may be shorter than the columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    numbers: frozenset[int] = frozenset()  # which columns hold numbers
    loud: frozenset[int] = frozenset()  # columns in which a number other than 0 wants to be seen


Block = Text | Table
Page = tuple[Block, ...]


def title(text: str) -> Text:
    return Text(text, Tone.TITLE)


def warn(text: str) -> Text:
    return Text(text, Tone.WARN)


def cell(value: object) -> str:
    """How a value stands in a table: thousands apart, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def count(number: int, singular: str, plural: str = "") -> str:
    """ "1 row", "1,200 rows" """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def key_text(key: Iterable[object]) -> str:
    """A row's key as it is typed after `gdpr explain`."""
    return " ".join(str(part) for part in key)

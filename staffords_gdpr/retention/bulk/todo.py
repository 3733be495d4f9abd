"""The list of what is due, in work tables, and how it is worked off: in chunks that follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class Todo:
    """How much there is to do: subjects, and rows without a subject."""

    subjects: int
    rows: int


@dataclass(frozen=True)
class Chunk:
    """Places on the list that follow each other: those after `after`, the first being 1, up to `last`."""

    after: int
    last: int

    def __len__(self) -> int:
        return self.last - self.after


def place() -> sa.Column[int]:
    """The column of a list for the places of its keys. By them it is worked off: what a driver makes of a key, of a
    rounded number or an ENUM, need not compare with others as the key itself does.
    """
    return sa.Column("place", sa.Integer, primary_key=True, autoincrement=False)


def keys_in(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns of a list that hold the keys."""
    return [column for column in table.c if not column.primary_key]


def listing_of(table: sa.Table, keys: sa.Select[Any]) -> sa.Insert:
    """Write keys, each of which comes once, onto a list, in their order."""
    found = keys.subquery()
    numbers = sa.func.row_number().over(order_by=list(found.c))
    return sa.insert(table).from_select(table.c.keys(), sa.select(numbers, *found.c))


def chunks(total: int, size: Callable[[], int]) -> Iterator[Chunk]:
    """All places of a list of so many; each time as many as `size` then says. The keys stay in the database."""
    after = 0
    while after < total:
        chunk = Chunk(after, min(after + size(), total))
        yield chunk
        after = chunk.last


def of_chunk(table: sa.Table, chunk: Chunk) -> sa.Select[Any]:
    """The keys at these places of a list, in their order."""
    here = table.c.place.between(chunk.after + 1, chunk.last)
    return sa.select(*keys_in(table)).where(here).order_by(table.c.place)

"""The list of what is due, in work tables, and how it is worked off: in chunks that follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class Todo:
    """How much there is to do: subjects, and rows without one. The rows of the first `plain` subjects are listed."""

    subjects: int
    rows: int
    plain: int = 0

    def __add__(self, other: Todo) -> Todo:
        return Todo(self.subjects + other.subjects, self.rows + other.rows, self.plain + other.plain)


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


def listing_of(
    table: sa.Table, keys: sa.Select[Any], facts: sa.Table | None = None, last: sa.Table | None = None
) -> sa.Insert:
    """Write keys, each of which comes once, onto a list, in their order; those in `last` after all others. The rest of
    the list's columns are those of `facts` for the same key.
    """
    found = keys.subquery()
    order: list[sa.ColumnElement[Any]] = list(found.c)
    if last is not None:
        order.insert(0, sa.case((sa.exists().where(_same(last, found)), 1), else_=0))
    columns = [sa.func.row_number().over(order_by=order), *found.c]
    source: sa.FromClause = found
    if facts is not None:
        columns += list(facts.c)[len(found.c) :]
        source = found.join(facts, _same(facts, found))
    return sa.insert(table).from_select(table.c.keys(), sa.select(*columns).select_from(source))


def _same(table: sa.FromClause, keys: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(one == other for one, other in zip(table.c, keys.c, strict=False)))


def chunks(total: int, size: Callable[[], int], after: int = 0) -> Iterator[Chunk]:
    """All places of a list after one, up to `total`; each time as many as `size` then says. The keys stay in the
    database.
    """
    while after < total:
        chunk = Chunk(after, min(after + size(), total))
        yield chunk
        after = chunk.last


def of_chunk(table: sa.Table, keys: Sequence[sa.ColumnElement[Any]], chunk: Chunk) -> sa.Select[Any]:
    """The keys at these places of a list, in their order."""
    here = table.c.place.between(chunk.after + 1, chunk.last)
    return sa.select(*keys).where(here).order_by(table.c.place)

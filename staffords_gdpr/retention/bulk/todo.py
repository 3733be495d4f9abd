"""The list of what is due, in work tables, and how it is worked off: in chunks that follow each other by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.retention.states import Key


@dataclass(frozen=True)
class Todo:
    """How much there is to do: subjects, and rows without a subject."""

    subjects: int
    rows: int


@dataclass(frozen=True)
class Chunk:
    """Keys of the list that follow each other: those after `after` (None: from the first on) up to `last`."""

    after: Key | None
    last: Key
    size: int

    def __len__(self) -> int:
        return self.size


def chunks(connection: sa.Connection, table: sa.Table, size: Callable[[], int]) -> Iterator[Chunk]:
    """The keys in a table, in their order; each time as many as `size` then says. They stay in the database."""
    columns = list(table.c)
    after: Key | None = None
    while True:
        wanted = size()
        rest = sa.select(*columns).where(*_after(table, after))
        last = connection.execute(rest.order_by(*columns).limit(1).offset(wanted - 1)).first()
        if last is None:
            wanted = connection.execute(sa.select(sa.func.count()).select_from(rest.subquery())).scalar_one()
            backwards = rest.order_by(*(column.desc() for column in columns))
            last = connection.execute(backwards.limit(1)).first()
        if last is None:
            return
        yield Chunk(after, tuple(last), wanted)
        after = tuple(last)


def keys_of(connection: sa.Connection, table: sa.Table, size: Callable[[], int]) -> Iterator[list[Key]]:
    """The same with the keys themselves."""
    for chunk in chunks(connection, table, size):
        query = sa.select(*table.c).where(*between(table, chunk)).order_by(*table.c)
        yield [tuple(row) for row in connection.execute(query)]


def between(table: sa.Table, chunk: Chunk) -> list[sa.ColumnElement[bool]]:
    """That a key in the table belongs to a chunk."""
    key, last = _compared(table, chunk.last)
    return [*_after(table, chunk.after), key <= last]


def _after(table: sa.Table, after: Key | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    key, other = _compared(table, after)
    return [key > other]


def _compared(table: sa.Table, value: Key) -> tuple[Any, Any]:
    columns = list(table.c)
    if len(columns) == 1:
        return columns[0], sa.literal(value[0], columns[0].type)
    return sa.tuple_(*columns), sa.tuple_(*value)

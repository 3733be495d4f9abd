"""The locks of a batch: nobody changes what the rules read for its rows, from the decision until the commit.

First the rows that the batch is about, in the order of their keys, then what hangs below them, what they refer to,
and the rows on the ways there, also where a way breaks off. Of rows without a subject what there is of owners, too.

PostgreSQL: FOR UPDATE on these rows. Whoever adds a row with a declared foreign key to one of them has to lock it, and
waits. Nothing makes them wait where a link is not declared, so its table is locked against writing; that is asked for
first, and not for long: writers queue up behind.

MariaDB: locking reads that go through each link's index from owner to row, which locks the gaps between its entries,
too, and so keeps out rows that are not there yet. Under REPEATABLE READ these reads, and the rules' own INSERT …
SELECT, see what is committed and not a snapshot.

SQLite: BEGIN IMMEDIATE has locked the whole database.

Where several servers write to the same database (a MariaDB cluster), the same is locked on each.

Look-up tables of conditions are not locked on PostgreSQL: what they say is how the firm works, and holds for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.policy.models import Hop

TABLE_SECONDS = 3
"""How long PostgreSQL may take to lock a table: as long as that, nobody else writes to it."""

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class _Way:
    """Tables joined one after the other, from a work table with keys outwards. `locked`: those whose rows to lock.
    `ends`: the columns to go on from, by their names in the table at the end.
    """

    joined: sa.FromClause
    ends: Mapping[str, sa.ColumnElement[Any]]
    locked: tuple[sa.FromClause, ...]
    chosen: tuple[sa.ColumnElement[bool], ...] = ()  # which of the keys in the work table

    def to(self, name: str, pairs: Pairs, *, own_first: bool = True) -> _Way:
        """One table further. `pairs`: its columns, and those of the table at the end (or the other way round)."""
        pairs = [pair if own_first else pair[::-1] for pair in pairs]
        table = sa.table(name, *(sa.column(own) for own, _ in pairs)).alias()
        return self.over(table, pairs)

    def over(self, table: sa.FromClause, pairs: Pairs) -> _Way:
        same = [table.c[own] == self.ends[other] for own, other in pairs]
        ends = dict(table.c.items())
        return _Way(self.joined.join(table, sa.and_(*same)), ends, (*self.locked, table), self.chosen)

    def anew(self) -> _Way:
        """The same way, all of which is locked already."""
        return _Way(self.joined, self.ends, (), self.chosen)


def lock_rows(connection: sa.Connection, catalogue: Catalogue, scopes: Mapping[str, sa.Table]) -> None:
    """Lock the rows whose keys stand in work tables, by record type, and all that the rules read for them.

    For a subject without a table (`values_of`) the work table holds its values. Called at the beginning of a
    transaction that `begin(lock=True)` began.
    """
    if connection.dialect.name == "sqlite":
        return
    filled = {name: table for name, table in scopes.items() if _any(connection, table)}
    if connection.dialect.name == "postgresql":
        _lock_tables(connection, unguarded(catalogue, owners=set(filled) != {catalogue.policy.subject}))
        for table in filled.values():
            connection.execute(
                sa.text(f"ANALYZE {table.name}")
            )  # or a batch of ten is planned like a million
    for host in hosts(connection, filled.values()):
        for name, table in filled.items():
            for way in _ways(catalogue, name, table):
                _lock(host, way)
    backend_of(connection).confirm_locks(connection)


class ChunkLocks:
    """The same for subjects whose keys stand on a list: in the columns `key` of the rows of `listed` that are `chosen`.

    The statements are written once, for many batches, and nothing but them is asked before all is locked: on MariaDB
    the first question without a lock would fix what all later ones see. For one host; see `hosts`.
    """

    def __init__(
        self,
        connection: sa.Connection,
        catalogue: Catalogue,
        listed: sa.Table,
        key: Sequence[sa.ColumnElement[Any]],
        chosen: sa.ColumnElement[bool],
    ) -> None:
        dialect = connection.dialect.name
        self._tables = unguarded(catalogue, owners=False) if dialect == "postgresql" else set()
        ways = _ways(catalogue, catalogue.policy.subject, listed, key, (chosen,))
        self._statements = [_locking(dialect, way) for way in ways] if dialect != "sqlite" else []

    def take(self, connection: sa.Connection, values: Mapping[str, int]) -> None:
        """Lock them; `values` are those of `chosen`. Called at the beginning of a transaction, like `lock_rows`."""
        if self._tables:
            _lock_tables(connection, self._tables)
        for statement in self._statements:
            connection.execute(statement, values).scalar_one()


def hosts(connection: sa.Connection, tables: Iterable[sa.Table] = ()) -> Sequence[sa.Connection]:
    """The connections by which to lock rows: those to other hosts that write to the same database, where these work
    tables are made and filled like here, and then this one. In the end the engine has to confirm the locks.
    """
    others = backend_of(connection).others(connection)
    for table in tables if others else ():
        rows = [row._asdict() for row in connection.execute(sa.select(table))]
        for other in others:
            other.execute(sa.schema.CreateTable(table, if_not_exists=True))
            other.execute(sa.delete(table))
            if rows:
                other.execute(sa.insert(table), rows)
    return (*others, connection)


def lock_everything(connection: sa.Connection, catalogue: Catalogue) -> None:
    """Lock every table that the rules read against changes."""
    names = {bound.table for bound in catalogue.records.values()}
    names |= {edge.source_table for edge in catalogue.edges if edge.source is not None}
    names |= {hop.table for bound in catalogue.records.values() for hops in _all_hops(bound) for hop in hops}
    if connection.dialect.name == "postgresql":
        _lock_tables(connection, names | unguarded(catalogue, owners=False))
    elif connection.dialect.name != "sqlite":
        for name in sorted(names | {edge.source_table for edge in catalogue.edges}):
            # for update: a lock for reading would stop at the index that it counts by
            every = sa.select(sa.func.count()).select_from(sa.table(name)).with_for_update()
            for host in hosts(connection):
                host.execute(every)
        backend_of(connection).confirm_locks(connection)


# -- rows ----------------------------------------------------------------------------------------------------------


def _ways(
    catalogue: Catalogue,
    record: str,
    scope: sa.Table,
    key: Sequence[sa.ColumnElement[Any]] = (),
    chosen: tuple[sa.ColumnElement[bool], ...] = (),
) -> Iterator[_Way]:
    """The rows of the scope, then everything below them, each followed by what its rows read and are read by.

    `key`: the columns of the scope's key, if not all. `chosen`: which of its rows.
    """
    bound = catalogue.records.get(record)
    key = key or list(scope.columns)
    if bound is None:
        # a subject that is a value: its rows are found by the one column of the scope
        value = sa.select(key[0].label("value")).select_from(scope).subquery()
        yield from _below(catalogue, record, _Way(value, dict(value.c.items()), ()))
        return
    keys = _Way(scope, dict(zip(bound.key, key, strict=True)), (), chosen)
    details = catalogue.tables[bound.table].details
    # if not, a row can have another spelling of its key by now
    exact = all(details[name].exact for name in bound.key)
    way = keys.over(bound.sa_table.alias(), [(name, name) for name in bound.key])
    yield way
    yield from _beside(catalogue, bound, way.anew())
    if record != catalogue.policy.subject:
        # rows without a subject: none must appear, nor a way to one
        yield from _above(catalogue, bound, way.anew())
    yield from _below(catalogue, record, way.anew(), keys if exact else None)


def _above(catalogue: Catalogue, bound: Bound, way: _Way) -> Iterator[_Way]:
    """From rows to their owners, and to theirs, as far as there are any."""
    link = bound.owner
    if link is None:
        return
    ends = link.ends or (link.columns,)
    for between in _forward(link.through, way, {own for end in ends for own, _ in end}):
        yield between
        way = between.anew()
    owner = catalogue.records.get(link.target)
    if owner is None:
        return
    for end in ends:
        up = way.over(owner.sa_table.alias(), [pair[::-1] for pair in end])
        yield up
        if owner is not bound:
            yield from _above(catalogue, owner, up.anew())


def _below(catalogue: Catalogue, record: str, way: _Way, keys: _Way | None = None) -> Iterator[_Way]:
    """What hangs below rows. `keys`: the way to their keys alone, which most links hold; no row is read twice then."""
    for bound in catalogue.records.values():
        if bound.owner is None or bound.owner.target != record or bound.record.name == record:
            continue
        for end in bound.owner.ends or (bound.owner.columns,):
            down = start = keys if keys and {other for _, other in end} <= keys.ends.keys() else way
            for down in _down(bound, bound.owner, end, start):
                yield down
            yield from _beside(catalogue, bound, down.anew())
            # a row between them that has no owner yet could get one that keeps the row
            yield from _forward(bound.owner.through, down.anew())
            yield from _below(catalogue, bound.record.name, down.anew())


def _down(bound: Bound, owner: Edge, end: Pairs, way: _Way) -> Iterator[_Way]:
    """From an owner to its rows, table by table: a row between them is locked though nothing hangs on it yet."""
    links: list[Pairs] = [end, *(tuple((b, o) for o, b in hop.on.items()) for hop in reversed(owner.through))]
    names = [hop.table for hop in reversed(owner.through)]
    for name, pairs, nearer in zip(names, links, links[1:], strict=False):
        columns = {column for column, _ in pairs} | {column for _, column in nearer}
        way = way.over(sa.table(name, *map(sa.column, sorted(columns))).alias(), pairs)
        yield way
        way = way.anew()
    yield way.over(bound.sa_table.alias(), links[-1])


def _beside(catalogue: Catalogue, bound: Bound, way: _Way) -> Iterator[_Way]:
    """What the rules read for rows: rows on the way to their dates, rows they refer to, rows that refer to them."""
    for date in bound.dates.values():
        if date.through:
            yield from _forward(date.through, way)
    for edge in bound.refers:
        if edge.direct and edge.target in catalogue.records:
            target = catalogue.records[edge.target]
            there = way.over(target.sa_table.alias(), [pair[::-1] for pair in edge.columns])
            yield there
            for date in target.dates.values():
                if date.through:
                    yield from _forward(date.through, there.anew())
    for edge in catalogue.edges:
        if edge.target == bound.record.name and edge.kind == "refers_to" and not _declared(catalogue, edge):
            yield way.to(edge.source_table, edge.columns)


def _forward(hops: Sequence[Hop], way: _Way, last: Iterable[str] = ()) -> Iterator[_Way]:
    """Away from rows, table by table, as in `_down`. `last`: the columns of the last table to go on from."""
    for place, hop in enumerate(hops):
        further = hops[place + 1].on.values() if place + 1 < len(hops) else last
        table = sa.table(hop.table, *map(sa.column, sorted({*hop.on, *further}))).alias()
        way = way.over(table, hop.on.items())
        yield way
        way = way.anew()


def _lock(connection: sa.Connection, way: _Way) -> None:
    connection.execute(_locking(connection.dialect.name, way)).scalar_one()


def _locking(dialect: str, way: _Way) -> sa.Select[Any]:
    if dialect == "postgresql":
        rows: sa.Select[tuple[int]] = (
            sa.select(sa.literal_column("1"))
            .select_from(way.joined)
            .where(*way.chosen)
            .order_by(*list(way.ends.values())[:1])
        )
        locked = rows.with_for_update(of=list(way.locked)).subquery()
        return sa.select(sa.func.count()).select_from(locked)
    # in this order, or a small table would be read, and locked, as a whole
    counted = sa.select(sa.func.count()).select_from(way.joined).where(*way.chosen)
    return counted.prefix_with("STRAIGHT_JOIN").with_for_update()


def _any(connection: sa.Connection, table: sa.Table) -> bool:
    return (
        connection.execute(sa.select(sa.literal_column("1")).select_from(table).limit(1)).first() is not None
    )


# -- tables --------------------------------------------------------------------------------------------------------


def _lock_tables(connection: sa.Connection, names: Iterable[str]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    wanted = ", ".join(quote(name) for name in sorted(names))
    if not wanted:
        return
    usual = connection.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar_one()
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_SECONDS}s'")
    connection.exec_driver_sql(f"LOCK TABLE {wanted} IN SHARE ROW EXCLUSIVE MODE")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{usual}'")


def unguarded(catalogue: Catalogue, *, owners: bool) -> set[str]:
    """The tables to which a row of a link can be added without touching the row that it refers to.

    `owners`: the tables of owners as well, where rows without an owner are looked at, and one could appear.
    """
    found: set[str] = set()
    virtual = [bound.owner for bound in catalogue.records.values() if bound.owner]
    for edge in (*catalogue.edges, *virtual):
        target = catalogue.records.get(edge.target)
        steps = list(_steps(edge.source_table, edge.through))
        last = edge.through[-1].table if edge.through else edge.source_table
        for end in edge.ends or (edge.columns,):
            if target is None or not _guards(catalogue, last, target.table, end):
                found.add(last)
                if owners and target is not None and edge.kind == "belongs_to":
                    found.add(target.table)
        found |= {name for name, before, pairs in steps if not _linked(catalogue, name, before, pairs)}
    for bound in catalogue.records.values():
        for date in bound.dates.values():
            for name, before, pairs in _steps(bound.table, date.through):
                if not _linked(catalogue, name, before, pairs):
                    found.add(name)
    return found


def _declared(catalogue: Catalogue, edge: Edge) -> bool:
    return _guards(catalogue, edge.source_table, catalogue.records[edge.target].table, edge.columns)


def _linked(catalogue: Catalogue, table: str, before: str, pairs: Pairs) -> bool:
    """Whether a foreign key, in either direction, is part of the step from one table of a way to the next."""
    return _guards(catalogue, table, before, pairs) or _guards(
        catalogue, before, table, [pair[::-1] for pair in pairs]
    )


def _guards(catalogue: Catalogue, table: str, target: str, pairs: Pairs) -> bool:
    """Whether a declared foreign key makes whoever links a row lock the other one first."""
    wanted = set(pairs)
    return any(
        key.target == target and set(zip(key.columns, key.target_columns, strict=True)) <= wanted
        for key in catalogue.tables[table].foreign_keys
    )


def _steps(table: str, hops: Sequence[Hop]) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each table of a way, the one before it, and the columns of both."""
    for hop in hops:
        yield hop.table, table, list(hop.on.items())
        table = hop.table


def _all_hops(bound: Bound) -> Iterator[Sequence[Hop]]:
    yield bound.owner.through if bound.owner else ()
    yield from (date.through for date in bound.dates.values())

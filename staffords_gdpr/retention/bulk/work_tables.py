"""Work tables as each engine wants them: names that are free, keys that it can index, and counts for its planner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import sqlalchemy as sa

_PREFIX = "gdpr_work_"
_NUMBER = "gdpr_work"
_MANY = 1000  # fewer rows are quickly read in whatever way the planner chooses
_INDEXED_BYTES = 3072  # what InnoDB takes for a key
_BYTES_A_CHARACTER = 4
_PART = 64  # characters of a text that is too long for a key


class WorkTables:
    """Makes the work tables of one `Work`. Their names are its own, also beside others on the same connection.

    On MariaDB they stay InnoDB's, though Aria's are filled faster: of two transactions in a deadlock InnoDB ends the
    one that has written to no other engine's tables, which would be the operator's.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._metadata = sa.MetaData()
        self._prefix = f"{_PREFIX}{next(connection.info.setdefault(_NUMBER, count()))}_"
        self._dialect = connection.dialect.name
        self._mariadb = self._dialect in ("mysql", "mariadb")
        self._keys: dict[sa.Table, list[str]] = {}  # of the tables that get them from `index_keys`
        self._rows: dict[sa.Table, int] = {}  # that the largest statement wrote
        self._indexed: set[sa.Table] = set()

    def table(self, name: str, columns: Sequence[sa.Column[Any]], *, key_later: bool = False) -> sa.Table:
        """A table that `make` will make. `key_later`: large statements fill it, and then `index_keys` is called.
        Row by row PostgreSQL takes longer for the index of a key than for the rows.
        """
        key = [column for column in columns if column.primary_key]
        later = key_later and self._dialect == "postgresql"
        whole = not later and (not self._mariadb or _fits(key))
        if not whole:
            for column in key:
                column.primary_key = False
        table = sa.Table(
            self._prefix + name,
            self._metadata,
            *columns,
            prefixes=["TEMPORARY"],
            sqlite_with_rowid=not key,
        )
        if later:
            self._keys[table] = [column.name for column in key]
        elif key and not whole:
            self.index(table, [column.name for column in key])
        return table

    def index_keys(self) -> None:
        """To be called when tables with `key_later` were filled: they get the index of their key."""
        for table in (self._keys.keys() & self._rows.keys()) - self._indexed:
            columns = ", ".join(self._keys[table])
            self._connection.exec_driver_sql(
                f'CREATE UNIQUE INDEX IF NOT EXISTS "{table.name}_key" ON "{table.name}" ({columns})'
            )
            self._indexed.add(table)

    def _let_grow(self, tables: Sequence[sa.Table]) -> None:
        """Do away with indexes that were made when there were few rows: many may come now."""
        for table in self._indexed.intersection(tables):
            if self._rows[table] < _MANY:
                self._indexed.remove(table)
                self._connection.exec_driver_sql(f'DROP INDEX IF EXISTS pg_temp."{table.name}_key"')

    def forget(self) -> None:
        """To be called after a rollback, which may have undone an index."""
        self._indexed.clear()

    def index(self, table: sa.Table, names: Sequence[str]) -> sa.Index:
        """An index over columns of a table, of which several rows can hold the same; `make` makes it with its table."""
        columns = [table.c[name] for name in names]
        parts = {name: _PART for name, column in zip(names, columns, strict=True) if _is_long(column)}
        return sa.Index(f"{table.name}_{names[0]}", *columns, mysql_length=parts, mariadb_length=parts)

    def index_now(self, table: sa.Table, wanted: Sequence[Sequence[str]]) -> None:
        """The same of a table that is there and filled, for each of `wanted`, unless it has such an index."""
        known = {index.name for index in table.indexes}
        new = [self.index(table, names) for names in wanted if f"{table.name}_{names[0]}" not in known]
        if not self._mariadb:
            for index in new:
                index.create(self._connection)
        elif new:
            # MariaDB copies the table for each statement
            made = (str(sa.schema.CreateIndex(index).compile(self._connection)) for index in new)
            parts = (text.removeprefix("CREATE ").partition(f" ON {table.name} ") for text in made)
            added = ", ".join(f"ADD {index} {columns}" for index, _, columns in parts)
            self._connection.exec_driver_sql(f"ALTER TABLE `{table.name}` {added}")

    def make(self) -> None:
        self._metadata.create_all(self._connection, checkfirst=False)

    def drop(self) -> None:
        self._metadata.drop_all(self._connection, checkfirst=False)

    def clear(self, tables: Sequence[sa.Table]) -> None:
        """Empty tables. PostgreSQL keeps what it deletes until somebody vacuums, which nobody does to temporary tables:
        each batch would read past the rows of all before it.
        """
        if self._dialect == "postgresql":
            names = ", ".join(f'"{table.name}"' for table in tables)
            self._connection.exec_driver_sql(f"TRUNCATE {names}")
            self._let_grow(tables)
            return
        for table in tables:
            self._connection.execute(sa.delete(table))

    def renew(self, tables: Sequence[sa.Table]) -> None:
        """Have nothing in these tables that MariaDB would read past: it does so, too, unless a table is made anew. That
        ends a transaction, so never call this in one that locks anything.
        """
        if self._mariadb:
            for table in tables:
                self._connection.exec_driver_sql(f"DROP TEMPORARY TABLE `{table.name}`")
                table.create(self._connection)

    def reset(self, tables: Sequence[sa.Table]) -> None:
        """Empty tables, so that nothing is read past on any engine. The same holds as for `renew`."""
        (self.renew if self._mariadb else self.clear)(tables)

    def filled(self, table: sa.FromClause, rows: int) -> None:
        """Let the planner know of what was written: only so does PostgreSQL count the rows of temporary tables.

        Without that it reads them once for each row of another: a decision over 120 000 rows took a minute, not 4 s.
        """
        if self._dialect != "postgresql" or not isinstance(table, sa.Table):
            return
        if rows:
            self._rows[table] = max(rows, self._rows.get(table, 0))
        if rows > _MANY:
            # a sample of a tenth is enough to tell a thousand rows from a million
            self._connection.exec_driver_sql(
                f'SET default_statistics_target = 10; ANALYZE "{table.name}"; RESET default_statistics_target'
            )


def _fits(key: Sequence[sa.Column[Any]]) -> bool:
    """Whether MariaDB takes these columns as a key, whole."""
    lengths = [getattr(column.type, "length", None) if _is_text(column) else 8 for column in key]
    if any(length is None for length in lengths):
        return False
    return sum(length * _BYTES_A_CHARACTER for length in lengths if length) <= _INDEXED_BYTES


def _is_long(column: sa.Column[Any]) -> bool:
    if not _is_text(column):
        return False
    length = getattr(column.type, "length", None)
    return length is None or length > _PART


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.String)

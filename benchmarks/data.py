"""The database that is measured: the demonstration's firm, but busier and older, and the same on every engine.

About eleven rows a customer, and three customers in five have been gone for longer than the policy keeps them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from staffords_gdpr.operations.demo.data import write_database
from staffords_gdpr.operations.demo.life import GONE, Rows, Trade, lives
from staffords_gdpr.operations.demo.schema import metadata

BUSY = Trade(ageing=1.85, troubles=(0.07, 0.20, 0.28, 0.23, 0.12, 0.10))
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
NEW = Trade(years=1)  # nothing of it is due yet


@dataclass(frozen=True)
class Size:
    """Which database: as many customers of such a trade, with this seed, as of `today`."""

    customers: int
    today: dt.date
    seed: int = 1
    trade: Trade = BUSY

    @property
    def name(self) -> str:
        return f"{self.customers}-{self.seed}-{'new' if self.trade is NEW else 'busy'}-{self.today}"

    def rows(self) -> Iterator[Rows]:
        return lives(customers=self.customers, seed=self.seed, today=self.today, trade=self.trade)


def write_sqlite(path: Path, size: Size) -> dict[str, int]:
    """A new SQLite file. Returns how many rows each table has."""
    counts = write_database(
        path, customers=size.customers, seed=size.seed, today=size.today, trade=size.trade
    )
    return dict(counts.rows)


def write_server(connection: sa.Connection, size: Size, scratch: Path) -> dict[str, int]:
    """The same in an empty database of a server, by way of files in `scratch`. Returns how many rows each table has.

    A server enforces foreign keys, so rows whose customer or product is gone have lost the link to it too.
    """
    tables = metadata.sorted_tables
    if connection.dialect.name != "postgresql":
        # the rows are known to be sound; to look at each again would write every table anew
        connection.exec_driver_sql("SET foreign_key_checks = 0, unique_checks = 0")
    for table in tables:
        connection.execute(CreateTable(table, include_foreign_key_constraints=[]))
    written: Counter[str] = Counter()
    for rows in _larger(size.rows()):
        for table in tables:
            path = scratch / f"{table.name}.tsv"
            path.write_text("".join(map(_line, rows[table.name])), encoding="utf-8")
            _load(connection, table.name, path)
            written[table.name] += len(rows[table.name])
            path.unlink()
    for table in tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(CreateIndex(index))
    for table in tables:
        for key in table.foreign_key_constraints:
            # otherwise every CREATE TABLE that this process makes from now on would leave it out
            connection.execute(AddConstraint(key, isolate_from_table=False))
    return dict(written)


def _load(connection: sa.Connection, table: str, path: Path) -> None:
    """Add the rows of a file: both servers read tab-separated values, and escapes, alike."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            copy.write(path.read_bytes())
    else:
        connection.exec_driver_sql(f"LOAD DATA INFILE '{path}' INTO TABLE {table} CHARACTER SET utf8mb4")


def _larger(chunks: Iterator[Rows], least: int = 20_000) -> Iterator[Mapping[str, Sequence[tuple[Any, ...]]]]:
    """The same rows in fewer chunks."""
    gathered: dict[str, list[tuple[Any, ...]]] = {table: [] for table in metadata.tables}
    customers = 0
    for rows in chunks:
        for table, some in rows.items():
            gathered[table] += some
        customers += len(rows.get("customers", ()))
        if customers >= least:
            yield gathered
            gathered = {table: [] for table in metadata.tables}
            customers = 0
    yield gathered


def _line(row: tuple[Any, ...]) -> str:
    return "\t".join(map(_text, row)) + "\n"


def _text(value: object) -> str:
    if value is None or (isinstance(value, int) and value > GONE):
        return r"\N"
    return str(value).translate(_ESCAPES)


def contents(connection: sa.Connection) -> dict[str, str]:
    """How many rows every table has, and a number made of all that they hold."""
    return {
        table.name: " rows, checksum ".join(map(str, _checksum(connection, table)))
        for table in metadata.sorted_tables
    }


def _checksum(connection: sa.Connection, table: sa.Table) -> tuple[int, int]:
    match connection.dialect.name:
        case "postgresql":
            query = f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table.name} t"
            rows, checksum = connection.exec_driver_sql(query).one()
        case "sqlite":
            digest, rows = hashlib.sha256(), 0
            for rows, row in enumerate(  # noqa: B007  the last number is how many there are
                connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY id"), start=1
            ):
                digest.update(repr(tuple(row)).encode())
            checksum = int.from_bytes(digest.digest()[:8])
        case _:
            rows = connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one()
            _, checksum = connection.exec_driver_sql(f"CHECKSUM TABLE {table.name} EXTENDED").one()
    return rows, checksum

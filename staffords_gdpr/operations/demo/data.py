"""Write the demonstration's database."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from staffords_gdpr.errors import DatabaseError, UsageError
from staffords_gdpr.operations.demo.life import Rows, Trade, lives
from staffords_gdpr.operations.demo.schema import metadata
from staffords_gdpr.progress import SILENT, Progress


@dataclass(frozen=True)
class DemoCounts:
    """What was written: rows of every table."""

    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def write_database(
    path: Path,
    *,
    customers: int,
    seed: int,
    today: dt.date,
    trade: Trade | None = None,
    progress: Progress = SILENT,
) -> DemoCounts:
    """Write a call-management database with eight years of history before `today` to a new SQLite file.

    The same arguments give the same rows. Returns the number of rows of every table. Raises UsageError where
    the file exists already (it is never overwritten) or cannot be made, DatabaseError where the disk does not
    take it.
    """
    if customers < 1:
        raise UsageError(f"A database of {customers} customers is not possible.", "Ask for at least 1.")
    _claim(path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return _write(
                connection,
                lives(customers=customers, seed=seed, today=today, trade=trade),
                customers,
                progress,
            )
    except BaseException as error:
        path.unlink(missing_ok=True)  # half a database is worse than none
        if isinstance(error, sqlite3.Error):
            raise DatabaseError(
                f"The database {path} could not be written: {error}.", "Is the disk full?"
            ) from error
        raise


def _claim(path: Path) -> None:
    """Make the empty file, so that nobody else's file can be hit between a check and the writing."""
    try:
        path.open("xb").close()
    except FileExistsError:
        raise UsageError(
            f"{path} exists already and is not overwritten.",
            "Name another folder, or remove the file yourself.",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Name a folder that you may write to."
        ) from error


def _write(
    connection: sqlite3.Connection, told: Iterator[Rows], customers: int, progress: Progress
) -> DemoCounts:
    dialect = sqlite.dialect()
    # A crash loses the file anyway, so nothing needs to be safe while it is built. Foreign keys are declared
    # but not enforced here: some rows are orphans on purpose.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    inserts = {}
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        inserts[table.name] = str(sa.insert(table).compile(dialect=dialect))

    written: Counter[str] = Counter()
    progress.start("Writing the call-management database", customers)
    for rows in told:
        for name, insert in inserts.items():
            connection.executemany(insert, rows.get(name, []))
            written[name] += len(rows.get(name, []))
        progress.advance(len(rows.get("customers", [])))
    for table in metadata.sorted_tables:  # after the rows: one sort instead of a million look-ups
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = DELETE")
    progress.finish()
    return DemoCounts(rows={table.name: written[table.name] for table in metadata.sorted_tables})

"""SQLite: one file, and a write-ahead log beside it where the application uses one.

Every connection of ours that writes overwrites rows as they go (`PRAGMA secure_delete`, see engines/sqlite). Copies
that SQLite has left in free space before, moving rows from page to page, are not overwritten: only VACUUM, which
writes the file anew, leaves them behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from staffords_gdpr.database.reclaim.base import Guarantee, Reclaimed, Words
from staffords_gdpr.policy.models import Reclaim

TAKES = "write access to the file and its folder, and room there for a second copy of the file"
_REMAINS = "blocks of the disk where SQLite's journal and temporary files lay, backups and copies of the file"
_REWRITTEN = Guarantee("no erased row is in the file, nor in its write-ahead log", _REMAINS)
GUARANTEES: dict[Reclaim, Guarantee] = {
    "no": Guarantee(
        "erased rows are overwritten where they were",
        f"copies in free space of the file that SQLite made when it moved rows; {_REMAINS}",
    ),
    "vacuum": _REWRITTEN,
    "full": _REWRITTEN,
}


def reclaim(
    connection: sa.Connection, tables: Sequence[str], level: Reclaim, patience: float, words: Words
) -> Iterator[Reclaimed]:
    """Write the file anew, where the level says so, and empty the write-ahead log."""
    database = connection.connection.driver_connection
    assert isinstance(database, sqlite3.Connection)
    path = Path(connection.engine.url.database or "")
    before = _size(path)
    how = "emptying the write-ahead log" if level == "no" else "VACUUM"
    failures = []
    try:
        if level != "no":
            _forget_samples(database, tables)
            database.execute("VACUUM")
    except sqlite3.Error as error:
        failures.append(words(sa.exc.OperationalError("VACUUM", None, error)))
    try:
        # the new pages are in the log first, and the old ones in the file until they are copied over
        if database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            failures.append("keeps old rows in its write-ahead log, because another program is reading")
    except sqlite3.Error as error:
        failures.append(words(sa.exc.OperationalError("checkpoint", None, error)))
    yield Reclaimed(path.name, how, before, _size(path), "; ".join(dict.fromkeys(failures)))


def _forget_samples(database: sqlite3.Connection, tables: Sequence[str]) -> None:
    """Work the statistics out anew where an ANALYZE has put whole values of rows into them: they are rows like any
    other, which VACUUM keeps.
    """
    try:
        found = database.execute("SELECT DISTINCT tbl FROM sqlite_stat4").fetchall()
    except sqlite3.OperationalError:
        return  # this database has none
    wanted = {table.casefold() for table in tables}
    for (table,) in found:
        if table.casefold() in wanted:
            database.execute('ANALYZE "{}"'.format(table.replace('"', '""')))


def _size(path: Path) -> int:
    """The file and its write-ahead log."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())

"""MariaDB: erased rows are taken out of the pages by the server's own purge; OPTIMIZE TABLE writes the table anew."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from staffords_gdpr.database.reclaim.base import Guarantee, Reclaimed, Words
from staffords_gdpr.policy.models import Reclaim

TAKES = "PROCESS, to see how far the server's purge is; and for `full` SELECT and INSERT on the tables"
_REMAINS = (
    "the undo logs (ibdata1, undo*) unless innodb_immediate_scrub_data_uncompressed is ON; the redo log until it is "
    "written over, binary logs, replicas, backups; on the disk itself until the pages are written, and in the "
    "blocks of removed files"
)
GUARANTEES: dict[Reclaim, Guarantee] = {
    "no": Guarantee(
        "the rows cannot be read by SQL any more", f"many of them in the table's files; {_REMAINS}"
    ),
    "vacuum": Guarantee(
        "the server has taken the rows and their old versions out of the tables",
        f"many of them, in free space of the table's files unless that setting is ON; {_REMAINS}",
    ),
    "full": Guarantee("no erased row is in the files of the tables", _REMAINS),
}
_LOOKS = 3  # an idle server looks every ten seconds or so whether anybody still reads
_UNDO = "undo logs"
_SOMETHING = "gdpr_work_something"
_SIZE = """
    SELECT file_size FROM information_schema.innodb_sys_tablespaces
    WHERE name = concat(
        CAST(CONVERT(database() USING filename) AS BINARY), '/', CAST(CONVERT(%s USING filename) AS BINARY)
    )"""
"""Of the table's own file: information_schema.tables has what the statistics say, which come later."""
_PURGED = re.compile(r"Trx id counter (\d+)\s+Purge done for trx's n:o < (\d+)")


def reclaim(
    connection: sa.Connection, tables: Sequence[str], level: Reclaim, patience: float, words: Words
) -> Iterator[Reclaimed]:
    """Wait for the server's purge; with `full` then write each table anew, in which nobody can write for a moment at
    the beginning and the end.
    """
    if level == "no":
        return
    connection = connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        failure = _wait_for_purge(connection, patience)
    except sa.exc.DBAPIError as error:
        if connection.invalidated:
            raise
        failure = f"cannot be watched: the server {words(error)}"
    yield Reclaimed(_UNDO, "waiting for the server's purge", None, None, failure)
    if level != "full":
        return
    own_files = connection.exec_driver_sql("SELECT @@GLOBAL.innodb_file_per_table").scalar_one()
    for table in tables:
        before, failure = _size(connection, table), ""
        try:
            failure = _rebuild(connection, table)
        except sa.exc.DBAPIError as error:
            if connection.invalidated:
                raise
            failure = words(error)
        if not own_files and not failure:
            failure = "lies in the system's file, which keeps its old pages (innodb_file_per_table is OFF)"
        yield Reclaimed(table, "OPTIMIZE TABLE", before, _size(connection, table), failure)


def _wait_for_purge(connection: sa.Connection, patience: float) -> str:
    """Wait until the server has purged all that was committed before; what is wrong where it does not get there."""
    started = time.monotonic()
    until, done = _how_far(connection)
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {_SOMETHING} (n INTEGER) ENGINE = InnoDB"
    )
    while done < until:
        if time.monotonic() - started > _LOOKS * patience:
            return "keep old rows, which an open transaction may still read"
        # an idle server purges no more than now and then: it wakes up when somebody commits
        connection.exec_driver_sql(f"INSERT INTO {_SOMETHING} VALUES (1)")
        time.sleep(0.1)
        _, done = _how_far(connection)
    return ""


def _how_far(connection: sa.Connection) -> tuple[int, int]:
    """The number that the next transaction will have, and the one up to which everything is purged."""
    status = connection.exec_driver_sql("SHOW ENGINE INNODB STATUS").one()[2]
    found = _PURGED.search(status)
    return (int(found[1]), int(found[2])) if found else (1, 0)


def _rebuild(connection: sa.Connection, table: str) -> str:
    name = connection.dialect.identifier_preparer.quote_identifier(table).replace("%", "%%")
    said = [(row[2], row[3]) for row in connection.exec_driver_sql(f"OPTIMIZE TABLE {name}")]
    faults = [text for kind, text in said if kind.lower() == "error"]
    if any("lock wait" in text.lower() for text in faults):
        return "is locked by another program for too long"
    # other messages may quote values of rows
    return f"could not be rebuilt; OPTIMIZE TABLE {table} by hand says why" if faults else ""


def _size(connection: sa.Connection, table: str) -> int | None:
    try:
        found = connection.exec_driver_sql(_SIZE, (table,)).scalar_one_or_none()
    except sa.exc.DBAPIError:
        if connection.invalidated:
            raise
        return None  # not everybody may ask
    return int(found) if found is not None else None

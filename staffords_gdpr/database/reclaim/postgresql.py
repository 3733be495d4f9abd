"""PostgreSQL: VACUUM frees the space of dead rows beside running work, VACUUM FULL writes tables and indexes anew.

Both work the table's statistics out anew (ANALYZE), because these hold values of rows: the most common ones, and some
from between.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.reclaim.base import Guarantee, Reclaimed, Words
from staffords_gdpr.policy.models import Reclaim

TAKES = "to own the tables or the database, or (from PostgreSQL 17) MAINTAIN on the tables"
_REMAINS = (
    "the write-ahead log (pg_wal) until it is written over, its archive, standby servers, backups; the system's old "
    "statistics; on the disk itself until the next checkpoint, and in the blocks of removed files"
)
_NOTHING = "the rows cannot be read by SQL any more"
GUARANTEES: dict[Reclaim, Guarantee] = {
    "no": Guarantee(_NOTHING, f"all of them in the table's files, until autovacuum comes; {_REMAINS}"),
    "vacuum": Guarantee(
        "the space of the rows is free to be used again, and the statistics know them no more",
        f"many of the rows, in free space of the table's and the indexes' files until it is used again; {_REMAINS}",
    ),
    "full": Guarantee("no erased row is in the files of the tables and their indexes", _REMAINS),
}

_LOOK_SECONDS = 0.1
_SIZE = sa.text("SELECT pg_total_relation_size(to_regclass(:name))")
_WHO_HOLDS = sa.text(
    """
    SELECT 'an open transaction of process ' || pid FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND coalesce(leader_pid, pid) NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
      AND (age(backend_xid) > age(CAST(:mark AS xid)) AND (:full OR datname = current_database())
           OR age(backend_xmin) > age(CAST(:mark AS xid)) AND (datname = current_database() OR datname IS NULL))
    UNION ALL
    SELECT 'a prepared transaction' FROM pg_prepared_xacts
    WHERE (:full OR database = current_database()) AND age(transaction) > age(CAST(:mark AS xid))
    UNION ALL
    SELECT 'the replication slot ' || slot_name FROM pg_replication_slots
    WHERE age(xmin) > age(CAST(:mark AS xid))"""
)
"""Who keeps VACUUM from rows that were deleted before the mark: whose snapshot is older than that. Not another
VACUUM's, which PostgreSQL leaves out, too; but autovacuum also runs ANALYZE, which counts. VACUUM FULL has a snapshot
itself, and that is as old as the oldest transaction of the whole server that writes. The type of a process is not
asked: who may not see it would get NULL."""


def reclaim(
    connection: sa.Connection, tables: Sequence[str], level: Reclaim, patience: float, words: Words
) -> Iterator[Reclaimed]:
    """VACUUM of each table; with `full` it waits `lock_timeout` until nobody uses the table, and keeps it so.

    Before, it waits `patience` seconds in all until nobody may still read the rows.
    """
    if level == "no":
        return
    connection = connection.execution_options(isolation_level="AUTOCOMMIT")
    warnings: list[str] = []

    def listen(notice: Any) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary)

    connection.connection.driver_connection.add_notice_handler(listen)  # type: ignore[union-attr]
    how = "VACUUM FULL" if level == "full" else "VACUUM"
    command = "VACUUM (FULL, ANALYZE)" if level == "full" else "VACUUM (ANALYZE)"
    mark = str(connection.exec_driver_sql("SELECT pg_current_xact_id()::xid").scalar_one())
    until = time.monotonic() + patience
    for table in tables:
        name = connection.dialect.identifier_preparer.quote_identifier(table)
        before = after = None
        warnings.clear()
        try:
            before = connection.execute(_SIZE, {"name": name}).scalar_one()
            # asked before, not after: who lets go meanwhile has kept VACUUM from these rows all the same
            while (holding := _who_holds(connection, mark, level)) and time.monotonic() < until:
                time.sleep(_LOOK_SECONDS)
            connection.exec_driver_sql(f"{command} {name.replace('%', '%%')}")
            after = connection.execute(_SIZE, {"name": name}).scalar_one()
        except sa.exc.DBAPIError as error:
            if connection.invalidated:
                raise
            yield Reclaimed(table, how, before, after, words(error))
            continue
        failure = ""
        if warnings:
            failure = f"was not done: the server says '{warnings[0]}'"
        elif holding:
            failure = f"keeps the dead rows, which {holding[0]} may still read"
        yield Reclaimed(table, how, before, after, failure)


def _who_holds(connection: sa.Connection, mark: str, level: Reclaim) -> list[str]:
    return [who for (who,) in connection.execute(_WHO_HOLDS, {"mark": mark, "full": level == "full"})]

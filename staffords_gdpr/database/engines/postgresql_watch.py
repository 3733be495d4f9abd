"""Whether nobody else has written on PostgreSQL: by the numbers of the transactions that wrote.

Whoever changes a row takes the next number, and is seen by others once the transaction has ended. So between two
snapshots nobody else has changed anything if every number that was given out at the second, and was not done at the
first, is one of ours. Autovacuum takes some, and so do other databases of the server: then nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from staffords_gdpr.database.engines.base import Watch

__all__ = ["note", "noting", "watched"]

_NUMBERS, _PROCESS = "gdpr_numbers", "gdpr_process"
_MOST = 1_000_000
"""So many transactions since a decision are not all ours."""
_CYCLE = 2**32
"""In the list of locks a number is what is left of it by this."""

_OURS = """
    SELECT transactionid::text::bigint FROM pg_locks
    WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted AND pid = ANY(%s)"""
"""Every transaction that writes holds a lock on its own number, and so does each part of it (savepoint)."""
_SEEN = f"""
    SELECT pg_snapshot_xmax(seen)::text::bigint,
           ARRAY(SELECT number::text::bigint FROM pg_snapshot_xip(seen) AS number),
           ARRAY({_OURS}),
           EXISTS (SELECT 1 FROM pg_class WHERE relkind = 'f')
    FROM (SELECT pg_current_snapshot() AS seen OFFSET 0) AS now"""
"""The first number that was not given out yet, or whose transaction goes on, as does that of any above; those below of
which it does; ours; and whether there are tables that another server keeps, where none of this counts."""


class _Numbers:
    """The numbers of what connections of ours have written since they began to watch."""

    def __init__(self) -> None:
        self.processes: set[int] = set()  # of the server, one for each such connection
        self.ended: set[int] = set()


def noting(engine: sa.Engine) -> None:
    """Have the transactions of this engine's connections noted, each from when it is `watched`."""
    numbers = _Numbers()

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        record.info[_NUMBERS], record.info[_PROCESS] = numbers, connection.info.backend_pid

    @event.listens_for(engine, "close")
    def _close(_connection: Any, record: Any) -> None:
        numbers.processes.discard(record.info.get(_PROCESS, 0))

    @event.listens_for(engine, "commit")
    def _commit(connection: sa.Connection) -> None:
        # an error here is one of the COMMIT: PostgreSQL would take that for a ROLLBACK now, and not say so
        note(connection)

    @event.listens_for(engine, "rollback")
    def _rollback(connection: sa.Connection) -> None:
        # what is not noted, as of a transaction that has failed, is taken for somebody else's
        if not connection.invalidated and _is_well(connection):
            with suppress(sa.exc.DBAPIError):
                note(connection)


def note(connection: sa.Connection) -> None:
    """To be called before a transaction ends, or a savepoint in which something was written: remember its number."""
    numbers, process = connection.info[_NUMBERS], connection.info[_PROCESS]
    if process in numbers.processes:
        numbers.ended.update(connection.exec_driver_sql(_OURS, ([process],)).scalars())


def _is_well(connection: sa.Connection) -> bool:
    driver = connection.connection.dbapi_connection
    return driver is not None and driver.info.transaction_status.name == "INTRANS"


def watched(connections: Sequence[sa.Connection]) -> Sequence[Watch] | None:
    """See `Backend.watch`."""
    for connection in connections:
        connection.info[_NUMBERS].processes.add(connection.info[_PROCESS])
    told = [found for connection in connections if (found := _watched(connection)) is not None]
    return told if len(told) == len(connections) else None


def _watched(connection: sa.Connection) -> Watch | None:
    numbers = connection.info[_NUMBERS]

    def seen() -> tuple[int, list[int], list[int], bool]:
        return tuple(connection.exec_driver_sql(_SEEN, (list(numbers.processes),)).one())

    def are_ours(some: Iterable[int], locked: list[int]) -> bool:
        # what has ended since it was seen is among those that were noted, as that came before
        return all(number % _CYCLE in locked or number % _CYCLE in numbers.ended for number in some)

    first, going_on, locked, elsewhere = seen()
    if elsewhere or not are_ours(going_on, locked):
        return None

    def unchanged() -> bool:
        nonlocal first
        last, _, locked, _ = seen()
        if last - first >= _MOST or not are_ours(range(first, last), locked):
            return False
        first = last  # those below have been looked at
        return True

    return Watch(unchanged)

"""A session on MariaDB: its settings, how long it waits, and transactions for reading only."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from staffords_gdpr.database.engines.base import (
    LOCK_SECONDS,
    READING,
    SHORT,
    SHORT_SECONDS,
    makes_work_tables,
)
from staffords_gdpr.database.engines.mariadb_cluster import join, leave
from staffords_gdpr.database.engines.mariadb_watch import note

_SQL_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""Strict, but without NO_ZERO_DATE and NO_ZERO_IN_DATE: zero dates are there, and have to be read and compared with."""

_LOCKS = re.compile(r"\s*UPDATE\s", re.IGNORECASE)
"""What locks, whatever the isolation, the rows that it reads of other tables, if it names several or is made to."""

_LONG = "SET SESSION max_statement_time = @gdpr_statement, idle_write_transaction_timeout = @gdpr_idle"
_SHORT = f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}, " + ", ".join(
    # what the user's own limit is, if that is shorter; 0 is none
    f"{name} = IF({usual} = 0, {SHORT_SECONDS}, LEAST({usual}, {SHORT_SECONDS}))"
    for name, usual in (
        ("max_statement_time", "@gdpr_statement"),
        ("idle_write_transaction_timeout", "@gdpr_idle"),
    )
)


def prepare(engine: sa.Engine, *, only_read: bool, patience: float) -> None:
    """Settings of the session, and transactions for reading in which only work tables can be written.

    MariaDB makes no temporary table in a transaction that is read-only. As each statement of a reading transaction
    sees the rows of its own moment, it loses nothing by being ended for that and begun again.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        seconds = max(1, int(patience))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET SESSION time_zone = '+00:00', sql_mode = '{_SQL_MODE}', autocommit = 0, "
                f"innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}, "
                "@gdpr_statement = @@max_statement_time, @gdpr_idle = @@idle_write_transaction_timeout"
            )
            (_read_only if only_read else _read_and_write)(cursor)
            join(cursor, record.info)

    @event.listens_for(engine, "close")
    def _close(connection: Any, record: Any) -> None:
        leave(record.info)

    def reading(connection: sa.Connection) -> bool:
        return bool(connection.get_execution_options().get(READING, only_read))

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        with closing(connection.connection.cursor()) as cursor:
            (_read_only if reading(connection) else _read_and_write)(cursor)
            if not only_read:
                short = connection.get_execution_options().get(SHORT, False)
                cursor.execute(
                    _SHORT if short else f"{_LONG}, innodb_lock_wait_timeout = {max(1, int(patience))}"
                )

    @event.listens_for(engine, "commit")
    def _commit(connection: sa.Connection) -> None:
        note(connection)

    @event.listens_for(engine, "rollback")
    def _rollback(connection: sa.Connection) -> None:
        if not connection.invalidated:
            with suppress(sa.exc.DBAPIError):
                note(connection)

    @event.listens_for(engine, "before_cursor_execute")
    def _before(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if reading(connection) and makes_work_tables(statement):
            cursor.execute("COMMIT")
            _read_and_write(cursor)

    @event.listens_for(engine, "after_cursor_execute")
    def _after(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if reading(connection) and makes_work_tables(statement):
            cursor.execute("COMMIT")
            _read_only(cursor)
        elif reading(connection) and _LOCKS.match(statement):
            with closing(connection.connection.cursor()) as other:  # the first one's count is still asked for
                other.execute("COMMIT")


def _read_only(cursor: Any) -> None:
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY")


def _read_and_write(cursor: Any) -> None:
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE")

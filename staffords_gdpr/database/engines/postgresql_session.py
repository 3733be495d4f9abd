"""A session on PostgreSQL: its settings, how long it waits, and transactions for reading only."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from staffords_gdpr.database.engines.base import LOCK_SECONDS, READING, SHORT_SECONDS, makes_work_tables
from staffords_gdpr.database.engines.postgresql_watch import note, noting

_AS_TEXT = ("date", "timestamp", "timestamptz", "time", "timetz", "interval", "uuid")
"""Types that come as the text that PostgreSQL writes: Python has no `infinity`, and no year 20000."""

_MEMORY = "; ".join(
    f"SELECT set_config('{name}', '{size}', false) "
    f"WHERE pg_size_bytes(current_setting('{name}')) < pg_size_bytes('{size}')"
    for name, size in (("temp_buffers", "64MB"), ("work_mem", "32MB"))
)
"""For the work tables of a decision: PostgreSQL's own settings are made for many small queries at a time."""
_BY_INDEX = "; ".join(
    f"SET LOCAL {setting}"
    for setting in ("enable_seqscan = off", "random_page_cost = 1", "plan_cache_mode = force_generic_plan")
)
"""A batch reads few rows of large tables: the pages of those that it is about to erase, which it will need anyway."""
SHORT_BATCH = f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; {_BY_INDEX}; " + "; ".join(
    # what the user's own limit is, if that is shorter; 0 is none
    f"""SELECT set_config('{name}', '{SHORT_SECONDS}s', true)
        WHERE current_setting('{name}') = '0' OR current_setting('{name}')::interval > '{SHORT_SECONDS} s'"""
    for name in ("statement_timeout", "idle_in_transaction_session_timeout")
)
"""What a batch begins with."""


def prepare(engine: sa.Engine, *, only_read: bool, patience: float) -> None:
    """Settings of the session, and transactions for reading in which only work tables can be written.

    PostgreSQL makes no temporary table in a transaction that is read-only. So only a part of it is: a savepoint that
    is released for making one, and set again after. The snapshot is that of the transaction.
    """
    noting(engine)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        from psycopg.types.string import TextLoader

        class ZonedLoader(TextLoader):
            """The offset with its minutes, as every reader of dates knows it. It is that of the session, UTC."""

            def load(self, data: Any) -> str | bytes:
                text = super().load(data)
                return f"{text}:00" if isinstance(text, str) and text.endswith("+00") else text

        for name in _AS_TEXT:
            connection.adapters.register_loader(name, ZonedLoader if name == "timestamptz" else TextLoader)
        with connection.cursor() as cursor:
            # row_security: an error where some rows would be hidden from this user, instead of not seeing them
            cursor.execute(
                f"SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET row_security = off; SET jit = off; "
                f"SET lock_timeout = {max(1, int(patience * 1000))}; SET standard_conforming_strings = on; "
                f"{_MEMORY}; "
                # what the log calls erased must have outlived the server, also where the firm's own commits need not
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
        connection.commit()
        if only_read:
            from psycopg import IsolationLevel

            connection.isolation_level = IsolationLevel.REPEATABLE_READ

    def reading(connection: sa.Connection) -> bool:
        return bool(connection.get_execution_options().get(READING, only_read))

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if reading(connection):
            with closing(connection.connection.cursor()) as cursor:
                _set_reading(cursor)

    @event.listens_for(engine, "before_cursor_execute")
    def _before(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if reading(connection) and makes_work_tables(statement):
            note(connection)
            cursor.execute("RELEASE SAVEPOINT gdpr_reading")

    @event.listens_for(engine, "after_cursor_execute")
    def _after(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if reading(connection) and makes_work_tables(statement):
            _set_reading(cursor)


def _set_reading(cursor: Any) -> None:
    cursor.execute("SAVEPOINT gdpr_reading")
    cursor.execute("SET TRANSACTION READ ONLY")

"""Opening a database, and saying in plain words why it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event

from staffords_gdpr.errors import DatabaseError, UsageError

SUPPORTED = {"sqlite": "SQLite"}
BUSY_SECONDS = 10
LOCKING = "gdpr_begin"
_CACHE_KIB = 65_536
_CHANGING = {
    getattr(sqlite3, f"SQLITE_{action}")
    for action in (
        "INSERT", "UPDATE", "DELETE", "CREATE_TABLE", "CREATE_INDEX", "CREATE_TRIGGER", "CREATE_VIEW", "ALTER_TABLE",
        "DROP_TABLE", "DROP_INDEX", "DROP_TRIGGER", "DROP_VIEW", "REINDEX",
    )
}  # fmt: skip


def connect(url: str, *, write: bool) -> sa.Engine:
    """An engine for a SQLAlchemy URL, tried once.

    Without `write` the database is opened read-only, so that nothing can be changed by mistake. Raises UsageError for
    a URL that is none or names an engine that is not supported, DatabaseError where the database does not answer.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except sa.exc.ArgumentError:
        raise UsageError(
            "the database URL cannot be read",
            "write it as in sqlite:////var/lib/calls/calls.db (four slashes)",
        ) from None
    if backend not in SUPPORTED:
        raise UsageError(
            f"{backend} is not supported: gdpr is not tested on it, and so will not erase there",
            f"supported: {', '.join(SUPPORTED.values())}",
        )
    engine = _sqlite(parsed, write=write)
    with connected(engine) as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    return engine


@contextmanager
def connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose driver errors come out as DatabaseError (exit 6), in words and with a way on."""
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise translated(error, engine.url) from error


def translated(error: sa.exc.DBAPIError, url: sa.URL) -> DatabaseError:
    """What a driver's error means to the person at the terminal. Never quotes rows or parameters."""
    said = str(error.orig).lower()
    name = url.render_as_string(hide_password=True)
    known = {
        "not a database": ("is not a SQLite database", "check the path in the URL"),
        "malformed": (
            "is damaged: SQLite cannot read it",
            "restore it from a backup; PRAGMA integrity_check tells more",
        ),
        "locked": (
            "is locked by another program",
            f"gdpr waited {BUSY_SECONDS} s; run again when that program is done",
        ),
        "readonly": (
            "may only be read by this user",
            "give the user that runs gdpr write access to file and folder",
        ),
        "not authorized": ("was opened for reading only", "nothing was changed; please report the command"),
        "unable to open": ("cannot be opened", "check that the file and its folder may be read by this user"),
        "disk is full": (
            "cannot be written: the disk is full",
            "free some space and run again; nothing was lost",
        ),
        "foreign key": (
            "refused the change: another row still refers to a row to be erased",
            "nothing was changed; please report this together with the schema",
        ),
    }
    for sign, (what, hint) in known.items():
        if sign in said:
            return DatabaseError(f"{name} {what}", hint)
    return DatabaseError(f"{name}: the database answered {type(error.orig).__name__}: {error.orig}")


def _sqlite(url: sa.URL, *, write: bool) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise UsageError("the database URL names no file", "write it as in sqlite:////var/lib/calls/calls.db")
    path = Path(url.database)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise DatabaseError(f"{path} {what}", "check GDPR_DATABASE_URL, or database_url in gdpr.toml")
    if write and not (os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)):
        raise DatabaseError(
            f"{path} may only be read by this user",
            "give the user that runs gdpr write access to the file and to its folder (SQLite keeps a journal there)",
        )
    uri = f"file:{quote(str(path.resolve()))}?{'mode=rw' if write else _reading(path.resolve())}"
    engine = sa.create_engine(
        "sqlite+pysqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None),
        poolclass=sa.pool.NullPool,
    )
    # the creator hides the file from the engine: give it back for messages and the database's identity
    engine.url = url
    prepare(engine, only_read=not write)
    return engine


def _reading(path: Path) -> str:
    """How to open a file for reading so that nothing is left beside it.

    In WAL mode SQLite makes two files beside the database, and only a connection that may write takes them away
    again. Where nobody has it open and this user cannot write there, it is read as a file that does not change.
    """
    with path.open("rb") as file:
        header = file.read(20)
    in_wal_mode = header[18:20] == b"\2\2"
    if not in_wal_mode or path.with_name(path.name + "-wal").exists():
        return "mode=ro"
    return (
        "mode=rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "mode=ro&immutable=1"
    )


def prepare(engine: sa.Engine, *, only_read: bool = False) -> None:
    """Make transactions of the SQLite driver real: they begin when SQLAlchemy says so.

    `only_read`: refuse every statement that would change the database, whatever the file's mode; temporary tables go.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        if only_read:
            connection.set_authorizer(_only_reading)

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(LOCKING, "BEGIN"))


def _only_reading(action: int, _what: object, _where: object, schema: str | None, _by: object) -> int:
    changes = action in _CHANGING and schema == "main"
    return sqlite3.SQLITE_DENY if changes else sqlite3.SQLITE_OK


def begin(connection: sa.Connection, *, lock: bool) -> sa.Transaction:
    """Begin a transaction. With `lock` nobody else changes the database until it ends, and foreign keys are checked
    at the commit, so that rows which refer to each other can go together.
    """
    connection.execution_options(**{LOCKING: "BEGIN IMMEDIATE" if lock else "BEGIN"})
    transaction = connection.begin()
    if lock:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    return transaction


def changes_so_far(connection: sa.Connection) -> int:
    """How many rows this connection has changed since it was opened, also through triggers and cascades."""
    return int(connection.connection.driver_connection.total_changes)  # type: ignore[union-attr]

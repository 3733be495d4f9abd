"""Opening a database, and saying in plain words why it cannot be used. What an engine does its own way: engines/."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from staffords_gdpr.database.engines import backend_for, backend_of
from staffords_gdpr.database.engines.base import Watch
from staffords_gdpr.database.engines.sqlite import prepare
from staffords_gdpr.errors import DatabaseError, UsageError

__all__ = [
    "Watch",
    "begin",
    "changes_so_far",
    "check_deferred",
    "commit_refused",
    "connect",
    "connected",
    "interrupt",
    "may_pass",
    "prepare",
    "translated",
    "watch",
]

BUSY_SECONDS: float = 10
_SECRET = {"password", "passwd", "sslpassword", "ssl_key_password"}


def connect(url: str, *, write: bool) -> sa.Engine:
    """An engine for a SQLAlchemy URL, tried once.

    Without `write` the database is opened read-only, so that nothing can be changed by mistake. Raises UsageError for
    a URL that is none or names an engine that is not supported, DatabaseError where the database does not answer.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise UsageError(
            "the database URL cannot be read",
            "write it as in sqlite:////var/lib/calls/calls.db (four slashes), or postgresql://gdpr@localhost/calls",
        ) from None
    backend = backend_for(parsed)
    engine = backend.open(parsed, write=write, patience=BUSY_SECONDS)
    with _known(), connected(engine) as connection:
        backend.probe(connection)
        if write and backend.is_replica(connection):
            raise DatabaseError(
                f"{_shown(parsed)} is a replica, or was made read-only: what is erased there comes back",
                "give the URL of the server to which the others follow",
            )
    return engine


@contextmanager
def _known() -> Iterator[None]:
    """A server whose version SQLAlchemy cannot read is none of those that gdpr is tested on."""
    try:
        yield
    except AssertionError as error:
        if not str(error).startswith("Could not determine version"):
            raise
        raise UsageError(
            "this server is not supported: gdpr is not tested on it, and so will not erase there",
            "it speaks the language of one that is, but calls itself something else",
        ) from error


@contextmanager
def connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose driver errors come out as DatabaseError (exit 6), in words and with a way on."""
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise translated(error, engine) from error
    except engine.dialect.loaded_dbapi.Error as error:
        # from where we talk to the driver itself: when a transaction begins
        raise translated(sa.exc.DBAPIError(None, None, error), engine) from error


def translated(error: sa.exc.DBAPIError, engine: sa.Engine) -> DatabaseError:
    """What a driver's error means to the person at the terminal. Never quotes rows or parameters."""
    what, hint = backend_of(engine).meaning(error, BUSY_SECONDS)
    return DatabaseError(f"{_shown(engine.url)} {what}", hint)


def begin(connection: sa.Connection, *, lock: bool, short: bool = False) -> sa.Transaction:
    """Begin a transaction.

    With `lock` it can write, and sees what others commit. On SQLite nobody else changes the database until it ends;
    elsewhere see `locks`. Without, it is for reading (on SQLite nothing enforces that here), and rows are read as they
    were at the beginning (on MariaDB: as they are when each statement begins).

    One that is `short` is ended by a server where it waits 3 s for a lock, where a statement takes a minute, or where
    nothing is heard from us for as long, so that nobody waits longer than that for what it has locked.
    """
    return backend_of(connection).begin(connection, lock=lock, short=short)


def may_pass(connection: sa.Connection, error: sa.exc.DBAPIError) -> bool:
    """Whether an error comes of what others do at the same time, so that the same may go through later."""
    backend = backend_of(connection)
    return not error.connection_invalidated and backend.code(error) in backend.conflicts | backend.passing


def commit_refused(transaction: sa.Transaction, error: sa.exc.DBAPIError) -> bool:
    """Whether a COMMIT that failed with this error leaves nothing behind: the database said no, and the transaction is
    rolled back now. Otherwise only the database can tell, later, what became of it.
    """
    connection = transaction.connection
    backend = backend_of(connection)
    no = isinstance(error, sa.exc.IntegrityError) or backend.code(error) in backend.conflicts
    transaction.rollback()  # which tells the connection, but sends nothing after a COMMIT: SQLite's may still be open
    if error.connection_invalidated or not no:
        return False
    try:
        connection.connection.rollback()
        return backend.refusal_stands(connection)
    except (connection.dialect.loaded_dbapi.Error, sa.exc.DBAPIError):
        return False


def interrupt(connection: sa.Connection) -> None:
    """End the statement that another thread is at with this connection, where the engine can: it fails there."""
    with suppress(Exception):  # the other thread may lose it meanwhile, in ways of many names
        if not connection.closed and not connection.invalidated:
            backend_of(connection).interrupt(connection)


def check_deferred(connection: sa.Connection) -> None:
    """Let happen now what waits for the commit and may change rows: foreign keys and triggers of PostgreSQL. An error
    of theirs is raised here.
    """
    backend_of(connection).check_deferred(connection)


def changes_so_far(connection: sa.Connection) -> int:
    """A number that rises by one with every row of the firm's tables that this transaction changes, also through
    triggers, and cascades (on MariaDB: not cascades). Work tables may count as well.
    """
    return backend_of(connection).changes_so_far(connection)


def watch(connections: Sequence[sa.Connection]) -> Sequence[Watch] | None:
    """To be called before something is read on these connections of one engine, which are idle: tells later, for each,
    in a transaction that has its locks, whether nobody else has changed the database meanwhile, so that all of it would
    be read as it was. None where the engine cannot tell.
    """
    return backend_of(connections[0]).watch(connections)


def _shown(url: sa.URL) -> str:
    """A URL without its password, wherever that stands."""
    shown = url.difference_update_query(_SECRET & set(url.query))
    return shown.render_as_string(hide_password=True)

"""SQLite: one file, one writer at a time. A lock is on the whole database."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event

from staffords_gdpr.database.engines.base import Backend, Watch
from staffords_gdpr.database.facts import ColumnFacts, Family, StoredTable
from staffords_gdpr.errors import DatabaseError, UsageError

_LOCKING = "gdpr_begin"
_CACHE_KIB = 8_192  # more makes it no faster, and sorts take as much again
_CHANGING = {
    getattr(sqlite3, f"SQLITE_{action}")
    for action in (
        "INSERT", "UPDATE", "DELETE", "CREATE_TABLE", "CREATE_INDEX", "CREATE_TRIGGER", "CREATE_VIEW", "ALTER_TABLE",
        "DROP_TABLE", "DROP_INDEX", "DROP_TRIGGER", "DROP_VIEW", "REINDEX",
    )
}  # fmt: skip
_LENGTH = re.compile(r"\(\s*(\d+)\s*\)")


class SQLite(Backend):
    title = "SQLite"
    dialect = "sqlite"
    defers_foreign_keys = True
    joins_deletes = False
    writes_at_once = False
    conflicts = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

    def open(self, url: sa.URL, *, write: bool, patience: float) -> sa.Engine:
        if not url.database or url.database == ":memory:":
            raise UsageError(
                "the database URL names no file", "write it as in sqlite:////var/lib/calls/calls.db"
            )
        path = Path(url.database)
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise DatabaseError(f"{path} {what}", "check GDPR_DATABASE_URL, or database_url in gdpr.toml")
        if write and not _writable(path):
            raise DatabaseError(
                f"{path} may only be read by this user",
                "give the user that runs gdpr write access to the file and to its folder "
                "(SQLite keeps a journal there)",
            )
        uri = f"file:{quote(str(path.resolve()))}?{'mode=rw' if write else _reading(path.resolve())}"
        engine = sa.create_engine(
            "sqlite+pysqlite://",
            # one thread at a time uses it, but not always the one that has opened it
            creator=lambda: sqlite3.connect(
                uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
            ),
            poolclass=sa.pool.NullPool,
        )
        # the creator hides the file from the engine: give it back for messages and the database's identity
        engine.url = url
        prepare(engine, only_read=not write)
        return engine

    def probe(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")

    def meaning(self, error: sa.exc.DBAPIError, patience: float) -> tuple[str, str]:
        said = str(error.orig).lower()
        known = {
            "not a database": ("is not a SQLite database", "check the path in the URL"),
            "malformed": (
                "is damaged: SQLite cannot read it",
                "restore it from a backup; PRAGMA integrity_check tells more",
            ),
            "locked": (
                "is locked by another program",
                f"gdpr waited {patience} s; run again when that program is done",
            ),
            "readonly": (
                "may only be read by this user",
                "give the user that runs gdpr write access to file and folder",
            ),
            "not authorized": (
                "was opened for reading only",
                "nothing was changed; please report the command",
            ),
            "unable to open": (
                "cannot be opened",
                "check that the file and its folder may be read by this user",
            ),
            "disk is full": (
                "cannot be written: the disk is full",
                "free some space and run again; nothing was lost",
            ),
            "disk i/o error": (
                "cannot be read or written: the disk fails",
                "check the disk, and run again; what was under way is found out then",
            ),
            "parser stack": (
                "cannot take a statement that this policy needs: this release of SQLite has no room for it",
                "nothing was changed; simplify `where`, `while` and `dates`, or use SQLite 3.46 or later",
            ),
            "foreign key": (
                "refused the change: another row still refers to a row to be erased",
                "nothing was changed; please report this together with the schema",
            ),
        }
        found = next((words for sign, words in known.items() if sign in said), None)
        return found or (f"answered {type(error.orig).__name__}: {error.orig}", "")

    def code(self, error: sa.exc.DBAPIError) -> object:
        code = getattr(error.orig, "sqlite_errorcode", None)
        return code & 0xFF if code is not None else None  # the rest says more of the same

    def begin(self, connection: sa.Connection, *, lock: bool, short: bool) -> sa.Transaction:
        connection.execution_options(**{_LOCKING: "BEGIN IMMEDIATE" if lock else "BEGIN"})
        try:
            transaction = connection.begin()
        finally:
            # one that begins by itself is for work tables, and keeps nobody from writing
            connection.execution_options(**{_LOCKING: "BEGIN"})
        if lock:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        return transaction

    def changes_so_far(self, connection: sa.Connection) -> int:
        return int(connection.connection.driver_connection.total_changes)  # type: ignore[union-attr]

    def watch(self, connections: Sequence[sa.Connection]) -> Sequence[Watch]:
        return [_watched(connection) for connection in connections]

    def trips_over(self, on_delete: str) -> bool:
        return on_delete != "NO ACTION"  # which alone waits for the commit

    def references(self, connection: sa.Connection) -> Mapping[tuple[str, tuple[str, ...]], str]:
        found: dict[tuple[str, int], tuple[list[str], str]] = {}
        quote = connection.dialect.identifier_preparer.quote
        for table in self.tables(connection):
            for row in connection.exec_driver_sql(f"PRAGMA foreign_key_list({quote(table)})").mappings():
                found.setdefault((table, row["id"]), ([], row["on_delete"]))[0].append(row["from"])
        return {(table, tuple(columns)): action for (table, _), (columns, action) in found.items()}

    def tables(self, connection: sa.Connection) -> Mapping[str, StoredTable]:
        return {name: StoredTable() for name in sa.inspect(connection).get_table_names()}

    def columns(self, connection: sa.Connection) -> Mapping[str, Mapping[str, ColumnFacts]]:
        found = {
            name: described for (_, name), described in sa.inspect(connection).get_multi_columns().items()
        }
        inexact = {table: _inexact(connection, table, [c["name"] for c in found[table]]) for table in found}
        return {
            table: {c["name"]: _facts(c, exact=c["name"] not in inexact[table]) for c in described}
            for table, described in found.items()
        }

    def triggers(self, connection: sa.Connection) -> tuple[tuple[str, str, str], ...]:
        found = connection.exec_driver_sql(
            "SELECT name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE type = 'trigger'"
        )
        return tuple((name, table, text) for name, table, text in found)

    def identity(self, connection: sa.Connection) -> str:
        """The file's name, with its folder as a hash."""
        path = Path(connection.engine.url.database or "").resolve()
        return f"sqlite:{path.name}:{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"


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
        else:
            # the journal's removal is the commit: it has to be on the disk before the log calls rows erased
            connection.execute("PRAGMA synchronous=EXTRA")
            # what is erased is overwritten with zeros; FAST would leave it in the pages that become free
            connection.execute("PRAGMA secure_delete=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_LOCKING, "BEGIN"))


def _only_reading(action: int, _what: object, _where: object, schema: str | None, _by: object) -> int:
    changes = action in _CHANGING and schema == "main"
    return sqlite3.SQLITE_DENY if changes else sqlite3.SQLITE_OK


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
    return "mode=rw" if _writable(path) else "mode=ro&immutable=1"


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)


def _inexact(connection: sa.Connection, table: str, columns: Sequence[str]) -> set[str]:
    """The columns in which two spellings of a text are one value: those with COLLATE NOCASE or RTRIM."""
    quote = connection.dialect.identifier_preparer.quote
    names = [quote(column) for column in columns]
    # the columns of a compound SELECT compare as those of its first part do
    values = f"SELECT {', '.join(names)} FROM {quote(table)} WHERE 0 UNION ALL SELECT {', '.join(['?'] * len(names))}"
    query = f"SELECT {', '.join(f'? = {name} OR ? = {name}' for name in names)} FROM ({values})"
    found = connection.exec_driver_sql(query, ("a", "A ") * len(names) + ("A",) * len(names)).one()
    return {column for column, alike in zip(columns, found, strict=True) if alike}


def _facts(column: Any, *, exact: bool) -> ColumnFacts:
    declared = str(column["type"])
    family = _family(declared)
    length = _LENGTH.search(declared) if family is Family.TEXT else None
    return ColumnFacts(
        type=declared,
        family=family,
        nullable=bool(column["nullable"]),
        length=int(length[1]) if length else None,
        has_default=column["default"] is not None,
        generated="computed" in column,
        exact=exact,
    )


def _family(declared: str) -> Family:
    """What SQLite makes of the values in a column of this type: its affinity, and dates by their name.

    https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    """
    name = declared.upper()
    if name in ("", "NULL"):
        return Family.NONE
    if name == "DATE":
        return Family.DAY
    if name.startswith(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")):
        return Family.ZONED
    if name.startswith(("DATETIME", "TIMESTAMP")):
        return Family.TIMESTAMP
    if "INT" in name:
        return Family.NUMBER
    if any(sign in name for sign in ("CHAR", "CLOB", "TEXT")):
        return Family.TEXT
    return Family.BINARY if "BLOB" in name else Family.NUMBER


def _watched(connection: sa.Connection) -> Watch:
    def version() -> int:
        return int(connection.exec_driver_sql("PRAGMA main.data_version").scalar_one())

    before = version()
    return Watch(lambda: version() == before)

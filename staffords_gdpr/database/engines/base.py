"""What gdpr needs of a database engine. One module beside this one for each engine says how it is done there."""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from staffords_gdpr.database.facts import Check, ColumnFacts, Outside, StoredTable
from staffords_gdpr.errors import DatabaseError

READING = "gdpr_reading"
"""The option of a connection that says whether its transactions are for reading only."""

SHORT = "gdpr_short"
"""The option of a connection that says whether its transactions may not last long."""

LOCK_SECONDS, SHORT_SECONDS = 3, 60
"""How long a short transaction waits for a lock; how long its statements take, and the pauses between them."""

WORK_PREFIX = "gdpr_work_"
"""How the names of work tables begin, temporary ones that rules and locks are worked out in."""

_MAKES_WORK_TABLES = re.compile(
    rf"""\s*(?: CREATE\s+TEMPORARY\s+TABLE\b
        | DROP\s+INDEX\s+IF\s+EXISTS\s+pg_temp\."?{WORK_PREFIX}
        | (?: DROP\s+(?:TEMPORARY\s+)?TABLE | TRUNCATE(?:\s+TABLE)? ) \s+ (?:IF\s+EXISTS\s+)? [`"]?{WORK_PREFIX}
        | ALTER\s+TABLE\s+[`"]?{WORK_PREFIX}
        | CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?\S+\s+ON\s+[`"]?{WORK_PREFIX} )""",
    re.IGNORECASE | re.VERBOSE,
)


def _nothing() -> None:
    """Nothing is to be done."""


@dataclass(frozen=True)
class Watch:
    """Of one connection: `unchanged` tells, in a transaction that has its locks, whether nobody else has written.
    `writing` is to be called where that was not asked, before something is written and committed.
    """

    unchanged: Callable[[], bool]
    writing: Callable[[], None] = _nothing


class Backend(ABC):
    """One engine: how it is opened, what its errors mean, how its transactions read, lock and are counted."""

    title: ClassVar[str]
    dialect: ClassVar[str]  # SQLAlchemy's name
    defers_foreign_keys: ClassVar[bool] = False
    """Whether rows that refer to each other can go one after the other, foreign keys being looked at in the end."""
    counts_cascades: ClassVar[bool] = True
    """Whether `changes_so_far` has the rows that went by ON DELETE CASCADE and SET NULL."""
    counts_unchanged: ClassVar[bool] = True
    """Whether `changes_so_far` has the rows into which an UPDATE writes what they hold."""
    joins_deletes: ClassVar[bool] = True
    """Whether DELETE and UPDATE can name the rows by a join with a work table."""
    writes_at_once: ClassVar[bool] = True
    """Whether several connections can write at the same time."""
    reads_lists_anew: ClassVar[bool] = False
    """Whether a short list of keys is read for each row that may be on it, unless the rows are joined with it."""
    filters_parts: ClassVar[bool] = False
    """Whether the rows of half of the subjects are sooner found by a condition than by a join with their keys."""

    conflicts: ClassVar[frozenset[object]] = frozenset()
    """Codes of errors that end a transaction because of what others do at the same time. Nothing of it stays, not even
    where they come at its COMMIT."""
    passing: ClassVar[frozenset[object]] = frozenset()
    """Codes of errors that pass, too, but say nothing of a transaction where they come at its COMMIT."""

    @abstractmethod
    def open(self, url: sa.URL, *, write: bool, patience: float) -> sa.Engine:
        """An engine, not tried yet, that waits `patience` seconds for a server, and for locks."""

    @abstractmethod
    def probe(self, connection: sa.Connection) -> None:
        """Ask for something. Raises UsageError where another engine, or one too old, answers to the name."""

    @abstractmethod
    def meaning(self, error: sa.exc.DBAPIError, patience: float) -> tuple[str, str]:
        """What a driver's error says about the database ("is locked …") and what to do. Never quotes a row."""

    @abstractmethod
    def code(self, error: sa.exc.DBAPIError) -> object:
        """The number or the letters by which the engine names an error."""

    @abstractmethod
    def begin(self, connection: sa.Connection, *, lock: bool, short: bool) -> sa.Transaction: ...

    def interrupt(self, connection: sa.Connection) -> None:
        """End the statement that another thread is at with this connection: there it fails. Raises driver errors."""
        return

    def check_deferred(self, connection: sa.Connection) -> None:
        """Let happen now what waits for the commit and may change rows."""
        return

    def others(self, connection: sa.Connection) -> Sequence[sa.Connection]:
        """Connections to the other hosts that write to the same database, each in a transaction of its own: what is
        locked for a batch has to be locked there, too. They are let go when the connection's transaction ends.
        """
        return ()

    def confirm_locks(self, connection: sa.Connection) -> None:
        """To be called when everything is locked, on every host. Raises what a deadlock raises where one was lost."""
        return

    def refusal_stands(self, connection: sa.Connection) -> bool:
        """Whether a COMMIT that was refused is refused for good, whoever else may have heard of it."""
        return True

    def most_rows(self, connection: sa.Connection) -> int | None:
        """How many rows one transaction may change; None for any number."""
        return None

    def joins_updates(self, connection: sa.Connection) -> bool:
        """Whether an UPDATE can name the rows by a join with a subquery, which is quickest."""
        return True

    def is_replica(self, connection: sa.Connection) -> bool:
        """Whether this server only follows another one, to which writers have to go."""
        return False

    @abstractmethod
    def changes_so_far(self, connection: sa.Connection) -> int:
        """A number that rises by one with every row of the firm's tables that this transaction changes."""

    def plain_rows(
        self, connection: sa.Connection, query: sa.Select[Any], values: Mapping[str, object]
    ) -> tuple[tuple[Any, ...], ...]:
        """All rows of a query, just as the driver gives them."""
        result = connection.execute(query, values)
        rows = tuple(result.cursor.fetchall())
        result.close()
        return rows

    def watch(self, connections: Sequence[sa.Connection]) -> Sequence[Watch] | None:
        """For each of the connections of one run, which are idle, what tells whether all that others have written is
        what could be read when this was called. None where the engine cannot tell.
        """
        return None

    @abstractmethod
    def trips_over(self, on_delete: str) -> bool:
        """Whether one statement that deletes two rows may stop, or count wrong, because the one refers to the other
        by a foreign key with this action.
        """

    def references(self, connection: sa.Connection) -> Mapping[tuple[str, tuple[str, ...]], str]:
        """The action ON DELETE of foreign keys (table, columns) where SQLAlchemy does not know it."""
        return {}

    @abstractmethod
    def tables(self, connection: sa.Connection) -> Mapping[str, StoredTable]:
        """The tables of the connection's own schema, without the partitions of others, and without views."""

    @abstractmethod
    def columns(self, connection: sa.Connection) -> Mapping[str, Mapping[str, ColumnFacts]]:
        """The columns of those tables, in their order."""

    def plain_type(self, reflected: Any, facts: ColumnFacts) -> sa.types.TypeEngine[Any] | None:
        """SQLAlchemy's type for a column of numbers or text, None where values are better left to the driver."""
        plain = isinstance(reflected, (sa.Integer, sa.String)) and not isinstance(reflected, sa.Enum)
        return reflected if plain else None

    def type_name(self, facts: ColumnFacts) -> str:
        """The type of a work table's column that is to hold, and compare, just what this one does."""
        return facts.type

    def views(self, connection: sa.Connection) -> tuple[str, ...]:
        return tuple(sa.inspect(connection).get_view_names())

    @abstractmethod
    def triggers(self, connection: sa.Connection) -> tuple[tuple[str, str, str], ...]:
        """Name, table and source text of every trigger."""

    def more_checks(self, connection: sa.Connection) -> Mapping[str, tuple[Check, ...]]:
        """CHECK constraints by table, as far as SQLAlchemy does not see them."""
        return {}

    def references_from_outside(self, connection: sa.Connection) -> tuple[Outside, ...]:
        """Foreign keys on our tables that other schemas of the same server declare."""
        return ()

    def sees_all_references(self, connection: sa.Connection) -> bool:
        """Whether this user is shown every foreign key on our tables, whoever the referring table belongs to."""
        return True

    def now(self, connection: sa.Connection) -> dt.datetime | None:
        """What the server's clock says, aware; None where there is no server but this machine."""
        return None

    def forgets_commits(self, connection: sa.Connection) -> tuple[str, str, str] | None:
        """The server's setting by which a power cut takes back what was committed: its name, its value, and the one
        that keeps it. None where there is none such that gdpr does not see to for its own transactions.
        """
        return None

    @abstractmethod
    def identity(self, connection: sa.Connection) -> str:
        """Which database this is, as far as the engine tells; no password, no path in clear."""


def makes_work_tables(statement: str) -> bool:
    """Whether a statement makes, indexes or drops work tables: what a transaction for reading has to let through."""
    return _MAKES_WORK_TABLES.match(statement) is not None


def driver_missing(title: str, extra: str) -> DatabaseError:
    return DatabaseError(
        f"the driver for {title} is not installed", f"run: pip install 'staffords-gdpr[{extra}]'"
    )

"""MariaDB through PyMySQL: REPEATABLE READ with locking reads for batches, READ COMMITTED for reading.

Reading has no snapshot of its own. Rules are worked out with INSERT … SELECT into work tables, which under REPEATABLE
READ locks every row it reads against change, all through a scan; under READ COMMITTED it locks none.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.engines.base import READING, SHORT, Watch, driver_missing
from staffords_gdpr.database.engines.mariadb_cluster import Clustered, number_of_cluster
from staffords_gdpr.database.engines.mariadb_errors import CONFLICTS, PASSING, code_of, meaning
from staffords_gdpr.database.engines.mariadb_session import prepare
from staffords_gdpr.database.engines.mariadb_watch import COUNTERS, watched
from staffords_gdpr.database.facts import Check, ColumnFacts, Family, Outside, StoredTable
from staffords_gdpr.errors import UsageError

OLDEST = (10, 5)

_TABLES = """
    SELECT table_name, table_type, engine FROM information_schema.tables
    WHERE table_schema = database() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY table_name"""
_COLUMNS = """
    SELECT c.table_name, c.column_name, c.column_type, c.data_type, c.is_nullable, c.column_default, c.extra,
           c.is_generated, c.character_maximum_length, c.character_set_name, c.collation_name
    FROM information_schema.columns c JOIN information_schema.tables t
      ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = database() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
    ORDER BY c.table_name, c.ordinal_position"""
_TRIGGERS = """
    SELECT trigger_name, event_object_table, concat(action_timing, ' ', event_manipulation, ' ', action_statement)
    FROM information_schema.triggers WHERE event_object_schema = database() ORDER BY trigger_name"""
_COLUMN_CHECKS = """
    SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints
    WHERE constraint_schema = database() AND level = 'Column' ORDER BY table_name, constraint_name"""
_OUTSIDE = """
    SELECT table_schema, table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
    FROM information_schema.key_column_usage
    WHERE referenced_table_schema = database() AND table_schema <> database()
    ORDER BY table_schema, table_name, constraint_name, ordinal_position"""
_INNODB = "SELECT for_name, ref_name FROM information_schema.innodb_sys_foreign ORDER BY for_name, ref_name"
"""All foreign keys of the server, as InnoDB keeps them: the only place that shows those of tables on which the user has
no privilege. It takes the privilege PROCESS."""
_VISIBLE = """
    SELECT DISTINCT table_schema, table_name, referenced_table_name FROM information_schema.key_column_usage
    WHERE referenced_table_schema = database()"""
_STORED_NAME = re.compile(r"[\w@#]+", re.ASCII)
_NO_PROCESS = 1227
_CHANGES = f"SHOW SESSION STATUS WHERE variable_name IN {COUNTERS}"


class MariaDB(Clustered):
    title = "MariaDB"
    dialect = "mysql"
    conflicts = CONFLICTS
    passing = PASSING
    counts_unchanged = False
    reads_lists_anew = True
    counts_cascades = False  # InnoDB carries them out itself, past the counters of the server

    def open(self, url: sa.URL, *, write: bool, patience: float) -> sa.Engine:
        if not url.database:
            raise UsageError(
                "the database URL names no database", "write it as in mariadb://gdpr@localhost/calls"
            )
        try:
            from pymysql.constants import FIELD_TYPE
            from pymysql.converters import conversions

            engine = sa.create_engine(
                url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"}),
                poolclass=sa.pool.NullPool,
                connect_args={
                    "connect_timeout": max(1, int(patience)),
                    # as text, as MariaDB writes them: Python has no 0000-00-00
                    "conv": {
                        kind: how
                        for kind, how in conversions.items()
                        if kind
                        not in (FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
                    },
                },
            )
        except ModuleNotFoundError:
            raise driver_missing(self.title, "mysql") from None
        prepare(engine, only_read=not write, patience=patience)
        return engine

    def probe(self, connection: sa.Connection) -> None:
        version = connection.dialect.server_version_info or ()
        if not getattr(connection.dialect, "is_mariadb", False):
            raise UsageError(
                "MySQL is not supported: gdpr is not tested on it, and so will not erase there",
                "this server says that it is MySQL, not MariaDB",
            )
        if version < OLDEST:
            raise UsageError(
                f"MariaDB {'.'.join(map(str, version))} is too old",
                f"gdpr needs {'.'.join(map(str, OLDEST))} or later",
            )

    def meaning(self, error: sa.exc.DBAPIError, patience: float) -> tuple[str, str]:
        return meaning(error)

    def code(self, error: sa.exc.DBAPIError) -> object:
        return code_of(error)

    def interrupt(self, connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        with connection.engine.connect() as other:
            other.exec_driver_sql(f"KILL QUERY {int(driver.thread_id())}")

    def begin(self, connection: sa.Connection, *, lock: bool, short: bool) -> sa.Transaction:
        connection.execution_options(**{READING: not lock, SHORT: short})
        return self.begin_on_every_node(connection) if lock else connection.begin()

    def forgets_commits(self, connection: sa.Connection) -> tuple[str, str, str] | None:
        asked = "SELECT @@GLOBAL.innodb_flush_log_at_trx_commit, @@GLOBAL.log_bin, @@GLOBAL.sync_binlog"
        return forgetting(*map(int, connection.exec_driver_sql(asked).one()))

    def is_replica(self, connection: sa.Connection) -> bool:
        return str(connection.exec_driver_sql("SELECT @@GLOBAL.read_only").scalar()) not in ("0", "OFF")

    def changes_so_far(self, connection: sa.Connection) -> int:
        """Rows that triggers change are counted, rows that foreign keys change are not."""
        return sum(int(value) for _, value in connection.exec_driver_sql(_CHANGES))

    def plain_rows(
        self, connection: sa.Connection, query: sa.Select[Any], values: Mapping[str, object]
    ) -> tuple[tuple[Any, ...], ...]:
        """Of many whole numbers the server makes one text: the driver takes 3 µs for each row."""
        column, *more = query.subquery().c
        if more or not isinstance(column.type, sa.Integer):
            return super().plain_rows(connection, query, values)
        text = sa.func.group_concat(sa.func.concat(column, ",").op("SEPARATOR")(sa.literal_column("''")))
        count, told = connection.execute(sa.select(sa.func.count(column), text), values).one()
        rows = tuple((int(number),) for number in (told or "").split(",")[:-1])
        # a text that is longer than the server's limit is cut off, in the middle of a number or after one
        return rows if len(rows) == count else super().plain_rows(connection, query, values)

    def watch(self, connections: Sequence[sa.Connection]) -> Sequence[Watch] | None:
        return watched(connections)

    def trips_over(self, on_delete: str) -> bool:
        return True  # InnoDB looks at each row as it deletes it

    def tables(self, connection: sa.Connection) -> Mapping[str, StoredTable]:
        return {
            name: StoredTable("table" if kind == "BASE TABLE" else "versioned", storage)
            for name, kind, storage in connection.exec_driver_sql(_TABLES)
        }

    def columns(self, connection: sa.Connection) -> Mapping[str, Mapping[str, ColumnFacts]]:
        found: dict[str, dict[str, ColumnFacts]] = defaultdict(dict)
        for row in connection.exec_driver_sql(_COLUMNS):
            table, name, full, kind, nullable, default, extra, generated, length, charset, collation = row
            found[table][name] = ColumnFacts(
                type=full,
                family=_family(kind, full),
                nullable=nullable == "YES",
                length=int(length) if length is not None else None,
                has_default=default not in (None, "NULL") or "auto_increment" in extra.lower(),
                generated=generated == "ALWAYS",
                now_on_update="on update" in extra.lower(),
                exact=collation is None or collation.endswith("nopad_bin"),
                charset=charset,
                collation=collation,
            )
        return found

    def plain_type(self, reflected: Any, facts: ColumnFacts) -> sa.types.TypeEngine[Any] | None:
        plain = super().plain_type(reflected, facts)
        if isinstance(plain, sa.String) and facts.collation:
            # said for each column, so that a work table compares as this one does
            plain.collation, plain.charset = facts.collation, facts.charset  # type: ignore[attr-defined]
        return plain

    def type_name(self, facts: ColumnFacts) -> str:
        if facts.collation is None:
            return facts.type
        return f"{facts.type} CHARACTER SET {facts.charset} COLLATE {facts.collation}"

    def triggers(self, connection: sa.Connection) -> tuple[tuple[str, str, str], ...]:
        """Only those that the user may see: it takes the privilege TRIGGER."""
        return tuple((name, table, text) for name, table, text in connection.exec_driver_sql(_TRIGGERS))

    def more_checks(self, connection: sa.Connection) -> Mapping[str, tuple[Check, ...]]:
        """Those that are written with a column: MariaDB names them after it."""
        if not connection.dialect.is_mariadb:  # type: ignore[attr-defined]
            return {}
        found: dict[str, tuple[Check, ...]] = defaultdict(tuple)
        for table, name, text in connection.exec_driver_sql(_COLUMN_CHECKS):
            found[table] += (Check(f"{table}.{name}", text),)
        return found

    def references_from_outside(self, connection: sa.Connection) -> tuple[Outside, ...]:
        found: dict[tuple[str, str, str], list[tuple[str, str, str]]] = defaultdict(list)
        for schema, table, name, own, target, other in connection.exec_driver_sql(_OUTSIDE):
            found[schema, table, name].append((own, target, other))
        return tuple(
            Outside(
                f"{schema}.{table}",
                tuple(own for own, _, _ in pairs),
                pairs[0][1],
                tuple(other for _, _, other in pairs),
            )
            for (schema, table, _), pairs in found.items()
        ) + self._unseen(connection)

    def sees_all_references(self, connection: sa.Connection) -> bool:
        """Whether the user has the privilege PROCESS: InnoDB carries out foreign keys of tables that it may not see."""
        return _of_innodb(connection) is not None

    def _unseen(self, connection: sa.Connection) -> tuple[Outside, ...]:
        """References from tables that are not shown to this user, as far as it may ask InnoDB."""
        stored = _of_innodb(connection) or []
        spelled = _spelled(
            connection, {part for names in stored for name in names for part in name.split("/")}
        )
        here = connection.exec_driver_sql("SELECT database()").scalar_one()
        shown = {
            (s.casefold(), t.casefold(), o.casefold()) for s, t, o in connection.exec_driver_sql(_VISIBLE)
        }
        found = []
        for referring, referred in stored:
            schema, table = (spelled[part] for part in referring.split("/", 1))
            target_schema, target = (spelled[part] for part in referred.split("/", 1))
            known = (schema.casefold(), table.casefold(), target.casefold()) in shown
            if target_schema.casefold() == here.casefold() and not known:
                found.append(Outside(f"{schema}.{table}", (), target, (), hidden=True))
        return tuple(dict.fromkeys(found))

    def now(self, connection: sa.Connection) -> dt.datetime | None:
        seconds = connection.exec_driver_sql("SELECT unix_timestamp(sysdate(6))").scalar_one()
        return dt.datetime.fromtimestamp(float(seconds), dt.UTC)

    def identity(self, connection: sa.Connection) -> str:
        """The database's name, with a hash of the server's own number, or else its host, port and data folder.

        Of a cluster, which is one database on many servers, a hash of the cluster's number.
        """
        known: dict[str, str] = dict(
            connection.exec_driver_sql(
                "SHOW GLOBAL VARIABLES WHERE variable_name IN ('server_uid', 'hostname', 'port', 'datadir')"
            ).all()
        )
        server = known.get("server_uid") or known.get("hostname")
        name = connection.exec_driver_sql("SELECT database()").scalar_one()
        told = (server, known.get("port"), known.get("datadir"), name)
        if (cluster := number_of_cluster(connection)) is not None:
            told = (cluster, None, None, name)
        digest = hashlib.sha256(repr(told).encode())
        return f"mariadb:{name}:{digest.hexdigest()[:16]}"


def _of_innodb(connection: sa.Connection) -> list[tuple[str, str]] | None:
    """Both tables of every foreign key, in the spelling of files; None where the user may not ask."""
    try:
        return [(str(own), str(other)) for own, other in connection.exec_driver_sql(_INNODB)]
    except sa.exc.OperationalError as error:
        if error.orig is not None and error.orig.args[0] == _NO_PROCESS:
            return None
        raise


def _spelled(connection: sa.Connection, names: Iterable[str]) -> Mapping[str, str]:
    """Names in the spelling of files, as people write them: only the server knows how to tell."""
    found = {}
    for name in names:
        if "@" in name and _STORED_NAME.fullmatch(name):
            found[name] = str(
                connection.exec_driver_sql(f"SELECT CONVERT(_filename'{name}' USING utf8mb4)").scalar_one()
            )
    return {name: found.get(name, name) for name in names}


def _family(kind: str, full: str) -> Family:
    if full.lower() == "tinyint(1)":
        return Family.NUMBER  # what BOOLEAN is here; it may hold any number
    if re.search(r"int|decimal|float|double|year|bit", kind):
        return Family.NUMBER
    if re.search(r"char|text", kind):
        return Family.TEXT
    if re.search(r"blob|binary", kind):
        return Family.BINARY
    known = {
        "date": Family.DAY,
        "datetime": Family.TIMESTAMP,
        "timestamp": Family.ZONED,
        "time": Family.TIME,
    }
    return known.get(kind, Family.OTHER)


def forgetting(flushes: int, has_binary_log: int, syncs: int) -> tuple[str, str, str] | None:
    """What of MariaDB's settings forgets commits. With a binary log InnoDB leaves it to that and flushes nothing at a
    commit; only 3 does both. (MariaDB: Binary Log Group Commit and InnoDB Flushing Performance.)
    """
    if flushes not in (1, 3):
        return "innodb_flush_log_at_trx_commit", str(flushes), "1"
    if flushes == 1 and has_binary_log and syncs != 1:
        return "sync_binlog", str(syncs), "1"
    return None

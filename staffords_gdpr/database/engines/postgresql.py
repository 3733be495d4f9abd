"""PostgreSQL through psycopg 3: READ COMMITTED with row and table locks for batches, one snapshot for reading."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.engines.base import READING, Backend, Watch, driver_missing
from staffords_gdpr.database.engines.postgresql_relatives import require_postgresql
from staffords_gdpr.database.engines.postgresql_session import SHORT_BATCH, prepare
from staffords_gdpr.database.engines.postgresql_watch import watched
from staffords_gdpr.database.facts import ColumnFacts, Family, Outside, StoredTable
from staffords_gdpr.errors import DatabaseError, UsageError

OLDEST = (13,)
_CANCEL_SECONDS = 5

_PLACE = "n.nspname = current_schema()"
_TABLES = f"""
    SELECT c.relname, c.relkind, c.relrowsecurity,
           EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_PLACE} AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
    ORDER BY c.relname"""
_COLUMNS = f"""
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef,
           a.attgenerated <> '' OR a.attidentity = 'a', a.attidentity <> '',
           coalesce(b.typname, t.typname), coalesce(b.typcategory, t.typcategory), coalesce(b.typtype, t.typtype),
           information_schema._pg_char_max_length(
             CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END,
             CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END),
           coalesce(l.collisdeterministic, true),
           CASE WHEN l.collname <> 'default' THEN l.collname END,
           t.typnotnull
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE {_PLACE} AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum"""
_TRIGGERS = f"""
    SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid) || coalesce(p.prosrc, '')
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE {_PLACE} AND NOT t.tgisinternal AND NOT c.relispartition AND t.tgenabled IN ('O', 'A')
    UNION ALL
    SELECT r.rulename, c.relname, pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_PLACE} AND c.relkind IN ('r', 'p', 'f') AND r.ev_type <> '1' AND r.ev_enabled IN ('O', 'A')"""
"""Without those that are disabled: to enable one is a change of the schema."""
_OUTSIDE = """
    SELECT fn.nspname || '.' || f.relname, c.relname,
           (SELECT array_agg(a.attname ORDER BY u.at) FROM unnest(k.conkey) WITH ORDINALITY u(num, at)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
           (SELECT array_agg(a.attname ORDER BY u.at) FROM unnest(k.confkey) WITH ORDINALITY u(num, at)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num),
           f.relispartition
    FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
    JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = current_schema()
      AND (fn.nspname <> n.nspname OR f.relispartition)
    ORDER BY 1, k.conname"""
_CHANGES = """
    SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
                        + pg_stat_get_xact_tuples_deleted(oid)), 0)
    FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 't', 'm', 'p') AND relpersistence <> 't'
      AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_toast'
                               OR nspname IN ('pg_catalog', 'information_schema'))"""
"""Smaller numbers are those of the system's own tables, of which there are hundreds."""


class PostgreSQL(Backend):
    title = "PostgreSQL"
    dialect = "postgresql"
    filters_parts = True
    conflicts = frozenset({"40001", "40P01", "55P03"})  # changed meanwhile, deadlock, lock timeout
    passing = frozenset({"57014"})  # a statement that was cancelled or took too long

    def open(self, url: sa.URL, *, write: bool, patience: float) -> sa.Engine:
        if not url.database and not {"dbname", "service"} & set(url.query):
            raise UsageError(
                "the database URL names no database", "write it as in postgresql://gdpr@localhost/calls"
            )
        try:
            engine = sa.create_engine(
                url.set(drivername="postgresql+psycopg"),
                poolclass=sa.pool.NullPool,
                connect_args={"connect_timeout": max(1, int(patience)), "client_encoding": "utf8"},
            )
        except ModuleNotFoundError:
            raise driver_missing(self.title, "postgres") from None
        prepare(engine, only_read=not write, patience=patience)
        return engine

    def probe(self, connection: sa.Connection) -> None:
        require_postgresql(connection)
        version = connection.dialect.server_version_info or ()
        if version < OLDEST:
            raise UsageError(
                f"PostgreSQL {'.'.join(map(str, version))} is too old", f"gdpr needs {OLDEST[0]} or later"
            )
        if connection.exec_driver_sql("SELECT current_schema()").scalar_one() is None:
            raise UsageError(
                "the search_path of this user names no schema that there is",
                "name the schema of the tables in the URL: ?options=-csearch_path=SCHEMA",
            )

    def meaning(self, error: sa.exc.DBAPIError, patience: float) -> tuple[str, str]:
        code = getattr(error.orig, "sqlstate", None) or _unreached(str(error.orig))
        return _MEANINGS.get(code) or _MEANINGS.get(code[:2]) or _other(error, code)

    def code(self, error: sa.exc.DBAPIError) -> object:
        return getattr(error.orig, "sqlstate", None)

    def begin(self, connection: sa.Connection, *, lock: bool, short: bool) -> sa.Transaction:
        connection.execution_options(
            **{READING: not lock}, isolation_level="READ COMMITTED" if lock else "REPEATABLE READ"
        )
        transaction = connection.begin()
        if lock and connection.exec_driver_sql("SHOW track_counts").scalar_one() != "on":
            transaction.rollback()
            raise DatabaseError(
                "track_counts is off on this server, so gdpr could not see what else an erasure changes",
                "set track_counts = on in postgresql.conf, as it is by default",
            )
        if lock:
            limits = f"{SHORT_BATCH}; " if short else ""
            connection.exec_driver_sql(f"{limits}SET CONSTRAINTS ALL DEFERRED")
        return transaction

    def interrupt(self, connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.cancel_safe(timeout=_CANCEL_SECONDS)

    def is_replica(self, connection: sa.Connection) -> bool:
        return bool(connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar())

    def forgets_commits(self, connection: sa.Connection) -> tuple[str, str, str] | None:
        value = str(connection.exec_driver_sql("SHOW fsync").scalar_one())
        return ("fsync", value, "on") if value != "on" else None

    def check_deferred(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    def changes_so_far(self, connection: sa.Connection) -> int:
        return int(connection.exec_driver_sql(_CHANGES).scalar_one())

    def watch(self, connections: Sequence[sa.Connection]) -> Sequence[Watch] | None:
        return watched(connections)

    def trips_over(self, on_delete: str) -> bool:
        return on_delete == "RESTRICT"  # the others wait for the end of the statement

    def tables(self, connection: sa.Connection) -> Mapping[str, StoredTable]:
        return {
            name: StoredTable(_kind(kind, parent), row_security=secured)
            for name, kind, secured, parent in connection.exec_driver_sql(_TABLES)
        }

    def columns(self, connection: sa.Connection) -> Mapping[str, Mapping[str, ColumnFacts]]:
        found: dict[str, dict[str, ColumnFacts]] = defaultdict(dict)
        for row in connection.exec_driver_sql(_COLUMNS):
            table, name, kind, not_null, default, generated, identity, base, category, sort, length = row[:11]
            deterministic, collation, domain_not_null = row[11:]
            found[table][name] = ColumnFacts(
                type=kind,
                family=_family(base, category, sort),
                nullable=not (not_null or domain_not_null),
                length=length,
                has_default=default or identity,
                generated=generated,
                exact=deterministic and base not in ("citext", "bpchar"),
                collation=collation,
            )
        return found

    def plain_type(self, reflected: Any, facts: ColumnFacts) -> sa.types.TypeEngine[Any] | None:
        plain = super().plain_type(reflected, facts)
        if isinstance(plain, sa.String):
            # SQLAlchemy compares with VARCHAR, which does not fill up with spaces as CHAR does, and knows no citext
            return None if not facts.exact else type(plain)(facts.length, collation=facts.collation)
        return plain

    def triggers(self, connection: sa.Connection) -> tuple[tuple[str, str, str], ...]:
        """Rules that rewrite a table's statements are listed with them: they keep copies just as well."""
        return tuple((name, table, text) for name, table, text in connection.exec_driver_sql(_TRIGGERS))

    def references_from_outside(self, connection: sa.Connection) -> tuple[Outside, ...]:
        return tuple(
            Outside(table, tuple(columns), target, tuple(others), partition=partition)
            for table, target, columns, others, partition in connection.exec_driver_sql(_OUTSIDE)
        )

    def now(self, connection: sa.Connection) -> dt.datetime | None:
        seconds = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one()
        return dt.datetime.fromtimestamp(float(seconds), dt.UTC)

    def identity(self, connection: sa.Connection) -> str:
        """The database's name, with a hash of the server's own number, the database's and the schema's name."""
        name, number, schema, may_ask = connection.exec_driver_sql(
            "SELECT datname, oid, current_schema(), has_function_privilege('pg_control_system()', 'execute') "
            "FROM pg_database WHERE datname = current_database()"
        ).one()
        url = connection.engine.url
        server: object = (url.host, url.port, url.query.get("host"))
        if may_ask:
            server = connection.exec_driver_sql(
                "SELECT system_identifier FROM pg_control_system()"
            ).scalar_one()
        digest = hashlib.sha256(repr((server, number, schema)).encode()).hexdigest()[:16]
        return f"postgresql:{name}:{digest}"


def _kind(kind: str, parent: bool) -> str:
    known = {"p": "partitioned", "f": "foreign"}
    return known.get(kind) or ("inherited" if parent else "table")


def _family(name: str, category: str, sort: str) -> Family:
    known = {
        "date": Family.DAY,
        "timestamp": Family.TIMESTAMP,
        "timestamptz": Family.ZONED,
        "time": Family.TIME,
        "timetz": Family.TIME,
        "bytea": Family.BINARY,
        "citext": Family.TEXT,
    }
    if name in known:
        return known[name]
    if sort != "b":
        return Family.OTHER  # enumerations, ranges, composites
    return {"N": Family.NUMBER, "S": Family.TEXT, "B": Family.BOOLEAN}.get(category, Family.OTHER)


_UNREACHED = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry": "28000",
    "peer authentication failed": "28000",
    "role": "28000",
    "does not exist": "3D000",
    "permission denied for database": "42501",
    "too many": "53300",
    "remaining connection slots": "53300",
    "starting up": "57P03",
    "shutting down": "57P03",
    "not yet accepting": "57P03",
}


def _unreached(said: str) -> str:
    """The SQLSTATE of a connection that failed, which the driver does not tell: by the words of the server."""
    said = said.lower()
    return next((code for sign, code in _UNREACHED.items() if sign in said), "08")


def _other(error: sa.exc.DBAPIError, code: str) -> tuple[str, str]:
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    # messages of other classes can quote values: 22 data exceptions, 23 constraints, P0 what a trigger says
    told = f": {primary}" if primary and code[:2] in ("0A", "42", "54", "55") else ""
    return f"answered {type(error.orig).__name__} ({code}){told}", ""


_MEANINGS = {
    "28P01": ("refused the password", "check user and password; GDPR_DATABASE_PASSWORD_FILE keeps it out of the URL"),
    "28": ("does not let this user in", "check the user in the URL, and the server's pg_hba.conf"),
    "3D000": ("is no database of that server", "check the name in the URL; psql -l lists them"),
    "42501": ("does not permit this user to do that", "`gdpr check` lists the privileges that are missing"),
    "55P03": ("is locked by another program for too long", "run again when that program is done; nothing was changed"),
    "40P01": ("ended a deadlock with another program at our cost", "nothing was changed; run again"),
    "40001": ("was changed by another program meanwhile", "nothing was changed; run again"),
    "25006": ("was opened for reading only", "nothing was changed; a purge needs a server and a user that may write"),
    "53100": ("cannot be written: the disk is full", "free some space and run again; nothing was lost"),
    "53300": ("takes no more connections", "run again later, or raise max_connections"),
    "57014": ("cancelled the statement", "raise the user's statement_timeout, or run again later; nothing was changed"),
    "57": ("is shutting down or starting", "run again when the server is up"),
    "08": ("cannot be reached", "check host and port in the URL, and that the server runs"),
    "23503": (
        "refused the change: another row still refers to a row to be erased",
        "nothing was changed; please report this together with the schema",
    ),
    "23": ("refused the change: a constraint of the table forbids it", "nothing was changed; `gdpr check` tells more"),
}  # fmt: skip

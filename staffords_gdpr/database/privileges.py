"""What the database's user may do, against what a purge by this policy needs: no less, and no more."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.locks import unguarded
from staffords_gdpr.database.order import erasing_order
from staffords_gdpr.policy.models import Condition, LookUp, Reclaim

READS = frozenset({"SELECT"})
WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "DROP", "ALTER")
_ALL = frozenset({*READS, *WRITES, "TRIGGER", "CREATE TEMPORARY TABLES"})
_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<where>.+?) TO ")
_NAMED = 5


@dataclass(frozen=True)
class Fault:
    """A privilege too few or too many. `advice` is the statement for whoever looks after the database."""

    code: Literal["missing-privilege", "excessive-privilege"]
    table: str | None  # None: the database as a whole
    what: str
    advice: str


@dataclass(frozen=True)
class Granted:
    """What the user of a connection may do: with each table, with the database, and what is far more than a purge
    needs, in words.
    """

    user: str
    tables: Mapping[str, frozenset[str]]
    database: frozenset[str]
    beyond: tuple[str, ...]


def privilege_faults(connection: sa.Connection, catalogue: Catalogue) -> list[Fault]:
    """What the connection's user lacks for a purge, then what it has and does not need. Nothing on SQLite, which
    knows no users.
    """
    match connection.dialect.name:
        case "postgresql":
            return list(_faults(connection, catalogue, _postgresql(connection)))
        case "mysql" | "mariadb":
            return list(_faults(connection, catalogue, _mariadb(connection, catalogue)))
    return []


def needed(connection: sa.Connection, catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """What a purge by this policy does with which table.

    PostgreSQL asks for UPDATE where rows are locked, and where a table is.
    """
    found: dict[str, set[str]] = defaultdict(set)
    locked: set[str] = set()
    for bound in catalogue.records.values():
        record = bound.record
        found[bound.table] |= {"SELECT", "DELETE" if record.anonymise is None else "UPDATE"}
        found[bound.table] |= {"UPDATE"} if record.sooner else set()
        for hops in (
            bound.owner.through if bound.owner else (),
            *(date.through for date in bound.dates.values()),
        ):
            locked |= {hop.table for hop in hops}
        keeps = (record.keep, record.orphans, *(step.keep for step in record.sooner))
        for condition in (record.where, *(keep.while_ if keep else None for keep in keeps)):
            found.update({table: found[table] | READS for table in _looked_up(condition)})
    for opening in erasing_order(catalogue, backend_of(connection)).openings:
        found[catalogue.records[opening.record].table].add("UPDATE")
    for table in {*locked, *(edge.source_table for edge in catalogue.edges)}:
        found[table] |= READS
    if connection.dialect.name == "postgresql":
        locked |= unguarded(catalogue, owners=True) | {bound.table for bound in catalogue.records.values()}
        for table in locked:
            found[table].add("UPDATE")
    if right := _to_reclaim(connection, catalogue.policy.reclaim):
        for bound in catalogue.records.values():
            found[bound.table].add(right)
    return {table: frozenset(rights) for table, rights in found.items()}


def _to_reclaim(connection: sa.Connection, level: Reclaim) -> str:
    """The right on every table that the policy's `reclaim` takes; empty where it takes none that could be granted."""
    if connection.dialect.name == "postgresql":
        return "MAINTAIN" if level != "no" and _may_be_maintained(connection) else ""
    return "INSERT" if level == "full" else ""


def _may_be_maintained(connection: sa.Connection) -> bool:
    """Whether this PostgreSQL lets others than the owner VACUUM a table, by MAINTAIN: from 17."""
    return (connection.dialect.server_version_info or ()) >= (17,)


def _looked_up(condition: Condition | None) -> Iterator[str]:
    for test in condition.columns.values() if condition else ():
        if isinstance(test, LookUp):
            yield test.table


def _faults(connection: sa.Connection, catalogue: Catalogue, granted: Granted) -> Iterator[Fault]:
    quote = connection.dialect.identifier_preparer.quote
    wanted = needed(connection, catalogue)
    for table, rights in sorted(wanted.items()):
        if lacking := sorted(rights - granted.tables.get(table, frozenset())):
            yield Fault(
                "missing-privilege",
                table,
                f"{granted.user} may not {' or '.join(lacking)} on {table}",
                f"GRANT {', '.join(lacking)} ON {quote(table)} TO {granted.user};",
            )
    for right, (why, statement) in _whole(connection).items():
        if right not in granted.database:
            scope = "server" if right == "PROCESS" else "database"
            what = f"{granted.user} has no {right} on the whole {scope}: {why}"
            yield Fault("missing-privilege", None, what, f"{statement} TO {granted.user};")
    for what in granted.beyond:
        own = "gdpr" if connection.dialect.name == "postgresql" else "'gdpr'@'localhost'"
        grants = [f"GRANT {', '.join(sorted(wanted[t]))} ON {quote(t)} TO {own};" for t in sorted(wanted)]
        grants += [f"{statement} TO {own};" for _, statement in _whole(connection).values()]
        yield Fault("excessive-privilege", None, what, "\n".join([f"CREATE USER {own};", *grants]))
    yield from _too_much(granted, wanted, quote)


def _whole(connection: sa.Connection) -> dict[str, tuple[str, str]]:
    """The rights on the whole database that a purge needs: each with why, and the beginning of the statement."""
    quote = connection.dialect.identifier_preparer.quote
    why = "the rules are worked out in temporary tables"
    if connection.dialect.name == "postgresql":
        name = quote(connection.exec_driver_sql("SELECT current_database()").scalar_one())
        return {"TEMPORARY": (why, f"GRANT TEMPORARY ON DATABASE {name}")}
    name = quote(connection.exec_driver_sql("SELECT database()").scalar_one())
    reasons = {
        "CREATE TEMPORARY TABLES": why,
        "SELECT": "tables that refer to ours may not be seen",
        "TRIGGER": "triggers are not seen",
    }
    rights = {right: (reason, f"GRANT {right} ON {name}.*") for right, reason in reasons.items()}
    unseen = "foreign keys of tables that it may not see would be carried out unseen"
    return {**rights, "PROCESS": (unseen, "GRANT PROCESS ON *.*")}


def _too_much(
    granted: Granted, wanted: Mapping[str, frozenset[str]], quote: Callable[[str], str]
) -> Iterator[Fault]:
    if granted.beyond:
        return  # one who may do anything may do this, too
    for right in WRITES:
        tables = [
            t for t, rights in sorted(granted.tables.items()) if right in rights - wanted.get(t, frozenset())
        ]
        if tables:
            more = f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else ""
            what = f"{granted.user} may {right} on tables where a purge never does: {', '.join(tables[:_NAMED])}{more}"
            revoked = " ".join(f"REVOKE {right} ON {quote(table)} FROM {granted.user};" for table in tables)
            yield Fault("excessive-privilege", None, what, revoked)


# -- what the engines tell -----------------------------------------------------------------------------------------


def _postgresql(connection: sa.Connection) -> Granted:
    rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"]
    rights += ["MAINTAIN"] if _may_be_maintained(connection) else []
    columns = ", ".join(f"has_table_privilege(c.oid, '{right}')" for right in rights)
    query = f"""SELECT c.relname, pg_has_role(c.relowner, 'USAGE'), has_any_column_privilege(c.oid, 'UPDATE'), {columns}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition"""
    tables, owned = {}, []
    for name, owns, some, *may in connection.exec_driver_sql(query):
        held = {right for right, has in zip(rights, may, strict=True) if has}
        tables[name] = frozenset(held | ({"UPDATE"} if some else set()))
        if owns:
            owned.append(name)
    user, superuser, creates, temporary = connection.exec_driver_sql(
        "SELECT rolname, rolsuper, rolcreaterole OR rolcreatedb, "
        "has_database_privilege(current_database(), 'TEMPORARY') FROM pg_roles WHERE rolname = current_user"
    ).one()
    beyond = []
    if superuser:
        beyond.append(f"{user} is a superuser, whom nothing stops")
    elif creates:
        beyond.append(f"{user} may make databases or users")
    elif owned:
        beyond.append(f"{user} owns {len(owned)} of the tables, and so may drop and change them")
    return Granted(user, tables, frozenset({"TEMPORARY"} if temporary else ()), tuple(beyond))


def _mariadb(connection: sa.Connection, catalogue: Catalogue) -> Granted:
    name = connection.exec_driver_sql("SELECT database()").scalar_one()
    user = connection.exec_driver_sql("SELECT current_user()").scalar_one()
    quoted = "@".join(f"'{part}'" for part in user.split("@", 1))
    everywhere: set[str] = set()
    here: set[str] = set()
    tables: dict[str, set[str]] = {table: set() for table in catalogue.tables}
    for (line,) in connection.exec_driver_sql("SHOW GRANTS"):
        if found := _GRANT.match(line):
            rights = _rights(found["what"])
            scope, _, table = found["where"].rpartition(".")
            table = table.strip("`").replace("``", "`")
            if scope == "*":
                everywhere |= rights | ({"PROCESS"} if "SUPER" in rights else set())
            elif _like(scope.strip("`"), name, exactly=table != "*"):
                if table == "*":
                    here |= rights
                elif table in tables:
                    tables[table] |= rights
    here |= everywhere
    beyond = [f"{quoted} may do everything, on every database"] if everywhere >= {"DROP", "SUPER"} else []
    if not beyond and (writing := sorted(everywhere & {*WRITES})):
        beyond = [f"{quoted} may {', '.join(writing)} on every database of the server"]
    return Granted(
        quoted,
        {table: frozenset(own | here) for table, own in tables.items()},
        frozenset(here),
        tuple(beyond),
    )


def _rights(said: str) -> set[str]:
    """The privileges of a line of SHOW GRANTS; one that is given for some columns counts."""
    if said.startswith("ALL PRIVILEGES"):
        return {*_ALL, "SUPER"}
    return {part.strip() for part in re.sub(r"\([^)]*\)", "", said).split(",")}


def _like(pattern: str, name: str, *, exactly: bool) -> bool:
    """Whether the database of a grant is this one: a LIKE pattern, in grants on whole databases."""
    if exactly:
        return pattern.replace("``", "`") == name
    parts = re.split(r"(\\.|[%_])", pattern.replace("``", "`"))
    known = {"%": ".*", "_": "."}
    plain = {True: lambda part: re.escape(part[1:]), False: re.escape}
    spelled = "".join(known.get(part) or plain[part.startswith("\\")](part) for part in parts)
    return re.fullmatch(spelled, name) is not None

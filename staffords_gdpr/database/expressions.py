"""The database's own expressions in a policy (`{sql: ...}`): what they may be, and whether the database knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.database.facts import TableFacts
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.policy.models import Record

Path = tuple[str, ...]
PREFIX = "gdpr_sql_"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]']*\]")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_CLOCKS = _words(
    "current_timestamp current_date current_time localtime localtimestamp utc_date utc_time utc_timestamp"
)
_CLOCK_CALLS = _words("""
    now sysdate systimestamp getdate curdate curtime clock_timestamp statement_timestamp transaction_timestamp
    timeofday age
""")
_USERS = _words("current_user session_user system_user current_role current_schema current_catalog")
_FICKLE_CALLS = _words("""
    random rand randomblob random_bytes sys_guid uuid uuid_short uuid_v4 uuid_v7 newid gen_random_uuid
    nextval setval currval lastval last_insert_rowid
    last_insert_id changes total_changes row_count found_rows connection_id pg_backend_pid user database schema
    version sleep pg_sleep benchmark load_file load_extension get_lock release_lock current_setting set_config
""")
_OTHER_ROWS = re.compile(r"(?:^|\()\s*(select|with|values|table)\b|\b(over)\s*\(", re.IGNORECASE)
_WHOLE_TABLE = re.compile(r"\bin\b\s*[^\s(]", re.IGNORECASE)  # SQLite: `x IN customers`
_VARIABLE = re.compile(r"@|\b(?:next|previous)\s+value\s+for\b", re.IGNORECASE)  # and sequences, of MariaDB
_SYSTEM_COLUMNS = _words("ctid xmin xmax cmin cmax tableoid")  # PostgreSQL: where a row is, not what it says
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_ANY_CALL = re.compile(r"([A-Za-z_]\w*)[\"`]?\s*\(")
_DOTTED = re.compile(r"\.\s*\"?([A-Za-z_]\w*)")  # PostgreSQL: `customers.f` may be f(customers)
# those of PostgreSQL's functions that are STABLE for the session's settings alone, which are the same in every run
_SETTLED = _words("""
    array_to_json array_to_string concat concat_ws convert convert_from convert_to enum_first enum_last enum_range
    format json_build_array json_build_object jsonb_build_array jsonb_build_object jsonb_path_exists_tz
    jsonb_path_match_tz jsonb_path_query_array_tz jsonb_path_query_first_tz make_timestamptz money to_char to_date
    to_json to_jsonb to_number
""")
_POSTGRESQL_FUNCTIONS = """
    SELECT p.proname, p.provolatile FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE lower(p.proname) = ANY(:names) AND (p.provolatile = 'v' OR p.provolatile = 's' AND (
        n.nspname <> 'pg_catalog' OR p.proname <> ALL(:settled) AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_proc o
            WHERE o.proname = p.proname AND o.pronamespace = p.pronamespace AND o.provolatile = 'i')))
    ORDER BY p.provolatile DESC, p.proname LIMIT 1
"""
_MARIADB_FUNCTIONS = """
    SELECT routine_name FROM information_schema.routines
    WHERE routine_type = 'FUNCTION' AND lower(routine_name) IN :names
    AND NOT (is_deterministic = 'YES' AND sql_data_access = 'NO SQL') LIMIT 1
"""
_NO_ARGUMENT = re.compile(
    r"\b(date|time|datetime|julianday|unixepoch|unix_timestamp|strftime)\s*\(\s*(?:''\s*)?\)", re.IGNORECASE
)
_NOW = re.compile(r"'\s*(now|today|tomorrow|yesterday)\s*'", re.IGNORECASE)
_PG_KINDS = {1082: DateKind.DAY, 1114: DateKind.TIMESTAMP, 1184: DateKind.ZONED}
_MYSQL_KINDS = {10: DateKind.DAY, 12: DateKind.TIMESTAMP, 7: DateKind.ZONED}


@dataclass(frozen=True)
class Expression:
    """One expression of a record type, and where it stands."""

    sql: str
    path: Path
    condition: bool


def expressions_of(record: Record) -> Iterator[Expression]:
    """Every expression of a record type, in the order of the file."""
    at: Path = ("records", record.name)
    if record.where and record.where.sql is not None:
        yield Expression(record.where.sql, (*at, "where", "sql"), condition=True)
    for date in record.dates.values():
        if date.sql is not None:
            yield Expression(date.sql, (*at, "dates", date.name, "sql"), condition=False)
    rules = [("keep",), *(("sooner", step.name) for step in record.sooner)]
    for path, keep in zip(rules, (record.keep, *(step.keep for step in record.sooner)), strict=True):
        if keep and keep.while_ and keep.while_.sql is not None:
            yield Expression(keep.while_.sql, (*at, *path, "while", "sql"), condition=True)


def names_of(record: Record) -> dict[str, str]:
    """The column as which each expression of a record type is read."""
    texts = dict.fromkeys(expression.sql for expression in expressions_of(record))
    return {sql: f"{PREFIX}{n}" for n, sql in enumerate(texts)}


def check_expressions(
    connection: sa.Connection, record: Record, facts: TableFacts, misfits: Misfits
) -> dict[str, DateKind]:
    """What the database makes of each date among the expressions; one that cannot be used is noted."""
    kinds = {}
    for expression in expressions_of(record):
        if fault := _not_plain(expression.sql, facts, connection.dialect.name):
            misfits.add("expression", expression.path, *fault)
            continue
        try:
            _refuse_fickle(connection, expression.sql, facts)
            kind = _prepared(connection, record.table, expression)
        except _RefusedError as refused:
            misfits.add("expression", expression.path, *refused.said)
            continue
        if kind is not None:
            kinds[expression.sql] = kind
    return kinds


def words_of(sql: str) -> set[str]:
    """The words of an expression outside its texts, quoted names among them, in small letters."""
    names = {quoted[1:-1].casefold() for quoted in _QUOTED.findall(sql) if quoted[0] != "'"}
    return names | {word.casefold() for word in _WORD.findall(_QUOTED.sub(" ", sql))}


def _not_plain(sql: str, facts: TableFacts, dialect: str) -> tuple[str, str] | None:
    """Why a text is not one expression over one row that means the same on any day; None where it is."""
    bare = _QUOTED.sub("''", sql)
    words = {word.casefold() for word in _WORD.findall(bare)}
    calls = {word.casefold() for word in _CALL.findall(bare)}
    odd = (";", "--", "/*", *(("#",) if dialect == "mysql" else ()))
    if not bare.strip():
        return "the expression is empty", "Write one over this table's columns"
    if any(sign in bare for sign in odd) or (dialect == "mysql" and "\\" in sql):
        return "an expression holds no ';' and no comment", "Write the expression alone"
    if not _balanced(bare) or bare.count("'") % 2:
        return "a bracket or a quote of the expression is not closed", "Close it"
    if _OTHER_ROWS.search(bare) or (dialect == "sqlite" and _WHOLE_TABLE.search(bare)):
        return (
            "the expression reads other rows than its own",
            "Use {in: ...} for a look-up table, or 'through' for rows of other tables",
        )
    if words & _CLOCKS or calls & _CLOCK_CALLS or _NOW.search(sql) or _NO_ARGUMENT.search(bare):
        return (
            "the expression reads the clock, and would mean something else in the next minute",
            "Let the rule's period say how long: 'keep' counts from a date of the row",
        )
    if dialect == "sqlite" and (found := _no_columns(sql, facts)):
        return f"table {facts.name} has no column {found[0]!r}", "Put texts into single quotes"
    if dialect == "mysql" and (variable := _VARIABLE.search(bare)):
        return f"{variable[0]!r} does not tell the same twice", "Use columns of the row only"
    if dialect == "postgresql" and (found := sorted(words_of(sql) & _SYSTEM_COLUMNS)):
        return f"{found[0]!r} changes whenever the row is stored anew", "Use columns of the row only"
    if found := sorted((words & _USERS) | (calls & _FICKLE_CALLS)):
        return f"{found[0]!r} does not tell the same twice", "Use columns of the row only"
    return None


def _no_columns(sql: str, facts: TableFacts) -> list[str]:
    """Names in double quotes that are no columns: SQLite takes them for texts, without a word."""
    columns = {name.casefold() for name in facts.columns}
    quoted = (name[1:-1].replace('""', '"') for name in _QUOTED.findall(sql) if name[0] == '"')
    return [name for name in quoted if name.casefold() not in columns]


def _balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


class _RefusedError(Exception):
    def __init__(self, what: str, advice: str) -> None:
        self.said = (what, advice)


def _prepared(connection: sa.Connection, table: str, expression: Expression) -> DateKind | None:
    """Have the database read the expression, over no row; the kind of date it makes of it, if any."""
    value: sa.ColumnElement[object] = sa.literal_column(f"({expression.sql})")
    # a condition must be one: 'text' is none. And PostgreSQL allows nothing in a CASE that could make several rows
    # of one, or none
    case = (value, 1) if expression.condition else (sa.literal_column("1 = 1"), value)
    value = sa.case(case)
    query = sa.select(value.label("x")).select_from(sa.table(table)).where(sa.literal_column("1") == 0)
    try:
        with connection.begin_nested():
            result = connection.execute(query)
            described = result.cursor.description if result.cursor is not None else ()
            if result.fetchall():
                raise _RefusedError(
                    "the expression reads several rows at once", "Write one over a single row"
                )
    except sa.exc.DBAPIError as error:
        raise _RefusedError(
            f"the database does not understand this: {_said(error)}", "Write it in the database's own SQL"
        ) from None
    kinds: dict[Any, DateKind] = {"postgresql": _PG_KINDS, "mysql": _MYSQL_KINDS}.get(
        connection.dialect.name, {}
    )
    return kinds.get(described[0][1]) if described and not expression.condition else None


def _refuse_fickle(connection: sa.Connection, sql: str, facts: TableFacts) -> None:
    """The database knows of every function, the firm's own included, whether it is promised to be about its arguments
    alone.
    """
    called = {word.casefold() for word in _ANY_CALL.findall(sql)}
    advice = "Use columns of the row only"
    if connection.dialect.name == "postgresql":
        columns = {column.casefold() for column in facts.columns}
        called |= {word.casefold() for word in _DOTTED.findall(sql)} - columns
        asked = sa.text(_POSTGRESQL_FUNCTIONS)
        known = connection.execute(asked, {"names": sorted(called), "settled": sorted(_SETTLED)}).first()
        if known and known[1] == "v":
            raise _RefusedError(f"{known[0]!r} does not tell the same twice", advice)
        if known:
            advice += ". A function of yours that does so is declared IMMUTABLE"
            raise _RefusedError(f"{known[0]!r} may read more than its row", advice)
    if connection.dialect.name == "mysql" and called:
        asked = sa.text(_MARIADB_FUNCTIONS).bindparams(sa.bindparam("names", expanding=True))
        if name := connection.execute(asked, {"names": sorted(called)}).scalar():
            advice += ". A function of yours that does so is declared DETERMINISTIC and NO SQL"
            raise _RefusedError(f"{name!r} may read more than its row", advice)


def _said(error: sa.exc.DBAPIError) -> str:
    """The first line of the database's words; it has seen no row."""
    given = error.orig.args[-1] if error.orig is not None and error.orig.args else error
    return str(given).strip().splitlines()[0].rstrip(".")

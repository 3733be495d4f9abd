"""Random databases with columns of real types beside columns of text, which stand the same on every engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
import worlds

Tables = Mapping[str, Sequence[Mapping[str, object]]]

REAL = {
    "customers": {"registered_at": "moment"},
    "products": {"warranty_until": "day"},
    "repairs": {"completed_at": "zoned"},
    "payments": {"taken_at": "day"},
}
"""The columns of a real type. The others hold dates as text: there rubbish can stand on every engine."""

_TYPES = {
    "sqlite": {"moment": "TIMESTAMP", "zoned": "TIMESTAMP WITH TIME ZONE", "day": "DATE", "text": "TEXT"},
    "postgresql": {"moment": "TIMESTAMP", "zoned": "TIMESTAMPTZ", "day": "DATE", "text": "TEXT"},
    "mariadb": {"moment": "DATETIME(6)", "zoned": "TIMESTAMP(6) NULL", "day": "DATE", "text": "VARCHAR(40)"},
}
_LINKS = {
    "customer_id": "customers",
    "product_id": "products",
    "repair_id": "repairs",
    "call_id": "calls",
    "follows": "calls",
}
_DATES = {
    "customers": ("registered_at",),
    "products": ("warranty_until",),
    "calls": ("received_at",),
    "repairs": ("completed_at",),
    "consignments": ("sent_at",),
    "payments": ("taken_at",),
    "surveys": (),
}


def schema(engine: str) -> Iterator[str]:
    """The statements that make the tables. References are declared: they must be found in the schema."""
    types = _TYPES[engine]
    for table, columns in worlds.TABLES.items():
        parts = ["id INTEGER PRIMARY KEY"]
        for column in columns[1:]:
            if column in _LINKS:
                parts.append(f"{column} INTEGER")
            else:
                kind = REAL.get(table, {}).get(column, "text")
                parts.append(f"{column} {types[kind]}")
        parts += [
            f"FOREIGN KEY ({own}) REFERENCES {target}(id)" for own, target in _LINKS.items() if own in columns
        ]
        yield f"CREATE TABLE {table} ({', '.join(parts)})"


def in_real_types(rows: Tables) -> dict[str, list[dict[str, object]]]:
    """The same rows with a value that any engine's type can hold in each column of a real type."""
    return {
        table: [
            {name: _real(value, REAL.get(table, {}).get(name)) for name, value in row.items()}
            for row in found
        ]
        for table, found in rows.items()
    }


def _real(value: object, kind: str | None) -> object:
    if kind is None or value is None:
        return value
    try:
        moment = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if kind == "day":
        return str(moment.date())
    if kind == "moment":
        return str(moment.replace(tzinfo=None))
    moment = moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    return str(moment) if moment.year > 1970 else None  # what MariaDB's TIMESTAMP can hold


def fill(connection: sa.Connection, engine: str, rows: Tables) -> None:
    """Put these rows in the tables, and no others."""
    for table, columns in worlds.TABLES.items():
        connection.exec_driver_sql(f"DELETE FROM {table}")
        if rows[table]:
            insert = sa.insert(sa.table(table, *(sa.column(column) for column in columns)))
            connection.execute(insert, [_stored(engine, table, row) for row in rows[table]])


def unchecked(connection: sa.Connection, engine: str) -> None:
    """Let references lead nowhere from here on, as they do in a legacy database."""
    statement = {
        "sqlite": "PRAGMA foreign_keys=OFF",
        "postgresql": "SET session_replication_role = replica",
        "mariadb": "SET foreign_key_checks = 0",
    }[engine]
    # past SQLAlchemy, which would begin a transaction: within one SQLite ignores it
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _stored(engine: str, table: str, row: Mapping[str, object]) -> dict[str, object]:
    return {name: _value(engine, table, name, value) for name, value in row.items()}


def _value(engine: str, table: str, name: str, value: object) -> object:
    """Only SQLite keeps a number in a column of texts, and only MariaDB takes no offset."""
    kind = REAL.get(table, {}).get(name)
    if name in _DATES[table] and kind is None and isinstance(value, int):
        return str(value)
    if engine == "mariadb" and kind == "zoned" and isinstance(value, str):
        return value.removesuffix("+00:00")
    return value

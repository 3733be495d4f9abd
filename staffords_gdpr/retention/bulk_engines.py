"""What the bulk way says differently to each engine: one construct, compiled for whichever it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk_dates import Days
from staffords_gdpr.retention.bulk_dates_mariadb import BYTEWISE, MariadbDays
from staffords_gdpr.retention.bulk_dates_postgresql import PostgresqlDays
from staffords_gdpr.retention.bulk_dates_sqlite import SqliteDays
from staffords_gdpr.retention.bulk_types import Stored, is_bits, stored

_DAYS: dict[str, type[Days]] = {
    "sqlite": SqliteDays,
    "postgresql": PostgresqlDays,
    "mysql": MariadbDays,
    "mariadb": MariadbDays,
}


def days_on(dialect: sa.Dialect, policy: Policy, as_of: dt.datetime, shifts: sa.Table) -> Days:
    """The builder of day expressions for an engine."""
    return _DAYS[dialect.name](policy, as_of, shifts)


class greatest(FunctionElement[str]):  # noqa: N801 - used like a function
    """The greatest of several values, none of which is NULL."""

    inherit_cache = True
    name = "greatest"


@compiles(greatest)
def _greatest(element: greatest, compiler: SQLCompiler, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


@compiles(greatest, "sqlite")
def _greatest_in_sqlite(element: greatest, compiler: SQLCompiler, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


class written(FunctionElement[str]):  # noqa: N801
    """A column's value as the pure function writes it (`pure_world.comparable`): 5, 5.0 and '5' are '5', true is '1'.

    It compares byte by byte, whatever the column's own collation.
    """

    inherit_cache = True
    name = "written"
    type = sa.String()


@compiles(written, "sqlite")
def _written_in_sqlite(element: written, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    whole = f"CAST({column} AS INTEGER)"
    return (
        f"(CASE typeof({column}) WHEN 'blob' THEN quote({column}) WHEN 'real' THEN CAST(CASE WHEN {whole} = {column} "
        f"THEN {whole} ELSE {column} END AS TEXT) ELSE CAST({column} AS TEXT) END)"
    )


@compiles(written, "postgresql")
def _written_in_postgresql(element: written, compiler: SQLCompiler, **options: Any) -> str:
    (clause,) = element.clauses
    column = compiler.process(clause, **options)
    match stored(clause):
        case Stored.BOOLEAN:
            plain = f"CAST(CAST({column} AS INTEGER) AS TEXT)"
        case Stored.FRACTION:
            plain = f"CAST(trim_scale({column}) AS TEXT)"
        case Stored.ZONED:
            plain = f"CAST({column} AT TIME ZONE 'UTC' AS TEXT) || '+00:00'"
        case _:
            plain = f"CAST({column} AS TEXT)"
    return f'(({plain}) COLLATE "C")'


@compiles(written, "mysql", "mariadb")
def _written_in_mariadb(element: written, compiler: SQLCompiler, **options: Any) -> str:
    (clause,) = element.clauses
    column = compiler.process(clause, **options)
    match stored(clause):
        case Stored.FRACTION:
            text = f"CAST({column} AS CHAR)"
            trimmed = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
            plain = f"CASE WHEN LOCATE('.', {text}) > 0 THEN {trimmed} ELSE {text} END"
        case Stored.BINARY if is_bits(clause):
            plain = f"{column} + 0"
        case Stored.BINARY:
            plain = f"CONCAT('X', HEX({column}))"
        case _:
            plain = column
    return f"(CAST({plain} AS CHAR CHARACTER SET utf8mb4) COLLATE {BYTEWISE})"


def day_type() -> sa.types.TypeEngine[str]:
    """The type of a column that holds days, or clock readings, and compares them byte by byte."""
    return (
        sa.String(32)
        .with_variant(sa.String(32, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(32, charset="utf8mb4", collation=BYTEWISE), "mysql", "mariadb")
    )

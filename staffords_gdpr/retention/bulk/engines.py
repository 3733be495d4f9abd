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
from staffords_gdpr.retention.bulk.column_types import BYTEWISE
from staffords_gdpr.retention.bulk.dates import Days
from staffords_gdpr.retention.bulk.dates_mariadb import MariadbDays
from staffords_gdpr.retention.bulk.dates_postgresql import PostgresqlDays
from staffords_gdpr.retention.bulk.dates_sqlite import SqliteDays
from staffords_gdpr.retention.bulk.written import written

__all__ = ["day_type", "days_on", "driving", "greatest", "written"]
_DAYS: dict[str, type[Days]] = {
    "sqlite": SqliteDays,
    "postgresql": PostgresqlDays,
    "mysql": MariadbDays,
    "mariadb": MariadbDays,
}


def days_on(dialect: sa.Dialect, policy: Policy, as_of: dt.datetime, shifts: sa.Table) -> Days:
    """The builder of day expressions for an engine."""
    return _DAYS[dialect.name](policy, as_of, shifts, dialect)


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


class driving(FunctionElement[Any]):  # noqa: N801
    """A key in a work table from which other tables are to be read.

    SQLite, which knows nothing of how many rows are in it, would as well read all of the other table and look each row
    up here. A sign, which changes no value, keeps it from the index for that.
    """

    inherit_cache = True
    name = "driving"


@compiles(driving)
def _driving(element: driving, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(driving, "sqlite")
def _driving_in_sqlite(element: driving, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


def day_type() -> sa.types.TypeEngine[str]:
    """The type of a column that holds days, or clock readings, and compares them byte by byte."""
    return (
        sa.String(32)
        .with_variant(sa.String(32, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(32, charset="utf8mb4", collation=BYTEWISE), "mysql", "mariadb")
    )

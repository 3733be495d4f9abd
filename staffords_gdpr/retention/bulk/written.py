"""A column's value as text, as the pure function writes it: what conditions and replacements are compared with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from staffords_gdpr.retention.bulk.column_types import BYTEWISE, Stored, is_bits, stored


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
    # flat: SQLite's parser gives up where conditions within conditions go too deep
    return (
        f"CASE WHEN typeof({column}) = 'blob' THEN quote({column}) WHEN typeof({column}) = 'real' "
        f"AND {whole} = {column} THEN CAST({whole} AS TEXT) ELSE CAST({column} AS TEXT) END"
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
            text = f"CAST({column} AT TIME ZONE 'UTC' AS TEXT)"
            plain = f"CASE WHEN isfinite({column}) THEN {text} || '+00:00' ELSE {text} END"
        case Stored.OTHER:
            plain = untyped(column)
        case _:
            plain = f"CAST({column} AS TEXT)"
    return f'(({plain}) COLLATE "C")'


@compiles(written, "mysql", "mariadb")
def _written_in_mariadb(element: written, compiler: SQLCompiler, **options: Any) -> str:
    (clause,) = element.clauses
    column = compiler.process(clause, **options)
    match stored(clause):
        case Stored.FRACTION:
            plain = _trimmed(column)
        case Stored.OTHER:  # numbers and texts are told apart by how JSON writes them
            plain = f"CASE LEFT(JSON_ARRAY({column}), 2) WHEN '[\"' THEN {column} ELSE {_trimmed(column)} END"
        case Stored.BINARY if is_bits(clause):
            plain = f"{column} + 0"
        case Stored.BINARY:
            plain = f"CONCAT('X', HEX({column}))"
        case _:
            plain = column
    return f"(CAST({plain} AS CHAR CHARACTER SET utf8mb4) COLLATE {BYTEWISE})"


def _trimmed(column: str) -> str:
    """A number of MariaDB without the zeros at its end that its type asks for."""
    text = f"CAST({column} AS CHAR)"
    trimmed = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
    return f"CASE WHEN LOCATE('.', {text}) > 0 THEN {trimmed} ELSE {text} END"


def untyped(column: str) -> str:
    """A value of PostgreSQL whose type is known only to the engine: of an expression, of a table on the way."""
    text = f"CAST({column} AS TEXT)"
    return (
        f"CASE CAST(pg_typeof({column}) AS TEXT) WHEN 'boolean' THEN CASE {text} WHEN 'true' THEN '1' WHEN 'false' "
        f"THEN '0' END WHEN 'numeric' THEN CAST(trim_scale(CAST({text} AS NUMERIC)) AS TEXT) "
        f"WHEN 'timestamp with time zone' THEN regexp_replace({text}, '[+]00$', '+00:00') ELSE {text} END"
    )

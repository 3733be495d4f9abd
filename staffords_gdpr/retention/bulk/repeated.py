"""Long expressions over one column, written out once and then repeated as text.

A policy reads the same few kinds of columns in hundreds of places. Taking each apart anew, as a tree, took longer than
everything else together in a small database.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_PLACE = "gdpr_column_of_this_place"
_ENOUGH = 500
_written_out: dict[Hashable, str] = {}  # of this process


class repeated(FunctionElement[str]):  # noqa: N801 - used like a function
    """The text of an expression that closes itself (a CASE), with a column put where it belongs."""

    inherit_cache = True  # the text is one of the clauses, so that it counts in the key
    name = "repeated"
    type = sa.String()


@compiles(repeated)
def _repeated(element: repeated, compiler: SQLCompiler, **options: Any) -> str:
    template, column = element.clauses
    assert isinstance(template, sa.ColumnClause)
    return template.name.replace(_PLACE, compiler.process(column, **options))


def repeat(
    column: sa.ColumnElement[Any],
    dialect: sa.Dialect,
    key: Hashable,
    build: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[str]],
) -> sa.ColumnElement[str]:
    """`build(column)`, built only if no column of this type has been asked for with this `key` and dialect.

    `build` may use of the column nothing but its type, and `key` must name all else that it depends on.
    """
    whole = (_spelling(dialect), type(column.type), repr(column.type), key)
    if (text := _written_out.get(whole)) is None:
        if len(_written_out) >= _ENOUGH:
            _written_out.clear()  # also while another thread is here
        placed: sa.ColumnElement[Any] = sa.column(_PLACE, column.type)
        text = _written_out[whole] = _spelled(build(placed), dialect)
    return repeated(sa.literal_column(text), column)


def _spelling(dialect: sa.Dialect) -> Hashable:
    """What makes one dialect write a text or a name differently from another, or from itself with other settings."""
    return (
        dialect.name,
        dialect.driver,
        _spelled(sa.column("A b") == sa.literal("\\'%", sa.String()), dialect),
    )


def _spelled(expression: sa.ColumnElement[Any], dialect: sa.Dialect) -> str:
    return str(expression.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

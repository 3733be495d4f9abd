"""The conditions of a policy (`where`, `while`) as SQL: true, false or unknown, which is NULL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.policy.models import Condition as Given
from staffords_gdpr.policy.models import LookUp, Scalar, Values
from staffords_gdpr.retention.bulk.engines import written

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]
Empty = Callable[[str], Condition | None]
"""Whether the value of this name means "no value"; None for a plain column, where only NULL does."""


def passes(given: Given, table: sa.FromClause, empty: Empty, expressions: Mapping[str, str]) -> Condition:
    """The condition of a row of `table`. `expressions`: as which column each of the database's own is read."""
    if given.sql is not None:
        value = table.c[expressions[given.sql]]
        return sa.case((value, sa.true()), (sa.not_(value), sa.false()), else_=sa.null())
    return sa.and_(sa.true(), *(_test(name, test, table, empty) for name, test in given.columns.items()))


def plainly(given: Given | None, table: sa.FromClause) -> Condition:
    """The condition of a row on the way to another, or of a look-up table: its columns hold no dates."""
    return sa.true() if given is None else passes(given, table, lambda _: None, {})


def columns_in(given: Given | None) -> set[str]:
    """The columns of its own table that a condition reads."""
    return set(given.columns) if given else set()


def bare(name: str, columns: Iterable[str]) -> sa.FromClause:
    """A table that the policy names only on the way to something, with these of its columns."""
    return sa.table(name, *(sa.column(column) for column in sorted(set(columns)))).alias()


def holds_one(column: Column, values: Sequence[Scalar]) -> Condition:
    """The column holds one of these as it is written: 1, 1.0 and '1' are the same, 'open' and 'Open' are not."""
    return written(column).in_([sa.literal(_spelt(value), sa.String) for value in values])


def replaced(table: sa.FromClause, listed: Mapping[str, Scalar], key: Sequence[Column] = ()) -> Condition:
    """That every listed column holds its replacement, to the letter. `key`: the row's, where a replacement names it."""
    tests = (
        table.c[name].is_(None)
        if value is None
        else written(table.c[name]) == filled(value, key)
        if names_key(value)
        else holds_one(table.c[name], [value])
        for name, value in listed.items()
    )
    return sa.func.coalesce(sa.and_(sa.true(), *tests), sa.false())


def names_key(value: Scalar) -> bool:
    """Whether a replacement is a template: `{key}` in it stands for the row's key."""
    return isinstance(value, str) and "{key}" in value


def filled(value: Scalar, key: Sequence[Column]) -> Column:
    """A replacement as it stands in the row with this key: each `{key}` is its parts, joined by '-'."""
    if not names_key(value):
        return sa.literal(value)
    assert isinstance(value, str)
    parts = list(_between([written(part) for part in key], "-"))
    pieces: list[Column] = []
    for text in _between(value.split("{key}"), None):
        pieces += parts if text is None else [sa.literal(text, sa.String)] if text else []
    joined = pieces[0]
    for piece in pieces[1:]:
        joined = sa.type_coerce(joined, sa.String()).concat(piece)
    return joined


def _between(found: Sequence[Any], mark: Any) -> Iterator[Any]:
    for place, one in enumerate(found):
        if place:
            yield sa.literal(mark, sa.String) if isinstance(mark, str) else mark
        yield one


def _spelt(value: Scalar) -> str:
    return str(int(value)) if isinstance(value, bool | float) and value == int(value) else str(value)


def _test(name: str, wanted: Values | LookUp, table: sa.FromClause, empty: Empty) -> Condition:
    no_value = empty(name)
    if isinstance(wanted, LookUp):
        found = _looked_up(table.c[name], wanted)
        return found if no_value is None else sa.case((no_value, sa.null()), else_=found)
    given = [value for value in wanted.values if value is not None]
    if no_value is None:
        tests: list[Condition] = [table.c[name].is_(None)] if None in wanted.values else []
        tests += [holds_one(table.c[name], given)] if given else []
        test: Condition = sa.or_(sa.false(), *tests)
    elif given:
        # a value that means "no date" is NULL: no comparison with it is true or false
        nothing = sa.true() if None in wanted.values else sa.null()
        test = sa.case((no_value, nothing), else_=holds_one(table.c[name], given))
    else:
        test = no_value
    return sa.not_(test) if wanted.negated else test


def _looked_up(column: Column, wanted: LookUp) -> Condition:
    """True where one of the rows with this value passes, unknown where it is unknown of one, or where none is there."""
    rows = bare(wanted.table, {wanted.column, *columns_in(wanted.where)})
    passing = plainly(wanted.where, rows)
    # the first for the index, the second for columns that take capitals for small letters
    there = sa.and_(rows.c[wanted.column] == column, written(rows.c[wanted.column]) == written(column))
    return sa.case(
        (_some(rows, there, passing), sa.true()),
        (_some(rows, there, passing.is_(None)), sa.null()),
        (_some(rows, there), sa.false()),
        else_=sa.null(),
    )


def _some(rows: sa.FromClause, *tests: Condition) -> Condition:
    return sa.select(sa.literal(1)).select_from(rows).where(*tests).correlate_except(rows).exists()

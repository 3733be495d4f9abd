"""Raw rows by table, and what the conditions of a policy say of one: true, false, or unknown, which is None."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from staffords_gdpr.policy.models import Condition, Hop, LookUp, Scalar, Values
from staffords_gdpr.retention.pure.values import comparable, comparable_key, same
from staffords_gdpr.retention.states import Key

Line = Mapping[str, object]
"""One row as the driver gives it, uninterpreted. It also has the values of the database's own expressions, under
their text; as a condition, under `truth_of` it.
"""
Rows = Mapping[str, Sequence[Line]]
"""Table name -> rows."""
Read = Callable[[str], object]
Truth = bool | None


def truth_of(sql: str) -> str:
    """The name under which a row has the truth of an expression: 1, 0 or NULL."""
    return f"truth of {sql}"


class Tables:
    """Rows in memory, found by any of their columns."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._indexes: dict[tuple[str, tuple[str, ...]], dict[Key, list[Line]]] = {}

    def all(self, table: str) -> Sequence[Line]:
        """Every row; none of a table that was not loaded."""
        return self._rows.get(table, ())

    def find(self, table: str, columns: tuple[str, ...], key: Key) -> Sequence[Line]:
        """The rows that hold this in these columns. A key with a NULL finds nothing."""
        if None in key:
            return ()
        index = self._indexes.get((table, columns))
        if index is None:
            index = defaultdict(list)
            for row in self.all(table):
                index[tuple(comparable(row[column]) for column in columns)].append(row)
            self._indexes[table, columns] = index
        return index.get(comparable_key(key), ())

    def along(self, through: Sequence[Hop], start: Line) -> list[Line]:
        """The rows of the last table on the way that starts from this row."""
        here = [start]
        for hop in through:
            columns, before = tuple(hop.on), tuple(hop.on.values())
            there: list[Line] = []
            for row in here:
                there += self.find(hop.table, columns, tuple(row[name] for name in before))
            here = [row for row in there if self.passes(hop.where, row) is True]
        return here

    def passes(self, condition: Condition | None, row: Line, read: Read | None = None) -> Truth:
        """Whether a row passes. `read` gives a column's value where that is not simply what the row holds."""
        if condition is None:
            return True
        if condition.sql is not None:
            truth = row[truth_of(condition.sql)]
            return None if truth is None else bool(truth)
        value = read or row.__getitem__
        return _all(self.test(wanted, value(column)) for column, wanted in condition.columns.items())

    def test(self, wanted: Values | LookUp, value: object) -> Truth:
        """Whether one column's value passes its test."""
        if isinstance(wanted, LookUp):
            return self._looked_up(wanted, value)
        if value is None and None not in wanted.values:
            return None
        return any(same(value, one) for one in wanted.values) is not wanted.negated

    def _looked_up(self, wanted: LookUp, value: object) -> Truth:
        found = [
            self.passes(wanted.where, row) for row in self.find(wanted.table, (wanted.column,), (value,))
        ]
        if True in found:
            return True
        return None if None in found or not found else False


def said(column: str, wanted: Values | LookUp, value: object, truth: Truth) -> str:
    """In prose what a column that counts as open work says: "status is 3, for which closed is 0 in states"."""
    if value is None:
        return f"{column} is empty" if truth else f"{column} is not known"
    if isinstance(wanted, Values):
        return f"{column} is {value}"
    if not truth:
        return f"{column} is {value}, which {wanted.table} does not tell"
    return f"{column} is {value}, for which {_words(wanted.where)} in {wanted.table}"


def _words(condition: Condition) -> str:
    if condition.sql is not None:
        return condition.sql
    return " and ".join(_test_words(column, wanted) for column, wanted in condition.columns.items())


def _test_words(column: str, wanted: Values | LookUp) -> str:
    if isinstance(wanted, LookUp):
        return f"{column} is one in {wanted.table}"
    values = " or ".join(_value_words(value) for value in wanted.values)
    return f"{column} is {'not ' if wanted.negated else ''}{values}"


def _value_words(value: Scalar) -> str:
    return "empty" if value is None else str(value)


def _all(tests: Iterator[Truth]) -> Truth:
    found = list(tests)
    if False in found:
        return False
    return None if None in found else True

"""Check conditions (`where`, `while`), the dates of a row, and the tables on a way (`through`)."""

from __future__ import annotations

from staffords_gdpr.policy.outline import Document, Outline, columns_of, own_columns
from staffords_gdpr.policy.positions import Path

_NO_ZONE = {
    "day": "a day has no zone",
    "timestamp with zone": "every value has its own zone",
    "epoch seconds": "epoch seconds count from a moment in UTC",
    "epoch milliseconds": "epoch milliseconds count from a moment in UTC",
}
_EMPTY = (None, (None,), {"not": None}, {"not": (None,)})


def check(outline: Outline) -> None:
    """Note what is wrong within the conditions, dates and ways of every record type."""
    for name, record in outline.records.items():
        _own_columns(outline, name, "where", record.get("where", {}), ("records", name, "where"))
        for column in columns_of(record.get("where", {})):
            if column in record.get("dates", {}) and own_columns(record, column) != (column,):
                what = f"'{column}' is a date of '{name}', and 'where' can look at columns only. Name another one."
                outline.mistakes.add(("records", name, "where", column), what, key=True)
    for name, record in outline.ours.items():
        rule = record.get("keep", {}).get("while", {})
        place = ("records", name, "keep", "while")
        _own_columns(outline, name, "while", rule, place)
        for column, wanted in columns_of(rule).items():
            if column in record.get("dates", {}) and wanted not in _EMPTY:
                what = f"'{column}' is a date of '{name}', of which a condition can only ask whether it is empty."
                outline.mistakes.add((*place, column), f"{what} Write 'null' or '{{not: null}}'.")
        for date, written in record.get("dates", {}).items():
            _row_date(outline, ("records", name, "dates", date), written)
        _way(outline, name, record)


def _own_columns(outline: Outline, name: str, key: str, condition: Document, place: Path) -> None:
    for column in columns_of(condition):
        if "." in column and column.partition(".")[0] in outline.records:
            what = f"'{key}' of '{name}' can look at its own columns only. Write one without a record type."
            outline.mistakes.add((*place, column), what, key=True)


def _row_date(outline: Outline, place: Path, rule: Document) -> None:
    wrong, date = outline.mistakes, place[-1]
    if date in outline.dates:
        what = (
            f"'{date}' is a date of the policy already, so no rule could mean this one. Name it differently."
        )
        wrong.add(place, what, key=True)
    if not rule and not wrong.under(*place):
        what = f"nothing is said of the date '{date}'. Write 'column' or 'sql', or how the column stores it."
        wrong.add(place, what)
    if "sql" in rule:
        for key, why in (
            ("column", "has a column and an expression. Keep one of them"),
            ("through", "has an expression, which sees its own row only. Write 'column' in place of 'sql'"),
        ):
            if key in rule:
                wrong.add((*place, "sql"), f"the date '{date}' {why}.", key=True)
    if "timestamps_in" in rule and rule.get("stored_as") in _NO_ZONE:
        what = f"{_NO_ZONE[rule['stored_as']]}. Remove 'timestamps_in'."
        wrong.add((*place, "timestamps_in"), what, key=True)


def _way(outline: Outline, name: str, record: Document) -> None:
    wrong, place = outline.mistakes, ("records", name)
    if (
        "through" in record
        and "belongs_to" in record
        and "on" not in record
        and not wrong.under(*place, "on")
    ):
        what = f"'through' does not say how its last table leads to '{record['belongs_to']}'."
        what = f"{what} Write 'on: {{<column of the last table>: <column of {record['belongs_to']}>}}'."
        wrong.add((*place, "through"), what, key=True)

"""What stands in for erased values fits the columns of the database, or is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from database.bound_office import CUSTOMER, bound, customers, link, refused, run, table


def office(url: str, *columns: Any, rows: str = "") -> None:
    tables = sa.MetaData()
    customers(tables, *columns)
    run(url, *([rows] if rows else []), tables=tables)


def erasing(listed: Any) -> dict[str, Any]:
    return {"customer": {**CUSTOMER, "erase": {"anonymise": listed}}}


def chosen(url: str, column: sa.Column[Any]) -> Any:
    """What the tool chooses for a column that is listed without a value."""
    office(url, column)
    return (bound(url, erasing(["it"])).records["customer"].record.anonymise or {})["it"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (sa.Column("it", sa.String(40)), None),
        (sa.Column("it", sa.String(40), nullable=False), ""),
        (sa.Column("it", sa.String(40), nullable=False, unique=True), "erased-{key}"),
        (sa.Column("it", sa.String(40), unique=True), "erased-{key}"),
        (sa.Column("it", sa.String(9), unique=True), None),
        (sa.Column("it", sa.Integer, nullable=False), 0),
        (sa.Column("it", sa.Date, nullable=False), "1900-01-01"),
        (sa.Column("it", sa.DateTime, nullable=False), "1900-01-01 00:00:00"),
        (sa.Column("it", sa.String(40), sa.CheckConstraint("it <> ''"), nullable=False), "erased"),
    ],
    ids=["null", "text", "unique", "unique or null", "short", "number", "day", "timestamp", "check"],
)
def test_the_tool_chooses_by_type_and_rules(engine_url: str, column: sa.Column[Any], value: object) -> None:
    assert chosen(engine_url, column._copy()) == value


def test_a_column_for_which_nothing_can_be_chosen_is_named(engine_url: str) -> None:
    office(engine_url, sa.Column("it", sa.Integer, nullable=False, unique=True))
    assert "no replacement is known for it" in refused(engine_url, erasing(["it"]))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (sa.Column("it", sa.String(5)), "erased", "holds 5 characters, and the replacement may have 6"),
        (sa.Column("it", sa.String(9)), "erased-{key}", "holds 9 characters"),
        (sa.Column("it", sa.String(40), unique=True), "erased", "must be unique"),
        (sa.Column("it", sa.String(40), nullable=False), None, "NOT NULL"),
        (sa.Column("it", sa.String(9), sa.CheckConstraint("it <> 'x'")), "x", "constraint"),
    ],
    ids=["long", "long with its key", "unique", "null", "check"],
)
def test_a_replacement_that_the_column_cannot_hold_is_refused(
    engine_url: str, column: sa.Column[Any], value: object, said: str
) -> None:
    office(engine_url, column._copy())
    assert said in refused(engine_url, erasing({"it": value}))


def test_a_constraint_over_several_columns_is_asked_of_the_rows_that_are_there(engine_url: str) -> None:
    """With the number gone the kind must not say that there is one."""
    check = sa.CheckConstraint("kind <> 'card' OR number IS NOT NULL", name="cards_have_numbers")
    columns = [sa.Column("kind", sa.String(9)), sa.Column("number", sa.String(19)), check]
    office(engine_url, *columns, rows="INSERT INTO customers (id, kind, number) VALUES (1, 'cash', NULL)")
    assert bound(engine_url, erasing({"number": None}))
    run(engine_url, "INSERT INTO customers (id, kind, number) VALUES (2, 'card', '4111')")
    assert "cards_have_numbers" in refused(engine_url, erasing({"number": None}))


def test_two_unique_columns_together_need_one_that_differs(engine_url: str) -> None:
    columns = [sa.Column(name, sa.String(40)) for name in ("branch", "number")]
    office(engine_url, *columns, sa.UniqueConstraint("branch", "number"))
    assert "branch and number must be unique" in refused(engine_url, erasing({"branch": "x"}))
    assert bound(engine_url, erasing({"branch": "x", "number": "erased-{key}"}))
    assert bound(engine_url, erasing({"branch": "x", "number": None}))


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_value_of_another_type_is_refused(engine_url: str) -> None:
    office(engine_url, sa.Column("born", sa.Date), sa.Column("visits", sa.Integer))
    said = refused(engine_url, erasing({"born": "never", "visits": "many"}))
    assert "cannot hold 'never'" in said
    assert "cannot hold 'many'" in said


def test_replacing_does_not_move_a_row_to_another_owner_or_state(engine_url: str) -> None:
    tables = sa.MetaData()
    customers(tables)
    columns = [sa.Column(name, sa.String(9)) for name in ("kind", "state", "text")]
    table(tables, "calls", sa.Column("at", sa.Date), link("customer_id"), link("agent"), *columns)
    run(engine_url, tables=tables)
    listed = {"state": "gone", "agent": 0, "text": "gone", "customer_id": None}
    call = {
        "table": "calls",
        "belongs_to": "customer",
        "on": {"customer_id": "id"},
        "where": {"kind": "call"},
        "keep": {"for": "3 years", "after": "at", "while": {"sql": "state = 'open'"}},
        "erase": {"anonymise": listed},
    }
    said = refused(engine_url, {"customer": CUSTOMER, "call": call})
    assert "state decides what the rules make of the row" in said
    assert "Add agent: null" in said
    assert "text" not in said

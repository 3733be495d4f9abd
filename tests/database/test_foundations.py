"""What a rule reads in other tables stays as long as the row that it decides for: anything else is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from database.bound_office import CUSTOMER, bound, customers, link, refused, run, table

TWO_YEARS = {"for": "2 years", "after": "at"}
CALL: dict[str, Any] = {
    "table": "calls",
    "belongs_to": "customer",
    "personal": ["words"],
    "dates": {"warranty": {"column": "value", "through": {"table": "fields", "on": {"call_id": "id"}}}},
    "keep": {**TWO_YEARS, "or_until": "warranty"},
}
FIELD: dict[str, Any] = {"table": "fields", "belongs_to": "call", "on": {"call_id": "id"}}


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def office(engine_url: str) -> str:
    tables = sa.MetaData()
    customers(tables)
    table(tables, "calls", link("customer_id"), sa.Column("at", sa.DateTime), sa.Column("words", sa.Text))
    fields = (
        sa.Column("call_id", sa.Integer, index=True),
        sa.Column("value", sa.Text),
        sa.Column("at", sa.DateTime),
    )
    table(tables, "fields", *fields)
    run(engine_url, tables=tables)
    return engine_url


def test_values_that_go_with_the_row_may_be_read(office: str) -> None:
    assert bound(office, {"customer": CUSTOMER, "call": CALL, "field": FIELD})
    assert bound(office, {"customer": CUSTOMER, "call": CALL})


def test_values_with_a_rule_of_their_own_may_go_too_soon(office: str) -> None:
    said = refused(office, {"customer": CUSTOMER, "call": CALL, "field": {**FIELD, "keep": TWO_YEARS}})
    assert "'call' reads table fields here, whose rows are 'field', which has a rule of its own" in said


def test_values_that_anonymising_replaces_do_not_last(office: str) -> None:
    step = {"early": {"for": "1 month", "after": "at", "anonymise": {"value": None}}}
    said = refused(office, {"customer": CUSTOMER, "call": CALL, "field": {**FIELD, "sooner": step}})
    assert "'call' reads fields.value here, which anonymising 'field' would replace" in said


def test_a_look_up_table_may_not_be_erased_either(office: str) -> None:
    call = {
        **CALL,
        "keep": {
            **TWO_YEARS,
            "while": {"id": {"in": {"table": "fields", "column": "call_id", "where": {"value": "x"}}}},
        },
    }
    del call["dates"]
    said = refused(office, {"customer": CUSTOMER, "call": call, "field": {**FIELD, "keep": TWO_YEARS}})
    assert ": 'call' reads table fields here" in said


def test_rows_of_the_own_table_and_of_other_customers_may_go_too_soon(office: str) -> None:
    way = {"column": "at", "through": {"table": "calls", "on": {"id": "customer_id"}}}
    call = {**CALL, "dates": {"warranty": way}}
    assert "that need not be its own" in refused(office, {"customer": CUSTOMER, "call": call})
    visit = {"table": "fields", "belongs_to": "customer", "on": {"id": "id"}}
    said = refused(office, {"customer": CUSTOMER, "call": CALL, "visit": visit})
    assert "that need not be its own" in said


def test_a_column_to_which_others_link_is_not_replaced(engine_url: str) -> None:
    """The calls would be orphans, and their customer would have had no contact."""
    tables = sa.MetaData()
    customers(tables, sa.Column("email", sa.String(60), unique=True))
    table(tables, "calls", sa.Column("email", sa.String(60), index=True), sa.Column("at", sa.DateTime))
    run(engine_url, tables=tables)
    call = {"table": "calls", "belongs_to": "customer", "on": {"email": "email"}, "keep": TWO_YEARS}
    step = {"early": {"for": "1 month", "after": "registered_at", "anonymise": {"email": "erased-{key}"}}}
    assert bound(engine_url, {"customer": CUSTOMER, "call": call})
    said = refused(engine_url, {"customer": {**CUSTOMER, "sooner": step}, "call": call})
    assert "others link to email" in said

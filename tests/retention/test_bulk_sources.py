"""Dates of a row that are more than a plain column, in SQL."""

from __future__ import annotations

import datetime as dt

import pytest
from bulk_cases import NEW, OLD, decided

from staffords_gdpr.retention.states import State

UNDECIDABLE, DUE, KEPT, HELD = State.UNDECIDABLE, State.DUE, State.KEPT, State.HELD

DATABASE = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, moment, months, bought DATE);
CREATE TABLE field_values (object_id INTEGER, field TEXT, value TEXT, months TEXT);
CREATE TABLE links (customer_id INTEGER, field_set INTEGER);
"""


def last_day(value: str, date: str, *, months: str = "NULL", more: str = "", future: bool = True) -> object:
    """The last day of a customer kept 1 day after a date, or the state where there is none."""
    policy = f"""
subject: customer
records:
  customer:
    table: customers
    personal: [name]
    dates:
      made: {date}
    keep: {{for: 1 day, after: made, future: {str(future).lower()}}}
"""
    row = f"INSERT INTO customers VALUES (1, 'a', {value}, {months}, {value});"
    verdict = decided(DATABASE + row + more, policy).verdict("customer", 1)
    if verdict.last_day is None:
        return verdict.reason.split(":")[0].split(" ")[-1]
    return verdict.last_day - dt.timedelta(days=1)


MISSING, IMPOSSIBLE = "missing", "impossible"


@pytest.mark.parametrize(
    ("value", "date", "day"),
    [
        ("1276000200", "{column: moment, stored_as: epoch seconds}", dt.date(2010, 6, 8)),
        ("'1276000200'", "{column: moment, stored_as: epoch seconds}", dt.date(2010, 6, 8)),
        ("1276038000", "{column: moment, stored_as: epoch seconds}", dt.date(2010, 6, 9)),  # 00:00 in London
        ("1276037999999", "{column: moment, stored_as: epoch milliseconds}", dt.date(2010, 6, 8)),
        ("0", "{column: moment, stored_as: epoch seconds}", MISSING),
        ("'soon'", "{column: moment, stored_as: epoch seconds}", IMPOSSIBLE),
        ("'2010-06-08 23:30:00'", "{column: moment}", dt.date(2010, 6, 9)),
        ("'2010-06-08 23:30:00'", "{column: moment, timestamps_in: Europe/London}", dt.date(2010, 6, 8)),
        ("'2010-06-08 23:30:00'", "{column: moment, stored_as: day}", dt.date(2010, 6, 8)),
        ("'2010-06-08 16:30:00'", "{column: moment, timestamps_in: America/New_York}", dt.date(2010, 6, 8)),
        ("'2010-06-08 19:30:00'", "{column: moment, timestamps_in: America/New_York}", dt.date(2010, 6, 9)),
        ("'2010-06-08'", '{sql: "coalesce(NULL, moment)"}', dt.date(2010, 6, 8)),
        ("'2010-06-08'", '{sql: "substr(moment, 1, 7)"}', IMPOSSIBLE),
    ],
)  # fmt: skip
def test_a_date_is_read_as_it_is_stored(value: str, date: str, day: object) -> None:
    assert last_day(value, date) == day


@pytest.mark.parametrize(
    ("value", "months", "day"),
    [
        ("'2010-01-31'", "1", dt.date(2010, 2, 28)),
        ("'2010-01-31'", "'13'", dt.date(2011, 2, 28)),
        ("'2010-01-31'", "0", dt.date(2010, 1, 31)),
        ("'2010-01-31'", "NULL", MISSING),
        ("NULL", "5", MISSING),
        ("'1970-01-01'", "5", MISSING),
        ("'2010-01-31'", "'two'", IMPOSSIBLE),
        ("'2010-01-31'", "2.5", IMPOSSIBLE),
        ("'2010-01-31'", "''", IMPOSSIBLE),
        ("'2010-01-31'", "-1", IMPOSSIBLE),
        ("'2010-01-31'", "99999", IMPOSSIBLE),
        ("'2010-02-30'", "1", IMPOSSIBLE),
        ("'1899-12-31'", "1", dt.date(1900, 1, 31)),
        ("'1899-11-30'", "1", IMPOSSIBLE),
    ],
)
def test_time_is_added_to_a_date(value: str, months: str, day: object) -> None:
    assert last_day(value, "{column: bought, plus: {months: months}}", months=months) == day


def test_an_event_lies_in_the_future_by_its_resulting_day() -> None:
    date = "{column: bought, plus: {years: 20}}"
    assert last_day("'2010-01-31'", date) == dt.date(2030, 1, 31)
    assert last_day("'2010-01-31'", date, future=False) == IMPOSSIBLE


NAMED = "{column: value, through: {table: field_values, on: {object_id: id}, where: {field: closed}}}"


@pytest.mark.parametrize(
    ("values", "day"),
    [
        ([], MISSING),
        (["2010-02-01"], dt.date(2010, 2, 1)),
        (["2010-02-01", "2011-02-01", ""], IMPOSSIBLE),
        (["2010-02-01", "2011-02-01", "1970-01-01"], dt.date(2011, 2, 1)),
        (["1970-01-01"], MISSING),
        (["soon", "2010-02-01"], IMPOSSIBLE),
    ],
)
def test_of_several_rows_of_a_name_value_table_the_latest_counts(values: list[str], day: object) -> None:
    rows = [f"(1, 'closed', '{value}', NULL)" for value in values]
    rows += ["(1, 'opened', '2020-01-01', NULL)", "(2, 'closed', '2020-01-01', NULL)"]
    more = f"INSERT INTO field_values VALUES {', '.join(rows)};"
    assert last_day("NULL", NAMED, more=more) == day


def test_a_date_over_two_tables_with_time_added() -> None:
    way = (
        "{column: value, plus: {months: months}, through: [{table: links, on: {customer_id: id}}, "
        "{table: field_values, on: {object_id: field_set}}]}"
    )
    more = """
INSERT INTO links VALUES (1, 7), (1, 8), (2, 9), (1, NULL);
INSERT INTO field_values VALUES (7, 'x', '2010-01-31', '1'), (8, 'x', '2010-01-31', NULL), (9, 'x', '2020-01-01', '1');
"""
    assert last_day("NULL", way, more=more) == dt.date(2010, 2, 28)


RECORDS = """
subject: customer
dates:
  last_call: {latest_of: [call.opened]}
records:
  customer:
    table: customers
    personal: [name]
    keep: {for: 3 years, after: last_call, or_else: made}
  call:
    table: calls
    belongs_to: customer
    on: {customer_id: id}
    personal: [words]
    dates:
      opened: {column: opened_unix, stored_as: epoch seconds}
      closed: {column: value, through: {table: field_values, on: {call_id: id}, where: {field: closed}}}
    keep: {for: 1 year, after: opened, or_until: customer.made, while: {closed: null}}
"""


CALLS = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, made DATE);
INSERT INTO customers VALUES (1, 'a', '{OLD}'), (2, 'b', '{OLD}'), (3, 'c', '{NEW}');
CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER, opened_unix INTEGER, words TEXT);
INSERT INTO calls VALUES (1, 1, 1276000200, 'x'), (2, 1, 1276000200, 'x'), (3, 2, 1779000000, 'x');
CREATE TABLE field_values (call_id INTEGER, field TEXT, value TEXT);
INSERT INTO field_values VALUES (1, 'closed', '2011-01-01'), (2, 'closed', '1970-01-01'), (3, 'closed', 'soon');
"""


def test_computed_dates_stand_wherever_columns_do() -> None:
    found = decided(CALLS, RECORDS)
    assert found.states("call") == {1: HELD, 2: HELD, 3: KEPT}
    assert found.verdict("call", 2).reason == "open work"
    assert found.states("customer") == {1: HELD, 2: KEPT, 3: KEPT}
    assert found.verdict("customer", 2).last_day == dt.date(2029, 5, 17)

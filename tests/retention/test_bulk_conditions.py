"""Conditions in SQL: true, false and unknown. What is unknown is no member, and is open work."""

from __future__ import annotations

import pytest
from bulk_cases import OLD, decided

from staffords_gdpr.retention.states import State

DATABASE = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, made DATE, status TEXT, number, closed TIMESTAMP);
INSERT INTO customers VALUES
  (1, 'a', '{OLD}', 'open', 5, NULL),
  (2, 'a', '{OLD}', 'Open', '5', '1970-01-01'),
  (3, 'a', '{OLD}', 'shut', 5.0, '2012-01-01 10:00:00'),
  (4, 'a', '{OLD}', NULL, NULL, '2012-01-01'),
  (5, 'a', '{OLD}', 'new', 6, '0000-00-00 00:00:00');
CREATE TABLE states (code TEXT, is_open INTEGER, kind TEXT);
INSERT INTO states VALUES ('open', 1, 'a'), ('shut', 0, 'a'), ('new', NULL, 'b');
CREATE TABLE kinds (kind TEXT, on_list INTEGER);
INSERT INTO kinds VALUES ('a', 1), ('b', 0);
CREATE TABLE twice (code TEXT, is_open INTEGER);
INSERT INTO twice VALUES ('open', 0), ('open', 1), ('shut', 0), ('shut', NULL), ('new', 0), ('new', 0);
"""
EVERY = {1, 2, 3, 4, 5}

ON_LIST = "{kind: {in: {table: kinds, column: kind, where: {on_list: 1}}}}"

# condition, the rows for which it is true, those for which it is unknown
CASES = [
    ("{status: open}", {1}, {4}),
    ("{status: [open, null]}", {1, 4}, set()),
    ("{status: null}", {4}, set()),
    ("{status: {not: open}}", {2, 3, 5}, {4}),
    ("{status: {not: [open, shut]}}", {2, 5}, {4}),
    ("{status: {not: [open, null]}}", {2, 3, 5}, set()),
    ("{status: {not: null}}", {1, 2, 3, 5}, set()),
    ("{number: 5}", {1, 2, 3}, {4}),
    ("{number: {not: 5}}", {5}, {4}),
    ("{closed: null}", {1, 2, 5}, set()),
    ("{closed: {not: null}}", {3, 4}, set()),
    ("{closed: '2012-01-01'}", {4}, {1, 2, 5}),
    ("{closed: {not: '2012-01-01'}}", {3}, {1, 2, 5}),
    ("{status: open, number: 5}", {1}, {4}),
    ("{status: {not: shut}, number: 5}", {1, 2}, {4}),
    ("{status: {in: {table: states, column: code, where: {is_open: 1}}}}", {1}, {2, 4, 5}),
    ("{status: {in: {table: twice, column: code, where: {is_open: 1}}}}", {1}, {2, 3, 4}),
    (f"{{status: {{in: {{table: states, column: code, where: {ON_LIST}}}}}}}", {1, 3}, {2, 4}),
    ("{sql: \"status = 'open' OR number = 6\"}", {1, 5}, {4}),
    ('{sql: "length(status)"}', {1, 2, 3, 5}, {4}),
    ('{sql: "number % 5 = 0"}', {1, 2, 3}, {4}),
]


def policy(where: str = "", open_work: str = "") -> str:
    return f"""
subject: customer
records:
  customer:
    table: customers
    personal: [name]
    keep: {{for: 3 years, after: made{open_work and ", while: " + open_work}}}
{where and "    where: " + where}
"""


@pytest.mark.parametrize(("condition", "true", "unknown"), CASES)
def test_members_are_the_rows_for_which_the_condition_is_true(
    condition: str, true: set[int], unknown: set[int]
) -> None:
    assert set(decided(DATABASE, policy(where=condition)).states("customer")) == true


@pytest.mark.parametrize(("condition", "true", "unknown"), CASES)
def test_open_work_is_what_is_not_false(condition: str, true: set[int], unknown: set[int]) -> None:
    found = decided(DATABASE, policy(open_work=condition)).states("customer")
    assert {key for key, state in found.items() if state is State.HELD} == true | unknown
    assert {key for key, state in found.items() if state is State.DUE} == EVERY - true - unknown

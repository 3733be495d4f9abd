"""Cases on which the two ways, or the engines, once gave different answers. Random worlds found them."""

from __future__ import annotations

import datetime as dt

from bulk_cases import OLD, decided

DATABASE = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, since DATE);
CREATE TABLE calls (id INTEGER PRIMARY KEY, made DATE);
INSERT INTO calls VALUES (1, '2024-03-01');
CREATE TABLE parts (call_id INTEGER, customer_id INTEGER);
CREATE TABLE notes (id INTEGER PRIMARY KEY, call_id INTEGER, written DATE);
INSERT INTO notes VALUES (1, 1, '{OLD}');
"""
POLICY = """
subject: customer
records:
  customer: {table: customers, keep: {for: 3 years, after: since}}
  call:
    table: calls
    belongs_to: customer
    through: {table: parts, on: {call_id: id}}
    on: {customer_id: id}
    keep: {for: 2 years, after: made}
    orphans: {for: 3 years, after: made}
  note:
    table: notes
    belongs_to: call
    on: {call_id: id}
    orphans: {for: 1 month, after: written}
"""


def test_a_row_that_goes_with_an_orphan_of_several_owners_has_its_last_day() -> None:
    assert decided(DATABASE, POLICY).verdict("note", 1).last_day == dt.date(2027, 3, 1)

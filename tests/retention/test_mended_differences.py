"""Cases on which the two ways, or the engines, once gave different answers. Random worlds found them."""

from __future__ import annotations

import datetime as dt

from bulk_cases import OLD, decided

from staffords_gdpr.retention.states import State

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


SHARED = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, since DATE);
INSERT INTO customers VALUES (1, '{OLD}');
CREATE TABLE tickets (id INTEGER PRIMARY KEY, kind TEXT, customer_id INTEGER, rep_id INTEGER, subject TEXT,
  follows INTEGER REFERENCES tickets(id), closed TEXT, months INTEGER);
INSERT INTO tickets VALUES (1, 'call', 1, NULL, 'x', NULL, '{OLD}', 3), (2, 'call', NULL, 1, 'x', 1, '{OLD}', 3),
  (3, 'visit', 1, 1, 'x', NULL, '{OLD}', 3);
"""
TWO_KINDS = """
subject: customer
dates: {last: {latest_of: [call.later, visit.later]}}
records:
  customer: {table: customers, keep: {for: 3 years, after: since}}
  call:
    table: tickets
    where: {kind: {not: visit}}
    belongs_to: customer
    on: [{customer_id: id}, {rep_id: id}]
    refers_to: {call: {follows: id}}
    dates: {later: {column: closed, plus: {months: months}}}
    personal: [subject]
    keep: {for: 1 year, after: later}
    erase: {anonymise: {subject: gone, customer_id: null, rep_id: null, follows: null}}
  visit:
    table: tickets
    where: {kind: visit}
    belongs_to: customer
    on: {customer_id: id}
    dates: {later: {column: closed, plus: {years: months}}}
    keep: {for: 1 year, after: last}
"""


def test_rows_with_several_ways_to_their_owner_and_references_to_each_other_are_anonymised() -> None:
    assert decided(SHARED, TWO_KINDS).states("call") == {1: State.DUE, 2: State.DUE}


def test_sums_of_time_in_record_types_of_one_table_are_not_too_deep_for_the_parser() -> None:
    assert decided(SHARED, TWO_KINDS).verdict("visit", 3).last_day == dt.date(2014, 5, 2)


LOOKED_UP = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, since DATE);
INSERT INTO customers VALUES (1, '{OLD}');
CREATE TABLE types (name TEXT, open INTEGER);
INSERT INTO types VALUES ('new', 1);
CREATE TABLE states (id INTEGER, type TEXT);
INSERT INTO states VALUES (1, 'new');
CREATE TABLE tickets (id INTEGER PRIMARY KEY, kind TEXT, state INTEGER, opened DATE);
INSERT INTO tickets VALUES (1, 'call', 1, '{OLD}');
CREATE TABLE guests (ticket_id INTEGER, person_id INTEGER, role TEXT, UNIQUE (ticket_id, role));
INSERT INTO guests VALUES (1, 1, 'caller');
CREATE TABLE notes (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets(id), written DATE);
INSERT INTO notes VALUES (1, 1, '{OLD}');
"""
NESTED = """
subject: customer
records:
  customer: {table: customers, keep: {for: 3 years, after: since}}
  call:
    table: tickets
    where:
      kind: call
      state: {in: {table: states, column: id, where: {type: {in: {table: types, column: name, where: {open: 1}}}}}}
    belongs_to: customer
    through: {table: guests, on: {ticket_id: id}, where: {role: caller}}
    on: {person_id: id}
  note: {table: notes, belongs_to: call, on: {ticket_id: id}, keep: {for: 2 years, after: written}}
"""


def test_look_ups_within_look_ups_are_not_too_deep_for_the_parser() -> None:
    assert decided(LOOKED_UP, NESTED).states("note") == {1: State.DUE}


UNLINKED = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, since DATE);
CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER, made DATE, words TEXT);
INSERT INTO calls VALUES (1, NULL, '{OLD}', 'left over');
"""


def test_a_row_without_a_rule_that_the_policy_unlinked_is_no_orphan_and_has_no_last_day() -> None:
    policy = """
subject: customer
records:
  customer: {table: customers, keep: {for: 3 years, after: since}}
  call:
    table: calls
    belongs_to: customer
    on: {customer_id: id}
    orphans: {for: 2 years, after: made}
    erase: {anonymise: {words: gone, customer_id: null}}
"""
    verdict = decided(UNLINKED, policy).verdict("call", 1)
    assert (verdict.state, verdict.last_day) == (State.DUE, None)


FIELDS = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, since DATE);
CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER, made INTEGER);
INSERT INTO calls VALUES (1, 9, NULL);
CREATE TABLE field_values (call_id INTEGER, value TEXT);
INSERT INTO field_values VALUES (1, '{OLD}T23:30:00Z');
"""


def test_a_date_in_another_table_that_stands_in_for_one_of_an_orphan_is_not_too_deep_for_the_parser() -> None:
    policy = """
subject: customer
records:
  customer: {table: customers, keep: {for: 3 years, after: since}}
  call:
    table: calls
    belongs_to: customer
    on: {customer_id: id}
    dates:
      at: {column: made, stored_as: epoch milliseconds}
      ended: {column: value, stored_as: text, through: {table: field_values, on: {call_id: id}}}
    keep: {for: 2 years, after: at, or_else: ended}
    orphans: {for: 2 years, after: at, or_else: ended}
"""
    assert decided(FIELDS, policy).verdict("call", 1).last_day == dt.date(2012, 5, 3)

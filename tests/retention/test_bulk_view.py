"""Record types that are a part of a table: who is a member, and what the others do to it."""

from __future__ import annotations

import pytest
from bulk_cases import AS_OF, NEW, OLD, decided, opened

from staffords_gdpr.retention.states import State

PEOPLE = f"""
CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, name TEXT, made DATE);
INSERT INTO people VALUES (1, 'customer', 'a', '{OLD}'), (2, 'staff', 'b', '{OLD}'), (3, NULL, 'c', '{OLD}'),
  (4, 'Customer', 'd', '{OLD}'), (5, 'customer', 'e', '{NEW}');
CREATE TABLE calls (id INTEGER PRIMARY KEY, person_id INTEGER, made DATE, reason TEXT);
INSERT INTO calls VALUES (1, 1, '{OLD}', 'x'), (2, 2, '{OLD}', 'x'), (3, 3, '{OLD}', 'x'), (4, 9, '{OLD}', 'x'),
  (5, NULL, '{OLD}', 'x'), (6, 5, '{OLD}', 'x');
CREATE TABLE notes (id INTEGER PRIMARY KEY, on_what TEXT, object_id INTEGER, words TEXT);
INSERT INTO notes VALUES (1, 'call', 1, 'x'), (2, 'call', 2, 'x'), (3, 'repair', 1, 'x'), (4, 'call', 9, 'x');
"""
CUSTOMERS = """
subject: customer
records:
  customer:
    table: people
    where: {kind: customer}
    personal: [name]
    keep: {for: 3 years, after: made}
  call:
    table: calls
    belongs_to: customer
    on: {person_id: id}
    personal: [reason]
    keep: {for: 2 years, after: made}
  note:
    table: notes
    where: {on_what: call}
    belongs_to: call
    on: {object_id: id}
    personal: [words]
"""


def test_only_rows_for_which_where_is_true_are_subjects() -> None:
    found = decided(PEOPLE, CUSTOMERS)
    assert found.states("customer") == {1: State.DUE, 5: State.KEPT}
    assert found.bulk.catalogue.subject is not None


def test_nothing_of_an_excluded_subject_is_listed_and_orphans_stay_orphans() -> None:
    found = decided(PEOPLE, CUSTOMERS)
    assert found.states("call") == {
        1: State.DUE, 4: State.UNDECIDABLE, 5: State.UNDECIDABLE, 6: State.DUE
    }  # fmt: skip


def test_rows_below_rows_of_another_kind_are_of_another_kind() -> None:
    found = decided(PEOPLE, CUSTOMERS)
    assert found.states("note") == {1: State.DUE, 4: State.UNDECIDABLE}


def test_excluded_subjects_are_not_counted() -> None:
    with opened(PEOPLE, CUSTOMERS) as bulk:
        bulk.decide(AS_OF)
        assert bulk.total_subjects() == 2
        assert bulk.subjects_affected() == 2


def test_a_record_type_that_is_simply_a_table_is_read_as_that_table() -> None:
    with opened(PEOPLE, CUSTOMERS.replace("where: {kind: customer}", "title: Customer")) as bulk:
        views, records = bulk.work.views, bulk.catalogue.records
        assert views.appearances("customer") is records["customer"].sa_table
        assert views.appearances("call") is records["call"].sa_table


REFERRED = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, made DATE);
INSERT INTO customers VALUES (1, 'a', '{OLD}'), (2, 'b', '{OLD}');
CREATE TABLE tickets (id INTEGER PRIMARY KEY, kind TEXT, customer_id INTEGER REFERENCES customers(id), made DATE,
  words TEXT);
INSERT INTO tickets VALUES (1, 'call', 1, '{OLD}', 'x'), (2, 'rubbish', 2, '{OLD}', 'x'), (3, NULL, 1, '{NEW}', 'x');
"""
TICKETS = """
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: made}}
  call:
    table: tickets
    where: {kind: call}
    belongs_to: customer
    personal: [words]
    keep: {for: 2 years, after: made}
"""


def test_a_row_of_no_record_type_holds_what_it_refers_to() -> None:
    found = decided(REFERRED, TICKETS)
    assert found.states("call") == {1: State.DUE}
    assert found.states("customer") == {1: State.HELD, 2: State.HELD}
    assert found.verdict("customer", 2).reason == "tickets stays and refers to it"


def test_a_row_of_another_record_type_holds_as_that_one_decides() -> None:
    policy = (
        TICKETS
        + """
  rubbish:
    table: tickets
    where: {not_kind: 0}
    belongs_to: customer
    personal: [words]
    keep: {for: 2 years, after: made}
""".replace("{not_kind: 0}", "{kind: rubbish}")
    )
    found = decided(REFERRED, policy)
    assert found.states("rubbish") == {2: State.DUE}
    assert found.states("customer") == {1: State.HELD, 2: State.DUE}


OVERLAPPING = """
  complaint:
    table: tickets
    where: {words: x}
    belongs_to: customer
    personal: [words]
    keep: {for: 1 year, after: made}
"""


def test_a_row_that_two_record_types_claim_is_undecidable_in_both() -> None:
    found = decided(REFERRED, TICKETS + OVERLAPPING)
    assert found.states("call") == {1: State.UNDECIDABLE}
    assert found.states("complaint") == {1: State.UNDECIDABLE, 2: State.DUE, 3: State.KEPT}
    assert found.verdict("call", 1).reason.startswith("also a complaint")
    assert found.states("customer") == {1: State.HELD, 2: State.DUE}


@pytest.mark.parametrize("made", [OLD, NEW])
def test_a_row_without_a_rule_that_two_record_types_claim_is_undecidable_whatever_its_owner_is(
    made: str,
) -> None:
    policy = TICKETS.replace("    keep: {for: 2 years, after: made}\n", "") + OVERLAPPING
    found = decided(REFERRED.replace(f"(1, 'a', '{OLD}')", f"(1, 'a', '{made}')"), policy)
    assert found.states("call") == {1: State.UNDECIDABLE}
    assert found.states("customer")[1] is (State.HELD if made == OLD else State.KEPT)

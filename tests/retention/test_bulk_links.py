"""Ways over other tables to one owner, subjects known by a value, and replacements that name the key."""

from __future__ import annotations

import datetime as dt

from bulk_cases import AS_OF, NEW, OLD, decided, opened

from staffords_gdpr.operations.purge.erasure import planned
from staffords_gdpr.retention.bulk import Chunk
from staffords_gdpr.retention.bulk.rows import Scope
from staffords_gdpr.retention.states import State

UNDECIDABLE, DUE, KEPT, HELD, ANONYMISED = (
    State.UNDECIDABLE, State.DUE, State.KEPT, State.HELD, State.ANONYMISED
)  # fmt: skip

# asset 3 leads to no contract, contract 13 to nobody
CONTRACTS = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, made DATE);
INSERT INTO customers VALUES (1, 'a', '{OLD}'), (2, 'b', '{NEW}');
CREATE TABLE contracts (nr INTEGER PRIMARY KEY, customer_id INTEGER, kind TEXT);
INSERT INTO contracts VALUES (11, 1, 'a'), (12, 2, 'a'), (13, NULL, 'a'), (14, 1, 'b'), (15, 9, 'a');
CREATE TABLE calls (id INTEGER PRIMARY KEY, contract INTEGER, made DATE, words TEXT);
INSERT INTO calls VALUES (1, 11, '{OLD}', 'x'), (2, 12, '{OLD}', 'x'), (3, 99, '{OLD}', 'x'), (4, 13, '{OLD}', 'x'),
  (5, NULL, '{OLD}', NULL), (6, 14, '{OLD}', 'x'), (7, 15, '{OLD}', 'x'), (8, NULL, '{OLD}', 'x');
"""
CALLS = """
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: made}}
  call:
    table: calls
    belongs_to: customer
    through: {table: contracts, on: {nr: contract}, where: {kind: a}}
    on: {customer_id: id}
    personal: [words]
    keep: {for: 2 years, after: made}
"""


def test_a_way_over_another_table_leads_to_the_owner_or_nowhere() -> None:
    found = decided(CONTRACTS, CALLS)
    assert not found.bulk.catalogue.records["call"].several
    assert found.states("call") == {
        1: DUE, 2: DUE, **dict.fromkeys((3, 4, 5, 6, 7, 8), UNDECIDABLE)
    }  # fmt: skip
    assert found.verdict("call", 1).subject == (1,)
    assert found.states("customer") == {1: DUE, 2: KEPT}


def test_only_an_empty_column_of_the_row_itself_is_a_link_that_anonymising_has_undone() -> None:
    policy = CALLS + "    erase: {anonymise: {words: null, contract: null}}\n"
    found = decided(CONTRACTS, policy)
    assert found.states("call") == {
        1: DUE, 2: DUE, 5: ANONYMISED, 8: DUE, **dict.fromkeys((3, 4, 6, 7), UNDECIDABLE)
    }  # fmt: skip


def test_orphans_over_another_table_follow_their_own_rule() -> None:
    found = decided(CONTRACTS, CALLS + "    orphans: {for: 1 year, after: made}\n")
    assert set(found.states("call").values()) == {DUE}
    assert found.verdict("call", 3).last_day == dt.date(2011, 5, 2)


CALLERS = f"""
CREATE TABLE calls (id INTEGER PRIMARY KEY, email TEXT, made DATE, words TEXT, kind TEXT);
INSERT INTO calls VALUES (1, 'a@x', '{OLD}', 'x', 'c'), (2, 'a@x', '{NEW}', 'x', 'c'), (3, 'b@x', '{OLD}', 'x', 'c'),
  (4, NULL, '{OLD}', 'x', 'c'), (5, 'A@x', '{OLD}', 'x', 'c'), (6, 'd@x', '{OLD}', 'x', 'other');
CREATE TABLE repairs (id INTEGER PRIMARY KEY, contact TEXT, made DATE, words TEXT);
INSERT INTO repairs VALUES (1, 'c@x', '{OLD}', 'x'), (2, 'b@x', '{OLD}', 'x');
"""
VALUES = """
subject: caller
dates: {last: {latest_of: [call.made, repair.made]}}
records:
  caller: {values_of: [call.email, repair.contact]}
  call:
    table: calls
    where: {kind: c}
    belongs_to: caller
    on: {email: value}
    personal: [email, words]
    keep: {for: 3 years, after: last}
  repair:
    table: repairs
    belongs_to: caller
    on: {contact: value}
    personal: [contact, words]
    keep: {for: 3 years, after: last}
"""


def test_each_value_is_a_subject_that_has_no_row() -> None:
    found = decided(CALLERS, VALUES)
    assert found.bulk.catalogue.subject is None
    assert {verdict.record for verdict in found.verdicts} == {"call", "repair"}
    assert found.states("call") == {1: KEPT, 2: KEPT, 3: DUE, 4: UNDECIDABLE, 5: DUE}
    assert found.states("repair") == {1: DUE, 2: DUE}
    assert found.verdict("call", 3).subject == ("b@x",)


def test_a_hold_names_a_value() -> None:
    found = decided(CALLERS, VALUES, holds={("b@x",)})
    assert found.states("call") == {1: KEPT, 2: KEPT, 3: HELD, 4: UNDECIDABLE, 5: DUE}
    assert found.states("repair") == {1: DUE, 2: HELD}


def test_values_are_worked_off_like_other_subjects() -> None:
    with opened(CALLERS, VALUES + "    orphans: {for: 1 year, after: made}\n") as bulk:
        bulk.decide(AS_OF)
        assert bulk.total_subjects() == 4
        assert bulk.subjects_affected() == bulk.agenda.write().subjects == 3
        assert list(bulk.agenda.subjects(lambda: 2)) == [Chunk(0, 2), Chunk(2, 3)]
        bulk.scope_to(subjects=[("b@x",)])
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        assert planned(bulk) == {"call": 1, "repair": 1}


ERASED = f"""
CREATE TABLE customers (id INTEGER, part CHAR(1), name TEXT, email TEXT UNIQUE, made DATE, PRIMARY KEY (id, part));
INSERT INTO customers VALUES (1, 'x', '', 'erased-1-x@x', '{OLD}'), (2, 'x', '', 'erased-1-x', '{OLD}'),
  (3, 'x', '', 'me', '{OLD}'), (4, 'x', NULL, 'erased-4-x@x', '{OLD}'), (5, 'x', '', 'erased-5-x@x', '{NEW}');
"""


REPLACING = """
subject: customer
records:
  customer:
    table: customers
    personal: [name, email]
    keep: {for: 3 years, after: made}
    erase: {anonymise: {name: "", email: "erased-{key}@x"}}
"""


def test_a_replacement_that_names_the_key_is_that_of_its_own_row() -> None:
    assert {key[0]: state for key, state in decided(ERASED, REPLACING).states("customer").items()} == {
        1: ANONYMISED, 2: DUE, 3: DUE, 4: DUE, 5: KEPT
    }  # fmt: skip

"""Rows that belong to several owners: due only if due under each, and every row once in every answer."""

from __future__ import annotations

import datetime as dt

from bulk_cases import AS_OF, NEW, OLD, decided, opened

from staffords_gdpr.operations.purge.erasure import Eraser, planned
from staffords_gdpr.retention.bulk.rows import Scope
from staffords_gdpr.retention.states import State

UNDECIDABLE, DUE, KEPT, HELD, ANONYMISED = (
    State.UNDECIDABLE, State.DUE, State.KEPT, State.HELD, State.ANONYMISED
)  # fmt: skip

# calls 1: both old; 2: of an old and a new customer; 3: only a link row that leads nowhere; 4: no link row;
# 5: the same customer twice; 6: an old customer and one who is missing; 7: an operator is no caller
DATABASE = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, made DATE);
INSERT INTO customers VALUES (1, 'a', '{OLD}'), (2, 'b', '{OLD}'), (3, 'c', '{NEW}');
CREATE TABLE calls (id INTEGER PRIMARY KEY, made DATE, words TEXT);
INSERT INTO calls VALUES (1, '{OLD}', 'x'), (2, '{OLD}', 'x'), (3, '{OLD}', 'x'), (4, '{OLD}', 'x'), (5, '{OLD}', 'x'),
  (6, '{OLD}', 'x'), (7, '{OLD}', 'x');
CREATE TABLE parts (call_id INTEGER, person_id INTEGER, role TEXT);
INSERT INTO parts VALUES (1, 1, 'caller'), (1, 2, 'caller'), (2, 2, 'caller'), (2, 3, 'caller'),
  (3, NULL, 'caller'), (5, 1, 'caller'), (5, 1, 'caller'), (6, 1, 'caller'), (6, 9, 'caller'), (7, 1, 'operator');
CREATE TABLE notes (id INTEGER PRIMARY KEY, call_id INTEGER REFERENCES calls(id), words TEXT);
INSERT INTO notes VALUES (1, 1, 'x'), (2, 2, 'x'), (6, 6, 'x');
"""
POLICY = """
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: made}}
  call:
    table: calls
    belongs_to: customer
    through: {table: parts, on: {call_id: id}, where: {role: caller}}
    on: {person_id: id}
    personal: [words]
    keep: {for: 2 years, after: made, or_until: customer.made}
  note: {table: notes, belongs_to: call, personal: [words]}
"""


def test_a_row_is_due_only_if_it_is_due_under_each_owner() -> None:
    found = decided(DATABASE, POLICY)
    assert found.states("call") == {
        1: DUE, 2: DUE, 3: UNDECIDABLE, 4: UNDECIDABLE, 5: DUE, 6: UNDECIDABLE, 7: UNDECIDABLE
    }  # fmt: skip
    assert found.states("note") == {1: DUE, 2: DUE, 6: UNDECIDABLE}
    assert found.states("customer") == {1: HELD, 2: DUE, 3: KEPT}


def test_the_last_day_is_the_latest_and_the_subject_the_least() -> None:
    found = decided(DATABASE, POLICY.replace("for: 2 years", "for: 20 years"))
    assert found.verdict("call", 2).state is KEPT
    later = decided(DATABASE.replace(NEW, "2026-11-20"), POLICY.replace("for: 2 years", "for: 1 day"))
    assert later.verdict("call", 2).last_day == dt.date(2026, 11, 20)
    assert later.verdict("call", 1).last_day == dt.date(2010, 5, 3)
    assert later.verdict("call", 2).subject == (2,)
    assert later.verdict("call", 4).subject is None
    assert later.verdict("call", 6).subject == (1,)


def test_an_owner_under_whom_it_stays_holds_it_for_the_others() -> None:
    found = decided(DATABASE, POLICY, holds={(3,)})
    assert found.states("call")[2] is HELD
    assert found.states("note")[2] is HELD
    assert found.states("customer") == {1: HELD, 2: HELD, 3: KEPT}
    assert found.states("call")[1] is DUE


def test_dates_and_evidence_count_under_each_owner() -> None:
    policy = POLICY.replace("subject: customer", "subject: customer\ndates: {last: {latest_of: [call.made]}}")
    policy = policy.replace("after: made, or_until: customer.made", "after: last")
    database = (
        DATABASE + f"UPDATE calls SET made = '{NEW}' WHERE id = 2; DELETE FROM parts WHERE call_id = 6;"
    )
    found = decided(database, policy)
    assert found.states("call")[1] is KEPT  # customer 2 has called lately
    assert found.verdict("call", 1).last_day == dt.date(2028, 5, 2)
    assert (
        found.states("call")[5] is HELD
    )  # the last of customer 1 is on the day of call 1 too, which counts from it
    alone = decided(database + "DELETE FROM parts WHERE call_id = 1;", policy)
    assert alone.states("call")[5] is DUE


def test_every_row_is_planned_counted_and_erased_once() -> None:
    with opened(DATABASE, POLICY) as bulk:
        bulk.decide(AS_OF)
        assert bulk.due_counts() == {"customer": 1, "call": 3, "note": 2}
        assert planned(bulk) == {"customer": 1, "call": 3, "note": 2}
        assert bulk.subjects_affected() == 3
        assert bulk.oldest_due() == dt.date(2012, 5, 2)
        plan = Eraser(bulk).plan()
        assert {each.name: each.keys for each in plan.erasures} == {
            "note": ((1,), (2,)), "call": ((1,), (2,), (5,)), "customer": ((2,),)
        }  # fmt: skip
        assert Eraser(bulk).erase(plan).reached == {"note": 2, "call": 3, "customer": 1}


def test_a_batch_of_subjects_takes_up_those_who_own_rows_with_them_and_leaves_what_others_own_too() -> None:
    with opened(DATABASE, POLICY) as bulk:
        bulk.decide(AS_OF)
        todo = bulk.agenda.write()
        assert (todo.subjects, todo.rows) == (3, 0)
        bulk.scope_to(subjects=[(1,)])
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        assert planned(bulk) == {
            "note": 1,
            "call": 2,
        }  # call 2 is customer 3's as well, who is not in the batch
        bulk.scope_to(subjects=[(2,)])
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        assert planned(bulk) == {"note": 2, "call": 3, "customer": 1}


def test_a_forecast_counts_every_row_once() -> None:
    with opened(DATABASE, POLICY.replace("for: 2 years", "for: 199 months")) as bulk:
        found = dict(bulk.forecast(AS_OF, 2))
        assert [found[day]["call"] for day in sorted(found)] == [3, 3]
        assert bulk.due_counts()["call"] == 0
        assert bulk.counts()["call"] == {KEPT: 3, UNDECIDABLE: 4}


COLUMNS = f"""
CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, name TEXT, made DATE);
INSERT INTO people VALUES (1, 'customer', 'a', '{OLD}'), (2, 'customer', 'b', '{NEW}'), (3, 'staff', 'c', '{OLD}');
CREATE TABLE tickets (id INTEGER PRIMARY KEY, customer_id INTEGER, reporter_id INTEGER, words TEXT);
INSERT INTO tickets VALUES (1, 1, NULL, 'x'), (2, 1, 1, 'x'), (3, 1, 2, 'x'), (4, 1, 3, 'x'), (5, 3, 3, 'x'),
  (6, NULL, 3, 'x'), (7, NULL, NULL, 'x'), (8, 9, 1, 'x'), (9, 9, 3, 'x');
"""
TICKETS = """
subject: customer
records:
  customer: {table: people, where: {kind: customer}, personal: [name], keep: {for: 3 years, after: made}}
  ticket:
    table: tickets
    belongs_to: customer
    on: [{customer_id: id}, {reporter_id: id}]
    personal: [words]
"""


def test_several_columns_lead_to_owners_and_one_of_another_kind_contests_the_row() -> None:
    found = decided(COLUMNS, TICKETS)
    assert found.verdict("ticket", 4).reason == "also belongs to a row of another kind than customer"
    assert found.states("ticket") == {
        1: HELD, 2: HELD, 3: KEPT, 4: UNDECIDABLE, 7: UNDECIDABLE, 8: UNDECIDABLE, 9: UNDECIDABLE
    }  # fmt: skip
    assert found.verdict("ticket", 8).subject == (1,)
    assert found.states("customer") == {1: HELD, 2: KEPT}
    contested = decided(COLUMNS + "DELETE FROM tickets WHERE id IN (3, 8);", TICKETS)
    assert contested.states("ticket")[1] is HELD
    alone = decided(COLUMNS + "DELETE FROM tickets WHERE id IN (3, 4, 8);", TICKETS)
    assert alone.states("ticket") == {1: DUE, 2: DUE, 7: UNDECIDABLE, 9: UNDECIDABLE}
    assert alone.states("customer") == {1: DUE, 2: KEPT}


def test_a_step_that_undoes_every_link_anonymises_and_lets_the_owners_go() -> None:
    policy = (
        TICKETS
        + """
    keep: {for: 20 years, after: made}
    dates: {made: {sql: "'2010-05-02'"}}
    sooner: {who: {with: customer, anonymise: {words: null, customer_id: null, reporter_id: null}}}
"""
    )
    database = COLUMNS.replace("(7, NULL, NULL, 'x')", "(7, NULL, NULL, NULL)")
    found = decided(database, policy)
    assert found.states("ticket.who") == {
        1: HELD, 2: HELD, 3: KEPT, 4: UNDECIDABLE, 7: ANONYMISED, 8: UNDECIDABLE, 9: UNDECIDABLE
    }  # fmt: skip
    assert found.states("ticket")[7] is KEPT
    alone = decided(database + "DELETE FROM tickets WHERE id IN (3, 4, 8);", policy)
    assert alone.states("ticket.who") == {1: DUE, 2: DUE, 7: ANONYMISED, 9: UNDECIDABLE}
    assert alone.states("ticket")[1] is KEPT
    assert alone.states("customer") == {1: DUE, 2: KEPT}

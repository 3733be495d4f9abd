"""Erasing on every engine: exactly the rows of the plan, whatever refers to what, and nothing else moves."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from engines.talk import rows, run

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, changes_so_far, check_deferred, connect, connected
from staffords_gdpr.database.schema import read_schema
from staffords_gdpr.operations.purge.erasure import Erased, Eraser, Plan, remaining
from staffords_gdpr.operations.purge.settle import remaining_in_the_end
from staffords_gdpr.policy import load_policy
from staffords_gdpr.retention.bulk import Bulk

AS_OF = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
HEAD = """
version: 1
title: The policy of a test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [director], review: [director]}
subject: customer
dates:
  last_contact: {latest_of: [call.received_at]}
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered_at}}
"""
CALLS = """  call:
    table: calls
    belongs_to: customer
    on: {customer_id: id}
    refers_to: {call: {follows: id}}
    personal: [reason]
    keep: {for: 3 years, after: last_contact}
"""
CUSTOMERS = (
    "CREATE TABLE customers (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40), registered_at TIMESTAMP NULL)"
)
NO_CALLS = (
    """CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER REFERENCES customers (id),
    received_at TIMESTAMP NULL, reason VARCHAR(90), follows INTEGER)""",
    "CREATE INDEX by_customer ON calls (customer_id)",
    "CREATE INDEX by_follows ON calls (follows)",
)
TWO = "INSERT INTO customers VALUES (1, 'Ada', '2014-05-01 10:00:00'), (2, 'Bob', '2026-05-01 10:00:00')"


class Desk:
    """A database and a policy for it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._policy = folder / "retention.yaml"

    def open(self, policy: str, *statements: str) -> None:
        self._policy.write_text(HEAD + policy)
        run(self.url, CUSTOMERS, TWO, *statements)

    @contextmanager
    def ready(self) -> Iterator[Bulk]:
        with connected(connect(self.url, write=True)) as connection:
            catalogue = bind(load_policy(self._policy), connection)
            connection.rollback()
            bulk = Bulk(connection, catalogue)
            connection.commit()
            yield bulk

    @contextmanager
    def decided(self) -> Iterator[tuple[Bulk, Plan]]:
        """In a transaction that is committed: what is due."""
        with self.ready() as bulk, begin(bulk.connection, lock=True):
            bulk.decide(AS_OF)
            yield bulk, Eraser(bulk).plan()

    def erase(self) -> tuple[Plan, Erased, int, dict[str, int]]:
        with self.decided() as (bulk, plan):
            before = changes_so_far(bulk.connection)
            erased = Eraser(bulk).erase(plan)
            check_deferred(bulk.connection)
            changed = changes_so_far(bulk.connection) - before
            return plan, erased, changed, remaining(bulk, plan.erasures)

    def ids(self, table: str) -> list[object]:
        return [row[0] for row in rows(self.url, f"SELECT id FROM {table} ORDER BY id")]


@pytest.fixture
def desk(engine_url: str, tmp_path: Path) -> Desk:
    return Desk(engine_url, tmp_path)


def erases_what_it_planned(desk: Desk, planned: dict[str, int], *, opened: int = 0) -> None:
    plan, erased, changed, left = desk.erase()
    assert plan.rows == planned
    assert erased.reached == planned
    assert erased.opened == opened
    assert changed == erased.changes == sum(planned.values()) + opened
    assert set(left.values()) == {0}


@pytest.mark.parametrize("action", ["", "ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE RESTRICT"])
def test_rows_of_one_table_that_refer_to_each_other_go_together(
    desk: Desk, engine_name: str, action: str
) -> None:
    desk.open(
        CALLS,
        f"CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), "
        f"received_at TIMESTAMP NULL, reason VARCHAR(90), follows INTEGER, "
        f"FOREIGN KEY (follows) REFERENCES calls (id) {action})",
        "CREATE INDEX by_customer ON calls (customer_id)",
        "INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL)",
        "INSERT INTO calls VALUES (2, 1, '2015-01-01 10:00:00', 'smell', 1)",
        "INSERT INTO calls VALUES (3, 1, '2016-01-01 10:00:00', 'smell', 2), (4, 2, '2026-01-01 10:00:00', 'x', NULL)",
    )
    opens = engine_name == "mariadb" or action.endswith("RESTRICT") or (engine_name == "sqlite" and action)
    erases_what_it_planned(desk, {"customer": 1, "call": 3}, opened=2 if opens else 0)
    assert (desk.ids("customers"), desk.ids("calls")) == ([2], [4])


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_two_tables_that_refer_to_each_other_are_opened_where_null_is_allowed(desk: Desk) -> None:
    foreign_key = "ALTER TABLE calls ADD FOREIGN KEY (best_offer) REFERENCES offers (id)"
    offers = "  offer: {table: offers, belongs_to: call, personal: [body]}\n"
    desk.open(
        CALLS + offers,
        *NO_CALLS,
        "ALTER TABLE calls ADD best_offer INTEGER",
        "CREATE TABLE offers (id INTEGER NOT NULL PRIMARY KEY, call_id INTEGER NOT NULL, body CHAR, "
        "FOREIGN KEY (call_id) REFERENCES calls (id))",
        "INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL, NULL)",
        "INSERT INTO calls VALUES (2, 1, '2015-01-01 10:00:00', 'smell', NULL, NULL)",
        "INSERT INTO calls VALUES (3, 2, '2026-01-01 10:00:00', 'x', NULL, NULL)",
        "INSERT INTO offers VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')",
        "UPDATE calls SET best_offer = id WHERE id <> 2",
        foreign_key,
    )
    erases_what_it_planned(desk, {"customer": 1, "call": 2, "offer": 2}, opened=1)
    assert (desk.ids("calls"), desk.ids("offers")) == ([3], [3])
    assert rows(desk.url, "SELECT best_offer FROM calls") == [(3,)]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_references_that_can_wait_for_the_commit_need_no_opening(desk: Desk) -> None:
    wait = "DEFERRABLE INITIALLY IMMEDIATE"
    desk.open(
        CALLS + "  offer: {table: offers, belongs_to: call, on: {call_id: id}, personal: [body]}\n",
        *NO_CALLS,
        "CREATE TABLE offers (id INTEGER PRIMARY KEY, call_id INTEGER NOT NULL REFERENCES calls (id), body VARCHAR(9))",
        "INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL)",
        "INSERT INTO offers VALUES (1, 1, 'a')",
        f"ALTER TABLE calls ADD best INTEGER NOT NULL DEFAULT 1 REFERENCES offers (id) {wait}",
    )
    erases_what_it_planned(desk, {"customer": 1, "call": 1, "offer": 1})


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_trigger_that_waits_for_the_commit_is_noticed(desk: Desk) -> None:
    desk.open(
        CALLS,
        *NO_CALLS,
        "INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL)",
        "CREATE TABLE history (id INTEGER)",
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO history VALUES (old.id); RETURN old; END'",
        "CREATE CONSTRAINT TRIGGER keep AFTER DELETE ON calls DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION keep()",
    )
    _, erased, changed, _ = desk.erase()
    assert changed == erased.changes + 1


def test_a_key_of_two_columns_and_a_replacement_with_the_key(desk: Desk) -> None:
    payments = """  payment:
    table: payments
    belongs_to: customer
    on: {customer_id: id}
    key: [year, number]
    personal: [holder, note]
    keep: {for: 6 years, after: taken_on}
    erase: {anonymise: {holder: "erased-{key}", note: null, customer_id: null}}
"""
    desk.open(
        CALLS + payments,
        *NO_CALLS,
        "CREATE TABLE payments (year INTEGER NOT NULL, number VARCHAR(9) NOT NULL, customer_id INTEGER, "
        "taken_on DATE, holder VARCHAR(40) UNIQUE, note VARCHAR(40), PRIMARY KEY (year, number))",
        "CREATE INDEX paid_by ON payments (customer_id)",
        "INSERT INTO payments VALUES (2014, 'A1', 2, '2014-05-01', 'Ada', 'x')",
        "INSERT INTO payments VALUES (2014, 'A2', 2, '2014-05-02', 'Bea', 'y')",
        "INSERT INTO payments VALUES (2026, 'A1', 2, '2026-05-02', 'Cle', 'z')",
    )
    erases_what_it_planned(desk, {"customer": 1, "payment": 2})
    found = rows(desk.url, "SELECT holder, note, customer_id FROM payments ORDER BY year, number")
    assert found == [("erased-2014-A1", None, None), ("erased-2014-A2", None, None), ("Cle", "z", 2)]


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_column_that_changes_by_itself_is_kept_when_its_row_is_anonymised(desk: Desk) -> None:
    desk.open(
        CALLS
        + """  payment:
    table: payments
    belongs_to: customer
    on: {customer_id: id}
    personal: [holder]
    keep: {for: 6 years, after: taken_on}
    erase: {anonymise: {holder: null, customer_id: null}}
""",
        *NO_CALLS,
        "CREATE TABLE payments (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, taken_on DATE, "
        "holder VARCHAR(40), changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
        "CREATE INDEX paid_by ON payments (customer_id)",
        "INSERT INTO payments VALUES (1, 1, '2014-05-01', 'Ada', '2014-05-01 12:00:00')",
    )
    erases_what_it_planned(desk, {"customer": 1, "payment": 1})
    assert rows(desk.url, "SELECT holder, CAST(changed AS CHAR) FROM payments") == [
        (None, "2014-05-01 12:00:00")
    ]


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_row_that_a_foreign_key_would_take_along_is_noticed(desk: Desk, action: str) -> None:
    desk.open(
        CALLS,
        *NO_CALLS,
        f"CREATE TABLE surveys (id INTEGER NOT NULL PRIMARY KEY, call_id INTEGER, "
        f"FOREIGN KEY (call_id) REFERENCES calls (id) ON DELETE {action})",
        "INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL)",
    )
    with desk.decided() as (bulk, plan):
        assert plan.rows == {"customer": 1, "call": 1}
        # past the rules, which would have held the call
        bulk.connection.exec_driver_sql("INSERT INTO surveys VALUES (1, 1)")
        before = changes_so_far(bulk.connection)
        erased = Eraser(bulk).erase(plan)
        changed = changes_so_far(bulk.connection) - before
        assert erased.dragged or changed != erased.changes


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_what_is_left_is_told_after_a_connection_that_a_killed_purge_left_behind(desk: Desk) -> None:
    desk.open(CALLS, *NO_CALLS, "INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL)")
    left: dict[str, int] = {}
    asking = threading.Event()

    def settle() -> None:
        with desk.ready() as bulk:
            asking.set()
            left.update(remaining_in_the_end(bulk, plan.erasures))

    settling = threading.Thread(target=settle)
    with desk.decided() as (bulk, plan):
        Eraser(bulk).erase(plan)
        settling.start()
        assert asking.wait(10)
        settling.join(0.3)
        assert not left
    settling.join(10)
    assert left == {"call": 0, "customer": 0}


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_rows_that_would_change_along_with_a_replaced_column_stop_the_batch(desk: Desk) -> None:
    """A foreign key that appeared after the policy was bound, too: InnoDB counts nothing of what it changes."""
    cards = """  card:
    table: cards
    belongs_to: customer
    on: {customer_id: id}
    personal: [holder]
    erase: {anonymise: {holder: "erased-{key}", customer_id: null}}
"""
    desk.open(
        CALLS + cards,
        *NO_CALLS,
        "CREATE TABLE cards (id INTEGER PRIMARY KEY, customer_id INTEGER, holder VARCHAR(40) UNIQUE)",
        "CREATE INDEX cards_by_customer ON cards (customer_id)",
        "CREATE TABLE letters (id INTEGER PRIMARY KEY, holder VARCHAR(40))",
        "INSERT INTO cards VALUES (1, 1, 'Ada')",
        "INSERT INTO letters VALUES (1, 'Ada')",
    )
    with desk.ready() as bulk:
        run(
            desk.url,
            "ALTER TABLE letters ADD FOREIGN KEY (holder) REFERENCES cards (holder) ON UPDATE CASCADE",
        )
        bulk.catalogue = replace(bulk.catalogue, tables=read_schema(bulk.connection).tables)
        bulk.connection.rollback()
        with begin(bulk.connection, lock=True) as transaction:
            bulk.decide(AS_OF)
            erased = (eraser := Eraser(bulk)).erase(eraser.plan())
            assert (erased.dragged, erased.reached) == (1, {})
            transaction.rollback()
    assert rows(desk.url, "SELECT holder FROM letters") == [("Ada",)]

"""Operators at work while a purge runs: what they do before a batch locks is respected, in mid-batch they wait."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from crash_office import LONG_AGO, Office, Rows, Saved, assert_log_and_database_agree
from engines.talk import run, speaking
from shim import Action, Commands, Trap

RULES = """  call: {table: calls, belongs_to: customer, personal: [name], keep: {for: 3 years, after: received_at}}
  product: {table: products, belongs_to: customer, keep: {for: 1 day, after: warranty_until}}
"""
TABLES = {
    "calls": "id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, received_at TIMESTAMP NULL, name VARCHAR(40), "
    "FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "products": "id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, warranty_until DATE, "
    "FOREIGN KEY (customer_id) REFERENCES customers (id)",
}
EXPIRED = range(11, 17)  # customers of whom everything is due


def meddling(now: dt.datetime) -> Mapping[int, str]:
    """What keeps each of them, as an operator writes it."""
    recent = f"{now - dt.timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    return {
        11: f"INSERT INTO calls VALUES (90, 11, '{recent}', 'Call')",
        12: "UPDATE repairs SET completed_at = NULL WHERE id = 12",
        13: f"UPDATE products SET warranty_until = '{recent[:10]}' WHERE id = 13",
        14: f"INSERT INTO products VALUES (91, 14, '{recent[:10]}')",
        15: f"UPDATE customers SET registered_at = '{recent}' WHERE id = 15",
    }


HELD = 16


@pytest.fixture
def saved(engine_url: str, tmp_path: Path, commands: Commands) -> Saved:
    """The firm, and six customers more of whom everything is long over."""
    more: dict[str, Rows] = {
        "calls": [(n, n, LONG_AGO, "Call") for n in EXPIRED],
        "products": [(n, n, LONG_AGO[:10]) for n in EXPIRED],
    }
    office = Office(engine_url, tmp_path / "firm", commands, RULES, TABLES)
    Office.open(office, more, customers=EXPIRED)
    return Saved(office)


def start_to_hold(office: Office) -> int:
    """Put a customer on hold, as a command that goes on; but the hold is in the log when this returns."""
    review_on = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=90)
    holds = len(office.entries("hold.add"))
    process = office.start(
        "hold", "add", "customer", str(HELD), "--reason-code", "claim", "--review-on", f"{review_on}"
    )
    until = time.monotonic() + 30
    while len(office.entries("hold.add")) == holds and time.monotonic() < until:
        time.sleep(0.01)
    return process


def test_what_operators_do_between_selection_and_lock_is_respected(saved: Saved, engine_name: str) -> None:
    office = saved.office
    step = ("lock",) if engine_name == "sqlite" else ("send",)
    trap = Trap(Action.PAUSE, 1, step, since='"type":"purge.start"')
    process = office.start("purge", trap=trap)
    with office.commands.paused(process):
        run(office.url, *meddling(dt.datetime.now(dt.UTC)).values())
        holding = office.commands.wait(start_to_hold(office))
        assert holding.code == 0, holding.err
        before = office.tables()
    ended = office.commands.wait(process)
    assert ended.code == 0, ended.err
    after = office.tables()
    expected = {
        "customers": {*saved.end["customers"], *map(str, EXPIRED)},
        "calls": {"90", "16"},
        "products": {"13", "91", "16"},
        "repairs": {*saved.end["repairs"]},
    }
    assert {table: set(after[table]) for table in expected} == expected
    assert after["repairs"]["12"] == before["repairs"]["12"]
    assert after["repairs"]["16"] == before["repairs"]["16"]
    assert [after["repairs"][str(n)][3] for n in (11, 13, 14, 15)] == [None] * 4
    assert_log_and_database_agree(office, before)


def test_what_operators_do_in_mid_batch_waits(saved: Saved) -> None:
    """From the decision on: the batch's key is written after it. The first batch is that of rows without a customer."""
    office = saved.office
    process = office.start("purge", trap=Trap(Action.PAUSE, 2, ("write",), place="/batch-keys/"))
    with office.commands.paused(process):
        assert office.tables()["customers"] == saved.tables["customers"]
        assert_operators_wait(office)
    ended = office.commands.wait(process)
    assert ended.code == 0, ended.err
    assert office.tables()["customers"] == saved.end["customers"]
    assert_log_and_database_agree(office, saved.tables)


def test_a_hold_that_comes_before_the_commit_is_told_that_it_is_too_late(
    saved: Saved, engine_name: str
) -> None:
    office = saved.office
    of_customers = '"customer":'  # what stands in the intent of the batch with them
    trap = (
        Trap(
            Action.PAUSE, 1, ("lock",), place=".db", since=of_customers
        )  # which its COMMIT keeps readers out with
        if engine_name == "sqlite"
        else Trap(Action.PAUSE, 1, ("send",), text="COMMIT", since=of_customers)
    )
    process = office.start("purge", trap=trap)
    with office.commands.paused(process):
        assert_operators_wait(office)
        holding = start_to_hold(office)
    ended = office.commands.wait(process)
    assert ended.code == 0, ended.err
    held = office.commands.wait(holding)
    assert held.code == 3, held.err
    assert "erased as the hold came" in held.out
    assert {"calls": {}, "products": {}}.items() <= office.tables().items()
    assert office.tables()["customers"] == saved.end["customers"]
    assert_log_and_database_agree(office, saved.tables)


def assert_operators_wait(office: Office) -> None:
    statements = meddling(dt.datetime.now(dt.UTC)).values()
    assert [statement for statement in statements if not waits(office.url, statement)] == []


def waits(url: str, statement: str) -> bool:
    """Whether somebody who does not wait for locks is turned away."""
    if url.startswith("sqlite"):
        with sqlite3.connect(sa.make_url(url).database or "", timeout=0) as operator:
            try:
                operator.execute(statement)
            except sqlite3.OperationalError as error:
                return "locked" in str(error)
            return False
    with speaking(url) as operator:
        postgresql = operator.dialect.name == "postgresql"
        operator.exec_driver_sql(
            "SET lock_timeout = '50ms'" if postgresql else "SET SESSION innodb_lock_wait_timeout = 0"
        )
        try:
            operator.exec_driver_sql(statement)
        except sa.exc.OperationalError:
            return True
        return False

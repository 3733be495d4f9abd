"""The privileges that gdpr asks for are enough for a purge, and it says which are missing or too many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.talk import as_user, run

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, changes_so_far, connect, connected
from staffords_gdpr.database.locks import lock_rows
from staffords_gdpr.database.privileges import Fault, privilege_faults
from staffords_gdpr.database.reclaim import reclaim
from staffords_gdpr.operations.purge.erasure import Eraser
from staffords_gdpr.policy import load_policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.rows import Scope

AS_OF = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
POLICY = """
version: 1
title: The policy of a test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [director], review: [director]}
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered_at}}
  call:
    table: calls
    belongs_to: customer
    on: {customer_id: id}
    personal: [reason]
    keep: {for: 3 years, after: received_at, while: {status: {in: {table: states, column: id, where: {closed: null}}}}}
"""
TABLES = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40), registered_at DATE)",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER, received_at DATE, reason CHAR, status INTEGER)",
    "CREATE INDEX by_customer ON calls (customer_id)",
    "CREATE TABLE states (id INTEGER PRIMARY KEY, closed INTEGER)",
    "CREATE TABLE prices (id INTEGER PRIMARY KEY)",
    "CREATE TABLE surveys (id INTEGER PRIMARY KEY, call_id INTEGER, FOREIGN KEY (call_id) REFERENCES calls (id))",
)
SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)


class User:
    """A user of the test's own, whose faults are asked for. Users belong to the server, and are dropped again."""

    def __init__(self, url: str, engine: str, policy: Path) -> None:
        self.url, self.policy, self.engine = url, policy, engine
        self.name = sa.make_url(url).database or ""
        self.spelled = f"'{self.name}'@'localhost'" if engine == "mariadb" else self.name
        run(url, *TABLES, f"CREATE USER {self.spelled}")

    def may(self, *grants: str) -> None:
        run(self.url, *(f"GRANT {grant} TO {self.spelled}" for grant in grants))

    def faults(self) -> list[Fault]:
        with connected(connect(self.url, write=False)) as connection:
            catalogue = bind(load_policy(self.policy), connection)
        with connected(connect(as_user(self.url, self.name), write=False)) as connection:
            return privilege_faults(connection, catalogue)

    def purge(self) -> Mapping[str, int]:
        """Do as this user what one batch does."""
        run(
            self.url,
            "INSERT INTO customers VALUES (1, 'Ada', '2014-05-01')",
            "INSERT INTO calls VALUES (11, 1, '2015-05-01', 'x', 1)",
            "INSERT INTO states VALUES (1, 1)",
        )
        with connected(connect(as_user(self.url, self.name), write=True)) as connection:
            catalogue = bind(load_policy(self.policy), connection)
            connection.rollback()
            bulk = Bulk(connection, catalogue)
            connection.commit()
            with begin(connection, lock=True):
                bulk.scope_to(subjects=[(1,)])
                lock_rows(connection, catalogue, {"customer": bulk.work.scope})
                bulk.decide(AS_OF, scope=Scope.SUBJECTS)
                before = changes_so_far(connection)
                erased = (eraser := Eraser(bulk)).erase(eraser.plan())
                assert changes_so_far(connection) - before == erased.changes
                return erased.reached

    def drop(self) -> None:
        if self.engine == "postgresql":
            run(self.url, f"DROP OWNED BY {self.name}")
        run(self.url, f"DROP USER {self.spelled}")


@pytest.fixture
def user(engine_url: str, engine_name: str, tmp_path: Path) -> Iterator[User]:
    policy = tmp_path / "retention.yaml"
    policy.write_text(POLICY)
    user = User(engine_url, engine_name, policy)
    yield user
    user.drop()


@SERVERS
def test_following_the_advice_leaves_nothing_missing_and_nothing_too_many(user: User) -> None:
    user.may("SELECT ON prices")  # or MariaDB does not let it in
    faults = user.faults()
    assert {fault.code for fault in faults} == {"missing-privilege"}
    assert {fault.table for fault in faults} - {None} == {"customers", "calls", "states", "surveys"}
    run(user.url, *(fault.advice for fault in faults))
    assert user.faults() == []
    assert user.purge() == {"customer": 1, "call": 1}


@SERVERS
def test_following_the_advice_is_enough_to_reclaim_as_the_policy_says(user: User) -> None:
    user.policy.write_text(f"{POLICY}reclaim: full\n")
    user.may("SELECT ON prices")
    run(user.url, *(fault.advice for fault in user.faults()))
    assert user.faults() == []
    parts = list(reclaim(connect(as_user(user.url, user.name), write=True), ["customers", "calls"], "full"))
    assert {"customers", "calls"} <= {part.what for part in parts}
    assert [part.failure for part in parts if part.failure] == []


@SERVERS
def test_the_right_to_change_what_a_purge_never_does_is_too_much(user: User) -> None:
    user.may("SELECT ON prices")
    run(user.url, *(fault.advice for fault in user.faults()))
    user.may("UPDATE, INSERT ON prices")
    faults = user.faults()
    assert [(fault.code, fault.what.split(" may ")[1]) for fault in faults] == [
        ("excessive-privilege", "INSERT on tables where a purge never does: prices"),
        ("excessive-privilege", "UPDATE on tables where a purge never does: prices"),
    ]
    run(user.url, *(fault.advice for fault in faults))
    assert user.faults() == []


@SERVERS
def test_a_user_who_may_do_everything_is_too_much(user: User, engine_name: str) -> None:
    if engine_name == "postgresql":
        run(user.url, f"ALTER USER {user.name} SUPERUSER")
    else:
        user.may("ALL ON *.*")
    (fault,) = user.faults()
    assert fault.code == "excessive-privilege"
    assert "SELECT" in fault.advice.split("calls")[0]  # what a user of its own should have
    if engine_name == "postgresql":
        run(user.url, f"ALTER USER {user.name} NOSUPERUSER")


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_grant_for_databases_of_another_name_does_not_count(user: User) -> None:
    user.may("SELECT, DELETE ON `test\\_other%%`.*", "SELECT ON prices")
    assert {fault.table for fault in user.faults()} >= {"customers", "calls"}
    user.may(f"SELECT, DELETE, TRIGGER, CREATE TEMPORARY TABLES ON `{user.name[:-1]}_`.*", "PROCESS ON *.*")
    assert [fault.code for fault in user.faults()] == ["excessive-privilege"]  # DELETE on every table

"""A database decided in parts: what is due is the same as by one decision over everything, unless rows of two parts are
due only together, which is noticed.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import sqlalchemy as sa
import yaml
from bulk_cases import HEAD
from engines.talk import run
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from test_recheck import EXAMPLES, Databases, aged, databases, put, thorough
from worlds import AS_OF, World, worlds

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, connect, connected
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk import Bulk, Part, Scope, parts
from staffords_gdpr.retention.states import Key

__all__ = ["databases"]

Named = set[tuple[str, Key]]


@pytest.fixture(autouse=True)
def no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each subject is in another part than the next."""
    monkeypatch.setattr(parts, "NEIGHBOURS", 1)


def due(bulk: Bulk) -> Named:
    return {
        (name, tuple(key))
        for name, found in bulk.candidates.items()
        for key in bulk.connection.execute(found.due())
    }


def left(bulk: Bulk) -> Counter[tuple[str, ...]]:
    """How many rows are held, for each reason, and how many undecidable."""
    held, undecidable = bulk.left_alone()
    counts = {(name, why): count for name, reasons in held.items() for why, count in reasons.items()}
    return Counter({**counts, **{(name,): count for name, count in undecidable.items()}})


def having_passed(bulk: Bulk) -> Named:
    """What has passed its own rule, which is what `may_go` says of it."""
    found: Named = set()
    for name, candidates in bulk.candidates.items():
        why = candidates.table.c.why
        rows = sa.select(*candidates.key).where(sa.or_(why.is_(None), why >= 0))
        passed = {tuple(key) for key in bulk.connection.execute(rows)}
        every = {tuple(key) for key in bulk.connection.execute(sa.select(*candidates.key))}
        assert bulk.may_go([name]) == bool(passed)
        assert bulk.may_go([name], passed) == bool(passed)
        assert not bulk.may_go([name], every - passed)
        found |= {(name, key) for key in passed}
    return found


def in_parts(bulk: Bulk, world: World, of: int) -> tuple[Named, Counter[tuple[str, ...]], bool, int]:
    """What is due part by part; what is left alone; whether more may be due; how many subjects have something due."""
    bulk.scope_to_nobody()
    bulk.decide(AS_OF, holds=world.held, scope=Scope.ROWS)
    found, alone, subjects = due(bulk), left(bulk), 0
    rows = bulk.agenda.write_rows().rows
    outside = bulk.held_from_outside(None)
    of_nobody = {name for name in bulk.candidates if bulk.may_go([name])}
    passed: Named = set()
    for number in range(of):
        bulk.scope_to_part(part := Part(number, of))
        bulk.decide(AS_OF, holds=world.held, scope=Scope.SUBJECTS)
        mine = due(bulk)
        assert not mine & found
        found |= mine
        alone += left(bulk)
        outside += bulk.held_from_outside(part)
        passed |= having_passed(bulk)
        subjects += bulk.agenda.write_subjects().subjects
    crossed = any(
        (each.nobodys and not of_nobody.isdisjoint(each.names))
        or any((name, key) in passed for name in each.names for key in each.keys or ())
        for each in outside
    )
    assert sum(bulk.count(table) for table in bulk.work.row_todos.values()) == rows, (
        "the list of rows was kept"
    )
    return found, alone, crossed, subjects


@settings(thorough, max_examples=EXAMPLES // 2)
@given(world=worlds(), of=st.sampled_from((2, 3)), seed=st.integers(0, 1_000_000))
def test_the_parts_of_a_database_make_the_whole(
    databases: Databases, world: World, of: int, seed: int
) -> None:
    policy = read_policy(yaml.safe_dump(world.policy, sort_keys=False).encode(), "policy.yaml")
    rows = aged(world.rows, Random(seed))
    for name, (engine, operator) in databases.items():
        put(operator, name, rows)
        with engine.connect() as connection:
            try:
                compare(connection, policy, world, of)
            except PolicyError:
                assume(False)


def compare(connection: sa.Connection, policy: Policy, world: World, of: int) -> None:
    bulk = Bulk(connection, bind(policy, connection))
    connection.commit()
    if not bulk.divisible:
        event("indivisible")
        return
    connection.commit()
    with begin(connection, lock=False):
        bulk.decide(AS_OF, holds=world.held)
        whole, alone, todo = due(bulk), left(bulk), bulk.agenda.write()
        found, alone_in_parts, crossed, subjects = in_parts(bulk, world, of)
    assert found <= whole
    if crossed:
        event(f"crossed, {'less' if found < whole else 'not less'} is due")
        return
    event(f"{'something' if whole else 'nothing'} is due")
    assert found == whole
    assert alone_in_parts == alone
    assert subjects == todo.subjects


DIRECT = "on: {customer_id: id}, "
OVER_A_CONTRACT = "through: {table: contracts, on: {nr: contract}}, on: {customer_id: id}, "
LINKS = {
    "whole numbers": ("INTEGER", DIRECT),
    "long numbers": ("BIGINT", DIRECT),
    "decimal numbers": ("NUMERIC(10)", DIRECT),
    "binary fractions": ("DOUBLE PRECISION", DIRECT),
    "over another table": ("INTEGER", OVER_A_CONTRACT),
}
DOMAIN = ("customer_number", DIRECT)
POLICY = """
subject: customer
dates: {last_contact: {latest_of: [call.received_at]}}
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered_at}}
  call: {table: calls, belongs_to: customer, WAYkeep: {for: 3 years, after: last_contact}}
"""
TABLES = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40), registered_at TIMESTAMP NULL)",
    "CREATE TABLE contracts (nr INTEGER PRIMARY KEY, customer_id INTEGER)",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id LINK, contract INTEGER, received_at TIMESTAMP NULL)",
    "CREATE INDEX of_customer ON calls (customer_id)",
    "CREATE INDEX of_contract ON calls (contract)",
    "CREATE INDEX of_owner ON contracts (customer_id)",
    *(f"INSERT INTO customers VALUES ({n}, 'Ann', '2014-05-01 10:00:00')" for n in range(1, 8)),
    *(f"INSERT INTO contracts VALUES ({n + 100}, {n})" for n in range(1, 8)),
    *(f"INSERT INTO calls VALUES ({n}, {n}, {n + 100}, '2015-05-01 10:00:00')" for n in range(1, 8)),
    "INSERT INTO calls VALUES (9, 3, 103, '2026-01-01 10:00:00')",
)


@pytest.mark.parametrize(
    ("engine_name", "kind", "way"),
    [
        pytest.param(engine, *link, id=f"{name}-{engine}")
        for engine in ("postgresql", "mariadb")
        for name, link in LINKS.items()
    ]
    + [pytest.param("postgresql", *DOMAIN, id="numbers of a domain-postgresql")],
    indirect=["engine_name"],
)
def test_a_link_may_be_of_another_type_than_the_key(engine_url: str, kind: str, way: str) -> None:
    if (kind, way) == DOMAIN:
        run(engine_url, f"CREATE DOMAIN {kind} AS INTEGER")
    run(engine_url, *(statement.replace("LINK", kind) for statement in TABLES))
    policy = read_policy((HEAD + POLICY.replace("WAY", way)).encode(), "policy.yaml")
    with connected(connect(engine_url, write=True)) as connection:
        bulk = Bulk(connection, bind(policy, connection))
        connection.commit()
        assert bulk.divisible
        with begin(connection, lock=False):
            bulk.decide(AS_OF)
            whole = due(bulk)
            found: Named = set()
            for number in range(3):
                bulk.scope_to_part(Part(number, 3))
                bulk.decide(AS_OF, scope=Scope.SUBJECTS)
                found |= due(bulk)
    assert found == whole
    assert {name for name, _ in found} == {"customer", "call"}
    assert ("customer", (3,)) not in found, "whose last contact is not long ago"

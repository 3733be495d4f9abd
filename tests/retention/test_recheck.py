"""What is listed is erased without a new decision where the recheck says that it is still due: never more than a new
decision would find, whatever operators have changed meanwhile, and all of it where they have changed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from random import Random

import engine_worlds
import pytest
import sqlalchemy as sa
import yaml
from engines.servers import Servers
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from worlds import AS_OF, TABLES, World, worlds

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, connect
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.operations.purge.erasure import Eraser, Plan
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk import Bulk, Chunk, Todo
from staffords_gdpr.retention.bulk.rows import Scope
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import Key, State

EXAMPLES = int(os.environ.get("GDPR_TEST_EXAMPLES", "60")) // 3
DATES = ("registered_at", "warranty_until", "received_at", "completed_at", "sent_at", "taken_at")
LONG_AGO = "2009-05-01 10:00:00"
Rows = dict[str, list[dict[str, object]]]
Named = set[tuple[str, Key]]
Databases = dict[str, tuple[sa.Engine, sa.Connection]]

thorough = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def databases(servers: Servers, enabled_engines: tuple[str, ...]) -> Iterator[Databases]:
    """Each engine with an operator's connection to it, and the tables of `worlds`."""
    made = {}
    for name in enabled_engines:
        engine = connect(servers.fresh(name), write=True)
        operator = engine.connect()
        engine_worlds.unchecked(operator, name)
        for statement in engine_worlds.schema(name):
            operator.exec_driver_sql(statement)
        operator.commit()
        made[name] = engine, operator
    yield made
    for engine, operator in made.values():
        operator.close()
        engine.dispose()


def aged(rows: Rows, random: Random) -> Rows:
    """The same with many a date long ago, and all three customers, so that much is due."""

    def older(name: str, value: object) -> object:
        if name == "status":
            return "closed"
        return LONG_AGO if name in DATES and random.random() < 0.9 else value

    found = {
        table: [{name: older(name, value) for name, value in row.items()} for row in some]
        for table, some in rows.items()
    }
    known = {row["id"] for row in found["customers"]}
    new = [{"id": n, "name": "New", "registered_at": LONG_AGO} for n in (1, 2, 3) if n not in known]
    return {**found, "customers": found["customers"] + new}


def changed(rows: Rows, values: Rows, random: Random) -> Rows:
    """What a few operators make of these rows: other values or none, rows that go, rows that come."""
    rows = deepcopy(rows)
    for _ in range(random.randint(1, 3)):
        table = random.choice([table for table, some in rows.items() if some] or [""])
        if not table:
            return rows
        row = random.choice(rows[table])
        match random.choice(("value", "value", "value", "gone", "new")):
            case "gone":
                rows[table].remove(row)
            case "new":
                new = {name: random.choice(rows[table]).get(name) for name in TABLES[table]}
                rows[table].append({**new, "id": max(int(str(each["id"])) for each in rows[table]) + 1})
            case _:
                name = random.choice(TABLES[table][1:])
                row[name] = random.choice([None, *(each.get(name) for each in values[table])])
    return rows


def named(plan: Plan) -> Named:
    return {(erasure.name, key) for erasure in plan.erasures for key in erasure.keys}


def fresh(connection: sa.Connection, policy: Policy, held: frozenset[Key], subjects: set[Key]) -> Named:
    """What a batch of these subjects would find due by a decision of its own."""
    bulk = Bulk(connection, bind(policy, connection))
    bulk.scope_to(subjects=subjects)
    bulk.decide(AS_OF, holds=held, scope=Scope.SUBJECTS)
    found = Eraser(bulk).plan()
    # a step of a row that is deleted as well goes with it
    return named(found) | {
        (candidates.name, key)
        for candidates in bulk.candidates.values()
        for key in map(tuple, connection.execute(candidates.due()))
    }


def due_by_function(connection: sa.Connection, policy: Policy, held: frozenset[Key]) -> Named:
    catalogue = bind(policy, connection)
    verdicts = judge(catalogue, load_everything(connection, catalogue), AS_OF, held)
    return {(verdict.record, verdict.key) for verdict in verdicts if verdict.state is State.DUE}


def chunks_of(todo: Todo, random: Random) -> Iterator[Chunk]:
    after = 0
    while after < todo.plain:
        chunk = Chunk(after, min(todo.plain, after + random.randint(1, 4)))
        yield chunk
        after = chunk.last


def still_listed(databases: Databases, name: str, world: World, seed: int, *, change: bool) -> None:
    policy = read_policy(yaml.safe_dump(world.policy, sort_keys=False).encode(), "policy.yaml")
    random, (engine, operator) = Random(seed), databases[name]
    rows = aged(world.rows, random)
    put(operator, name, rows)
    with engine.connect() as connection:
        bulk = Bulk(connection, bind(policy, connection))
        connection.commit()
        with begin(connection, lock=False):
            bulk.decide(AS_OF, holds=world.held)
            todo = bulk.agenda.write()
        if not todo.plain:
            event("nothing listed")
            return
        if change:
            put(operator, name, changed(rows, world.rows, random))
        eraser = Eraser(bulk, listed=True)
        by_function = due_by_function(connection, policy, world.held)
        connection.rollback()
        for chunk in chunks_of(todo, random):
            with begin(connection, lock=True) as transaction:
                plan = eraser.plan(chunk)
                says = bulk.agenda.still_due(chunk, world.held, plan.rows)
                event(f"{'changed' if change else 'as it was'}: {'still due' if says else 'decided anew'}")
                if says:
                    assert named(plan) <= fresh(connection, policy, world.held, set(plan.subjects)), name
                    assert named(plan) <= by_function, name
                else:
                    assert change or some_done(bulk, connection), name
                    changed_are_moved(bulk, eraser, chunk, world.held)
                    plan = eraser.plan(chunk)
                    if len(plan.subjects) < len(chunk):
                        event("some moved")
                        assert named(plan) <= fresh(connection, policy, world.held, set(plan.subjects)), name
                        assert named(plan) <= by_function, name
                transaction.rollback()


def changed_are_moved(bulk: Bulk, eraser: Eraser, chunk: Chunk, held: frozenset[Key]) -> None:
    """Those whose places, each asked for alone, are not due any more, and no others, unless they are all."""
    alone = [Chunk(place, place + 1) for place in range(chunk.after, chunk.last)]
    plans = [(one, eraser.plan(one)) for one in alone]
    due = [plan.subjects for one, plan in plans if bulk.agenda.still_due(one, held, plan.rows)]
    last = bulk.agenda.last_place()
    moved = bulk.agenda.move_changed(chunk, held)
    assert moved == (len(chunk) - len(due) if due else 0)
    if moved:
        assert eraser.plan(chunk).subjects == tuple(key for keys in due for key in keys)
        behind = eraser.plan(Chunk(last, last + moved))
        assert len(behind.subjects) == moved
        assert not behind.erasures
        assert bulk.agenda.last_place() == last + moved


def put(operator: sa.Connection, name: str, rows: Rows) -> None:
    engine_worlds.fill(operator, name, engine_worlds.in_real_types(rows))
    operator.commit()


def some_done(bulk: Bulk, connection: sa.Connection) -> bool:
    """Something was anonymised before, which the lists do not have: then a recheck may say no."""
    return any(
        connection.execute(sa.select(found.table.c.done).where(found.table.c.done == 1)).first()
        for found in bulk.candidates.values()
    )


@thorough
@given(world=worlds(), seed=st.integers(0, 2**32))
def test_what_operators_have_changed_is_never_erased_by_the_lists(
    databases: Databases, world: World, seed: int
) -> None:
    compare(databases, world, seed, change=True)


@thorough
@given(world=worlds(), seed=st.integers(0, 2**32))
def test_what_nobody_has_changed_is_still_due(databases: Databases, world: World, seed: int) -> None:
    compare(databases, world, seed, change=False)


def compare(databases: Databases, world: World, seed: int, *, change: bool) -> None:
    for name in databases:
        try:
            still_listed(databases, name, world, seed, change=change)
        except PolicyError:
            assume(False)

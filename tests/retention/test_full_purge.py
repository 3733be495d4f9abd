"""Purging random worlds of the full language: just what is due goes, nothing else changes, nothing is left to do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.servers import Servers
from full_worlds import FullWorld, full_worlds
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from test_full_language import Databases, give_up_if_too_deep, policy_of
from worlds import AS_OF

from staffords_gdpr import auditlog
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import load_person_key
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.errors import DatabaseError, PolicyError
from staffords_gdpr.operations.purge import Limits, purge
from staffords_gdpr.operations.scan import scan
from staffords_gdpr.operations.setup import approve, new_keys
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import State

EXAMPLES = int(os.environ.get("GDPR_TEST_EXAMPLES", "15")) // 3
Row = dict[str, object]
Contents = dict[str, list[Row]]


@pytest.fixture(scope="module")
def databases(servers: Servers, enabled_engines: tuple[str, ...]) -> Iterator[Databases]:
    databases = Databases(servers, enabled_engines)
    yield databases
    databases.close()


def contents(connection: sa.Connection, world: FullWorld) -> Contents:
    """Every row of every table."""
    found: Contents = {}
    for table, columns in world.shape.columns().items():
        names = [sa.column(name) for name in columns]
        rows = connection.execute(sa.select(*names).select_from(sa.table(table))).mappings()
        found[table] = sorted((dict(row) for row in rows), key=repr)
    connection.rollback()
    return found


def planned(catalogue: Catalogue, connection: sa.Connection, before: Contents) -> Contents:
    """What the database should hold after the purge, by the pure function's verdicts."""
    verdicts = judge(catalogue, load_everything(connection, catalogue), AS_OF, frozenset())
    connection.rollback()
    gone: set[int] = set()
    for verdict in verdicts:
        if verdict.state is not State.DUE:
            continue
        name, _, step = verdict.record.partition(".")
        bound = catalogue.records[name]
        replacing: Mapping[str, object] | None = bound.record.anonymise
        if step:
            replacing = next(each.anonymise for each in bound.record.sooner if each.name == step)
        (row,) = (r for r in before[bound.table] if tuple(r[part] for part in bound.key) == verdict.key)
        if replacing is None:
            gone.add(id(row))
            continue
        key = "-".join(map(str, verdict.key))
        for column, value in replacing.items():
            row[column] = value.replace("{key}", key) if isinstance(value, str) else value
    return {
        table: sorted((row for row in rows if id(row) not in gone), key=repr)
        for table, rows in before.items()
    }


def purge_once(policy: Policy, database: sa.Engine, batch_size: int) -> dict[str, int]:
    """One purge with a log of its own. What it says that it erased."""
    with tempfile.TemporaryDirectory() as folder:
        log = auditlog.create(Home(Path(folder) / "home"), name="random", now=AS_OF)
        new_keys(log, role="director", path=Path(folder) / "key", passphrase=None, by=None, now=AS_OF)
        key = load_person_key(Path(folder) / "key", None)
        approve(policy, database, log, key=key, role="director", now=AS_OF)
        return dict(
            purge(
                policy,
                database,
                log,
                now=AS_OF,
                compare_clocks=False,
                confirm=1000,
                limits=Limits(batch_size=batch_size),
            ).erased
        )


def purged(databases: Databases, name: str, world: FullWorld, batch_size: int) -> dict[str, int]:
    """Purge a world on one engine, and see that just what is due has gone."""
    policy = policy_of(world)
    engine, connection = databases.filled(name, world)
    catalogue = bind(policy, connection)
    connection.rollback()
    before = contents(connection, world)
    wanted = planned(catalogue, connection, contents(connection, world))
    erased = purge_once(policy, engine, batch_size)
    after = contents(connection, world)
    for table in before:
        assert after[table] == wanted[table], (name, table)
    assert bool(sum(erased.values())) == (before != wanted)
    left = scan(policy, engine, as_of=AS_OF)
    assert left.subjects_affected == 0, name
    assert not any(counts.due for counts in left.records.values()), name
    return erased


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=full_worlds(), batch_size=st.sampled_from((1, 100)))
def test_the_purge_erases_just_what_is_due_on_every_engine(
    databases: Databases, world: FullWorld, batch_size: int
) -> None:
    erased = []
    for name in databases.engines:
        try:
            erased.append(purged(databases, name, world, batch_size))
        except PolicyError:
            assume(False)
        except sa.exc.OperationalError as error:
            give_up_if_too_deep(error)
        except DatabaseError as error:
            if not isinstance(error.__cause__, sa.exc.OperationalError):
                raise
            give_up_if_too_deep(error.__cause__)
    assert all(each == erased[0] for each in erased)
    event("erased" if any(erased[0].values()) else "nothing to erase")

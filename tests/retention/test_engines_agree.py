"""The same rows have the same states on SQLite, PostgreSQL and MariaDB, by SQL and by the pure function (R9)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import engine_worlds
import pytest
import sqlalchemy as sa
import yaml
from both_ways import Answers, agreed
from engines.servers import Servers
from hypothesis import HealthCheck, assume, event, given, settings
from worlds import AS_OF, World, worlds

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.loader import read_policy

# each is decided six times, and most of the time goes into SQL that is made anew for each policy
EXAMPLES = int(os.environ.get("GDPR_TEST_EXAMPLES", "60")) // 8


@pytest.fixture(scope="module")
def connections(servers: Servers, enabled_engines: tuple[str, ...]) -> Iterator[dict[str, sa.Connection]]:
    """One connection to each engine, with the tables of `worlds` made once."""
    open_ones = {}
    for name in enabled_engines:
        connection = open_ones[name] = connect(servers.fresh(name), write=True).connect()
        engine_worlds.unchecked(connection, name)
        for statement in engine_worlds.schema(name):
            connection.exec_driver_sql(statement)
        connection.commit()
    yield open_ones
    for connection in open_ones.values():
        connection.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_every_engine_gives_the_same_answers_in_both_ways(
    connections: dict[str, sa.Connection], world: World
) -> None:
    rows = engine_worlds.in_real_types(world.rows)
    policy = read_policy(yaml.safe_dump(world.policy, sort_keys=False).encode(), "policy.yaml")
    answers: dict[str, Answers] = {}
    for name, connection in connections.items():
        connection.rollback()
        engine_worlds.fill(connection, name, rows)
        try:
            catalogue = bind(policy, connection)
        except PolicyError as error:
            event(str(error).split(": ", 1)[-1][:60])
            assume(False)
        answers[name] = agreed(connection, catalogue, AS_OF, world.held)
    first, *others = answers.values()
    assert all(other == first for other in others)
    for state, _, _ in first.values():
        event(f"{state}")

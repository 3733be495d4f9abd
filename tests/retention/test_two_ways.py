"""R9: the SQL and the pure function give the same answer, over random policies and random databases."""

from __future__ import annotations

import os

import sqlalchemy as sa
import yaml
from both_ways import agreed
from hypothesis import HealthCheck, assume, event, given, settings
from worlds import AS_OF, World, build, worlds

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import prepare
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.loader import read_policy

EXAMPLES = int(os.environ.get("GDPR_TEST_EXAMPLES", "20"))  # a thorough run takes 2000


def memory() -> sa.Engine:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    prepare(engine)
    return engine


def opened(connection: sa.Connection, world: World) -> Catalogue:
    # outside a transaction, where alone it works: a legacy database holds references to nothing
    connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
    build(connection, world.rows)
    connection.commit()
    policy = read_policy(yaml.safe_dump(world.policy, sort_keys=False).encode(), "policy.yaml")
    return bind(policy, connection)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_sql_and_the_pure_function_agree_on_every_row(world: World) -> None:
    with memory().connect() as connection:
        try:
            catalogue = opened(connection, world)
        except PolicyError as error:
            event(str(error).split(": ", 1)[-1][:60])
            assume(False)
        for state, _, _ in agreed(connection, catalogue, AS_OF, world.held).values():
            event(f"{state}")

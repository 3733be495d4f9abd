"""R9: the SQL and the pure function give the same answer, over random policies and random databases."""

from __future__ import annotations

import os

import sqlalchemy as sa
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from worlds import AS_OF, World, build, worlds

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import prepare
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything

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
        bulk = Bulk(connection, catalogue)
        bulk.decide(AS_OF, holds=world.held)
        by_sql = {(v.record, v.key): (v.state, v.last_day, v.subject) for v in bulk.verdicts()}
        verdicts = judge(catalogue, load_everything(connection, catalogue), AS_OF, world.held)
        by_function = {(v.record, v.key): (v.state, v.last_day, v.subject) for v in verdicts}
        for verdict in verdicts:
            event(f"{verdict.state}")
        assert by_sql == by_function
        counted = bulk.counts()
        for name in bulk.candidates:
            states = [state for (record, _), (state, _, _) in by_function.items() if record == name]
            assert counted[name] == {state: states.count(state) for state in counted[name]}

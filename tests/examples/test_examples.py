"""The example policies of docs/examples find what hand-written SQL finds, on every engine, and erase just that."""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from staffords_gdpr import auditlog
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import load_person_key
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.purge import Limits, purge
from staffords_gdpr.operations.scan import scan
from staffords_gdpr.operations.setup import approve, new_keys
from staffords_gdpr.policy import load_policy
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import State, Verdict

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())
AS_OF = dt.datetime(2026, 11, 23, 11, tzinfo=dt.UTC)

Due = dict[str, set[tuple[object, ...]]]


def loader(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / name / "load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fill(connection: sa.Connection, name: str) -> None:
    """Make the example's tables and rows."""
    for statement in (EXAMPLES / name / "schema.sql").read_text(encoding="utf-8").split(";"):
        if any(line and not line.startswith("--") for line in statement.strip().splitlines()):
            connection.exec_driver_sql(spelled(statement, connection))
    loader(name).load(connection)
    connection.commit()


def spelled(statement: str, connection: sa.Connection) -> str:
    """The statement as the engine wants it: MariaDB quotes names in its own way, PostgreSQL has no DATETIME."""
    if connection.dialect.name == "postgresql":
        return statement.replace("DATETIME", "TIMESTAMP")
    return statement if connection.dialect.name == "sqlite" else statement.replace('"', "`")


def expected(connection: sa.Connection, name: str) -> Due:
    """By record type or step, the keys that the hand-written queries give."""
    first, *queries = (EXAMPLES / name / "expected.sql").read_text(encoding="utf-8").split("\n-- == ")[1:]
    _, _, shared = first.partition("\n")
    found = {}
    for query in queries:
        record, _, text = query.partition("\n")
        rows = connection.execute(sa.text(spelled(f"{shared}\n{text}", connection).replace(":", "\\:")))
        found[record.strip()] = {tuple(row) for row in rows}
    return found


def due(verdicts: Iterable[Verdict], catalogue: Catalogue) -> Due:
    found: Due = {name: set() for name in catalogue.records}
    for verdict in verdicts:
        if verdict.state is State.DUE:
            found.setdefault(verdict.record, set()).add(verdict.key)
    return found


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(name: str, engine_url: str) -> Iterator[sa.Engine]:
    engine = connect(engine_url, write=True)
    with engine.connect() as connection:
        fill(connection, name)
    yield engine
    engine.dispose()


def test_both_ways_find_what_hand_written_sql_finds(name: str, database: sa.Engine) -> None:
    policy = load_policy(EXAMPLES / name / "policy.yaml")
    with database.connect() as connection:
        wanted = expected(connection, name)
        catalogue = bind(policy, connection)
        bulk = Bulk(connection, catalogue)
        bulk.decide(AS_OF)
        verdicts = list(bulk.verdicts())
        assert due(verdicts, catalogue) == wanted
        rows = load_everything(connection, catalogue)
        by_function = judge(catalogue, rows, AS_OF, frozenset())
        assert due(by_function, catalogue) == wanted
        assert {(v.record, v.key, v.state, v.last_day) for v in verdicts} == {
            (v.record, v.key, v.state, v.last_day) for v in by_function
        }
    for record, keys in wanted.items():
        states = {verdict.state for verdict in verdicts if verdict.record == record}
        assert keys, f"the example has no {record} that is due"
        assert states > {State.DUE}, f"the example has no {record} that stays"


def test_the_purge_erases_just_that_and_nothing_is_left_to_do(
    name: str, database: sa.Engine, tmp_path: Path
) -> None:
    policy = load_policy(EXAMPLES / name / "policy.yaml")
    log = auditlog.create(Home(tmp_path / "home"), name="example", now=AS_OF)
    new_keys(log, role="director", path=tmp_path / "key", passphrase=None, by=None, now=AS_OF)
    key = load_person_key(tmp_path / "key", None)
    approve(policy, database, log, key=key, role="director", now=AS_OF)
    with database.connect() as connection:
        wanted = expected(connection, name)
        before = contents(connection, policy)
    result = purge(
        policy, database, log, now=AS_OF, compare_clocks=False, confirm=10_000, limits=Limits(batch_size=7)
    )
    with database.connect() as connection:
        after = contents(connection, policy)
        catalogue = bind(policy, connection)
    replaced = replacing(catalogue)
    for record in replaced & {name for name in wanted if "." in name}:
        wanted[record] -= wanted[record.partition(".")[0]]  # the step goes with the row
    assert {record: count for record, count in result.erased.items() if count} == {
        record: len(keys) for record, keys in wanted.items() if keys
    }
    for table in before.keys() | after.keys():
        deleted = {
            key
            for record, keys in wanted.items()
            if record in catalogue.records
            and catalogue.records[record].table == table
            and record not in replaced
            for key in keys
        }
        assert before[table].keys() - after[table].keys() == deleted
        changed = {key for key in after[table] if before[table][key] != after[table][key]}
        allowed = {
            key
            for record in replaced
            if catalogue.records[record.partition(".")[0]].table == table
            for key in wanted[record]
        }
        assert changed == allowed - deleted
    assert scan(policy, database, as_of=AS_OF).subjects_affected == 0


def contents(
    connection: sa.Connection, policy: Policy
) -> dict[str, dict[tuple[object, ...], tuple[object, ...]]]:
    """Every row of every table, by its key."""
    found = {}
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names():
        key = inspector.get_pk_constraint(table)["constrained_columns"]
        names = [column["name"] for column in inspector.get_columns(table)]
        rows = connection.execute(sa.select(*(sa.column(n) for n in names)).select_from(sa.table(table)))
        places = [names.index(column) for column in key or names]
        found[table] = {tuple(row[i] for i in places): tuple(row) for row in rows}
    return found


def replacing(catalogue: Catalogue) -> set[str]:
    """The record types and steps that replace columns in place of deleting the row."""
    found = {name for name, bound in catalogue.records.items() if bound.record.anonymise is not None}
    for name, bound in catalogue.records.items():
        found |= {f"{name}.{step.name}" for step in bound.record.sooner}
    return found

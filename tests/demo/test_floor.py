"""The benchmark's hand-written SQL finds the rows that the policy means, or its ratios would mean nothing."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import check, floor
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.demo.data import write_database
from staffords_gdpr.operations.scan import scan
from staffords_gdpr.policy import load_policy
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import State

TODAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("floor") / "calls.db"
    write_database(path, customers=2000, seed=5, today=TODAY)
    return path


@pytest.mark.parametrize(
    "as_of",
    [
        dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 3, 22, 59, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 3, 23, tzinfo=dt.UTC),  # the next day in London
        dt.datetime(2028, 2, 29, 9, tzinfo=dt.UTC),
    ],
)
def test_the_floor_finds_the_rows_that_slow_python_finds(database: Path, as_of: dt.datetime) -> None:
    expected = check.due(database, as_of)
    assert floor.find(database, as_of) == expected
    assert all(expected.values())


def test_the_floor_erases_what_it_finds_and_nothing_else(database: Path, tmp_path: Path) -> None:
    as_of = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
    copy = tmp_path / "calls.db"
    copy.write_bytes(database.read_bytes())
    due = floor.find(copy, as_of)

    erased = floor.erase(copy, as_of)

    tables = {"customer": "customers", "product": "products", "call": "calls", "repair": "repairs"}
    tables |= {"consignment": "consignments", "payment": "payments"}
    with closing(sqlite3.connect(database)) as before, closing(sqlite3.connect(copy)) as after:
        for record, table in tables.items():
            keys = [{row[0] for row in each.execute(f"SELECT id FROM {table}")} for each in (before, after)]
            assert keys[0] - keys[1] == due[record]
            assert erased[record] == len(due[record])
        orphans = [
            {tuple(row) for row in each.execute("PRAGMA foreign_key_check")} for each in (before, after)
        ]
    assert orphans[1] <= orphans[0]


def test_scan_and_the_pure_rules_find_the_rows_that_the_floor_finds(database: Path) -> None:
    as_of = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
    policy = load_policy(Path(__file__).parents[2] / "policies" / "retention.yaml")
    engine = connect(f"sqlite:///{database}", write=False)

    scanned = scan(policy, engine, as_of=as_of, details=True, states={State.DUE}).rows
    with engine.connect() as connection:
        catalogue = bind(policy, connection)
        judged = judge(catalogue, load_everything(connection, catalogue), as_of, frozenset())
    engine.dispose()

    by_hand = {(record, (key,)) for record, keys in floor.find(database, as_of).items() for key in keys}
    assert {(row.record, row.key) for row in scanned or ()} == by_hand
    assert {(row.record, row.key) for row in judged if row.state is State.DUE} == by_hand

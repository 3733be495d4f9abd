"""The benchmark's hand-written SQL finds the rows that the policy means, or its ratios would mean nothing."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import check, floor
from staffords_gdpr.operations.demo_data import write_database

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

"""Opening a database for reading leaves it, and the folder beside it, as they were."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.errors import DatabaseError, UsageError


@pytest.fixture(params=["delete", "wal"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={request.param}")
        connection.execute("CREATE TABLE calls (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO calls VALUES (7)")
        connection.commit()
    return path


def beside(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path.parent.iterdir()}


def read(path: Path) -> list[int]:
    engine = connect(f"sqlite:///{path}", write=False)
    with connected(engine) as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE work (k INTEGER)")
        connection.exec_driver_sql("INSERT INTO work SELECT id FROM calls")
        return [row[0] for row in connection.exec_driver_sql("SELECT k FROM work")]


def test_reading_leaves_nothing_behind(database: Path) -> None:
    before = beside(database)
    assert read(database) == [7]
    assert beside(database) == before


def test_reading_where_one_may_not_write(database: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(database, folder)
        os.chmod(path, 0o444)
        os.chmod(folder, 0o555)
        before = beside(path := Path(path))
        child = os.fork()
        if child == 0:  # root may write everywhere, so read as somebody who may not
            if os.getuid() == 0:
                os.setuid(65534)
            os._exit(0 if read(path) == [7] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert beside(path) == before
        os.chmod(folder, 0o755)


def test_reading_sees_what_an_open_application_has_committed(database: Path) -> None:
    with closing(sqlite3.connect(database)) as application:
        application.execute("INSERT INTO calls VALUES (8)")
        application.commit()
        assert read(database) == [7, 8]


@pytest.mark.parametrize("statement", ["DELETE FROM calls", "CREATE TABLE x (a)", "DROP TABLE calls"])
def test_nothing_can_be_changed_over_a_connection_for_reading(database: Path, statement: str) -> None:
    before = beside(database)
    with pytest.raises(DatabaseError), connected(connect(f"sqlite:///{database}", write=False)) as connection:
        connection.exec_driver_sql(statement)
    assert beside(database) == before


@pytest.mark.parametrize("url", ["mssql+pyodbc://x/y", "oracle://x/y"])
def test_an_engine_that_is_not_tested_is_refused_by_name(url: str) -> None:
    with pytest.raises(UsageError, match=sa.make_url(url).get_backend_name()):
        connect(url, write=False)

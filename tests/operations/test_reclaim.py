"""What was erased is not in the database's files, as far as the policy's `reclaim` promises it. The files are read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.servers import Servers, own_database, own_server
from engines.talk import as_user, rows, run, run_alone, speaking
from traces import Planted, addresses

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.database.connection import connect
from staffords_gdpr.database.reclaim import mariadb, postgresql, sqlite
from staffords_gdpr.errors import BrakeError, LockedError

GONE, KEPT = addresses(gone=True), addresses(gone=False)
DEAD = "SELECT sum(n_dead_tup) FROM pg_stat_user_tables"
ONLY_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
ONLY_POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)


@pytest.fixture
def engine_url(engine_name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Nobody else is on the server, who could keep the rows: other tests have transactions of their own."""
    if engine_name == "sqlite":
        servers: Servers = request.getfixturevalue("servers")
        yield (url := servers.fresh(engine_name))
        servers.drop(url)
    else:
        yield request.getfixturevalue({"postgresql": "quiet", "mariadb": "alone"}[engine_name])


def each_connection(engine: sa.Engine, *statements: str) -> None:
    """Have every connection of this engine say something first."""

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        for statement in statements:
            connection.execute(statement)


def test_full_leaves_nothing_erased_in_the_files_where_no_leaves_it(
    engine_url: str, engine_name: str, tmp_path: Path
) -> None:
    firm = Planted.over(engine_url, tmp_path, says="no")
    if engine_name == "sqlite":
        each_connection(firm.engine, "PRAGMA secure_delete=OFF")
    assert firm.in_files() == GONE | KEPT

    assert sum(firm.purge().erased.values()) == len(GONE)
    assert firm.in_files() & GONE, "the search must be able to find"
    assert firm.logged() == []

    result = firm.reclaim(full=True)
    assert result.complete, result.failures
    assert firm.in_files() == KEPT
    assert firm.logged() == [("full", "complete")]
    assert {len(rows(engine_url, f"SELECT 1 FROM {table}")) for table in ("customers",)} == {len(KEPT) // 2}
    assert verify(firm.log.home).ok
    parts = {part.what: part for part in result.parts}
    measured = (
        parts[Path(firm.engine.url.database or "").name] if engine_name == "sqlite" else parts["customers"]
    )
    assert measured.before is not None
    assert measured.after is not None
    assert measured.after < measured.before


@ONLY_SQLITE
def test_a_nightly_purge_with_vacuum_leaves_nothing_erased_in_a_file_of_sqlite(
    engine_url: str, tmp_path: Path
) -> None:
    firm = Planted.over(engine_url, tmp_path, says="vacuum")
    each_connection(firm.engine, "PRAGMA secure_delete=OFF")  # so that all of it is VACUUM's doing
    with closing(sqlite3.connect(firm.engine.url.database or "")) as application:
        # as an application may have it: a write-ahead log that outlives every connection of ours
        application.execute("PRAGMA journal_mode=WAL")
        result = firm.purge()
        assert result.reclaimed is not None
        assert result.reclaimed.complete
        assert not result.needs_person
        assert firm.in_files() == KEPT
        assert application.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert firm.types()[-2:] == ["purge.end", "reclaim"]
    assert firm.purge(days=1).reclaimed is None, "nothing was erased since"


@ONLY_SQLITE
def test_sqlite_overwrites_rows_as_they_go_and_empties_the_journal_even_where_the_policy_says_no(
    engine_url: str, tmp_path: Path
) -> None:
    firm = Planted.over(engine_url, tmp_path, says="no")
    path = Path(firm.engine.url.database or "")
    with closing(sqlite3.connect(path)) as application:
        application.execute("PRAGMA journal_mode=PERSIST")
        application.execute("UPDATE customers SET email = email")
        application.commit()
        journal = path.with_name(f"{path.name}-journal")
        assert any(address in journal.read_bytes() for address in GONE)
        firm.purge()
        assert not journal.exists()
    left = firm.in_files() & GONE
    assert len(left) < len(GONE) / 100, "moved copies may be left, rows may not"


@ONLY_SQLITE
def test_a_reader_in_the_way_spoils_no_erasure_is_told_and_is_made_up_for_next_night(
    engine_url: str, tmp_path: Path
) -> None:
    firm = Planted.over(engine_url, tmp_path, says="vacuum")
    each_connection(firm.engine, "PRAGMA busy_timeout=50")
    with closing(sqlite3.connect(firm.engine.url.database or "", isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode=WAL")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM customers").fetchall()
        result = firm.purge()
        assert result.result == "complete"
        assert result.needs_person
        assert result.reclaimed is not None
        assert "another program is reading" in result.reclaimed.failures[0].failure
        assert firm.in_files() & GONE
        assert firm.logged() == [("vacuum", "incomplete")]
    assert "Traces of erased rows of customer, call" in firm.status().problems[-1]
    firm.log = open_log(firm.log.home)  # as another process does, from what was kept at the last checkpoint
    following = firm.purge(days=1)
    assert following.erased == {}
    assert not following.needs_person
    assert firm.logged()[-1] == ("vacuum", "complete")
    assert firm.in_files() == KEPT
    assert not any("Traces" in problem for problem in firm.status().problems)


@ONLY_SQLITE
def test_samples_that_an_analyze_of_sqlite_took_go_with_the_rows(engine_url: str, tmp_path: Path) -> None:
    firm = Planted.over(engine_url, tmp_path, says="vacuum")
    with closing(sqlite3.connect(firm.engine.url.database or "")) as application:
        # what ANALYZE writes where SQLite was built with ENABLE_STAT4
        application.executescript("""
            CREATE TABLE later_stat4 (tbl, idx, neq, nlt, ndlt, sample);
            INSERT INTO later_stat4 SELECT 'customers', 'customers_email', '', '', '', CAST(email AS BLOB)
                FROM customers WHERE id < 20;
            PRAGMA writable_schema=ON;
            UPDATE sqlite_master SET name = 'sqlite_stat4', tbl_name = 'sqlite_stat4',
                sql = replace(sql, 'later_stat4', 'sqlite_stat4') WHERE name = 'later_stat4';
        """)
    assert rows(engine_url, "SELECT count(*) FROM sqlite_stat4 WHERE tbl = 'customers'") == [(19,)]
    firm.purge()
    assert firm.in_files() == KEPT


@ONLY_POSTGRESQL
def test_vacuum_on_postgresql_frees_the_rows_and_the_statistics_forget_them(
    engine_url: str, tmp_path: Path
) -> None:
    firm = Planted.over(engine_url, tmp_path, says="vacuum")
    samples = "SELECT count(*) FROM pg_stats WHERE CAST(histogram_bounds AS text) LIKE '%%mail000001@%%'"
    run(engine_url, "ANALYZE customers")
    assert rows(engine_url, samples) == [(1,)]
    result = firm.purge()
    assert result.reclaimed is not None
    assert result.reclaimed.complete, result.reclaimed.failures
    assert rows(engine_url, samples) == [(0,)]
    assert rows(engine_url, DEAD) == [(0,)]
    assert {part.what for part in result.reclaimed.parts} == {"customers", "calls"}


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_an_open_transaction_that_may_still_read_the_rows_is_told(
    engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffords_gdpr.database.reclaim.BUSY_SECONDS", 0.5)
    firm = Planted.over(engine_url, tmp_path, says="vacuum")
    with speaking(engine_url) as reader:
        reader.execution_options(isolation_level="REPEATABLE READ")
        reader.exec_driver_sql("SELECT count(*) FROM calls").scalar_one()
        result = firm.purge()
        assert result.result == "complete"
        assert result.reclaimed is not None
        assert not result.reclaimed.complete
        assert all("may still read" in part.failure for part in result.reclaimed.failures)
    monkeypatch.undo()  # a MariaDB with nothing else to do looks only now and then whether somebody may still read
    run(engine_url, "CREATE TABLE something (id INTEGER)", "DROP TABLE something")  # so it looks at once
    assert firm.reclaim().complete
    assert firm.logged() == [("vacuum", "incomplete"), ("vacuum", "complete")]


def test_an_analyze_of_autovacuum_may_still_read_the_rows_and_is_waited_for(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        own_server("postgresql", tmp_path_factory.mktemp("busy")) as server,
        own_database(server, "busy") as url,
    ):
        run_alone(server, "ALTER SYSTEM SET autovacuum_naptime = 1", "SELECT pg_reload_conf()")
        # a table of 40 pages that autovacuum analyzes at once, and takes some seconds over
        firm = Planted.over(url, tmp_path, says="full")
        run(
            url,
            "CREATE TABLE slow (id INTEGER, filler VARCHAR(2000)) WITH (autovacuum_analyze_threshold = 1,"
            " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
            " autovacuum_vacuum_insert_threshold = -1)",
            "INSERT INTO slow SELECT n, repeat('x', 1900) FROM generate_series(1, 160) AS n",
        )
        analyzing = "SELECT 1 FROM pg_stat_progress_analyze WHERE relid = 'slow'::regclass"
        until = time.monotonic() + 30
        while not rows(url, analyzing):
            assert time.monotonic() < until
            time.sleep(0.02)
        monkeypatch.setattr("staffords_gdpr.database.reclaim.BUSY_SECONDS", 0)
        reclaimed = firm.purge().reclaimed
        assert rows(url, analyzing), "it must have been at work all the time"
        assert reclaimed is not None
        assert {part.what for part in reclaimed.failures} == {"customers", "calls"}
        assert all("may still read" in part.failure for part in reclaimed.failures)
        assert firm.in_files() & GONE
        monkeypatch.setattr("staffords_gdpr.database.reclaim.BUSY_SECONDS", 60)
        assert firm.reclaim(full=True).complete
        assert firm.in_files() == KEPT


@ONLY_POSTGRESQL
@pytest.mark.parametrize("level", ["vacuum", "full"])
def test_whoever_writes_in_another_database_keeps_a_rewrite_from_the_rows_and_vacuum_from_none(
    engine_url: str, quiet_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """A rewrite has a snapshot of its own, which is as old as whoever writes anywhere."""
    monkeypatch.setattr("staffords_gdpr.database.reclaim.BUSY_SECONDS", 0)
    firm = Planted.over(engine_url, tmp_path, says=level)
    with own_database(quiet_server, "elsewhere") as elsewhere, speaking(elsewhere) as writer:
        writer.exec_driver_sql("CREATE TABLE something (id INTEGER)")
        reclaimed = firm.purge().reclaimed
        assert reclaimed is not None
        held = {part.what for part in reclaimed.failures if "may still read" in part.failure}
        assert held == ({"customers", "calls"} if level == "full" else set())
        assert reclaimed.complete == (level == "vacuum")
        assert level == "full" or rows(engine_url, DEAD) == [(0,)]
        assert firm.in_files() & GONE
    assert firm.reclaim(full=True).complete
    assert firm.in_files() == KEPT


@ONLY_POSTGRESQL
def test_an_open_transaction_of_somebody_whom_the_user_may_not_look_at_is_told(
    engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffords_gdpr.database.reclaim.BUSY_SECONDS", 0)
    firm = Planted.over(engine_url, tmp_path)
    role = f"owner_{sa.make_url(engine_url).database}"
    run(engine_url, f"CREATE ROLE {role} LOGIN", f"ALTER TABLE calls OWNER TO {role}")
    try:
        with speaking(engine_url) as reader:
            reader.execution_options(isolation_level="REPEATABLE READ")
            reader.exec_driver_sql("SELECT count(*) FROM customers").scalar_one()
            firm.purge()
            firm.engine = connect(as_user(engine_url, role), write=True)
            (calls,) = (part for part in firm.reclaim().parts if part.what == "calls")
    finally:
        run(engine_url, f"REASSIGN OWNED BY {role} TO postgres", f"DROP ROLE {role}")
    assert "may still read" in calls.failure


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_table_in_use_is_named_and_the_others_are_rewritten(
    engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffords_gdpr.database.connection.BUSY_SECONDS", 1)
    firm = Planted.over(engine_url, tmp_path)
    firm.purge()
    with speaking(engine_url) as operator:
        operator.exec_driver_sql("SELECT count(*) FROM calls").scalar_one()
        result = firm.reclaim(full=True)
    assert all("is locked by another program" in part.failure for part in result.failures)
    assert {part.what for part in result.failures} == {"calls"}
    assert firm.logged() == [("full", "incomplete")]
    assert all(address.startswith(b"call") for address in firm.in_files() & GONE)


@ONLY_POSTGRESQL
def test_tables_that_the_user_may_not_vacuum_are_told(engine_url: str, tmp_path: Path) -> None:
    firm = Planted.over(engine_url, tmp_path)
    firm.purge()
    run(engine_url, "CREATE ROLE nobody_special LOGIN")
    try:
        firm.engine = connect(as_user(engine_url, "nobody_special"), write=True)
        result = firm.reclaim()
    finally:
        run(engine_url, "DROP ROLE nobody_special")
    assert {part.what for part in result.failures} == {"customers", "calls"}
    assert all("permission denied" in part.failure for part in result.failures)
    assert "own the tables" in result.takes


@ONLY_SQLITE
def test_reclaim_is_refused_beside_a_purge_and_over_a_database_that_was_not_approved(
    engine_url: str, tmp_path: Path
) -> None:
    firm = Planted.over(engine_url, tmp_path)
    with firm.log.run_lock(), pytest.raises(LockedError):
        Planted(firm.folder, firm.policy, firm.engine, open_log(firm.log.home)).reclaim()
    firm.engine = connect(f"sqlite:///{tmp_path / 'calls.db'}", write=True)
    with pytest.raises(BrakeError, match="this is sqlite"):
        firm.reclaim()
    assert firm.logged() == []


def test_the_page_says_what_each_level_guarantees_in_the_program_s_words() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs/erasure.md").read_text(encoding="utf-8").split())
    for engine in (sqlite, postgresql, mariadb):
        for held in engine.GUARANTEES.values():
            assert held.gone in page
            assert held.remains in page
        assert engine.TAKES in page

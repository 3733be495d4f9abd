"""A purge that erases with several connections at once: it erases and says just what one would."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines.keeper import CLUSTER
from engines.talk import as_user, rows, run
from purge_office import ERASED, NOW, Firm, after_the_purge, hold_before_the_first_intent
from purge_servers import firm_on, tables_on

from staffords_gdpr.database.connection import connect
from staffords_gdpr.database.engines import mariadb_watch
from staffords_gdpr.errors import BrakeError, DatabaseError, GdprError
from staffords_gdpr.operations.purge import Limits, PurgeResult, announcements
from staffords_gdpr.operations.purge.batches import Batches, Done
from staffords_gdpr.operations.purge.lanes import Found, Lane, Portion
from staffords_gdpr.retention.bulk import Chunk, Part, parts
from staffords_gdpr.retention.bulk.recheck import Recheck

pytestmark = pytest.mark.skipif(CLUSTER in os.environ, reason="one connection only on a cluster")
SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)

TOGETHER = (
    "INSERT INTO customers VALUES (10, 'Ten', '2014-05-01 10:00:00'), (11, 'Eleven', '2014-05-01 10:00:00')",
    "INSERT INTO calls VALUES (20, 10, '2015-01-01 10:00:00', 'a', NULL), (21, 11, '2015-01-01 10:00:00', 'b', NULL)",
    "INSERT INTO calls VALUES (22, 10, '2015-01-01 10:00:00', 'c', 21), (23, 11, '2015-01-01 10:00:00', 'd', 20)",
)
"""Two customers of different parts, each with a call that follows one of the other."""

ALL_OVER = (*TOGETHER[:2], "INSERT INTO calls VALUES (22, 11, '2015-01-01 10:00:00', 'c', 20)")
"""The same, but only one of them follows."""

MANY = range(2000, 2014)
NOBODYS_GONE = (
    "DELETE FROM consignments WHERE repair_id = 3",
    "DELETE FROM repairs WHERE customer_id = 99",
    "DELETE FROM calls WHERE customer_id = 99",
    "DELETE FROM payments WHERE customer_id IS NULL",
    *(f"INSERT INTO customers VALUES ({n}, 'Many', '2015-01-01 10:00:00')" for n in MANY),
)
"""Many customers, and no rows of nobody, with which the first batches would ask nothing."""

LIMITED = {
    "postgresql": (
        "CREATE ROLE {user} LOGIN CONNECTION LIMIT 1",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}",
    ),
    "mariadb": (
        "CREATE OR REPLACE USER {user}@localhost WITH MAX_USER_CONNECTIONS 1",
        "GRANT ALL ON {database}.* TO {user}@localhost",
        "GRANT PROCESS ON *.* TO {user}@localhost",
    ),
}
"""Somebody who is allowed one connection."""


@pytest.fixture(autouse=True)
def no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers with even and with odd numbers are in different parts."""
    monkeypatch.setattr(parts, "NEIGHBOURS", 1)


@pytest.fixture
def firm(engine_url: str, engine_name: str, tmp_path: Path) -> Firm:
    return firm_on(engine_url, engine_name, tmp_path)


def purge(firm: Firm, connections: int = 2, *, hours_later: int = 0) -> PurgeResult:
    limits = Limits(batch_size=1, connections=connections)
    return firm.purge(NOW + dt.timedelta(hours=hours_later), limits=limits)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The threads in which listed subjects were erased."""
    found: set[str] = set()
    listed = Batches.listed

    def noted(batches: Batches, chunk: Chunk) -> Done:
        found.add(threading.current_thread().name)
        return listed(batches, chunk)

    monkeypatch.setattr(Batches, "listed", noted)
    return found


@SERVERS
def test_the_same_rows_go(engine_url: str, firm: Firm, threads: set[str]) -> None:
    before, connections = tables_on(engine_url), 3
    result = purge(firm, connections)
    assert len(threads) == connections
    assert result.erased == ERASED
    assert result.held, "of a customer who calls again, of an open repair"
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()
    again = purge(firm, connections, hours_later=1)
    assert again.erased == {}
    alone = purge(firm, connections=1, hours_later=2)
    assert (again.held_why, again.undecidable) == (alone.held_why, alone.undecidable)


@SERVERS
def test_a_plan_is_that_of_one_decision(firm: Firm) -> None:
    told = firm.purge(dry_run=True)
    result = purge(firm)
    assert result.erased == told.erased
    assert result.subjects_affected == told.subjects_affected
    assert result.held_why == told.held_why
    assert result.undecidable == told.undecidable


@SERVERS
def test_what_is_due_only_together_with_another_part_goes_as_well(engine_url: str, firm: Firm) -> None:
    run(engine_url, *TOGETHER)
    told = firm.purge(dry_run=True)
    result = purge(firm)
    assert {10, 11}.isdisjoint(tables_on(engine_url)["customers"])
    assert result.result == "complete"
    assert result.erased == told.erased
    assert result.subjects_affected == told.subjects_affected, "each counts once, whichever connection it was"
    firm.assert_settled()


@SERVERS
def test_where_nothing_else_is_due_it_goes_too(engine_url: str, firm: Firm) -> None:
    purge(firm)
    run(engine_url, *TOGETHER)
    assert purge(firm, hours_later=1).erased == {"customer": 2, "call": 4}
    assert {10, 11}.isdisjoint(tables_on(engine_url)["customers"])


@SERVERS
def test_an_error_of_one_ends_the_others(
    engine_url: str, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, goes_on = Batches.listed, dict[str, Batches]()
    before = tables_on(engine_url)

    def fails(batches: Batches, chunk: Chunk) -> Done:
        if batches is not goes_on.setdefault("first", batches):
            raise GdprError("the connection that is not the first has failed")
        return listed(batches, chunk)

    monkeypatch.setattr(Batches, "listed", fails)
    with pytest.raises(GdprError, match="not the first has failed") as caught:
        purge(firm)
    assert "Until then" in caught.value.__notes__[0]
    assert firm.the("purge.end").fields["result"] == "stopped"
    monkeypatch.setattr(Batches, "listed", listed)
    assert purge(firm, hours_later=1).result == "complete"
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()


@SERVERS
def test_nothing_is_announced_after_an_outcome_that_could_not_be_written(
    engine_url: str, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tables_on(engine_url)
    write, failed = announcements.write_leaves, []

    def full(*arguments: object) -> None:
        if not failed:
            failed.append(True)
            raise OSError(28, "No space left on device")
        write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(announcements, "write_leaves", full)
    with pytest.raises(OSError, match="No space left"):
        purge(firm)
    assert len(firm.of_type("purge.intent")) == len(firm.of_type("purge.done")) == 1
    monkeypatch.undo()
    monkeypatch.setattr(parts, "NEIGHBOURS", 1)
    assert purge(firm, hours_later=1).result == "complete"
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()


@SERVERS
def test_a_hold_that_comes_in_between_is_respected_by_both(
    engine_url: str, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_before_the_first_intent(firm, monkeypatch, 1, 6)
    assert purge(firm).result == "complete"
    aborted = [entry.fields["code"] for entry in firm.of_type("purge.aborted")]
    assert aborted in (["hold"], ["hold", "hold"]), "of the other connection too, if it had decided before"
    assert {1, 6} <= set(tables_on(engine_url)["customers"])
    firm.assert_settled()


@SERVERS
def test_one_connection_is_enough_where_no_more_are_allowed(
    engine_url: str, engine_name: str, firm: Firm, threads: set[str]
) -> None:
    database = str(sa.make_url(engine_url).database)
    user = f"narrow_{database}"[:30]
    run(engine_url, *(each.format(user=user, database=database) for each in LIMITED[engine_name]))
    before = tables_on(engine_url)
    firm.engine.dispose()
    firm.engine = connect(as_user(engine_url, user), write=True)
    firm.approve(NOW)
    assert purge(firm).erased == ERASED
    assert len(threads) == 1
    assert tables_on(engine_url) == after_the_purge(before)
    firm.engine.dispose()
    ends: Mapping[str, tuple[str, ...]] = {
        "postgresql": (f"DROP OWNED BY {user}", f"DROP ROLE {user}"),
        "mariadb": (f"DROP USER {user}@localhost",),
    }
    run(engine_url, *ends[engine_name])


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("many", "pause", "used"), [(8, 0.0, 1), (7, 0.0, 2), (7, 0.01, 1)])
def test_two_connections_are_used_for_many_subjects_and_no_pause(
    firm: Firm, threads: set[str], monkeypatch: pytest.MonkeyPatch, many: int, pause: float, used: int
) -> None:
    """There are seven."""
    monkeypatch.setattr("staffords_gdpr.operations.purge.run.MANY", many)
    assert firm.purge(limits=Limits(batch_size=1, pause=pause)).erased == ERASED
    assert len(threads) == used


@SERVERS
@pytest.mark.parametrize("connections", [1, 2])
def test_a_brake_counts_what_is_due_only_together_before_the_first_row_goes(
    engine_url: str, firm: Firm, connections: int
) -> None:
    pairs = [(number, number + 1) for number in range(100, 160, 2)]
    run(
        engine_url,
        *(
            statement
            for one, other in pairs
            for statement in (
                f"INSERT INTO customers VALUES ({one}, 'A', '2014-05-01'), ({other}, 'B', '2014-05-01')",
                f"INSERT INTO calls VALUES ({one}, {one}, '2015-01-01', 'a', NULL)",
                f"INSERT INTO calls VALUES ({other}, {other}, '2015-01-01', 'b', {one})",
                f"UPDATE calls SET follows = {other} WHERE id = {one}",
            )
        ),
    )
    before = tables_on(engine_url)
    with pytest.raises(BrakeError, match="64 of 67 subjects"):
        purge(firm, connections)
    assert tables_on(engine_url) == before


@SERVERS
def test_what_refers_from_another_part_and_stays_is_no_reason_to_decide_again(
    engine_url: str, firm: Firm, threads: set[str]
) -> None:
    """The product of 3 was sold to 4, who has just had it repaired."""
    run(
        engine_url,
        "INSERT INTO products VALUES (30, 3, NULL)",
        "INSERT INTO repairs VALUES (30, 4, 30, '2026-10-01 10:00:00', 'belt')",
    )
    told = firm.purge(dry_run=True)
    assert purge(firm).erased == told.erased
    assert {3} <= set(tables_on(engine_url)["customers"])
    assert len(threads) == 2


@SERVERS
@pytest.mark.parametrize("connections", [1, 2])
def test_a_connection_that_is_lost_is_told_as_that(
    engine_url: str, firm: Firm, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    erase, before = Batches._erase, tables_on(engine_url)

    def lost(batches: Batches, *arguments: Any) -> Any:
        asked = "pg_backend_pid()" if firm.engine.dialect.name == "postgresql" else "connection_id()"
        number = batches.bulk.connection.exec_driver_sql(f"SELECT {asked}").scalar_one()
        run(engine_url, f"SELECT pg_terminate_backend({number})" if "pg" in asked else f"KILL {number}")
        return erase(batches, *arguments)

    monkeypatch.setattr(Batches, "_erase", lost)
    with pytest.raises(DatabaseError):
        purge(firm, connections)
    assert firm.the("purge.end").fields["result"] == "stopped"
    assert tables_on(engine_url) == before
    monkeypatch.setattr(Batches, "_erase", erase)
    assert purge(firm, hours_later=1).result == "complete"
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()


@SERVERS
def test_who_has_nothing_more_to_do_lets_go_of_its_connection(
    engine_url: str, engine_name: str, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may end one that waits for long."""
    decide, listed, changed, alone = Lane.decide, Batches.listed, [], []
    asked = {
        "postgresql": "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "mariadb": "information_schema.processlist WHERE db = database() AND id <> connection_id()",
    }[engine_name]

    def another(batches: Batches, chunk: Chunk) -> Done:
        if not changed:  # so that not all is erased in the first pass
            changed.append(True)
            run(engine_url, "UPDATE calls SET received_at = '2026-11-22 10:00:00' WHERE id IN (1, 8)")
        return listed(batches, chunk)

    def counted(lane: Lane, part: Part | None = None) -> Found:
        if part is None:
            until = time.monotonic() + 5  # the server takes a moment to see that somebody has gone
            while (count := rows(engine_url, f"SELECT count(*) FROM {asked}")[0][0]) != 1:
                assert time.monotonic() < until, f"{count} connections"
            alone.append(True)
        return decide(lane, part)

    monkeypatch.setattr(Batches, "listed", another)
    monkeypatch.setattr(Lane, "decide", counted)
    assert purge(firm).result == "complete"
    assert alone, "in the second pass"


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("connections", [1, 2])
def test_what_somebody_writes_after_the_decision_is_seen_on_a_quiet_server(
    quiet: str, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    firm = firm_on(quiet, engine_name, tmp_path)
    listed, called = Batches.listed, threading.Lock()

    def calls_first(batches: Batches, chunk: Chunk) -> Done:
        if called.acquire(blocking=False):
            run(
                quiet,
                "INSERT INTO calls VALUES (90, 1, '2026-11-22 10:00:00', 'again', NULL)",
                "INSERT INTO calls VALUES (91, 7, '2026-11-22 10:00:00', 'again', NULL)",
            )
        return listed(batches, chunk)

    monkeypatch.setattr(Batches, "listed", calls_first)
    monkeypatch.setattr(Lane, "portions", held_back(Lane.portions, connections))
    assert purge(firm, connections).result == "complete"
    tables = tables_on(quiet)
    assert {1, 7} <= set(tables["customers"])
    assert {1, 2, 8, 90, 91} <= set(tables["calls"])
    firm.engine.dispose()


def held_back(
    portions: Callable[[Lane], Iterator[Portion]], connections: int
) -> Callable[[Lane], Iterator[Portion]]:
    """None begins with its list before all do."""
    together = threading.Barrier(connections)

    def wait(lane: Lane) -> Iterator[Portion]:
        if lane.todo.plain and connections > 1 and not together.broken:
            with suppress(threading.BrokenBarrierError):
                together.wait(5)
        yield from portions(lane)

    return wait


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    ("connections", "more"),
    [(1, ()), (2, ()), (2, ALL_OVER), (2, NOBODYS_GONE)],
    ids=["one", "two", "alone", "many"],
)
def test_on_a_quiet_server_nothing_is_asked_twice(
    request: pytest.FixtureRequest,
    engine_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    connections: int,
    more: tuple[str, ...],
) -> None:
    """Nor where the first goes on alone, and the other has gone: a call of 11 holds one of 10."""
    quiet = request.getfixturevalue({"postgresql": "quiet", "mariadb": "alone"}[engine_name])
    firm = firm_on(quiet, engine_name, tmp_path)
    run(quiet, "SELECT 1", *more)
    before = tables_on(quiet)
    asked: list[str] = []
    monkeypatch.setattr(mariadb_watch, "PATIENCE", 60)  # a batch of the other may take long here
    monkeypatch.setattr(Recheck, "holds", lambda *_: asked.append("again"))
    told = firm.purge(dry_run=True)
    assert purge(firm, connections).erased == told.erased
    assert {10, 11}.isdisjoint(tables_on(quiet)["customers"])
    assert more or tables_on(quiet) == after_the_purge(before)
    assert more != NOBODYS_GONE or not {row[0] for row in rows(quiet, "SELECT id FROM customers")} & set(MANY)
    assert asked == []
    firm.engine.dispose()

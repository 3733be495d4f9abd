"""Somebody has no patience while several connections are at work, or more than one of them fails."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.keeper import CLUSTER
from engines.talk import rows
from purge_office import NOW, Firm, after_the_purge
from purge_servers import firm_on, tables_on

from staffords_gdpr.errors import DatabaseError, GdprError
from staffords_gdpr.operations.purge import Limits
from staffords_gdpr.operations.purge.batches import Batches, Done
from staffords_gdpr.operations.purge.lanes import Found, Lane
from staffords_gdpr.retention.bulk import Chunk, Part, parts

pytestmark = [
    pytest.mark.skipif(CLUSTER in os.environ, reason="one connection only on a cluster"),
    pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True),
]
TWO = Limits(batch_size=1, connections=2)
SLEEP = {"postgresql": "SELECT pg_sleep(120)", "mariadb": "SELECT sleep(120)"}
ASLEEP = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(120)' AND state = 'active'",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE info = 'SELECT sleep(120)'",
}


@pytest.fixture
def firm(engine_url: str, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """Customers with even and with odd numbers are in different parts."""
    monkeypatch.setattr(parts, "NEIGHBOURS", 1)
    return firm_on(engine_url, engine_name, tmp_path)


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Presses it, as a terminal does, whoever has started these tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_a_decision_ends_at_once(
    engine_url: str, engine_name: str, firm: Firm, monkeypatch: pytest.MonkeyPatch, ctrl_c: Callable[[], None]
) -> None:
    decide, before, ended = Lane.decide, tables_on(engine_url), list[BaseException]()
    both = threading.Barrier(2, action=lambda: threading.Timer(1, ctrl_c).start())

    def slowly(lane: Lane, part: Part | None = None) -> Found:
        both.wait(30)
        try:
            lane.bulk.connection.exec_driver_sql(SLEEP[engine_name])
        except sa.exc.DBAPIError as error:
            ended.append(error)
            raise
        return decide(lane, part)

    monkeypatch.setattr(Lane, "decide", slowly)
    with pytest.raises(KeyboardInterrupt):
        firm.purge(NOW, limits=TWO)
    assert len(ended) == 2
    assert rows(engine_url, ASLEEP[engine_name]) == [(0,)]
    assert not firm.of_type("purge.start")
    assert tables_on(engine_url) == before
    monkeypatch.setattr(Lane, "decide", decide)
    assert firm.purge(NOW + dt.timedelta(hours=1), limits=TWO).result == "complete"
    assert tables_on(engine_url) == after_the_purge(before)


def test_a_batch_is_carried_out_and_logged(
    engine_url: str, firm: Firm, monkeypatch: pytest.MonkeyPatch, ctrl_c: Callable[[], None]
) -> None:
    listed, before = Batches.listed, tables_on(engine_url)
    both = threading.Barrier(2, action=ctrl_c)
    begun = set[int]()

    def pressed(batches: Batches, chunk: Chunk) -> Done:
        if id(batches) not in begun:
            begun.add(id(batches))
            both.wait(30)
        return listed(batches, chunk)

    monkeypatch.setattr(Batches, "listed", pressed)
    with pytest.raises(KeyboardInterrupt) as caught:
        firm.purge(NOW, limits=TWO)
    assert "Until then" in caught.value.__notes__[0]
    assert len(firm.of_type("purge.intent")) == len(firm.of_type("purge.done")) >= 2
    assert not firm.of_type("purge.aborted")
    monkeypatch.setattr(Batches, "listed", listed)
    assert firm.purge(NOW + dt.timedelta(hours=1), limits=TWO).result == "complete"
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()


def test_what_failed_meanwhile_is_told_and_not_that_somebody_was_impatient(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, ctrl_c: Callable[[], None]
) -> None:
    both = threading.Barrier(2, action=ctrl_c)

    def fails(_batches: Batches, _chunk: Chunk) -> Done:
        both.wait(30)
        time.sleep(0.2)
        raise GdprError("nobody knows what became of this batch")

    monkeypatch.setattr(Batches, "listed", fails)
    with pytest.raises(GdprError, match="nobody knows") as caught:
        firm.purge(NOW, limits=TWO)
    assert not [note for note in caught.value.__notes__ if "Another connection" in note]


@pytest.mark.parametrize("alike", [True, False])
def test_what_else_failed_is_told_once(firm: Firm, monkeypatch: pytest.MonkeyPatch, alike: bool) -> None:
    both = threading.Barrier(2)

    def fails(lane: Lane, part: Part | None = None) -> Found:
        assert part is not None
        both.wait(30)
        if part.number == 1 and not alike:
            lane.bulk.connection.exec_driver_sql("SELECT 'Ann' FROM no_such_table")
        raise GdprError("the first has failed")

    monkeypatch.setattr(Lane, "decide", fails)
    with pytest.raises((GdprError, DatabaseError)) as caught:
        firm.purge(NOW, limits=TWO)
    notes = getattr(caught.value, "__notes__", [])
    cause = getattr(caught.value.__cause__, "__notes__", [])
    assert len([*notes, *cause]) == (0 if alike else 1)
    assert all(note.startswith("Another connection failed as well: ") for note in (*notes, *cause))
    assert "Ann" not in str((*notes, *cause, caught.value))

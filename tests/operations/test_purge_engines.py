"""A whole purge on PostgreSQL and MariaDB: the same rows go as on SQLite, and the log says the same of them."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import pytest
from engines.keeper import CLUSTER
from engines.talk import run
from purge_office import ERASED, NOW, after_the_purge, hold_before_the_first_intent
from purge_servers import firm_on, tables_on

from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.errors import BrakeError
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.batches import Batches, Done
from staffords_gdpr.retention.bulk import Chunk


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_purge_erases_on_every_engine_what_it_erases_on_sqlite(
    engine_url: str, engine_name: str, tmp_path: Path
) -> None:
    firm = firm_on(engine_url, engine_name, tmp_path)
    before = tables_on(engine_url)
    writing, firm.engine = firm.engine, connect(engine_url, write=False)

    rehearsed = firm.purge(rehearsal=True)

    assert rehearsed.erased == ERASED
    assert tables_on(engine_url) == before
    firm.engine = writing

    result = firm.purge(NOW.replace(hour=3), batch_size=2)

    assert result.erased == ERASED
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()
    assert firm.purge(now=NOW.replace(hour=5)).erased == {}


ANOTHER_ZONE = {"postgresql": "SET TIME ZONE '+05:00'", "mariadb": "SET time_zone = '+05:00'"}


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_purge_is_refused_where_the_servers_clock_says_otherwise(
    engine_url: str, engine_name: str, tmp_path: Path
) -> None:
    firm = firm_on(engine_url, engine_name, tmp_path)
    before = tables_on(engine_url)
    minute = dt.timedelta(minutes=1)
    with connected(firm.engine) as connection:
        connection.exec_driver_sql(ANOTHER_ZONE[engine_name])
        server = backend_of(connection).now(connection)
        assert server is not None
        assert abs(server - dt.datetime.now(dt.UTC)) < 5 * minute
        for apart, refuses in ((9, False), (-9, False), (11, True), (-11, True)):
            assert bool(list(brakes.clocks(connection, server + apart * minute))) == refuses
    firm.approve(server)
    wrong = server + 60 * minute
    assert firm.purge(wrong, dry_run=True, compare_clocks=True).brakes[0].code == "clocks-differ"
    for rehearsal in (True, False):
        with pytest.raises(BrakeError) as caught:
            firm.purge(wrong, rehearsal=rehearsal, compare_clocks=True)
    assert firm.the("purge.refused").fields["brake"] == "clocks-differ"
    assert tables_on(engine_url) == before
    page = Path(__file__).parents[2] / "docs" / "brakes.md"
    assert _undated(caught.value.message) in _undated(page.read_text(encoding="utf-8"))
    assert firm.purge(dt.datetime.now(dt.UTC), compare_clocks=True).result == "complete"


def _undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "MOMENT", text)


@pytest.mark.skipif(CLUSTER in os.environ, reason="nothing is listed on a cluster")
@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_batch_that_is_rolled_back_after_changed_subjects_were_moved_forgets_the_move(
    engine_url: str, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = firm_on(engine_url, engine_name, tmp_path)
    listed = Batches.listed

    def changed_before(batches: Batches, chunk: Chunk) -> Done:
        run(engine_url, "UPDATE calls SET received_at = '2026-11-22 10:00:00' WHERE id = 8")
        return listed(batches, chunk)

    monkeypatch.setattr(Batches, "listed", changed_before)
    hold_before_the_first_intent(firm, monkeypatch, 1)
    assert firm.purge().result == "complete"
    assert firm.the("purge.aborted").fields["code"] == "hold"
    assert set(tables_on(engine_url)["customers"]) == {1, 2, 4, 5, 6, 7}
    firm.engine.dispose()

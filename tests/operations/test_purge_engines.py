"""A whole purge on PostgreSQL and MariaDB: the same rows go as on SQLite, and the log says the same of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from purge_office import ERASED, NOW, after_the_purge
from purge_servers import firm_on, tables_on

from staffords_gdpr.database.connection import connect


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

"""A whole purge on PostgreSQL and MariaDB: the same rows go as on SQLite, and the log says the same of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engines.talk import rows, speaking
from office import SCHEMA as OFFICE_SCHEMA
from purge_office import CHANGED, ERASED, GONE, NOW, ROWS, SCHEMA, Firm

from staffords_gdpr.database.connection import connect

UNCHECKED = {
    "postgresql": "SET session_replication_role = replica",
    "mariadb": "SET SESSION foreign_key_checks = 0",
}
"""As a legacy database comes by rows whose owner is gone, although foreign keys are declared."""


def tables_of(url: str) -> dict[str, dict[object, tuple[object, ...]]]:
    """Every row of every table, by its first column; dates as the text that SQLite has."""
    names = ("customers", "calls", "products", "repairs", "consignments", "payments", "prices")
    return {
        name: {
            row[0]: tuple(value if isinstance(value, int | None) else str(value) for value in row)
            for row in rows(url, f"SELECT * FROM {name}")
        }
        for name in names
    }


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_purge_erases_on_every_engine_what_it_erases_on_sqlite(
    engine_url: str, engine_name: str, tmp_path: Path
) -> None:
    with speaking(engine_url) as legacy:
        legacy.exec_driver_sql(UNCHECKED[engine_name])
        script = re.sub(r"--.*", "", OFFICE_SCHEMA + SCHEMA + ROWS)
        # MariaDB would give the second foreign key the name of the first
        second = "INTEGER; ALTER TABLE calls ADD CONSTRAINT f FOREIGN KEY (follows) REFERENCES calls(id)"
        script = script.replace("INTEGER REFERENCES calls(id)", second, 1)
        for statement in filter(str.strip, script.split(";")):
            legacy.exec_driver_sql(statement)
        legacy.commit()
    before = tables_of(engine_url)
    firm = Firm.open(tmp_path, approved=False)
    firm.engine = connect(engine_url, write=True)
    firm.approve(NOW)

    result = firm.purge(batch_size=2)

    assert result.erased == ERASED
    assert tables_of(engine_url) == {
        name: {
            key: CHANGED.get(name, {}).get(key, row)
            for key, row in found.items()
            if key not in GONE.get(name, ())
        }  # type: ignore[call-overload]
        for name, found in before.items()
    }
    firm.assert_settled()
    assert firm.purge(now=NOW.replace(hour=5)).erased == {}

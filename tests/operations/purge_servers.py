"""The firm of purge_office on PostgreSQL and MariaDB."""

from __future__ import annotations

import re
from pathlib import Path

from engines.talk import rows, speaking
from office import SCHEMA as OFFICE_SCHEMA
from purge_office import NOW, ROWS, SCHEMA, Firm, Tables

from staffords_gdpr.database.connection import connect

UNCHECKED = {
    "postgresql": "SET session_replication_role = replica",
    "mariadb": "SET SESSION foreign_key_checks = 0",
}
"""As a legacy database comes by rows whose owner is gone, although foreign keys are declared."""

_NAMES = ("customers", "calls", "products", "repairs", "consignments", "payments", "prices")


def firm_on(engine_url: str, engine_name: str, folder: Path) -> Firm:
    """The firm, its rows on this server, and approved."""
    with speaking(engine_url) as legacy:
        legacy.exec_driver_sql(UNCHECKED[engine_name])
        script = re.sub(r"--.*", "", OFFICE_SCHEMA + SCHEMA + ROWS)
        # MariaDB would give the second foreign key the name of the first
        second = "INTEGER; ALTER TABLE calls ADD CONSTRAINT f FOREIGN KEY (follows) REFERENCES calls(id)"
        script = script.replace("INTEGER REFERENCES calls(id)", second, 1)
        for statement in filter(str.strip, script.split(";")):
            legacy.exec_driver_sql(statement)
        legacy.commit()
    firm = Firm.open(folder, approved=False)
    firm.engine = connect(engine_url, write=True)
    firm.approve(NOW)
    return firm


def tables_on(url: str) -> Tables:
    """Every row of every table, by its first column; dates as the text that SQLite has."""
    return {
        name: {
            row[0]: tuple(value if isinstance(value, int | None) else str(value) for value in row)
            for row in rows(url, f"SELECT * FROM {name}")
        }
        for name in _NAMES
    }

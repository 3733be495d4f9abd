"""Traces: a firm whose customers all have a planted e-mail address, and a search for these in the database's files."""

from __future__ import annotations

import re
import time
from pathlib import Path

import sqlalchemy as sa
from engines.talk import rows, speaking
from office import Office, at
from purge_office import NOW

from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.purge import PurgeResult, purge
from staffords_gdpr.operations.reclaim import ReclaimResult, reclaim
from staffords_gdpr.operations.status import StatusResult, status
from staffords_gdpr.policy import load_policy

CUSTOMERS = 2000
POLICY = """
version: 1
title: The policy of a test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
erase_at_most: 100 %
subject: customer
records:
  customer:
    table: customers
    personal: [email]
    keep: {for: 3 years, after: registered_at}
  call:
    table: calls
    belongs_to: customer
    personal: [reason]
    erase: {anonymise: {reason: null, customer_id: null}}
"""
_PLANTED = re.compile(rb"(?:mail|call)\d{6}@planted\.example")


def addresses(*, gone: bool) -> set[bytes]:
    """What was planted in rows that a purge at NOW erases, or leaves: three in five customers are long over."""
    return {
        f"{where}{number:06}@planted.example".encode()
        for number in range(1, CUSTOMERS + 1)
        for where in ("mail", "call")
        if (number % 5 < 3) is gone
    }


def plant(url: str) -> None:
    """Fill an empty database, in the order of the customers, as years of work would."""
    with speaking(url) as connection, connection.begin():
        schema = """
            CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(120), registered_at TIMESTAMP NULL);
            CREATE TABLE calls (
                id INTEGER PRIMARY KEY, customer_id INTEGER, reason VARCHAR(200),
                FOREIGN KEY (customer_id) REFERENCES customers(id)
            );
            CREATE INDEX customers_email ON customers(email);
            CREATE INDEX calls_customer ON calls(customer_id)"""
        for statement in schema.split(";"):
            connection.exec_driver_sql(statement)
        numbers = range(1, CUSTOMERS + 1)
        when = {True: "2014-05-01 10:00:00", False: "2026-05-01 10:00:00"}
        connection.execute(
            sa.text("INSERT INTO customers VALUES (:id, :email, :at)"),
            [{"id": n, "email": f"mail{n:06}@planted.example", "at": when[n % 5 < 3]} for n in numbers],
        )
        connection.execute(
            sa.text("INSERT INTO calls VALUES (:id, :id, :reason)"),
            [{"id": n, "reason": f"call{n:06}@planted.example wrote at length " + "x" * 80} for n in numbers],
        )


class Planted(Office):
    """An approved office over a database with planted addresses."""

    @classmethod
    def over(cls, url: str, folder: Path, *, says: str = "no") -> Planted:
        plant(url)
        firm = cls.build(folder, now=at("2026-11-22"), approved=False)
        assert isinstance(firm, Planted)
        (folder / "policy.yaml").write_text(f"{POLICY}reclaim: {says}\n", encoding="utf-8")
        firm.policy = load_policy(folder / "policy.yaml")
        firm.engine = connect(url, write=True)
        firm.approve(at("2026-11-22"))
        return firm

    @property
    def url(self) -> str:
        return self.engine.url.render_as_string(hide_password=False)

    def purge(self, days: int = 0) -> PurgeResult:
        now = NOW.replace(day=NOW.day + days)
        return purge(self.policy, self.engine, self.log, now=now, compare_clocks=False)

    def reclaim(self, *, full: bool = False) -> ReclaimResult:
        return reclaim(self.policy, self.engine, self.log, now=NOW, full=full)

    def status(self) -> StatusResult:
        return status(self.policy, self.engine, self.log, now=NOW)

    def logged(self) -> list[tuple[object, object]]:
        """Level and result of what the log says was reclaimed."""
        return [
            (entry.fields["level"], entry.fields["result"])
            for entry in self.log.entries()
            if entry.type == "reclaim"
        ]

    def in_files(self) -> set[bytes]:
        """Every planted address that stands in the database's files, once all pages are on the disk."""
        return {found for path in files(self.url) for found in _PLANTED.findall(path.read_bytes())}


def files(url: str) -> list[Path]:
    """The files that hold the tables and their indexes; on SQLite also those beside the file."""
    match sa.make_url(url).get_backend_name():
        case "sqlite":
            path = Path(sa.make_url(url).database or "")
            return [found for found in path.parent.glob(f"{path.name}*") if found.is_file()]
        case "postgresql":
            with speaking(url) as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")
            ((folder,),) = rows(
                url,
                "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database "
                "WHERE datname = current_database()",
            )
            return [path for path in Path(str(folder)).iterdir() if path.is_file()]
        case _:
            _write_pages(url)
            ((folder,),) = rows(url, "SELECT concat(@@datadir, database())")
            return list(Path(str(folder)).glob("*.ibd"))


def _write_pages(url: str) -> None:
    """Have MariaDB write the pages of the tables to their files."""
    with speaking(url) as connection:
        time.sleep(0.2)
        connection.exec_driver_sql("FLUSH TABLES customers, calls FOR EXPORT")
        connection.exec_driver_sql("UNLOCK TABLES")

"""A firm with something of everything to erase, and ways to look at all of it before and after."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from office import Office, at

from staffords_gdpr.auditlog import Entry
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.rows import leaf, read_batch_key, read_leaves, root
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.operations.holds import Hold
from staffords_gdpr.operations.holds import add as add_hold
from staffords_gdpr.operations.purge import Limits, PurgeResult, announcements, purge
from staffords_gdpr.policy import load_policy
from staffords_gdpr.policy.models import Record

NOW = at("2026-11-23", "02:00")
DAY = dt.timedelta(days=1)

SCHEMA = """
ALTER TABLE calls ADD COLUMN follows INTEGER REFERENCES calls(id);
CREATE TABLE products (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), warranty_until DATE
);
CREATE TABLE repairs (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
    product_id INTEGER REFERENCES products(id), completed_at TIMESTAMP, fault TEXT
);
CREATE TABLE consignments (id INTEGER PRIMARY KEY, repair_id INTEGER REFERENCES repairs(id), address TEXT);
CREATE TABLE payments (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), taken_at TIMESTAMP,
    card TEXT, holder TEXT
);
CREATE TABLE prices (id INTEGER PRIMARY KEY, amount INTEGER);
"""

POLICY = """
version: 1
title: The policy of a test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
subject: customer
dates:
  last_contact: {latest_of: [call.received_at]}
records:
  customer:
    table: customers
    personal: [name]
    keep: {for: 3 years, after: registered_at}
    triggers: {t: "a trigger of a test"}
  product: {table: products, belongs_to: customer}
  call:
    table: calls
    belongs_to: customer
    refers_to: {call: {follows: id}}
    personal: [reason]
    keep: {for: 3 years, after: last_contact}
    triggers: {t: "a trigger of a test"}
    orphans: {for: 3 years, after: received_at}
  repair:
    table: repairs
    belongs_to: customer
    refers_to: product
    personal: [fault]
    keep: {for: 2 years, after: completed_at, while: {completed_at: null}}
    orphans: {for: 2 years, after: completed_at}
    erase: {anonymise: {fault: null, customer_id: null, product_id: null}}
  consignment: {table: consignments, belongs_to: repair, personal: [address]}
  payment:
    table: payments
    belongs_to: customer
    personal: [card, holder]
    triggers: {t: "a trigger of a test"}
    keep: {for: 6 years, after: taken_at}
    orphans: {for: 6 years, after: taken_at}
    sooner:
      card: {for: 13 months, after: taken_at, anonymise: {card: null}}
      identity: {with: customer, anonymise: {holder: null, customer_id: null}}
"""

ROWS = """
INSERT INTO prices VALUES (1, 100);
-- 1: everything is long over
INSERT INTO customers VALUES (1, 'One', '2014-05-01 10:00:00');
INSERT INTO products VALUES (1, 1, '2016-01-01');
INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL), (2, 1, '2016-01-01 10:00:00', 'smell', 1);
INSERT INTO repairs VALUES (1, 1, 1, '2015-02-01 10:00:00', 'motor');
INSERT INTO consignments VALUES (1, 1, 'Street 1'), (2, 1, 'Street 1');
INSERT INTO payments VALUES (1, 1, '2015-02-01 10:00:00', '4111', 'One');
-- 2: still in contact, but an old repair and an old card
INSERT INTO customers VALUES (2, 'Two', '2014-05-01 10:00:00');
INSERT INTO products VALUES (2, 2, '2016-01-01');
INSERT INTO calls VALUES (3, 2, '2015-01-01 10:00:00', 'noise', NULL), (4, 2, '2026-01-01 10:00:00', 'noise', NULL);
INSERT INTO repairs VALUES (2, 2, 2, '2020-02-01 10:00:00', 'belt');
INSERT INTO consignments VALUES (3, 2, 'Street 2');
INSERT INTO payments VALUES (2, 2, '2024-02-01 10:00:00', '4222', 'Two');
-- 3: gone, but the tax office still wants the payment
INSERT INTO customers VALUES (3, 'Three', '2014-05-01 10:00:00');
INSERT INTO payments VALUES (3, 3, '2022-02-01 10:00:00', '4333', 'Three');
-- 4: nothing due; 5: nobody knows when
INSERT INTO customers VALUES (4, 'Four', '2026-05-01 10:00:00'), (5, 'Five', '2014-05-01 10:00:00');
INSERT INTO calls VALUES (5, 4, '2026-05-01 10:00:00', 'noise', NULL), (6, 5, NULL, 'noise', NULL);
-- 6: today is the last day; 7: yesterday was
INSERT INTO customers VALUES (6, 'Six', '2014-05-01 10:00:00'), (7, 'Seven', '2014-05-01 10:00:00');
INSERT INTO calls VALUES (7, 6, '2023-11-23 10:00:00', 'noise', NULL), (8, 7, '2023-11-22 10:00:00', 'noise', NULL);
-- without a subject: old and new
INSERT INTO calls VALUES (9, 99, '2015-01-01 10:00:00', 'noise', NULL), (10, 99, '2026-01-01 10:00:00', 'noise', NULL);
INSERT INTO payments VALUES (4, NULL, '2020-11-22 10:00:00', NULL, NULL), (5, NULL, '2020-11-23 10:00:00', NULL, NULL);
INSERT INTO repairs VALUES (3, 99, NULL, '2015-02-01 10:00:00', 'lamp');
INSERT INTO consignments VALUES (4, 3, 'Street 9');
"""

GONE = {
    "customers": {1, 3, 7},
    "products": {1},
    "calls": {1, 2, 8, 9},
    "consignments": {1, 2, 3, 4},
    "payments": {1, 4},
}
"""The keys of ROWS that a purge at NOW deletes."""

CHANGED: dict[str, dict[int, tuple[object, ...]]] = {
    "repairs": {
        1: (1, None, None, "2015-02-01 10:00:00", None),
        2: (2, None, None, "2020-02-01 10:00:00", None),
        3: (3, None, None, "2015-02-01 10:00:00", None),
    },
    "payments": {
        2: (2, 2, "2024-02-01 10:00:00", None, "Two"),
        3: (3, None, "2022-02-01 10:00:00", None, None),
    },
}
"""The rows of ROWS that it anonymises, as they are then."""

ERASED = {
    "customer": 3, "product": 1, "call": 4, "repair": 3, "consignment": 4, "payment": 2,
    "payment.card": 2, "payment.identity": 1,
}  # fmt: skip

Tables = dict[str, dict[object, tuple[object, ...]]]


def tables_of(database: Path) -> Tables:
    """Every row of every table, by its first column."""
    with closing(sqlite3.connect(database)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: {row[0]: row for row in connection.execute(f'SELECT * FROM "{name}"')} for name in names
        }


def after_the_purge(before: Tables) -> Tables:
    """What a purge at NOW must leave of ROWS."""
    return {
        name: {
            key: CHANGED.get(name, {}).get(key, row)  # type: ignore[call-overload]
            for key, row in rows.items()
            if key not in GONE.get(name, ())
        }
        for name, rows in before.items()
    }


@dataclass
class Firm(Office):
    """An office over the larger database."""

    @classmethod
    def open(
        cls, folder: Path, *, rows: str = ROWS, schema: str = SCHEMA, policy: str = POLICY,
        now: dt.datetime = NOW, approved: bool = True,
    ) -> Firm:  # fmt: skip
        """An approved firm with these rows."""
        firm = cls.build(folder, now=now - dt.timedelta(hours=1), approved=False)
        assert isinstance(firm, Firm)
        with closing(sqlite3.connect(firm.database)) as database:
            database.executescript(schema + rows)
        (folder / "policy.yaml").write_text(policy, encoding="utf-8")
        firm.policy = load_policy(folder / "policy.yaml")
        if approved:
            firm.approve(now - dt.timedelta(hours=1))
        return firm

    @property
    def database(self) -> Path:
        return self.folder / "calls.db"

    def tables(self) -> Tables:
        return tables_of(self.database)

    def script(self, statements: str) -> None:
        """Do several things to the database behind the tool's back."""
        with closing(sqlite3.connect(self.database)) as database:
            database.executescript(statements)

    def purge(
        self,
        now: dt.datetime = NOW,
        *,
        dry_run: bool = False,
        confirm: int | None = None,
        batch_size: int = 500,
        **more: Any,
    ) -> PurgeResult:
        return purge(
            self.policy,
            self.engine,
            self.log,
            now=now,
            dry_run=dry_run,
            confirm=confirm,
            limits=more.pop("limits", Limits(batch_size=batch_size)),
            **{"compare_clocks": False, **more},
        )

    def hold(self, subject: int, now: dt.datetime = NOW) -> Hold:
        return add_hold(
            self.log, subject=(subject,), reason="claim", look_again=dt.date(2027, 6, 1), now=now,
            today=self.policy.today(now),
        )  # fmt: skip

    def of_type(self, name: str) -> list[Entry]:
        return [entry for entry in self.log.entries() if entry.type == name]

    def the(self, name: str) -> Entry:
        """The only entry of a type."""
        (entry,) = self.of_type(name)
        return entry

    def files(self) -> dict[str, str]:
        """A hash of every file and the name of every folder: what may not change when nothing is written."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else ""
            for path in sorted(self.folder.rglob("*"))
        }

    def assert_settled(self) -> None:
        """The log verifies to its end, its checkpoint covers all of it, and no batch is left open."""
        result = verify(self.log.home)
        assert result.ok, result.sentence
        assert not result.notes
        size = int(self.log.home.checkpoint.read_text(encoding="utf-8").splitlines()[1])
        assert size == result.entries
        assert list(self.log.home.pending.iterdir()) == []


def hold_before_the_first_intent(firm: Firm, monkeypatch: pytest.MonkeyPatch, *customers: int) -> None:
    """Have these put on hold just before the first batch of subjects is announced."""
    write, waiting = announcements.write_pending, list(customers)

    def held_before(home: Home, batch: str, pending: dict[str, object]) -> None:
        while waiting and pending["subjects"]:
            firm.hold(waiting.pop(0))
        write(home, batch, pending)

    monkeypatch.setattr(announcements, "write_pending", held_before)


def committed(firm: Firm) -> list[Entry]:
    """The outcomes that say that a batch's rows are gone."""
    return [
        entry
        for entry in firm.log.entries()
        if entry.type == "purge.done"
        or (entry.type == "purge.recovered" and entry.fields["outcome"] == "committed")
    ]


def assert_log_and_database_agree(firm: Firm, before: Tables) -> None:
    """Row for row: what is gone or anonymised is in exactly one committed batch, and nothing else is in any.

    `before` is what the database held when the log had no batch yet; nobody but the purge has changed it since.
    """
    after = firm.tables()
    keys: dict[str, bytes] = {}
    leaves: dict[bytes, str] = {}
    for outcome in committed(firm):
        batch = str(outcome.fields["batch"])
        path, key = firm.log.home.leaves(batch), read_batch_key(firm.log.home, batch)
        assert path is not None, f"batch {batch} has no leaves"
        assert key is not None
        found = read_leaves(path)
        assert root(found) == outcome.fields["root"]
        keys[batch] = key
        leaves |= dict.fromkeys(found, batch)
    for record in firm.policy.ours.values():
        columns = columns_of(firm.database, record.table)
        for key, row in before[record.table].items():
            now = after[record.table].get(key)
            erased = _erased_as(
                record, dict(zip(columns, row, strict=True)), now and dict(zip(columns, now, strict=True))
            )
            for name in (record.name, *(f"{record.name}.{step.name}" for step in record.sooner)):
                hits = [b for b, secret in keys.items() if leaves.get(leaf(secret, name, (key,))) == b]
                assert len(hits) == (name in erased), f"{name} {key} is in {hits}; it was {row} and is {now}"
                for batch in hits:
                    del leaves[leaf(keys[batch], name, (key,))]
        assert after[record.table].keys() <= before[record.table].keys()
    assert not leaves, "leaves of rows that never were"


def _erased_as(record: Record, row: dict[str, object], now: dict[str, object] | None) -> set[str]:
    """As what a row was erased: itself, and which of its steps."""
    if now is None:
        return {record.name}
    lists = {record.name: record.anonymise or {}}
    lists |= {f"{record.name}.{step.name}": step.anonymise for step in record.sooner}
    return {
        name
        for name, values in lists.items()
        if values
        and all(now[c] == v for c, v in values.items())
        and any(row[c] != v for c, v in values.items())
    }


def columns_of(database: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]


def other_connection(firm: Firm) -> sqlite3.Connection:
    """An operator's connection, which waits for nobody."""
    return sqlite3.connect(firm.database, timeout=0, isolation_level=None)

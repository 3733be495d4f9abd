"""A small firm on any engine whose purge is interrupted, and what has to hold once the next run has finished.

The policy is short because it is worked through hundreds of times: a crash does not ask how long it is. There are rows
that are deleted, that are anonymised and that a step changes, with a customer and without, in several batches; and rows
that each rule keeps.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
from engines.talk import run, speaking
from shim import Commands, Ended, Trap

from staffords_gdpr.auditlog import AuditLog, Entry, open_log
from staffords_gdpr.auditlog.entries import OUTCOMES
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import load_person_key
from staffords_gdpr.auditlog.rows import leaf, read_batch_key, read_leaves, root
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.holds import add as add_hold
from staffords_gdpr.operations.setup import approve, init_home, new_keys
from staffords_gdpr.policy import load_policy
from staffords_gdpr.policy.models import Record

POLICY = """
version: 1
title: The policy of a test
timezone: UTC
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [director], review: [director]}
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered_at}}
  repair:
    table: repairs
    belongs_to: customer
    personal: [fault]
    keep: {for: 2 years, after: completed_at, while: {completed_at: null}}
    erase: {anonymise: {fault: null, customer_id: null}}
  payment:
    table: payments
    belongs_to: customer
    personal: [holder]
    keep: {for: 6 years, after: taken_at}
    orphans: {for: 6 years, after: taken_at}
    sooner:
      identity: {with: customer, anonymise: {holder: null, customer_id: null}}
"""

TABLES = {
    "customers": "id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40), registered_at TIMESTAMP NULL",
    "repairs": "id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, completed_at TIMESTAMP NULL, fault VARCHAR(40), "
    "FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "payments": "id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, taken_at TIMESTAMP NULL, holder VARCHAR(40), "
    "FOREIGN KEY (customer_id) REFERENCES customers (id)",
}

Row = tuple[str | None, ...]
Rows = Iterable[tuple[object, ...]]
Tables = dict[str, dict[str, Row]]
"""Every row of every table by its key, every value as the text that the database makes of it."""

LONG_AGO = "2014-05-01 10:00:00"
HELD = 6


def rows_to_begin_with(now: dt.datetime) -> dict[str, list[tuple[object, ...]]]:
    """What the firm has. What is recent is so by the present day: commands read the clock."""
    recent = f"{now - dt.timedelta(days=40):%Y-%m-%d %H:%M:%S}"
    within_six_years = f"{now - dt.timedelta(days=1500):%Y-%m-%d %H:%M:%S}"
    return {
        "customers": [
            (1, "One", LONG_AGO),  # goes; the tax office still wants the payment, without the name
            (2, "Two", LONG_AGO),  # goes; the repair stays without the name
            (3, "Three", recent),  # stays, but an old repair does not name them any longer
            (4, "Four", LONG_AGO),  # goes with everything
            (5, "Five", LONG_AGO),  # stays: a repair is open
            (HELD, "Six", LONG_AGO),  # stays: a legal hold
            (7, "Seven", None),  # stays: nobody knows since when
        ],
        "repairs": [
            (1, 2, LONG_AGO, "lamp"),
            (2, 3, LONG_AGO, "motor"),
            (3, 3, recent, "belt"),
            (4, 5, None, "door"),
        ],
        "payments": [
            (1, 1, within_six_years, "One"),
            (2, None, LONG_AGO, None),
            (3, 4, LONG_AGO, "Four"),
            (4, HELD, LONG_AGO, "Six"),
            (5, None, recent, None),
        ],
    }


GONE = {"customers": {"1", "2", "4"}, "repairs": set(), "payments": {"2", "3"}}
CHANGED = {"repairs": {"1", "2"}, "payments": {"1"}}
"""The keys of those rows that a purge deletes, and of those it anonymises; in all of these their columns 1 and 3."""


def when_all_is_done(before: Tables) -> Tables:
    """What a purge that comes to its end leaves of the rows above, whatever happened to those before it."""
    more = {key for key in before["customers"] if int(key) > 10}
    return {
        table: {
            key: (row[0], None, row[2], None) if key in CHANGED.get(table, set()) | more else row
            for key, row in rows.items()
            if key not in GONE[table] | (more if table == "customers" else set())
        }
        for table, rows in before.items()
        if table in GONE
    }


@dataclass
class Office:
    """The firm: its database, and a folder with policy and home."""

    url: str
    folder: Path
    commands: Commands
    more_rules: str = ""  # what else the policy says, of
    more_tables: Mapping[str, str] = field(default_factory=dict)
    connections: int = 1  # that a purge erases with

    @classmethod
    def open(
        cls, office: Office, more_rows: Mapping[str, Rows] | None = None, customers: Iterable[int] = ()
    ) -> Office:
        """The firm with its rows, an approved policy and a hold, an hour ago.

        `customers`: more of them, each with a repair of the same number, everything long over.
        """
        folder = office.folder
        folder.mkdir(parents=True, exist_ok=True)
        office.policy.write_text(POLICY + office.more_rules)
        now = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
        run(
            office.url,
            *(f"CREATE TABLE {name} ({columns})" for name, columns in office.columns.items()),
            *(
                f"CREATE INDEX {name}_by_customer ON {name} (customer_id)"
                for name in office.columns
                if name != "customers"
            ),
        )
        rows = rows_to_begin_with(now)
        rows["customers"] += [(n, f"Number {n}", LONG_AGO) for n in customers]
        rows["repairs"] += [(n, n, LONG_AGO, "bulb") for n in customers]
        office.fill({**rows, **(more_rows or {})})
        init_home(office.home, name="test.example/data", now=now)
        log = office.log
        new_keys(log, role="director", path=folder / "director.key", passphrase=None, by=None, now=now)
        add_hold(
            log, subject=(HELD,), reason="claim", look_again=(now + dt.timedelta(days=90)).date(), now=now,
            today=now.date(),
        )  # fmt: skip
        office.approve(now)
        return office

    def approve(self, now: dt.datetime) -> None:
        key = load_person_key(self.folder / "director.key", None)
        engine = connect(self.url, write=False)
        approve(load_policy(self.policy), engine, self.log, key=key, role="director", now=now)
        engine.dispose()

    @property
    def policy(self) -> Path:
        return self.folder / "retention.yaml"

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def log(self) -> AuditLog:
        return open_log(self.home)

    # -- what it does --------------------------------------------------------------------------------------------------

    def start(self, *arguments: str, trap: Trap | None = None, **more: int) -> int:
        """Start a command; the process to kill or to wait for."""
        return self.commands.start(*arguments, folder=self.folder, environ=self.environ, trap=trap, **more)

    def gdpr(self, *arguments: str, trap: Trap | None = None, **more: int) -> Ended:
        """Run a command to its end, whatever that is."""
        return self.commands.wait(self.start(*arguments, trap=trap, **more))

    def purge(self, trap: Trap | None = None, **more: int) -> Ended:
        """`gdpr purge` in four batches."""
        return self.gdpr("purge", "--batch-size", "2", trap=trap, **more)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "GDPR_DATABASE_URL": self.url,
            "GDPR_POLICY": str(self.policy),
            "GDPR_HOME": str(self.home.path),
            "GDPR_CONNECTIONS": str(self.connections),
            "XDG_CONFIG_HOME": str(self.folder),
        }

    @cached_property
    def columns(self) -> dict[str, str]:
        return {**TABLES, **self.more_tables}

    @cached_property
    def records(self) -> dict[str, Record]:
        return dict(load_policy(self.policy).ours)

    # -- what there is -------------------------------------------------------------------------------------------------

    def tables(self) -> Tables:
        with speaking(self.url) as connection:
            return {name: self._rows_of(connection, name) for name in self.columns}

    def fill(self, rows: Mapping[str, Rows]) -> None:
        """Replace all rows by these."""
        with speaking(self.url) as connection, connection.begin():
            for name in reversed(self.columns):
                connection.exec_driver_sql(f"DELETE FROM {name}")
            for name, some in rows.items():
                columns = self.columns_of(name)
                table = sa.table(name, *map(sa.column, columns))
                connection.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in some])

    def columns_of(self, table: str) -> list[str]:
        return [part.split()[0] for part in self.columns[table].split(", ") if not part.startswith("FOREIGN")]

    def _rows_of(self, connection: sa.Connection, table: str) -> dict[str, Row]:
        texts = ", ".join(f"CAST({name} AS CHAR(40))" for name in self.columns_of(table))
        found = connection.exec_driver_sql(f"SELECT {texts} FROM {table}")
        rows = [tuple(None if value is None else str(value).strip() for value in row) for row in found]
        return {str(row[0]): row for row in rows}

    def entries(self, *types: str) -> list[Entry]:
        return [entry for entry in self.log.entries() if entry.type in types]


class Saved:
    """A firm as it was, to come back to."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.tables = office.tables()
        self.end = when_all_is_done(self.tables)
        self.copy = office.folder.with_name(office.folder.name + "-saved")
        shutil.copytree(office.home.path, self.copy)

    def restore(self) -> None:
        shutil.rmtree(self.office.home.path)
        shutil.copytree(self.copy, self.office.home.path)
        self.office.fill({name: rows.values() for name, rows in self.tables.items()})


# -- the promise -------------------------------------------------------------------------------------------------------


def settled_by_the_next_run(saved: Saved, *, foretold: bool = False) -> Ended:
    """Run a purge that nothing disturbs. What is due must be gone then, what is not be there, and the log say it.

    `foretold`: a dry run must say the same before.
    """
    assert_nothing_is_gone_unannounced(saved)
    told = [saved.office.gdpr("purge", "--dry-run", "--format", "json")] if foretold else []
    ended = saved.office.gdpr("purge", "--batch-size", "2", "--format", "json")
    assert ended.code == 0, ended.err
    for rehearsed in told:
        for what in ("erased", "recovered"):
            assert json.loads(rehearsed.out)[what] == json.loads(ended.out)[what]
    assert saved.office.tables() == saved.end
    assert_log_and_database_agree(saved.office, saved.tables)
    return ended


def assert_nothing_is_gone_unannounced(saved: Saved) -> None:
    """What must hold at any moment, also right after a kill: a row is untouched, or in a batch that was announced."""
    office, now = saved.office, saved.office.tables()
    result = verify(office.home, survive_torn_tail=True)
    assert result.ok, result.sentence
    ended = {entry.fields["batch"] for entry in office.entries("purge.aborted")}
    announced: Counter[str] = Counter()
    for intent in office.entries("purge.intent"):
        if intent.fields["batch"] not in ended:
            announced.update(intent.fields["rows"])  # type: ignore[arg-type]
    touched: Counter[str] = Counter()
    for record in office.records.values():
        for key, row in saved.tables[record.table].items():
            touched.update(erased_as(office, record, row, now[record.table].get(key)))
    assert all(touched[name] <= announced[name] for name in touched), (touched, announced)


def assert_log_and_database_agree(office: Office, before: Tables) -> None:
    """No row is gone or changed without an entry that says so, none stands as erased that is not, nothing is left open.

    `before`: what the database held when the log had no batch yet.
    """
    home = office.home
    result = verify(home)
    assert result.ok, result.sentence
    assert not result.notes, result.notes
    assert int(home.checkpoint.read_text(encoding="utf-8").splitlines()[1]) == result.entries
    assert list(leftovers(home)) == []
    intents = [entry.fields["batch"] for entry in office.entries("purge.intent")]
    outcomes = [entry.fields["batch"] for entry in office.entries(*OUTCOMES)]
    assert sorted(map(str, intents)) == sorted(map(str, outcomes)), "each intent has one outcome"
    leaves = committed_leaves(office)
    now = office.tables()
    for record in office.records.values():
        assert now[record.table].keys() <= before[record.table].keys(), "a row that was not there"
        for key, row in before[record.table].items():
            erased = erased_as(office, record, row, now[record.table].get(key))
            for name in (record.name, *(f"{record.name}.{step.name}" for step in record.sooner)):
                hits = [
                    found
                    for batch, (secret, some) in leaves.items()
                    for found in [(batch, leaf(secret, name, (int(key),)))]
                    if found[1] in some
                ]
                assert len(hits) == (name in erased), (
                    f"{name} {key} in {hits}: {row} is {now[record.table].get(key)}"
                )
                for batch, found in hits:
                    leaves[batch][1].discard(found)
    assert not any(some for _, some in leaves.values()), "leaves of rows that never were"


def committed_leaves(office: Office) -> dict[str, tuple[bytes, set[bytes]]]:
    """The key and the leaves of each batch whose rows are gone, by the log."""
    found = {}
    for entry in office.entries("purge.done", "purge.recovered"):
        if entry.type == "purge.recovered" and entry.fields["outcome"] != "committed":
            assert entry.fields["outcome"] == "not-committed"
            continue
        batch = str(entry.fields["batch"])
        path, secret = office.home.leaves(batch), read_batch_key(office.home, batch)
        assert path is not None, f"batch {batch} has no leaves"
        assert secret is not None, f"batch {batch} has no key"
        leaves = read_leaves(path)
        assert root(leaves) == entry.fields["root"]
        found[batch] = (secret, set(leaves))
    return found


def erased_as(office: Office, record: Record, row: Row, now: Row | None) -> set[str]:
    """As what a row was erased: itself, or a step. Raises AssertionError for any other change, however small."""
    if now is None:
        assert record.anonymise is None, f"{record.name} {row} was deleted; it may only be anonymised"
        return {record.name}
    columns = office.columns_of(record.table)
    lists = {f"{record.name}.{step.name}": step.anonymise for step in record.sooner}
    for name, values in {record.name: record.anonymise or {}, **lists}.items():
        assert not any(values.values()), "this looks for NULL"
        anonymised = tuple(
            None if column in values else value for column, value in zip(columns, row, strict=True)
        )
        if now == anonymised != row:
            return {name}
    assert now == row, f"{record.name} {row} has become {now}"
    return set()


def leftovers(home: Home) -> Iterator[Path]:
    """Files that only a run under way may have: pending batches, and drafts of any file."""
    yield from home.pending.iterdir()
    yield from (path for path in home.path.rglob(".*") if path.is_file())

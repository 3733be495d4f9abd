"""A small firm for tests: a real SQLite database, policy file and log, and people with real keys."""

from __future__ import annotations

import datetime as dt
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog, Entry, open_log
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import PersonKey, load_person_key
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.audit import AuditResult, audit
from staffords_gdpr.operations.setup import Approval, approve, init_home, new_keys
from staffords_gdpr.policy import load_policy
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.render.certificate import certificate

MANAGER = "call-centre-manager"
DIRECTOR = "director"

SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, registered_at TIMESTAMP);
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), received_at TIMESTAMP, reason TEXT
);
"""

POLICY = """
version: 1
title: The policy of a test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
questions:
  - Do third parties still handle data as agreed?
  - Was everybody trained?
subject: customer
dates:
  last_contact: {latest_of: [call.received_at]}
records:
  customer:
    table: customers
    personal: [name]
    keep: {for: 3 years, after: registered_at}
  call:
    table: calls
    belongs_to: customer
    personal: [reason]
    keep: {for: 3 years, after: last_contact}
"""


def at(day: str, time: str = "09:00") -> dt.datetime:
    """A moment in UTC."""
    return dt.datetime.fromisoformat(f"{day}T{time}:00+00:00")


@dataclass
class Office:
    """What the operations take, over one folder."""

    folder: Path
    policy: Policy
    engine: sa.Engine
    log: AuditLog

    @classmethod
    def build(cls, folder: Path, *, now: dt.datetime, approved: bool = True) -> Office:
        """An office as it is after `init`, keys for one manager and one director, and an approval."""
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        with sqlite3.connect(folder / "calls.db") as database:
            database.executescript(SCHEMA)
        home = Home(folder / "home")
        init_home(home, name="test.example/data", now=now)
        log = open_log(home)
        office = cls(
            folder,
            load_policy(folder / "policy.yaml"),
            connect(f"sqlite:///{folder / 'calls.db'}", write=True),
            log,
        )
        for role in (MANAGER, DIRECTOR):
            new_keys(log, role=role, path=folder / f"{role}.key", passphrase=None, by=None, now=now)
        if approved:
            office.approve(now)
        return office

    def key(self, role: str) -> PersonKey:
        return load_person_key(self.folder / f"{role}.key", None)

    def approve(self, now: dt.datetime) -> Approval:
        return approve(self.policy, self.engine, self.log, key=self.key(DIRECTOR), role=DIRECTOR, now=now)

    def change_policy(self, old: str, new: str) -> None:
        path = self.folder / "policy.yaml"
        assert old in path.read_text(encoding="utf-8")
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        self.policy = load_policy(path)

    def sql(self, statement: str, *values: object) -> None:
        """Do something to the database behind the tool's back."""
        with sqlite3.connect(self.folder / "calls.db") as database:
            database.execute(statement, values)

    def customer(self, number: int, registered: str | None, *calls: str) -> None:
        """A customer, and a call for each of these days."""
        self.sql("INSERT INTO customers VALUES (?, 'Name', ?)", number, registered)
        for day in calls:
            self.sql(
                "INSERT INTO calls (customer_id, received_at, reason) VALUES (?, ?, 'noise')", number, day
            )

    def logged_purge(self, now: dt.datetime, result: str = "complete") -> Entry:
        """What the log says of a night in which nothing was due."""
        run = new_batch_id(now)
        self.log.append(
            "purge.start",
            {"run": run, "as_of": now, "policy": self.policy.sha256, "dry": False, "confirm": 0},
            now=now,
        )
        return self.log.append(
            "purge.end",
            {
                "run": run,
                "rows": {},
                "subjects": 0,
                "undecidable": {},
                "held": 0,
                "result": result,
                "confirm": 0,
            },
            now=now + dt.timedelta(minutes=1),
        )

    def nightly(self, first: str, last: str) -> None:
        """A purge at 02:00 on each of these days."""
        day = dt.date.fromisoformat(first)
        while day <= dt.date.fromisoformat(last):
            self.logged_purge(at(day.isoformat(), "02:00"))
            day += dt.timedelta(days=1)

    def audit(self, now: dt.datetime, as_of: dt.datetime | None = None) -> AuditResult:
        return audit(self.policy, self.engine, self.log, now=now, as_of=as_of, write_report=certificate)

    def types(self) -> list[str]:
        """The types of the log's entries, in order."""
        return [entry.type for entry in self.log.entries()]


def codes(result: AuditResult, severity: str = "") -> set[str]:
    """The codes of what an audit found; only of one severity, if it is named."""
    return {each.code for each in result.findings if severity in ("", each.severity)}

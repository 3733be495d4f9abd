"""A log with one of everything that this version writes, and small tools to take it apart."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from staffords_gdpr.auditlog import AuditLog, Home, create, rows
from staffords_gdpr.auditlog.keys import b64
from staffords_gdpr.auditlog.people import PersonKey, new_person_key, sign_statement

NOW = dt.datetime(2026, 11, 23, 2, 0, 4, tzinfo=dt.UTC)
NAME = "staffords.example/customer-data"
HASH = "ab" * 32
END = {
    "run": "r1",
    "rows": {"call": 3},
    "subjects": 2,
    "undecidable": {},
    "held": 0,
    "result": "complete",
    "confirm": 0,
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Sample:
    home: Home
    director: PersonKey
    manager: PersonKey

    @property
    def log(self) -> AuditLog:
        return AuditLog(self.home)

    @property
    def lines(self) -> list[bytes]:
        return self.home.log.read_bytes().splitlines(keepends=True)

    def line_of(self, entry_type: str) -> int:
        """The number, from 1, of the first line of this type."""
        marks = [f'"type":"{entry_type}"'.encode() in line for line in self.lines]
        return marks.index(True) + 1

    def copy(self, folder: Path) -> Sample:
        shutil.copytree(self.home.path, folder)
        return Sample(Home(folder), self.director, self.manager)


def enrol(
    log: AuditLog, role: str, key: PersonKey, by: PersonKey | None = None, now: dt.datetime = NOW
) -> None:
    fields = {"role": role, "person": key.fingerprint, "key": b64(key.public_key)}
    log.append("person.add", fields, now=now, signers=[by or key])


def purge_batch(log: AuditLog, run: str, number: int = 3, now: dt.datetime = NOW) -> str:
    batch, key = rows.new_batch_id(now), rows.new_batch_key()
    leaves = [rows.leaf(key, "call", (row,)) for row in range(number)]
    fields = {"run": run, "batch": batch, "root": rows.root(leaves), "rows": {"call": number}}
    rows.write_batch_key(log.home, batch, key)
    log.append("purge.intent", {**fields, "subjects": 2}, now=now)
    log.append("purge.done", fields, now=now)
    rows.write_leaves(log.home, batch, now, leaves)
    return batch


def audit(log: AuditLog, period: str, signers: dict[str, PersonKey], now: dt.datetime = NOW) -> int:
    folder = log.home.audits / period
    folder.mkdir(parents=True)
    statement, report = b"audit " + period.encode() + b"\nverdict: pass\n", b"# Certificate\n"
    (folder / "statement.txt").write_bytes(statement)
    (folder / "certificate.md").write_bytes(report)
    entry = log.append(
        "audit",
        {
            "run": "a1",
            "period": period,
            "verdict": "pass",
            "findings": {"undecidable": 1},
            "report": sha256(report),
            "statement": sha256(statement),
        },
        now=now,
    )
    for role, key in signers.items():
        signature = sign_statement(key, statement)
        (folder / f"{role}.sig").write_bytes(signature)
        fields = {
            "of": entry.seq,
            "statement": sha256(statement),
            "role": role,
            "person": key.fingerprint,
            "sig": sha256(signature),
        }
        log.append("signoff", fields, now=now)
    return entry.seq


def build(folder: Path) -> Sample:
    """17 lines: log.open, two person.add, policy.approve, purge.start, two batches (6 to 9), purge.end,
    checkpoint, audit (11), two sign-offs, action.open, hold.add, purge.refused, purge.end, checkpoint.
    """
    home = Home(folder)
    log = create(home, name=NAME, now=NOW)
    director = new_person_key(folder / "director.key", None)
    manager = new_person_key(folder / "manager.key", b"correct horse")
    enrol(log, "director", director)
    enrol(log, "manager", manager)
    fields = {"policy": HASH, "database": "sqlite:///calls.db", "fingerprint": HASH, "role": "director"}
    log.append("policy.approve", {**fields, "person": director.fingerprint}, now=NOW, signers=[director])
    log.append(
        "purge.start", {"run": "r1", "as_of": NOW, "policy": HASH, "dry": False, "confirm": 0}, now=NOW
    )
    purge_batch(log, "r1")
    purge_batch(log, "r1")
    log.append("purge.end", END, now=NOW)
    log.write_checkpoint(NOW)
    of = audit(log, "2026-H2", {"manager": manager, "director": director})
    log.append("action.open", {"action": "A1", "of": of, "code": "undecidable", "due": NOW.date()}, now=NOW)
    log.append("hold.add", {"hold": "H1", "subject": HASH, "look_again": NOW.date()}, now=NOW)
    log.append(
        "purge.refused", {"run": "r2", "brake": "share", "seen": {"subjects": 9, "limit": "5 %"}}, now=NOW
    )
    log.append("purge.end", {**END, "run": "r3", "rows": {}}, now=NOW)
    log.write_checkpoint(NOW)
    return Sample(home, director, manager)


def body(line: bytes) -> dict[str, object]:
    entry = json.loads(line)["entry"]
    assert isinstance(entry, dict)
    return entry

"""statement.txt: the few lines that people sign, and where an audit's or a review's files lie.

Everything that a sign-off must bind stands in it: the finding counts, the report's hash, the checkpoint,
and who has to sign. Its own hash stands in the log.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from staffords_gdpr.auditlog import Entry
from staffords_gdpr.auditlog.files import make_folder, write_atomic
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.errors import UsageError

STATEMENT = "statement.txt"
REPORTS = {"audit": "certificate.md", "review": "review.md"}
_ROLES = "must sign: "


@dataclass(frozen=True)
class Written:
    """The files of an audit or a review, and their SHA-256 (hex)."""

    report: Path
    report_sha256: str
    statement: Path
    statement_sha256: str


def statement_text(
    kind: str,
    *,
    log: str,
    period: str,
    verdict: str,
    facts: Mapping[str, object],
    roles: Sequence[str],
    report_sha256: str,
    checkpoint: str,
    now: dt.datetime,
) -> bytes:
    """The bytes to sign; the same input gives the same bytes."""
    lines = [
        f"{kind} {period} of the log {log}",
        f"made: {now.astimezone(dt.UTC).isoformat(timespec='seconds')}",
        f"verdict: {verdict}",
        *(f"{name}: {value}" for name, value in facts.items()),
        f"report: {REPORTS[kind]} sha256 {report_sha256}",
        f"{_ROLES}{', '.join(roles)}",
        "checkpoint of the log:",
        *("  " + line for line in checkpoint.splitlines()),
    ]
    return ("\n".join(lines) + "\n").encode()


def required_roles(statement: bytes) -> tuple[str, ...]:
    """Who must sign, as the statement itself says: a policy changed later does not change it."""
    for line in statement.decode(errors="replace").splitlines():
        if line.startswith(_ROLES):
            return tuple(role for role in line.removeprefix(_ROLES).split(", ") if role)
    return ()


def next_period(kind: str, day: dt.date, earlier: Sequence[Entry]) -> str:
    """`2026-H2` for an audit, `2026` for a review; a second one in the same period has `-2`."""
    period = f"{day.year}-H{1 if day.month <= 6 else 2}" if kind == "audit" else str(day.year)
    taken = {str(entry.fields["period"]) for entry in earlier}
    name, number = period, 1
    while name in taken:
        number += 1
        name = f"{period}-{number}"
    return name


def write_files(
    home: Home,
    kind: str,
    period: str,
    *,
    report: bytes,
    statement: bytes,
    others: Mapping[str, bytes] | None = None,
) -> Written:
    """Write report and statement, durably, before the log speaks of them.

    Files that a crashed attempt left are replaced: no entry names them. Raises UsageError where the folder
    cannot be written.
    """
    folder = home.statement_folder(kind, period)
    make_folder(folder.parent, 0o750)
    make_folder(folder, 0o750)
    for leftover in folder.glob("*.sig"):
        leftover.unlink()
    for name, data in {REPORTS[kind]: report, **(others or {})}.items():
        write_atomic(folder / name, data)
    write_atomic(folder / STATEMENT, statement)
    return Written(folder / REPORTS[kind], sha256(report), folder / STATEMENT, sha256(statement))


def read_statement(home: Home, entry: Entry) -> bytes:
    """The statement of an audit or review, if it and its report are still the ones that the log knows.

    Raises UsageError where a file is missing or differs.
    """
    folder = home.statement_folder(entry.type, str(entry.fields["period"]))
    for name, known in ((REPORTS[entry.type], "report"), (STATEMENT, "statement")):
        try:
            found = sha256((folder / name).read_bytes())
        except OSError as error:
            raise UsageError(
                f"{folder / name}: cannot be read: {error.strerror}",
                "Bring it back from the copy of the audit folder.",
            ) from None
        if found != entry.fields[known]:
            raise UsageError(
                f"{folder / name}: is not the file that entry {entry.seq} of the log names (its SHA-256 "
                "differs)",
                "Nobody should sign a changed file. Bring back the original, or do it again.",
            )
    return (folder / STATEMENT).read_bytes()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

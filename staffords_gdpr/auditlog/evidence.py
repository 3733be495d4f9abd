"""The files that entries vouch for: leaves of batches, statements of audits and reviews, sign-offs."""

from __future__ import annotations

import hashlib

from staffords_gdpr.auditlog import rows
from staffords_gdpr.auditlog.entries import SETTLED, STATEMENTS, Entry
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.merkle import EMPTY
from staffords_gdpr.auditlog.people import verify_statement
from staffords_gdpr.auditlog.state import BrokenLineError, LogState

REPORTS = {"audit": "certificate.md", "review": "review.md"}


def check(home: Home, entry: Entry, state: LogState, *, leaves_may_lack: bool) -> None:
    """Raise BrokenLineError where a file that `entry` vouches for is missing or not what it says.

    `leaves_may_lack`: after the last checkpoint a crash may have come before the leaves were written. They may lack as
    long as the batch is pending, too: the next purge writes them.
    """
    try:
        check_before(home, entry, state)
        committed = entry.type == "purge.done" or entry.fields.get("outcome") == "committed"
        if committed and not (leaves_may_lack and _leaves_lack(home, entry)):
            _check_leaves(home, entry, str(entry.fields["root"]), may_be_pending=True)
    except (ValueError, OSError) as error:
        raise BrokenLineError(entry.seq + 1, str(error)) from None


def check_before(home: Home, entry: Entry, state: LogState) -> None:
    """Raise ValueError where a file is missing or wrong that must be there before its entry."""
    if entry.type in STATEMENTS:
        folder = home.statement_folder(entry.type, str(entry.fields["period"]))
        _read(home, folder / "statement.txt", str(entry.fields["statement"]))
        report = folder / REPORTS[entry.type]
        if report.exists():  # it may have been asked for elsewhere
            _read(home, report, str(entry.fields["report"]))
    elif entry.type == "signoff":
        _check_signoff(home, entry, state)
    elif entry.type == SETTLED and entry.fields["gone_root"] != EMPTY.hex():
        _check_leaves(home, entry, str(entry.fields["gone_root"]), may_be_pending=False)


def _check_signoff(home: Home, entry: Entry, state: LogState) -> None:
    fields = entry.fields
    known = state.statements.get(int(str(fields["of"])))
    person = state.people.get(str(fields["person"]))
    if known is None:
        raise ValueError("a sign-off of what is no audit or review")
    if person is None:
        raise ValueError(f"{fields['person']} is not enrolled")
    folder = home.statement_folder(known.type, known.period)
    statement = _read(home, folder / "statement.txt", known.sha256)
    signature = _read(home, folder / f"{fields['role']}.sig", str(fields["sig"]))
    if not verify_statement(person.public_key, statement, signature):
        raise ValueError(
            f"{folder.name}/{fields['role']}.sig is no signature by {fields['person']} over statement.txt"
        )


def _leaves_lack(home: Home, entry: Entry) -> bool:
    return home.leaves(str(entry.fields["batch"])) is None


def _check_leaves(home: Home, entry: Entry, root: str, *, may_be_pending: bool) -> None:
    batch = str(entry.fields["batch"])
    path = home.leaves(batch)
    if path is None:
        if may_be_pending and batch in rows.list_pending(home):
            return
        raise ValueError(f"the leaves file of batch {batch} is missing")
    try:
        found = rows.root(rows.read_leaves(path))
    except ValueError as error:
        raise ValueError(f"batches/{path.parent.name}/{path.name}: {error}") from None
    if found != root:
        raise ValueError(f"batches/{path.parent.name}/{path.name} does not have the root of its entry")


def _read(home: Home, path: object, sha256: str) -> bytes:
    file = home.audit / str(path)
    where = file.relative_to(home.audit).as_posix()
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{where} is missing") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{where} is not the file that was logged")
    return data

"""Sign-offs: people put their name to an audit or a review."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.files import write_atomic
from staffords_gdpr.auditlog.people import PersonKey, people, sign_statement
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.history import History, read_history
from staffords_gdpr.operations.statement import read_statement, required_roles, sha256


@dataclass(frozen=True)
class SignOff:
    """One signature. `missing`: the roles that must sign still; nobody once it is `complete`."""

    entry: Entry
    of: int
    period: str
    role: str
    person: str
    signature: Path
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.missing


@dataclass(frozen=True)
class Pending:
    """An audit or a review that is not signed by all who must."""

    seq: int
    kind: str
    period: str
    missing: tuple[str, ...]


def sign(log: AuditLog, *, key: PersonKey, role: str, now: dt.datetime, of: int | None = None) -> SignOff:
    """Sign the statement of the audit or review in entry `of`; without `of`, of the last audit.

    The signature (SSHSIG) is written beside the statement as `<role>.sig`, its hash to the log. Each role
    signs once, and each by another person. Raises UsageError for a role that was not asked for, a person
    who is not enrolled with it or has signed already, and a statement or report that is not the one in the
    log.
    """
    log.require_verified(full=False)
    history = read_history(log.entries())
    entry = _to_sign(history, of)
    period = str(entry.fields["period"])
    statement = read_statement(log.home, entry)
    required = required_roles(statement)
    _may_sign(log, history, entry, required, key=key, role=role)
    signature = log.home.statement_folder(entry.type, period) / f"{role}.sig"
    armoured = sign_statement(key, statement)
    write_atomic(signature, armoured)
    signed = log.append(
        "signoff",
        {
            "of": entry.seq,
            "statement": sha256(statement),
            "role": role,
            "person": key.fingerprint,
            "sig": sha256(armoured),
        },
        now=now,
    )
    log.write_checkpoint(now)
    done = {*history.signed_roles(entry.seq), role}
    return SignOff(
        signed,
        entry.seq,
        period,
        role,
        key.fingerprint,
        signature,
        tuple(each for each in required if each not in done),
    )


def pending(log: AuditLog, history: History) -> tuple[Pending, ...]:
    """The audits and reviews that somebody must sign still, oldest first. One whose statement is gone or
    was changed asks for every role that has not signed it: it is unsigned until the file is back.
    """
    found = []
    for entry in sorted((*history.audits, *history.reviews), key=lambda each: each.seq):
        try:
            required = required_roles(read_statement(log.home, entry))
        except UsageError:
            required = ("(statement missing or changed)",)
        done = history.signed_roles(entry.seq)
        missing = tuple(role for role in required if role not in done)
        if missing:
            found.append(Pending(entry.seq, entry.type, str(entry.fields["period"]), missing))
    return tuple(found)


def _to_sign(history: History, of: int | None) -> Entry:
    statements = sorted((*history.audits, *history.reviews), key=lambda each: each.seq)
    if of is None:
        if not history.audits:
            raise UsageError("there is no audit to sign", "Do one first: gdpr audit")
        return history.audits[-1]
    for entry in statements:
        if entry.seq == of:
            return entry
    known = ", ".join(f"{entry.seq} ({entry.type} {entry.fields['period']})" for entry in statements)
    raise UsageError(
        f"entry {of} is neither an audit nor a review",
        f"There are: {known}." if known else "Do one first: gdpr audit",
    )


def _may_sign(
    log: AuditLog, history: History, entry: Entry, required: tuple[str, ...], *, key: PersonKey, role: str
) -> None:
    what = f"the {entry.type} {entry.fields['period']}"
    if role not in required:
        raise UsageError(
            f"{what} does not ask for a {role}'s signature", f"It asks for: {', '.join(required)}."
        )
    person = people(log.entries()).get(key.fingerprint)
    if person is None:
        raise UsageError(
            f"the key {key.fingerprint} is not enrolled in this log",
            f"Make and enrol one with: gdpr keys new --as {role} --out FILE",
        )
    if person.role != role:
        raise UsageError(
            f"the key {key.fingerprint} is enrolled as {person.role}, not as {role}",
            "Each role signs with the key of a person who is enrolled for it.",
        )
    for signed in history.signoffs:
        if signed.fields["of"] != entry.seq:
            continue
        if signed.fields["person"] == key.fingerprint:
            raise UsageError(
                f"this person has signed {what} already", "Another person must sign for the other role."
            )
        if signed.fields["role"] == role:
            raise UsageError(
                f"a {role} has signed {what} already, in entry {signed.seq}",
                "One signature a role is enough.",
            )

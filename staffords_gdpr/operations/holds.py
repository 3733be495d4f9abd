"""Legal holds: a subject whose data must stay while a claim or an inquiry runs (R3).

The subject's key and the reason stay in `secret/holds.json`. The log knows each hold by a keyed hash, so
that a hold that was taken out of the file is noticed, and the log still names nobody.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import math
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.files import write_atomic
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.locks import LOCK_SECONDS, lock
from staffords_gdpr.auditlog.rows import new_batch_id, read_pending
from staffords_gdpr.auditlog.standing import Standing
from staffords_gdpr.errors import LogBrokenError, UsageError
from staffords_gdpr.operations.history import LoggedHold, logged_hold
from staffords_gdpr.retention.states import Key

_REASON = re.compile(r"[a-z][a-z0-9-]{0,39}")


class HoldMissingError(LogBrokenError):
    """A hold stands in the log, but not in `secret/holds.json`."""


@dataclass(frozen=True)
class Hold:
    """One hold in force. `reason` is a code, such as `claim`; `look_again` the day to ask whether it is
    needed still. `late` are the batches with this subject that were under way when the hold came.
    """

    hold: str
    subject: Key
    reason: str
    look_again: dt.date
    added: dt.datetime | None
    late: tuple[str, ...] = ()


def add(
    log: AuditLog, *, subject: Key, reason: str, look_again: dt.date, now: dt.datetime, today: dt.date
) -> Hold:
    """Put a subject on hold from now on. `operations/holding` says what became of its late batches.

    Raises UsageError for a reason that is no code, a day to look again that is not in the future, a subject that is on
    hold already, or one with a binary key.
    """
    if not _REASON.fullmatch(reason):
        raise UsageError(
            f"{reason!r} is no reason code",
            "Use a short word in small letters, such as claim or tax-inquiry; names do not belong here.",
        )
    if any(isinstance(part, bytes) for part in subject):
        raise UsageError(
            "this subject's key is binary, and a hold can keep only texts and numbers",
            "Name a readable key in the policy, as in key: [number].",
        )
    if look_again <= today:
        raise UsageError(
            f"{look_again.isoformat()} is not in the future",
            "Give the day on which somebody should ask whether the hold is needed still.",
        )
    subject, hold = _storable(subject), new_batch_id(now)
    late: list[str] = []

    def put(open_batches: Collection[str]) -> None:
        # A batch whose intent comes later than this sees the hold. The file before the entry: after a crash in
        # between, the subject is held all the same.
        stored = _read(log.home)
        _require_none(log, stored, subject)
        stored[hold] = {"subject": list(subject), "reason": reason, "look_again": look_again.isoformat()}
        _write(log.home, stored)
        late.extend(batch for batch in open_batches if _concerns(log.home, batch, subject))

    entry = log.append(
        "hold.add",
        {"hold": hold, "subject": fingerprint(log.home, subject), "look_again": look_again.isoformat()},
        now=now,
        first=put,
    )
    log.write_checkpoint(now)
    return Hold(hold, subject, reason, look_again, entry.time, tuple(late))


def release(log: AuditLog, *, hold: str, now: dt.datetime) -> None:
    """End a hold. From the next purge on, the rules decide again. Raises UsageError for a hold that is not
    in force.
    """
    standing, stored = _at_one_moment(log)
    if hold not in stored and hold not in standing.holds:
        raise UsageError(f"there is no hold {hold} in force", "List them with: gdpr hold list")
    log.append("hold.release", {"hold": hold}, now=now)
    with _alone(log.home):
        _write(log.home, {other: what for other, what in _read(log.home).items() if other != hold})
    log.write_checkpoint(now)


def current(log: AuditLog) -> tuple[Hold, ...]:
    """The holds in force, oldest first.

    Raises HoldMissingError where the log knows a hold that the file does not: whoever took it out must not
    get the subject's data erased that way.
    """
    standing, stored = _at_one_moment(log)
    logged = {hold: logged_hold(entry) for hold, entry in standing.holds.items()}
    missing = _missing(log.home, stored, logged.values())
    if missing:
        raise HoldMissingError(
            f"{_path(log.home)}: {len(missing)} legal hold(s) of the log are not in it: {', '.join(missing)}",
            "Restore the file from its last good copy, or release the holds by name: gdpr hold release HOLD",
        )
    return tuple(
        Hold(
            hold,
            tuple(what["subject"]),
            what["reason"],
            dt.date.fromisoformat(what["look_again"]),
            logged[hold].added if hold in logged else None,
        )
        for hold, what in sorted(stored.items())
        if hold not in standing.released
    )


def current_holds(log: AuditLog) -> frozenset[Key]:
    """The subjects on hold now. Raises HoldMissingError, see `current`."""
    return frozenset(hold.subject for hold in current(log))


def missing_holds(home: Home, logged: Iterable[LoggedHold]) -> tuple[str, ...]:
    """The holds that the log knows and the file does not, or knows with another subject."""
    return _missing(home, _read(home), logged)


def _missing(home: Home, stored: Mapping[str, Any], logged: Iterable[LoggedHold]) -> tuple[str, ...]:
    return tuple(
        hold.hold
        for hold in logged
        if hold.hold not in stored or fingerprint(home, tuple(stored[hold.hold]["subject"])) != hold.subject
    )


def fingerprint(home: Home, subject: Key) -> str:
    """The subject as it stands in the log: HMAC-SHA256 (hex) with a key that never leaves `secret/`."""
    message = json.dumps(list(_storable(subject)), ensure_ascii=False, separators=(",", ":")).encode()
    return hmac.new(_key(home), message, hashlib.sha256).hexdigest()


def _at_one_moment(log: AuditLog) -> tuple[Standing, dict[str, dict[str, Any]]]:
    """Log and file as they fit together: a hold is put into the file first, and released in the log first."""
    while True:
        stored = _read(log.home)
        standing = log.standing()
        if _read(log.home) == stored:
            return standing, stored


def _require_none(log: AuditLog, stored: Mapping[str, Any], subject: Key) -> None:
    active = log.standing().holds
    for hold, what in stored.items():
        if hold in active and tuple(what["subject"]) == subject:
            raise UsageError(
                f"this subject is on hold already, by hold {hold}",
                f"Release it first: gdpr hold release {hold}",
            )


def _concerns(home: Home, batch: str, subject: Key) -> bool:
    """Whether a batch that is under way erases something of this subject; also where nobody can tell any more."""
    from staffords_gdpr.operations.purge.pending import plan_in  # noqa: PLC0415  a purge asks for holds

    pending = read_pending(home, batch)
    return pending is None or subject in {_storable(key) for key in plan_in(pending).subjects}


def _storable(subject: Key) -> Key:
    """The key as JSON can keep it: whole numbers stay numbers, whatever type the database gives them in."""
    return tuple(part if isinstance(part, (str, int)) else _plainly(part) for part in subject)


def _plainly(part: object) -> object:
    if isinstance(part, (float, Decimal)) and math.isfinite(part) and part == int(part):
        return int(part)
    return str(part)


def _alone(home: Home) -> AbstractContextManager[None]:
    return lock(home.audit_lock, LOCK_SECONDS, "another command is writing to the audit log")


def _path(home: Home) -> Path:
    return Path(home.secret) / "holds.json"


def _key(home: Home) -> bytes:
    path = Path(home.secret) / "holds.key"
    if not path.exists():
        with _alone(home):
            if not path.exists():  # another command has not just made it
                write_atomic(path, secrets.token_bytes(32), 0o600)
    return path.read_bytes()


def _read(home: Home) -> dict[str, dict[str, Any]]:
    path = _path(home)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    hint = "Restore the file from its last good copy."
    try:
        stored = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read as JSON ({error})", hint) from error
    try:
        return {str(hold): dict(what) for hold, what in stored.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{path}: does not hold legal holds as gdpr writes them", hint) from error


def _write(home: Home, stored: Mapping[str, Mapping[str, Any]]) -> None:
    write_atomic(
        _path(home), (json.dumps(stored, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode(), 0o600
    )

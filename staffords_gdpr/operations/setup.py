"""Setting up: the home folder, people's keys, and a director's approval of the policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from staffords_gdpr import auditlog
from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.keys import b64
from staffords_gdpr.auditlog.kinds import ROLE
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import DIRECTOR, Person, PersonKey, new_person_key, people
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connected
from staffords_gdpr.database.refusals import require_acknowledged, require_all_shown
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.approved import differences
from staffords_gdpr.operations.drift import keep_schema
from staffords_gdpr.policy.models import Policy

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class InitResult:
    """The home folder, and whether it was made now or stood there already."""

    home: Path
    created: bool
    name: str
    public_key: bytes


@dataclass(frozen=True)
class NewKey:
    """A person's new key, and the entry that enrols it."""

    path: Path
    role: str
    fingerprint: str
    entry: Entry
    protected: bool


@dataclass(frozen=True)
class Approval:
    """The approval now in force. `changes` says in sentences what differs from the approval before;
    `first`: there was none.
    """

    entry: Entry
    role: str
    person: str
    policy_sha256: str
    database: str
    fingerprint: str
    first: bool
    changes: tuple[str, ...]


def init_home(home: Home, *, name: str, now: dt.datetime) -> InitResult:
    """Make the home folder: `audit/` (0750), `secret/` (0700), the log's key and the log. Asks nothing.

    A home that has a log already is left as it is, with `created` False.
    Raises UsageError where the folder cannot be made or written.
    """
    place = home.path.absolute()
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place}: is a file, not a folder", "Choose another home with --home or GDPR_HOME.")
    if not place.exists() and not place.parent.is_dir():
        raise UsageError(
            f"{place}: the folder above it does not exist",
            f"Create {place.parent} first, or choose another home.",
        )
    created = not home.log.exists()
    try:
        log = auditlog.create(home, name=name, now=now)
    except OSError as error:
        raise UsageError(
            f"{error.filename or place}: cannot write: {error.strerror}",
            "Make the home folder writable for this user, or choose another with --home or GDPR_HOME.",
        ) from None
    return InitResult(place, created, log.name, log.public_key)


def new_keys(
    log: AuditLog, *, role: str, path: Path, passphrase: bytes | None, by: PersonKey | None, now: dt.datetime
) -> NewKey:
    """Write a new key for a person (mode 0600) and enrol it with `role`.

    The first person of a role is enrolled freely; later ones only with a director's key (`by`), because
    whoever may add people could otherwise sign an audit twice. Raises UsageError for an existing file, a
    role without a name, or a missing or unsuitable `by`.
    """
    if not ROLE.fits(role):
        raise UsageError(
            f"{role!r} is no role",
            "Write it in small letters, as in the policy: director, call-centre-manager.",
        )
    if path.exists():
        raise UsageError(
            f"{path}: exists already and is left as it is", "Choose another file name for the new key."
        )
    log.require_verified(full=False)
    entries = list(log.entries())
    first = not any(entry.type == "person.add" and entry.fields["role"] == role for entry in entries)
    if not first:
        _require_director(by, people(entries), role)
    key = new_person_key(path, passphrase)
    entry = log.append(
        "person.add",
        {"role": role, "person": key.fingerprint, "key": b64(key.public_key)},
        now=now,
        signers=(key if first or by is None else by,),
    )
    log.write_checkpoint(now)
    return NewKey(path, role, key.fingerprint, entry, protected=passphrase is not None)


def _require_director(by: PersonKey | None, enrolled: Mapping[str, Person], role: str) -> None:
    hint = "Name a director's key with --by FILE."
    if by is None:
        raise UsageError(f"somebody was enrolled as {role} before, so a director must enrol the next", hint)
    introducer = enrolled.get(by.fingerprint)
    if introducer is None or introducer.role != DIRECTOR:
        raise UsageError(
            f"the key {by.fingerprint} is not a director's, so it cannot enrol a second {role}", hint
        )


def approve(
    policy: Policy, engine: sa.Engine, log: AuditLog, *, key: PersonKey, role: str, now: dt.datetime
) -> Approval:
    """Sign the policy file's hash, the database's identity and its schema's fingerprint: what a purge may
    run with.

    Raises UsageError unless `key` is enrolled with `role` and the policy gives that role the review;
    PolicyError where the policy does not fit the database, or says nothing of a trigger that may keep a copy of what is
    erased; LogBrokenError for a log that does not verify.
    """
    log.require_verified(full=False)
    require_role(log, key, role, policy.roles.review, "approve the policy")
    with connected(engine) as connection:
        catalogue = bind(policy, connection)
        require_acknowledged(connection, catalogue)
        require_all_shown(connection, catalogue)
    before = log.last("policy.approve")
    changes = tuple(found.sentence for found in differences(policy, log.home, before, catalogue))
    keep_schema(log.home, catalogue)
    entry = log.append(
        "policy.approve",
        {
            "policy": policy.sha256,
            "database": catalogue.identity,
            "fingerprint": catalogue.fingerprint,
            "role": role,
            "person": key.fingerprint,
        },
        now=now,
        signers=(key,),
    )
    log.write_checkpoint(now)
    return Approval(
        entry,
        role,
        key.fingerprint,
        policy.sha256,
        catalogue.identity,
        catalogue.fingerprint,
        first=before is None,
        changes=changes,
    )


def require_role(log: AuditLog, key: PersonKey, role: str, allowed: tuple[str, ...], doing: str) -> None:
    """Raises UsageError unless `key` is enrolled with `role` and `role` is among `allowed` to do it."""
    if role not in allowed:
        raise UsageError(
            f"{role} may not {doing}: the policy gives that to {', '.join(allowed)}",
            f"Use --as {allowed[0]} with that person's key."
            if allowed
            else "Name the role under `roles:` in the policy.",
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
            f"Use --as {person.role}, or the key of a {role}.",
        )

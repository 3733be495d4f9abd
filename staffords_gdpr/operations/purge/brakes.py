"""The brakes: what must be so before the first row goes. Each says what it saw and how to go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import sqlalchemy as sa

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.errors import BrakeError, PolicyError
from staffords_gdpr.operations.approved import APPROVE, Difference, differences, of_database
from staffords_gdpr.operations.audit.findings import several
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk import Todo

NEVER_BELOW = 20
"""A run over this many subjects or fewer is never braked for its share."""

CLOCKS_APART = dt.timedelta(minutes=10)
"""So far may two clocks be apart: less than any mistake in a time zone."""

MISSED_INTERVALS = 3
"""So many purge intervals may the clock lie after the log's last entry."""


Code = Literal[
    "not-approved",
    "policy-changed",
    "wrong-database",
    "schema-changed",
    "policy-does-not-fit",
    "clock-behind",
    "clock-ahead",
    "clocks-differ",
    "too-many",
]
"""What the brakes are called in the log; docs/brakes.md has a section for each."""


@dataclass(frozen=True)
class Brake:
    """One brake that refuses. `seen` goes to the log: numbers and short codes, nothing personal."""

    code: Code
    message: str
    hint: str
    seen: dict[str, object] = field(default_factory=dict)


def approval(policy: Policy, log: AuditLog, catalogue: Catalogue | None = None) -> Iterator[Brake]:
    """The policy file is the one that was approved, for this database, with this schema.

    Without a catalogue (the policy does not fit the database) only what the file itself tells is looked at.
    """
    approved = log.last("policy.approve")
    if approved is None:
        yield Brake(
            "not-approved",
            "no director has approved a policy yet",
            f"Let a director read it and run: {APPROVE}",
        )
    for found in differences(policy, log.home, approved, catalogue):
        if found.stops:
            yield _differs(found)


def database(policy: Policy, approved: Entry | None, identity: str) -> Iterator[Brake]:
    """The database is the one for which the policy was approved."""
    yield from map(_differs, of_database(policy, approved, identity))


def _differs(found: Difference) -> Brake:
    ways: dict[str, tuple[Code, str]] = {
        "policy": ("policy-changed", f"Let a director read the change and run: {APPROVE}"),
        "database": (
            "wrong-database",
            f"Check GDPR_DATABASE_URL; if the database has moved, let a director run: {APPROVE}",
        ),
        "schema": (
            "schema-changed",
            f"Check that the policy still says what it should (gdpr scan), then let a director run: {APPROVE}",
        ),
    }
    code, hint = ways[found.what]
    return Brake(code, found.text, hint, {"approved": found.approved, "found": found.found})


def does_not_fit(policy: Policy, error: PolicyError) -> Brake:
    """The policy is the approved one, but names what the database does not have (any longer)."""
    return Brake("policy-does-not-fit", error.message, error.hint, {"policy": policy.sha256})


def clock(policy: Policy, log: AuditLog, now: dt.datetime) -> Iterator[Brake]:
    """The clock lies between the log's last entry and three purge intervals after it.

    Refusals do not count as entries here: written under a wrong clock, they would move the limit.
    """
    last = log.standing().last_that_counts
    if last is None:
        return
    now = now.astimezone(dt.UTC)
    seen: dict[str, object] = {"now": f"{now:%Y-%m-%dT%H:%M:%SZ}", "last": f"{last.time:%Y-%m-%dT%H:%M:%SZ}"}
    if now.replace(microsecond=0) < last.time:
        yield Brake(
            "clock-behind",
            f"this machine's clock says {now:%Y-%m-%d %H:%M}, "
            f"but the log's last entry is of {last.time:%Y-%m-%d %H:%M} UTC",
            "Set the clock right (timedatectl); if the entry is the one that is wrong, let a director run: "
            f"{APPROVE}",
            seen,
        )
        return
    latest = policy.today(last.time)
    for _ in range(MISSED_INTERVALS):
        latest = policy.schedule.purge.after(latest)
    if policy.today(now) > latest:
        yield Brake(
            "clock-ahead",
            f"the log's last entry is of {last.time:%Y-%m-%d}, more than {MISSED_INTERVALS} purge intervals "
            "before now: either no purge ran for long, or this machine's clock is wrong",
            f"Check the clock (timedatectl); if it is right, let a director run: {APPROVE}",
            seen,
        )


def clocks(connection: sa.Connection, now: dt.datetime) -> Iterator[Brake]:
    """This machine's clock and the database server's agree: one of them dates the rows, the other judges them."""
    server = backend_of(connection).now(connection)
    if server is not None and abs(server - now) > CLOCKS_APART:
        now, server = now.astimezone(dt.UTC), server.astimezone(dt.UTC)
        yield Brake(
            "clocks-differ",
            f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, the database server's {server:%Y-%m-%d %H:%M} UTC",
            "Set both right (timedatectl), then run again.",
            {"now": f"{now:%Y-%m-%dT%H:%M:%SZ}", "server": f"{server:%Y-%m-%dT%H:%M:%SZ}"},
        )


def share(policy: Policy, todo: Todo, total: int, confirmed: int) -> Iterator[Brake]:
    """The run does not touch more than a share of all subjects, counted with their children; or a person said so.

    A row without a subject counts as a subject of its own. `total`: subjects in the database. `confirmed`: up to how
    many a person has allowed.
    """
    affected = todo.subjects + todo.rows
    limit = max(NEVER_BELOW, int(total * policy.erase_at_most))
    if affected > max(limit, confirmed):
        alone = (
            f" and {several(todo.rows, 'row that belongs to nobody', 'rows that belong to nobody')}"
            if todo.rows
            else ""
        )
        yield Brake(
            "too-many",
            f"{todo.subjects:,} of {total:,} subjects{alone} have something to be erased; more than {limit:,} "
            f"({policy.erase_at_most:.0%} of all) need a person's word",
            f"Look at gdpr scan; if that is right, run: gdpr purge --confirm {affected}",
            {"affected": affected, "total": total, "limit": limit},
        )


def refused(brake: Brake, policy: Policy, log: AuditLog, run: str, now: dt.datetime) -> BrakeError:
    """The error to raise for a brake, which is in the log then: once a day, and anew once a purge has begun since."""
    standing = log.standing()
    known = standing.refused.get(brake.code)
    begun = standing.latest.get("purge.start")
    gone_on = known is not None and begun is not None and begun.seq > known.seq
    if known is None or gone_on or policy.today(known.time) != policy.today(now):
        log.append("purge.refused", {"run": run, "brake": brake.code, "seen": brake.seen}, now=now)
        log.write_checkpoint(now)
    more = f"docs/brakes.md#{brake.code} says why, and how to go on."
    return BrakeError(brake.code, f"purge refused: {brake.message}", f"{brake.hint}\n{more}".lstrip())

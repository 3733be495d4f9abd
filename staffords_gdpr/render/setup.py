"""The pages of `gdpr init`, `gdpr keys new` and `gdpr approve`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Page, Text, Tone, warn
from staffords_gdpr.render.proposal import summary, summary_data

if TYPE_CHECKING:
    from staffords_gdpr.operations.propose.guesses import Proposal
    from staffords_gdpr.operations.setup import Approval, InitResult, NewKey


def _key(made: InitResult) -> str:
    """The log's public key as --trust takes it."""
    return base64.b64encode(made.public_key).decode()


def init_page(
    made: InitResult, policy: Path, proposal: Proposal | None = None, *, asked: str | None = None
) -> Page:
    """What is there now, and what to do next. `asked`: the name that was wished for the log."""
    if made.created:
        log = f"Made: the audit log {made.name} in {made.home}/audit, its key in {made.home}/secret."
    else:
        log = f"The audit log {made.name} in {made.home / 'audit'} was there already and is left as it is."
    rules: Page
    if proposal:
        rules = (*summary(proposal, policy), Text(f"Next: edit {policy.name}, then: gdpr check"))
    elif policy.exists():
        rules = (Text(f"The policy {policy} is left as it is."),)
    else:
        rules = (
            Text(
                f"There is no policy yet. Name the database with --database to have one proposed, or write {policy}: "
                "docs/policy.md explains every key."
            ),
        )
    return (
        Text(log, Tone.GOOD),
        *(
            [warn(f"Its name stays {made.name}: a log is never renamed.")]
            if asked not in (None, made.name)
            else ()
        ),
        Text(f"Note its public key down somewhere else: {_key(made)}"),
        *rules,
        Text(f"{'Then' if proposal else 'Next'}: gdpr keys new --as director --out director.key"),
        Text("Then: gdpr approve --as director --key director.key"),
    )


def init_data(made: InitResult, policy: Path, proposal: Proposal | None = None) -> dict[str, object]:
    """`gdpr init --format json`"""
    return {
        "home": str(made.home),
        "created": made.created,
        "log": made.name,
        "key": _key(made),
        "policy": str(policy),
        "policy_exists": policy.exists(),
        "proposed": summary_data(proposal) if proposal else None,
    }


def key_page(made: NewKey) -> Page:
    """Whose key it is, and how to look after it."""
    blocks = [
        Text(f"{made.path} is the key of a {made.role}, {made.fingerprint}.", Tone.GOOD),
        Text("Whoever has it can sign in that person's name: keep it where only they can read it."),
    ]
    if not made.protected:
        blocks.append(warn("It has no passphrase, so the file alone is enough to sign."))
    return tuple(blocks)


def key_data(made: NewKey) -> dict[str, object]:
    """`gdpr keys new --format json`"""
    return {
        "role": made.role,
        "person": made.fingerprint,
        "key": str(made.path),
        "passphrase": made.protected,
        "entry": made.entry.seq,
    }


def approval_page(result: Approval, policy: Path) -> Page:
    """What was approved, and what differs from the approval before."""
    blocks = [
        Text(f"Approved by the {result.role}: {policy} as it stands, for this database.", Tone.GOOD),
        Text(f"Policy SHA-256 {result.policy_sha256}"),
        Text(f"Database {result.database}"),
        *(warn(change) for change in result.changes),
        Text(f"Written to the audit log as entry {result.entry.seq}."),
    ]
    return tuple(blocks)


def approval_data(result: Approval) -> dict[str, object]:
    """`gdpr approve --format json`"""
    return {
        "role": result.role,
        "person": result.person,
        "policy": result.policy_sha256,
        "database": result.database,
        "fingerprint": result.fingerprint,
        "first": result.first,
        "changes": list(result.changes),
        "entry": result.entry.seq,
    }

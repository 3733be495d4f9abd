"""How things differ from what a director approved: the policy file, the database, its schema.

Brakes, audit, status and review tell it in the same words; what follows from it each says for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from staffords_gdpr.auditlog import Entry
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.operations.drift import drift_since
from staffords_gdpr.policy.models import Policy

APPROVE = "gdpr approve --as director --key FILE"


@dataclass(frozen=True)
class Difference:
    """One difference from the approval. `text` has no capital and no full stop; `approved` and `found` are the two
    hashes or identities. `stops`: whether a purge must not go on. `count`: how many changes these are.
    """

    what: Literal["policy", "database", "schema"]
    text: str
    approved: str
    found: str
    stops: bool = True
    count: int = 1

    @property
    def sentence(self) -> str:
        return f"{self.text[0].upper()}{self.text[1:]}."


def differences(
    policy: Policy, home: Home, approved: Entry | None, catalogue: Catalogue | None
) -> Iterator[Difference]:
    """What differs from this approval; nothing where there was none. Without a catalogue only the file is looked at."""
    if approved is None:
        return
    day, was = policy.today(approved.time).isoformat(), approved.fields
    if was["policy"] != policy.sha256:
        text = (
            f"the policy file has changed since it was approved on {day} ({PurePath(policy.path).name}: SHA-256 "
            f"{str(was['policy'])[:12]}, now {policy.sha256[:12]})"
        )
        yield Difference("policy", text, str(was["policy"]), policy.sha256)
    if catalogue is None:
        return
    yield from of_database(policy, approved, catalogue.identity)
    drift = drift_since(approved, home, catalogue)
    if drift.any:
        yield Difference(
            "schema",
            f"the database's tables, columns, keys or triggers have changed since the approval on {day}: {drift.text}",
            str(was["fingerprint"]),
            catalogue.fingerprint,
            drift.stops,
            len(drift.changes) or 1,
        )


def of_database(policy: Policy, approved: Entry | None, identity: str) -> Iterator[Difference]:
    """The same, of nothing but the database's identity."""
    if approved is not None and approved.fields["database"] != identity:
        was = str(approved.fields["database"])
        day = policy.today(approved.time).isoformat()
        yield Difference(
            "database", f"this is {identity}; the policy was approved on {day} for {was}", was, identity
        )

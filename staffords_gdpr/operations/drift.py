"""What has changed in the database's schema since a director approved the policy for it.

An approval holds the schema's fingerprint, and a file beside the log the schema itself, under its fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from staffords_gdpr.auditlog import Entry
from staffords_gdpr.auditlog.files import make_folder, write_atomic
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.drift import Change, changes, use_of

FOLDER_MODE = 0o750
SHOWN = 5


@dataclass(frozen=True)
class Drift:
    """The changes since the approval; none where the schema is as approved.

    `unknown`: the schema is another, and what it was is not known, because its file is gone or was changed.
    """

    changes: tuple[Change, ...] = ()
    unknown: bool = False

    @property
    def any(self) -> bool:
        """Whether anything at all has changed."""
        return self.unknown or bool(self.changes)

    @property
    def stops(self) -> bool:
        """Whether a purge must not go on: something that it rests on has changed, or may have."""
        return self.unknown or any(change.used for change in self.changes)

    @property
    def text(self) -> str:
        """The difference in one line: what a purge rests on first, and no more than a person reads."""
        if self.unknown:
            return "what it was is not known: the file of the approved schema is missing or was changed"
        said = [change.what for change in self.changes[:SHOWN]]
        more = len(self.changes) - len(said)
        return "; ".join([*said, *([f"and {more} more"] if more else [])])


def keep_schema(home: Home, catalogue: Catalogue) -> None:
    """Write the schema down under its fingerprint, for later comparison. Raises UsageError where that fails."""
    make_folder(home.schemas, FOLDER_MODE)
    write_atomic(
        home.schemas / f"{catalogue.fingerprint}.json", json.dumps(catalogue.schema, sort_keys=True).encode()
    )


def drift_since(approved: Entry | None, home: Home, catalogue: Catalogue) -> Drift:
    """What has changed since this approval; nothing where there is none, or where it is for another database."""
    if approved is None or approved.fields["database"] != catalogue.identity:
        return Drift()
    fingerprint = str(approved.fields["fingerprint"])
    if fingerprint == catalogue.fingerprint:
        return Drift()
    before = _read(home, fingerprint)
    if before is None:
        return Drift(unknown=True)
    found = changes(before, catalogue.schema, use_of(catalogue))
    return Drift(found or (Change("properties of tables that are not listed here", used=True),))


def _read(home: Home, fingerprint: str) -> Mapping[str, Any] | None:
    """The schema with this fingerprint; None where its file is gone or is another."""
    try:
        data = (home.schemas / f"{fingerprint}.json").read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(data).hexdigest() != fingerprint:
        return None
    found: Mapping[str, Any] = json.loads(data)
    return found

"""What the writer knew at its last checkpoint, so that the next command need not read the log from its start.

The snapshot is signed with the log's key and lies in `secret/`. It is a cache: without it, or where the lines are not
those over which it was made, the whole log is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staffords_gdpr.auditlog import canonical, keys
from staffords_gdpr.auditlog.entries import Entry
from staffords_gdpr.auditlog.files import write_atomic
from staffords_gdpr.auditlog.merkle import Tree
from staffords_gdpr.auditlog.people import Person
from staffords_gdpr.auditlog.standing import Standing
from staffords_gdpr.auditlog.state import LogState, Statement

_ENTRIES = ("open", "unclear", "latest", "refused", "holds")
"""The parts of a Standing that hold entries."""


def save(path: Path, state: LogState, private: Ed25519PrivateKey) -> None:
    """Write the snapshot, signed. It waits for no disk: what a power cut leaves of it is checked."""
    value = {
        "name": state.name,
        "size": state.size,
        "frontier": [node.hex() for node in state.tree.frontier],
        "length": state.length,
        "last_start": state.last_start,
        "last_hash": state.last_hash,
        "last_time": canonical.moment(state.last_time) if state.last_time else None,
        "people": {
            fingerprint: [person.role, keys.b64(person.public_key), canonical.moment(person.since)]
            for fingerprint, person in state.people.items()
        },
        "roles": sorted(state.roles),
        "standing": _written(state.standing),
        "statements": {
            str(seq): [known.type, known.period, known.sha256, known.signed]
            for seq, known in state.statements.items()
        },
    }
    payload = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
    signature = private.sign(keys.pae(keys.SNAPSHOT_TYPE, payload))
    write_atomic(path, payload + b"\n" + keys.b64(signature).encode() + b"\n", 0o600, lasting=False)


def load(path: Path, public_key: bytes) -> LogState | None:
    """The state that was saved, or None where there is none that this key signed."""
    try:
        payload, signature, _ = path.read_bytes().split(b"\n")
        if not keys.verifies(
            public_key, keys.unb64(signature.decode()), keys.pae(keys.SNAPSHOT_TYPE, payload)
        ):
            return None
        return _state(json.loads(payload), public_key)
    except (OSError, ValueError, KeyError, TypeError):  # missing, torn, or of another version
        return None


def _state(value: Mapping[str, Any], public_key: bytes) -> LogState:
    return LogState(
        name=value["name"],
        first_key=public_key,
        length=value["length"],
        last_start=value["last_start"],
        last_hash=value["last_hash"],
        last_time=canonical.parse_moment(value["last_time"]) if value["last_time"] else None,
        tree=Tree(value["size"], [bytes.fromhex(node) for node in value["frontier"]]),
        people={
            fingerprint: Person(role, keys.unb64(key), canonical.parse_moment(since))
            for fingerprint, (role, key, since) in value["people"].items()
        },
        roles=set(value["roles"]),
        standing=_read(value["standing"]),
        statements={int(seq): Statement(*known) for seq, known in value["statements"].items()},
    )


def _written(standing: Standing) -> dict[str, object]:
    return {
        **{
            name: {of: _of_entry(entry) for of, entry in getattr(standing, name).items()} for name in _ENTRIES
        },
        "released": sorted(standing.released),
        "confirmed": standing.confirmed,
        "traces": {level: sorted(records) for level, records in standing.traces.items()},
    }


def _read(value: Mapping[str, Any]) -> Standing:
    entries = {name: {of: _entry(*parts) for of, parts in value[name].items()} for name in _ENTRIES}
    return Standing(
        **entries,
        released=set(value["released"]),
        confirmed=value["confirmed"],
        traces={level: set(records) for level, records in value["traces"].items()},
    )


def _of_entry(entry: Entry) -> list[object]:
    return [entry.seq, canonical.moment(entry.time), entry.type, dict(entry.fields)]


def _entry(seq: int, time: str, entry_type: str, fields: Mapping[str, object]) -> Entry:
    return Entry(seq, canonical.parse_moment(time), entry_type, fields)


def still_fits(state: LogState, log: Path) -> bool:
    """Whether the file still holds, where this state ends, the line that it ended with."""
    try:
        with log.open("rb") as stream:
            stream.seek(state.last_start)
            last = stream.read(state.length - state.last_start)
    except OSError:
        return False
    return last.endswith(b"\n") and hashlib.sha256(last[:-1]).hexdigest() == state.last_hash

"""Erased rows: batch keys, leaves and their root, and the pending files that outlive a crash.

While a batch's key exists its leaves are pseudonymised personal data (GDPR article 4(5)): whoever has the
key can test whether a row was in the batch.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import rfc8785

from staffords_gdpr.auditlog.canonical import MAX_INTEGER
from staffords_gdpr.auditlog.files import (
    make_folder,
    overwrite,
    sync_folder,
    write_atomic,
    write_new,
    writing,
)
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.merkle import tree_root
from staffords_gdpr.errors import GdprError

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


_DAMAGED = "Restore it; or move it away, run gdpr purge, and settle the batch: gdpr log settle {}"


def new_batch_id(now: dt.datetime) -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits."""
    number = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def batch_time(batch: str) -> dt.datetime:
    """When a batch was named, aware, in UTC: the first ten letters of its ULID. Raises ValueError for another name."""
    milliseconds = 0
    for letter in batch[:10]:
        milliseconds = milliseconds << 5 | _CROCKFORD.index(letter)
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def new_batch_key() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(32)


def record_bytes(record: str, row_key: Sequence[object]) -> bytes:
    """`rec`: the canonical JSON `["call",123]`. Key values that JSON does not hold exactly become text.

    Raises ValueError for text that is no Unicode (a lone surrogate).
    """
    return rfc8785.dumps([record, *(_plain_key(value) for value in row_key)])


def leaf(key: bytes, record: str, row_key: Sequence[object]) -> bytes:
    """A row's leaf: SHA-256(0x00 ‖ nonce ‖ rec), 32 bytes. The nonce, HMAC-SHA256(key, rec), is what makes it
    impossible to guess without the batch's key.
    """
    rec = record_bytes(record, row_key)
    return hashlib.sha256(b"\x00" + hmac.digest(key, rec, "sha256") + rec).digest()


def leaves(key: bytes, record: str, row_keys: Iterable[Sequence[object]]) -> list[bytes]:
    """The leaf of each row of one record type, as `leaf` makes it. A night has hundreds of thousands: what they share
    is worked out once, and keys that are one number are written without asking the library how.
    """
    inner, outer = (half.copy for half in _hmac_halves(key))
    sha256, one_number = hashlib.sha256, rfc8785.dumps([record])[:-1] + b",%d]"
    found: list[bytes] = []
    add = found.append
    for row_key in row_keys:
        first = row_key[0]
        if type(first) is int and len(row_key) == 1 and -MAX_INTEGER <= first <= MAX_INTEGER:
            rec = one_number % first
        else:
            rec = record_bytes(record, row_key)
        half, whole = inner(), outer()
        half.update(rec)
        whole.update(half.digest())
        add(sha256(b"\x00" + whole.digest() + rec).digest())
    return found


def _hmac_halves(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """RFC 2104: the inner and the outer hash of an HMAC-SHA256, each begun with its pad."""
    padded = key.ljust(64, b"\x00")
    return (
        hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)),
        hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)),
    )


def root(leaves: Sequence[bytes]) -> str:
    """The RFC 6962 root (hex) over the leaves in sorted order."""
    return tree_root(sorted(leaves)).hex()


def write_leaves(home: Home, batch: str, time: dt.datetime, leaves: Sequence[bytes]) -> Path:
    """Write the sorted leaves of a batch, 32 bytes each, under the year of `time`. Twice does no harm."""
    existing = home.leaves(batch)
    if existing is None:
        folder = home.batches / f"{time.astimezone(dt.UTC):%Y}"
        make_folder(folder, 0o750)
        existing = folder / f"{batch}.leaves"
    write_atomic(existing, b"".join(sorted(leaves)))
    return existing


def read_leaves(path: Path) -> list[bytes]:
    """The leaves in a file. Raises ValueError unless they are whole and sorted."""
    data = path.read_bytes()
    if len(data) % 32:
        raise ValueError("its length is no multiple of 32 bytes")
    leaves = [data[i : i + 32] for i in range(0, len(data), 32)]
    if leaves != sorted(leaves):
        raise ValueError("its leaves are not sorted")
    return leaves


def write_batch_key(home: Home, batch: str, key: bytes) -> None:
    """Write a batch's key, readable to its owner only, durably."""
    make_folder(home.batch_keys, 0o700)
    write_new(home.batch_keys / f"{batch}.key", key, 0o600)


def read_batch_key(home: Home, batch: str) -> bytes | None:
    """A batch's key, or None after it was destroyed."""
    try:
        return (home.batch_keys / f"{batch}.key").read_bytes()
    except FileNotFoundError:
        return None


def list_batch_keys(home: Home) -> list[str]:
    """The batches that have a key, oldest first."""
    return sorted(path.stem for path in home.batch_keys.glob("*.key"))


def destroy_batch_keys(home: Home, batches: Iterable[str]) -> None:
    """Overwrite the keys of these batches and remove their files, durably. One that is gone already is passed over.

    What was overwritten may live on where the disk or its file system writes elsewhere: see docs/audit-log.md.
    """
    for batch in batches:
        path = home.batch_keys / f"{batch}.key"
        try:
            overwrite(path, secrets.token_bytes(path.stat().st_size))
        except FileNotFoundError:
            continue
        with writing(path):
            path.unlink()
    sync_folder(home.batch_keys)


def write_pending(home: Home, batch: str, pending: Mapping[str, object]) -> None:
    """Write what a batch is about to do, durably, before its intent. Values are those of JSON."""
    make_folder(home.pending, 0o700)
    data = json.dumps(pending, ensure_ascii=True, sort_keys=True, allow_nan=False).encode()
    write_atomic(home.pending / f"{batch}.json", data, 0o600)


def read_pending(home: Home, batch: str) -> dict[str, object] | None:
    """What a batch was about to do, or None where nothing is pending. Raises GdprError for a damaged file."""
    path = home.pending / f"{batch}.json"
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise GdprError(f"{path}: damaged", _DAMAGED.format(batch)) from None
    if not isinstance(value, dict):
        raise GdprError(f"{path}: damaged", _DAMAGED.format(batch))
    return value


def remove_pending(home: Home, batch: str) -> None:
    """Remove a batch's pending file, durably. Nothing happens where there is none."""
    (home.pending / f"{batch}.json").unlink(missing_ok=True)
    if home.pending.is_dir():
        sync_folder(home.pending)


def list_pending(home: Home) -> list[str]:
    """The batches that have a pending file, oldest first."""
    if not home.pending.is_dir():
        return []
    return sorted(path.stem for path in home.pending.glob("*.json") if not path.name.startswith("."))


def _plain_key(value: object) -> str | int | bool | None:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)

"""Ed25519 keys, DSSE's pre-authentication encoding, and strict base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from staffords_gdpr.auditlog.files import write_new
from staffords_gdpr.errors import UsageError

ENTRY_TYPE = "application/vnd.staffords-gdpr.entry+json"
SNAPSHOT_TYPE = "application/vnd.staffords-gdpr.snapshot+json"


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: what is signed, so that a signature for one type of payload is none for another."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def keyid(public_key: bytes) -> str:
    """The hint by which a signature names its key: 16 hex digits of the SHA-256 of the raw public key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def raw_public(private: Ed25519PrivateKey) -> bytes:
    """The 32 raw bytes of the public half."""
    return private.public_key().public_bytes_raw()


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is one by `public_key` (32 raw bytes) over `message`."""
    try:
        _public(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _public(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """Decode base64 in its only spelling: padded, no line breaks, unused bits zero. Raises ValueError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if b64(data) != text:
        raise ValueError("not base64 as it is written here")
    return data


def parse_public(text: str) -> bytes:
    """The raw key that `text` names: base64 of 32 bytes, or a signed-note verifier key `name+hash+base64`.

    Raises UsageError for anything else.
    """
    bare = text.strip()
    for candidate in (bare, bare.split("+", 2)[-1]):  # base64 may hold a plus, too
        try:
            data = unb64(candidate)
        except ValueError:
            continue
        if len(data) == 33 and data[0] == 1:
            return data[1:]
        if len(data) == 32:
            return data
    raise UsageError(
        f"{text[:80]!r} is no public key",
        "Give the base64 of the log's 32-byte Ed25519 key, as `key` of line 1.",
    )


def make_log_key(path: Path) -> Ed25519PrivateKey:
    """Make the log's key and write it, readable to its owner only."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_new(path, pem, 0o600)
    return private


def load_log_key(path: Path) -> Ed25519PrivateKey:
    """Read the log's key. Raises UsageError where it is missing or unreadable."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise UsageError(
            f"{path}: the log's signing key is missing", "Bring it back from where secrets are kept."
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the log's signing key: {error.strerror}", "Run as the log's owner."
        ) from None
    except (ValueError, TypeError):
        raise UsageError(
            f"{path}: this is not the log's signing key", "Bring it back from where secrets are kept."
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(
            f"{path}: this is not an Ed25519 key", "Bring the log's key back from where secrets are kept."
        )
    return private

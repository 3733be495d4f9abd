"""Checkpoints: C2SP tlog-checkpoint bodies in C2SP signed notes.

```
staffords.example/customer-data
31
<base64 of the RFC 6962 root over the first 31 lines>

— staffords.example/customer-data <base64 of key hash (4 bytes) and Ed25519 signature>
```
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staffords_gdpr.auditlog.keys import b64, raw_public, unb64, verifies

_ED25519 = b"\x01"
_MAX_NOTE = 16 * 1024


class CheckpointError(ValueError):
    """This is no checkpoint of the log. The text says why."""


@dataclass(frozen=True)
class Checkpoint:
    """`size` lines have the tree root `root`, says the log's key."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n".encode()


def key_hash(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a signed note names a key."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The key as signed-note tools take it: `name+hash+base64`."""
    return f"{name}+{key_hash(name, public_key).hex()}+{b64(_ED25519 + public_key)}"


def sign(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> bytes:
    """The signed note."""
    body = checkpoint.body()
    signature = key_hash(checkpoint.origin, raw_public(private)) + private.sign(body)
    return body + f"\n— {checkpoint.origin} {b64(signature)}\n".encode()


def verify(note: bytes, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in `note`, signed by this key. Signatures by keys that we do not know are passed over.

    Raises CheckpointError.
    """
    checkpoint, signatures = parse(note)
    if checkpoint.origin != origin:
        raise CheckpointError(f"it is of another log, {checkpoint.origin!r}")
    ours = key_hash(origin, public_key)
    for name, signature in signatures:
        if name == origin and signature[:4] == ours:
            if verifies(public_key, signature[4:], checkpoint.body()):
                return checkpoint
            raise CheckpointError("its signature is wrong")
    raise CheckpointError("it is not signed by the log's key")


def parse(note: bytes) -> tuple[Checkpoint, list[tuple[str, bytes]]]:
    """The checkpoint and its signatures, not verified. Raises CheckpointError."""
    if len(note) > _MAX_NOTE:
        raise CheckpointError("it is too long")
    try:
        text = note.decode("utf-8")
    except UnicodeDecodeError:
        raise CheckpointError("it is not UTF-8") from None
    lines = text.split("\n")
    if len(lines) < 6 or lines[3] != "" or lines[-1] != "":
        raise CheckpointError("it is not of the form origin, size, root, blank line, signature")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit() and str(int(size[:17])) == size):
        raise CheckpointError(f"{size[:40]!r} is no size")
    try:
        root_hash = unb64(root)
        signatures = [_signature(line) for line in lines[4:-1]]
    except ValueError as error:
        raise CheckpointError(f"it does not parse: {error}") from None
    if len(root_hash) != 32:
        raise CheckpointError("its root is not 32 bytes long")
    checkpoint = Checkpoint(origin, int(size), root_hash)
    if checkpoint.body() + b"\n" != note[: len(checkpoint.body()) + 1]:
        raise CheckpointError("it does not parse")
    return checkpoint, signatures


def split(notes: bytes) -> tuple[list[bytes], bytes]:
    """The notes of checkpoints.txt, which a blank line ends each, and what is left over at its end."""
    pieces = notes.split(b"\n\n")
    rest = pieces.pop()
    whole = len(pieces) - len(pieces) % 2
    found = [pieces[i] + b"\n\n" + pieces[i + 1] + b"\n" for i in range(0, whole, 2)]
    return found, b"\n\n".join([*pieces[whole:], rest]) if rest or pieces[whole:] else b""


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—" or not name:
        raise ValueError("a signature line starts with an em dash and a name")
    signature = unb64(encoded)
    if len(signature) < 5:
        raise ValueError("a signature is too short")
    return name, signature

"""SSH signatures (OpenSSH's PROTOCOL.sshsig) by Ed25519 keys, as `ssh-keygen -Y sign` makes them."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staffords_gdpr.auditlog.keys import raw_public, verifies

NAMESPACE = b"staffords-gdpr"
_ALGORITHM = b"ssh-ed25519"
_MAGIC = b"SSHSIG"
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_HASHES = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}


def public_blob(public_key: bytes) -> bytes:
    """A public key in SSH's wire format."""
    return _string(_ALGORITHM) + _string(public_key)


def fingerprint(public_key: bytes) -> str:
    """`SHA256:...`, as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(public_blob(public_key)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def public_line(public_key: bytes) -> str:
    """`ssh-ed25519 AAAA...`, as in a .pub file and in allowed_signers."""
    return f"ssh-ed25519 {base64.b64encode(public_blob(public_key)).decode()}"


def sign(private: Ed25519PrivateKey, message: bytes) -> bytes:
    """The armoured signature over `message` in the namespace staffords-gdpr."""
    signature = private.sign(_signed_data(b"sha512", hashlib.sha512(message).digest()))
    blob = (
        _MAGIC
        + (1).to_bytes(4, "big")
        + _string(public_blob(raw_public(private)))
        + _string(NAMESPACE)
        + _string(b"")
        + _string(b"sha512")
        + _string(_string(_ALGORITHM) + _string(signature))
    )
    text = base64.b64encode(blob).decode()
    lines = [text[i : i + 70] for i in range(0, len(text), 70)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def verify(public_key: bytes, message: bytes, armoured: bytes) -> bool:
    """Whether `armoured` is a signature by `public_key` over `message` in our namespace."""
    try:
        blob = _unarmour(armoured)
        if blob[:6] != _MAGIC or blob[6:10] != (1).to_bytes(4, "big"):
            return False
        key, namespace, reserved, hash_name, signature = _strings(blob[10:], 5)
        algorithm, raw = _strings(signature, 2)
    except ValueError:
        return False
    if key != public_blob(public_key) or namespace != NAMESPACE or reserved or algorithm != _ALGORITHM:
        return False
    if hash_name not in _HASHES:
        return False
    return verifies(public_key, raw, _signed_data(hash_name, _HASHES[hash_name](message).digest()))


def _signed_data(hash_name: bytes, digest: bytes) -> bytes:
    return _MAGIC + _string(NAMESPACE) + _string(b"") + _string(hash_name) + _string(digest)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        if len(data) < 4:
            raise ValueError("too short")
        length = int.from_bytes(data[:4], "big")
        if len(data) < 4 + length:
            raise ValueError("too short")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data:
        raise ValueError("too long")
    return found


def _unarmour(armoured: bytes) -> bytes:
    try:
        lines = armoured.decode("ascii").split("\n")
        if lines[0] != _BEGIN or lines[-2:] != [_END, ""]:
            raise ValueError("no SSH signature")
        return base64.b64decode("".join(lines[1:-2]), validate=True)
    except (UnicodeDecodeError, binascii.Error, IndexError):
        raise ValueError("no SSH signature") from None

"""The people who sign: their keys, and who is enrolled for which role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staffords_gdpr.auditlog import sshsig
from staffords_gdpr.auditlog.entries import Entry
from staffords_gdpr.auditlog.files import write_new
from staffords_gdpr.auditlog.keys import raw_public, unb64
from staffords_gdpr.errors import UsageError

DIRECTOR = "director"


@dataclass(frozen=True)
class Person:
    """Somebody enrolled. `public_key` is 32 raw bytes, `since` the time of the entry."""

    role: str
    public_key: bytes
    since: dt.datetime


@dataclass(frozen=True)
class PersonKey:
    """A person's private key."""

    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public_key(self) -> bytes:
        return raw_public(self.private)

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as it stands in the log's field `person`."""
        return sshsig.fingerprint(self.public_key)

    @property
    def public_line(self) -> str:
        """The line of a .pub file."""
        return sshsig.public_line(self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def new_person_key(path: Path, passphrase: bytes | None) -> PersonKey:
    """Make a key and write it to `path` (mode 0600) and its public half to `path`.pub. Raises UsageError.

    Without a passphrase the file is in OpenSSH's format, so `ssh-keygen -Y sign` takes it, too. With one it
    is encrypted PKCS #8, which `openssl` reads.
    """
    key = PersonKey(Ed25519PrivateKey.generate())
    if passphrase:
        data = key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
    else:
        data = key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    if path.exists():
        raise UsageError(
            f"{path}: this file exists already", "Choose another file; a key is never overwritten."
        )
    write_new(path, data, 0o600)
    public = path.with_name(path.name + ".pub")
    if not public.exists():
        write_new(public, (key.public_line + "\n").encode(), 0o644)
    return key


def load_person_key(path: Path, passphrase: bytes | None) -> PersonKey:
    """Read a private key. Raises UsageError for a wrong or missing passphrase, or a file that is no key."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the key: {error.strerror}", "Name the file that `gdpr keys new` wrote."
        ) from None
    try:
        private = _load(data, passphrase or None)
    except TypeError:  # a passphrase is missing, or given for a key that has none
        if passphrase:
            return load_person_key(path, None)
        raise UsageError(f"{path}: this key has a passphrase", "Give the passphrase.") from None
    except UnsupportedAlgorithm:
        raise UsageError(
            f"{path}: an OpenSSH key with a passphrase cannot be read here",
            "Install the Python package bcrypt, which reads it, or make a key with `gdpr keys new`.",
        ) from None
    except ValueError as error:
        if passphrase:
            raise UsageError(
                f"{path}: wrong passphrase, or no private key", "Try the passphrase again."
            ) from None
        raise UsageError(
            f"{path}: no private key that can be read: {error}", "Name the file that `gdpr keys new` wrote."
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(f"{path}: not an Ed25519 key", "Make one with `gdpr keys new`.")
    return PersonKey(private)


def _load(data: bytes, passphrase: bytes | None) -> object:
    if b"BEGIN OPENSSH PRIVATE KEY" in data:
        return serialization.load_ssh_private_key(data, passphrase)
    return serialization.load_pem_private_key(data, passphrase)


def sign_statement(key: PersonKey, statement: bytes) -> bytes:
    """The SSH signature over a statement, as `ssh-keygen -Y sign -n staffords-gdpr` makes it."""
    return sshsig.sign(key.private, statement)


def verify_statement(public_key: bytes, statement: bytes, sig: bytes) -> bool:
    """Whether `sig` is the signature by `public_key` (32 raw bytes) over these very bytes."""
    return sshsig.verify(public_key, statement, sig)


def people(entries: Iterable[Entry]) -> dict[str, Person]:
    """Who is enrolled after these entries, by fingerprint. The entries must have been verified."""
    found: dict[str, Person] = {}
    for entry in entries:
        if entry.type == "person.add":
            found[str(entry.fields["person"])] = enrolled(entry.fields, entry.time)
        elif entry.type == "person.remove":
            found.pop(str(entry.fields["person"]), None)
    return found


def enrolled(fields: Mapping[str, object], since: dt.datetime) -> Person:
    """The person that a person.add enrols."""
    return Person(str(fields["role"]), unb64(str(fields["key"])), since)

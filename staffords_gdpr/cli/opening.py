"""From options to the things that operations take: settings, policy, moment, passphrase, database, log."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from staffords_gdpr.cli.clock import now
from staffords_gdpr.errors import UsageError
from staffords_gdpr.settings import Settings, load_settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from staffords_gdpr.auditlog import AuditLog
    from staffords_gdpr.auditlog.people import PersonKey
    from staffords_gdpr.policy import Policy
    from staffords_gdpr.retention.states import Key

EARLIEST_YEAR = 1900
LATEST_YEAR = 2200
_OPENSSH_UNLOCKED = b"openssh-key-v1\0\0\0\0\x04none"


def read_settings(
    *,
    database: str | None = None,
    policy: str | None = None,
    home: str | None = None,
    **more: str | int | None,
) -> Settings:
    """The settings in force here, with these flags; `more` by the keys of their settings."""
    flags = {"database_url": database, "policy": policy, "home": home, **more}
    return load_settings(flags, os.environ, Path.cwd())


@contextmanager
def database(settings: Settings, *, write: bool) -> Iterator[sa.Engine]:
    """The database of the settings, for as long as a command runs."""
    from staffords_gdpr.database.connection import connect

    engine = connect(settings.connection_url(), write=write)
    try:
        yield engine
    finally:
        engine.dispose()


def log_of(settings: Settings) -> AuditLog:
    """The log in the home folder of the settings."""
    from staffords_gdpr.auditlog import open_log
    from staffords_gdpr.auditlog.layout import Home

    return open_log(Home(settings.home))


def log_if_any(settings: Settings) -> AuditLog | None:
    """The log in the home folder; None where there is none yet. Nothing is made by asking."""
    from staffords_gdpr.auditlog.layout import Home

    return log_of(settings) if Home(settings.home).log.exists() else None


def holds_of(settings: Settings) -> frozenset[Key]:
    """The subjects on legal hold; none where there is no log yet."""
    from staffords_gdpr.operations.holds import current_holds

    log = log_if_any(settings)
    return current_holds(log) if log else frozenset()


def read_moment(text: str | None, zone: ZoneInfo) -> dt.datetime:
    """The moment that --as-of names, aware; now where it is not given. Raises UsageError.

    A date is its first moment in `zone`; a moment that names no zone is one in `zone`.
    """
    if text is None:
        return now()
    from staffords_gdpr.policy.periods import start_of_day

    try:
        moment = dt.datetime.fromisoformat(text.strip())
        is_day = _is_date(text.strip())
    except ValueError as error:
        raise UsageError(
            f"--as-of: {text!r} is neither a date nor a moment",
            "Write 2026-11-23 for the start of that day, or 2026-11-23T09:00+00:00.",
        ) from error
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise UsageError(
            f"--as-of: the year {moment.year} is out of range",
            f"Write a year from {EARLIEST_YEAR} to {LATEST_YEAR}.",
        )
    if is_day:
        return start_of_day(moment.date(), zone)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def read_day(option: str, text: str) -> dt.date:
    """The calendar day that an option names. Raises UsageError."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{option}: {text!r} is no day", "Write it as in 2027-05-31.") from None


def require_subject(policy: Policy, record: str) -> None:
    """Raise UsageError unless `record` is what the policy calls its subject."""
    from staffords_gdpr.policy.suggest import did_you_mean

    if record != policy.subject:
        raise UsageError(
            f"{record!r} is not the subject of this policy, which is {policy.subject!r}",
            did_you_mean(record, [policy.subject]) or f"Write '{policy.subject}' and its key.",
        )


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def read_key(path: Path) -> PersonKey:
    """A person's key. The passphrase is asked for only where the key has one."""
    from staffords_gdpr.auditlog.people import load_person_key

    passphrase = ask_passphrase(f"Passphrase of {path}: ") if is_locked(path) else None
    return load_person_key(path, passphrase)


def is_locked(path: Path) -> bool:
    """Whether the key file needs a passphrase: encrypted PKCS #8, or an OpenSSH key with a cipher."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: the key cannot be read: {error.strerror}", "Name the file that 'gdpr keys new' wrote."
        ) from error
    if b"OPENSSH PRIVATE KEY" not in data:
        return b"ENCRYPTED" in data
    body = b"".join(line for line in data.splitlines() if b"-----" not in line)
    try:
        return not base64.b64decode(body).startswith(_OPENSSH_UNLOCKED)
    except binascii.Error:
        return False  # damaged: the loader says so


def ask_passphrase(prompt: str, *, twice: bool = False) -> bytes:
    """A passphrase from the terminal, or the first line of standard input where that is not one."""
    import getpass

    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise UsageError(
                "a passphrase is needed, and there is no terminal to ask on",
                "Run this in a terminal, or pass the passphrase as the first line of standard input.",
            )
        return given.encode()
    try:
        given = getpass.getpass(prompt)
        again = getpass.getpass("The same once more: ") if twice and given else given
    except EOFError:
        sys.stderr.write("\n")  # after the prompt that nobody answered
        raise UsageError("no passphrase was given", "Run the command again and type it.") from None
    if not given:
        raise UsageError(
            "the passphrase is empty", "Type one, or use --no-passphrase where a key may go without."
        )
    if again != given:
        raise UsageError("the two passphrases differ", "Start again; nothing was written.")
    return given.encode()

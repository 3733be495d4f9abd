"""The signed, append-only audit log: `create` or `open_log` one, `append` to it, `verify.verify` it."""

from __future__ import annotations

import datetime as dt

from staffords_gdpr import __version__
from staffords_gdpr.auditlog import keys
from staffords_gdpr.auditlog.canonical import moment
from staffords_gdpr.auditlog.entries import Entry
from staffords_gdpr.auditlog.files import make_folder, write_atomic
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.locks import LOCK_SECONDS, lock
from staffords_gdpr.auditlog.state import FIRST_PREV, check_name
from staffords_gdpr.auditlog.writer import AuditLog, line
from staffords_gdpr.errors import UsageError

__all__ = ["AuditLog", "Entry", "Home", "create", "open_log"]


def create(home: Home, *, name: str, now: dt.datetime) -> AuditLog:
    """Make the folders, the key, the log with its first line, and the first checkpoint; return the log.

    A log that exists already is left alone and returned. A key that exists without a log is used.
    Raises UsageError for a name that a signed note cannot carry, and where the folder cannot be written.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(
            f"the log's name: {error}", "A good name is your domain and a word: example.org/customer-data."
        ) from None
    for folder in (home.path, home.audit, home.batches, home.audits, home.reviews):
        make_folder(folder, 0o750)
    for folder in (home.secret, home.pending, home.batch_keys):
        make_folder(folder, 0o700)
    with lock(home.audit_lock, LOCK_SECONDS, "another command is writing to the audit log"):
        if not home.log.exists():
            private = (
                keys.load_log_key(home.log_key) if home.log_key.exists() else keys.make_log_key(home.log_key)
            )
            body = {
                "v": 1,
                "log": name,
                "seq": 0,
                "time": moment(now),
                "prev": FIRST_PREV,
                "type": "log.open",
                "key": keys.b64(keys.raw_public(private)),
                "tool": __version__,
            }
            write_atomic(home.log, line(body, [private]) + b"\n")
    log = AuditLog(home)
    if not home.checkpoint.exists():
        log.write_checkpoint(now)
    return log


def open_log(home: Home) -> AuditLog:
    """The log in `home`. Raises UsageError where there is none."""
    return AuditLog(home)

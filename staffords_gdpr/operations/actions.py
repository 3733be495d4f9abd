"""Corrective actions: what an audit or a review found necessary, by when, and whether it was done.

The log holds an action's number, code and date. Its text stands in the review's report, because free text
may name people, and the log never does.
"""

from __future__ import annotations

import datetime as dt
import re

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.people import PersonKey, people
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.history import Action, read_history

_CODE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def open_action(log: AuditLog, *, of: int, code: str, due: dt.date, now: dt.datetime) -> Action:
    """Open an action that follows from the audit or review in entry `of`. `code` is a finding's code or a
    short word.

    Raises UsageError where entry `of` is neither an audit nor a review, or `code` is no code.
    """
    if not _CODE.fullmatch(code):
        raise UsageError(
            f"{code!r} is no code",
            "Use a finding's code or a short word in small letters; names do not belong here.",
        )
    history = read_history(log.entries())
    if of not in {entry.seq for entry in (*history.audits, *history.reviews)}:
        raise UsageError(
            f"entry {of} is neither an audit nor a review", "Find its number with: gdpr log show"
        )
    action = new_batch_id(now)
    entry = log.append(
        "action.open", {"action": action, "of": of, "code": code, "due": due.isoformat()}, now=now
    )
    log.write_checkpoint(now)
    return Action(action, entry.time, of, code, due)


def list_actions(log: AuditLog, *, closed: bool = False) -> tuple[Action, ...]:
    """The open actions, oldest first; with `closed` all of them."""
    history = read_history(log.entries())
    return history.actions if closed else history.open_actions


def close_action(log: AuditLog, *, action: str, key: PersonKey, now: dt.datetime) -> Action:
    """Say, with a person's key, that an action is done. Raises UsageError for an action that is not open,
    or a key that is not enrolled.
    """
    known = {each.action: each for each in list_actions(log, closed=True)}.get(action)
    if known is None:
        raise UsageError(f"there is no action {action}", "List them with: gdpr action list")
    if known.closed is not None:
        raise UsageError(f"action {action} was closed on {known.closed.date().isoformat()} already")
    person = people(log.entries()).get(key.fingerprint)
    if person is None:
        raise UsageError(
            f"the key {key.fingerprint} is not enrolled in this log",
            "Actions are closed by a person whose key the log knows.",
        )
    fields = {"action": action, "role": person.role, "person": key.fingerprint}
    entry = log.append("action.close", fields, now=now)
    log.write_checkpoint(now)
    return Action(known.action, known.opened, known.of, known.code, known.due, entry.time)

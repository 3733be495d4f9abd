"""A hold is kept, and found again, for a subject with a key of any type."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from staffords_gdpr import auditlog
from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations import holds
from staffords_gdpr.retention.states import Key

NOW = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return auditlog.create(Home(tmp_path), name="test", now=NOW)


def held(log: AuditLog, subject: Key) -> Key:
    holds.add(log, subject=subject, reason="claim", look_again=dt.date(2025, 1, 1), now=NOW, today=NOW.date())
    (found,) = holds.current_holds(log)
    return found


@pytest.mark.parametrize("key", [(7,), ("mail@example.com",), ("A-17", 2), ("2015-01-01",)])
def test_texts_and_numbers_are_kept_as_they_are(log: AuditLog, key: Key) -> None:
    assert held(log, key) == key


def test_a_number_is_the_same_number_whatever_type_the_database_gives_it(log: AuditLog) -> None:
    assert held(log, ("A", Decimal(7))) == ("A", 7)
    assert holds.fingerprint(log.home, ("A", Decimal(7))) == holds.fingerprint(log.home, ("A", 7))
    with pytest.raises(UsageError, match="on hold already"):
        held(log, ("A", 7))


def test_the_text_7_is_not_the_number_7_to_the_log(log: AuditLog) -> None:
    assert holds.fingerprint(log.home, ("7",)) != holds.fingerprint(log.home, (7,))


def test_a_binary_key_is_refused_rather_than_held_under_another_name(log: AuditLog) -> None:
    with pytest.raises(UsageError, match="binary"):
        held(log, (b"\x01",))
    assert holds.current_holds(log) == frozenset()

"""The keys of old batches: when they go, what the log says of it, and what is no longer possible then."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from office import at
from purge_office import DAY, NOW, POLICY, Firm

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.canonical import MAX_LINE
from staffords_gdpr.auditlog.kinds import MOST_BATCHES
from staffords_gdpr.auditlog.rows import (
    batch_time,
    destroy_batch_keys,
    list_batch_keys,
    new_batch_id,
    read_batch_key,
    write_batch_key,
)
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.audit.examination import examine
from staffords_gdpr.operations.purge import forget as forget_module
from staffords_gdpr.operations.purge.forget import forget
from staffords_gdpr.operations.status import status

WEEK = POLICY.replace("subject: customer", "backups_kept: 7 days\nsubject: customer")
ONE = "INSERT INTO customers VALUES (1, 'One', '2014-05-01');"


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    """A firm that has erased one customer on the first night."""
    firm = Firm.open(tmp_path, policy=WEEK, rows=ONE)
    firm.purge()
    return firm


def nights(firm: Firm, last: int) -> None:
    """The purges after the first night, up to the one so many days after it."""
    for night in range(1, last + 1):
        firm.purge(NOW + DAY * night)


def test_the_key_goes_the_day_after_the_last_backup_with_the_rows(firm: Firm) -> None:
    (batch,) = list_batch_keys(firm.log.home)
    assert abs(batch_time(batch) - NOW) < dt.timedelta(minutes=1)
    nights(firm, 7)
    assert read_batch_key(firm.log.home, batch) is not None
    assert not firm.of_type("batch.forget")
    firm.purge(NOW + DAY * 8)
    assert read_batch_key(firm.log.home, batch) is None
    entry = firm.the("batch.forget")
    assert entry.fields["batches"] == [batch]
    assert entry.fields["before"] == "2026-11-24"
    assert firm.types()[-2:] == ["batch.forget", "purge.end"]
    firm.purge(NOW + DAY * 9)
    assert len(firm.of_type("batch.forget")) == 1
    firm.assert_settled()


def test_days_are_those_of_the_policys_zone(tmp_path: Path) -> None:
    """23:30 UTC in July is the next day in London."""
    firm = Firm.open(tmp_path, policy=WEEK, rows=ONE, now=at("2026-07-01", "23:30"))
    firm.purge(at("2026-07-01", "23:30"))
    for now, gone in ((at("2026-07-09", "22:59"), False), (at("2026-07-09", "23:00"), True)):
        assert bool(forget(firm.policy, firm.log, run="r", now=now)) == gone


def test_the_audit_does_not_miss_keys_that_were_destroyed_and_finds_rows_of_the_others(firm: Firm) -> None:
    nights(firm, 8)
    firm.sql("INSERT INTO customers VALUES (2, 'Two', '2014-05-01')")
    now = NOW + DAY * 9
    firm.purge(now)
    firm.sql("INSERT INTO customers VALUES (1, 'One', '2014-05-01'), (2, 'Two', '2014-05-01')")
    found = examine(firm.policy, firm.engine, firm.log, now=now, as_of=now)
    (back,) = [finding for finding in found.findings if finding.code == "erased_row_reappeared"]
    assert back.count == 1
    assert "erased_row_reappeared" not in found.unchecked


def test_the_file_is_overwritten_before_it_is_removed(firm: Firm, tmp_path: Path) -> None:
    (batch,) = list_batch_keys(firm.log.home)
    key = read_batch_key(firm.log.home, batch)
    other_name = tmp_path / "linked"
    other_name.hardlink_to(firm.log.home.batch_keys / f"{batch}.key")
    nights(firm, 8)
    assert len(other_name.read_bytes()) == 32
    assert other_name.read_bytes() != key


class _CutOffError(BaseException):
    pass


@pytest.mark.parametrize("step", ["destroy_batch_keys", "after"])
def test_cut_off_while_destroying_no_name_is_lost(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (batch,) = list_batch_keys(firm.log.home)
    real = destroy_batch_keys

    def cut_off(*arguments: object) -> None:
        if step == "after":
            real(*arguments)  # type: ignore[arg-type]
        raise _CutOffError

    with monkeypatch.context() as patched:
        patched.setattr(forget_module, "destroy_batch_keys", cut_off)
        with pytest.raises(_CutOffError):
            forget(firm.policy, firm.log, run="r", now=NOW + DAY * 8)
    firm.log = open_log(firm.log.home)
    assert not firm.of_type("batch.forget")
    assert forget(firm.policy, firm.log, run="r", now=NOW + DAY * 9) == (batch,)
    assert list_batch_keys(firm.log.home) == []
    assert forget(firm.policy, firm.log, run="r", now=NOW + DAY * 9) == ()
    firm.assert_settled()


def test_a_night_writes_one_entry_that_fits_into_a_line(firm: Firm) -> None:
    for _ in range(MOST_BATCHES):
        write_batch_key(firm.log.home, new_batch_id(NOW), bytes(32))
    first = forget(firm.policy, firm.log, run="r" * 64, now=NOW + DAY * 9)
    assert len(first) == MOST_BATCHES
    assert len(firm.log.home.log.read_bytes().splitlines()[-1]) < MAX_LINE
    assert len(forget(firm.policy, firm.log, run="r", now=NOW + DAY * 9)) == 1
    firm.assert_settled()


def test_without_backups_kept_the_keys_stay_and_status_says_so(tmp_path: Path) -> None:
    firm = Firm.open(tmp_path, rows=ONE)
    assert status(firm.policy, None, firm.log, now=NOW).advice == ()
    firm.purge()
    assert forget(firm.policy, firm.log, run="r", now=at("2036-11-23")) == ()
    (advice,) = status(firm.policy, None, firm.log, now=NOW).advice
    assert "backups_kept: 35 days" in advice
    assert len(list_batch_keys(firm.log.home)) == 1


def test_the_key_of_a_batch_without_an_outcome_is_not_destroyed(firm: Firm) -> None:
    batch, fields = new_batch_id(NOW), {"root": "ab" * 32, "rows": {"call": 1}}
    firm.log.append("purge.intent", {"run": "x", "batch": batch, **fields, "subjects": 1}, now=NOW)
    write_batch_key(firm.log.home, batch, bytes(32))
    for state in ("open", "unclear"):
        with pytest.raises(UsageError, match="without an outcome"):
            firm.log.append("batch.forget", {"run": "r", "before": NOW.date(), "batches": [batch]}, now=NOW)
        assert batch not in forget(firm.policy, firm.log, run="r", now=NOW + DAY * 20)
        if state == "open":
            unclear = {"run": "x", "batch": batch, **fields, "outcome": "unclear"}
            firm.log.append("purge.recovered", unclear, now=NOW)
    assert read_batch_key(firm.log.home, batch) == bytes(32)

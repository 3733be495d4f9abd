"""After a purge was killed: unclear batches, keys of any type, and what had been confirmed. The kills: tests/crash."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from purge_office import DAY, NOW, Firm

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.rows import list_pending
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.operations.purge import announcements
from staffords_gdpr.operations.purge.batches import Batches
from staffords_gdpr.operations.purge.erasure import Erased, Eraser, Plan
from staffords_gdpr.retention.bulk import Chunk

LATER = NOW + DAY / 24

ROWS = """
INSERT INTO customers VALUES (1, 'One', '2014-05-01 10:00:00'), (2, 'Two', '2014-05-01 10:00:00');
INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL), (2, 2, '2026-01-01 10:00:00', 'x', NULL);
INSERT INTO payments VALUES (1, 1, '2022-02-01 10:00:00', '4111', 'One'), (2, NULL, '2015-02-01', NULL, NULL);
INSERT INTO repairs VALUES (1, 2, NULL, '2015-02-01 10:00:00', 'lamp');
INSERT INTO consignments VALUES (1, 1, 'Street 9');
"""

SHORT_SCHEMA = """
CREATE TABLE repairs (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), completed_at TIMESTAMP, fault TEXT
);
CREATE TABLE payments (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), taken_at TIMESTAMP, holder TEXT
);
"""
SHORT_POLICY = """
version: 1
title: The policy of a test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered_at}}
  repair:
    table: repairs
    belongs_to: customer
    personal: [fault]
    keep: {for: 2 years, after: completed_at}
    erase: {anonymise: {fault: null, customer_id: null}}
  payment:
    table: payments
    belongs_to: customer
    personal: [holder]
    keep: {for: 6 years, after: taken_at}
    orphans: {for: 6 years, after: taken_at}
    sooner:
      identity: {with: customer, anonymise: {holder: null, customer_id: null}}
"""


def killed(work: Callable[[], object]) -> bool:
    """Do something in a process of its own. True if it was killed, False if it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def _kill_at(firm: Firm, name: str, n: int = 1, **options: int) -> None:
    """Purge until the n-th call of a function of `announcements`, or of a class, which is this process's end."""
    places: tuple[Any, ...] = (announcements, announcements.Announcements, Batches)
    place = next(one for one in places if hasattr(one, name))
    real, calls = getattr(place, name), itertools.count(1)

    def step(*arguments: Any) -> Any:
        if next(calls) == n:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    setattr(place, name, step)
    firm.purge(**options)  # type: ignore[arg-type]


def test_a_confirmation_outlives_a_run_that_was_killed(tmp_path: Path) -> None:
    """Up to 60 subjects were allowed, and the kill came in the fourth batch of five: 45 are left to do."""
    firm = Firm.open(tmp_path, rows="")
    firm.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
        "INSERT INTO customers SELECT i, 'Name', '2014-05-01' FROM n"
    )

    assert killed(lambda: _kill_at(firm, "_commit", 4, confirm=60, batch_size=5))
    firm.log = open_log(firm.log.home)
    again = firm.purge(LATER)
    assert again.subjects_affected == 45
    assert firm.tables()["customers"] == {}
    firm.assert_settled()


class TestUnclear:
    """Somebody deletes some rows of a batch by hand between the crash and the next purge."""

    @pytest.fixture
    def firm(self, tmp_path: Path) -> Firm:
        firm = Firm.open(tmp_path, rows=ROWS)
        firm.script("DELETE FROM payments WHERE customer_id IS NULL")  # all that is due is in one batch then
        assert killed(lambda: _kill_at(firm, "_commit"))
        firm.log = open_log(firm.log.home)
        firm.sql("DELETE FROM calls WHERE id = 1")
        firm.script("INSERT INTO customers VALUES (30, 'New', '2014-05-01'), (31, 'New', '2014-05-01');")
        return firm

    def test_it_is_said_and_its_subjects_are_left_alone(self, firm: Firm) -> None:
        before = firm.tables()
        rehearsed = firm.purge(LATER, dry_run=True)
        result = firm.purge(LATER)
        assert result.result == "unclear"
        (one,) = result.recovered
        assert one.outcome == "unclear"
        assert one.left == {name: n for name, n in one.rows.items() if name != "call"}
        assert firm.the("purge.recovered").fields["outcome"] == "unclear"
        assert firm.of_type("purge.end")[-1].fields["result"] == "unclear"
        after = firm.tables()
        assert set(before["customers"]) - set(after["customers"]) == {30, 31}
        assert after["payments"] == before["payments"]
        assert after["repairs"] == before["repairs"]
        assert rehearsed.erased == result.erased
        assert rehearsed.result == "unclear"

    def test_the_next_night_leaves_them_alone_too(self, firm: Firm) -> None:
        firm.purge(LATER)
        before = firm.tables()
        firm.customer(32, "2014-05-01")
        second = firm.purge(NOW + DAY)
        assert second.erased == {"customer": 1}
        assert second.recovered == ()
        assert second.needs_person  # as long as nobody has settled it
        assert firm.tables() == before
        assert len(list_pending(firm.log.home)) == 1
        assert verify(firm.log.home).ok

    def test_a_batch_whose_pending_file_is_lost_is_unclear(self, firm: Firm) -> None:
        for file in firm.log.home.pending.iterdir():
            file.unlink()
        (one,) = firm.purge(LATER).recovered
        assert one.outcome == "unclear"

    def test_a_policy_that_no_longer_knows_the_record_makes_it_unclear(self, firm: Firm) -> None:
        firm.change_policy("  payment:", "  receipt:")
        firm.approve(LATER)
        result = firm.purge(LATER)
        assert [one.outcome for one in result.recovered] == ["unclear"]
        assert 1 in firm.tables()["customers"]


KEYS = """
CREATE TABLE visits (
    customer_id INTEGER REFERENCES customers(id), day {kind}, note TEXT, PRIMARY KEY (customer_id, day)
);
INSERT INTO customers VALUES (9, 'Nine', '2014-05-01');
INSERT INTO visits VALUES (9, {value}, 'note');
"""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("DATE", "'2014-01-01'"),
        ("DATE", "'no date'"),
        ("TIMESTAMP", "'2014-01-01 10:00:00'"),
        ("TIME", "'10:00'"),
        ("NUMERIC(10, 2)", "3.5"),
        ("BLOB", "x'00ff'"),
        ("TEXT", "'Zoë \" 1'"),
    ],
)
@pytest.mark.parametrize(("step", "outcome"), [("_commit", "not-committed"), ("write_leaves", "committed")])
def test_keys_of_any_type_outlive_a_crash(
    tmp_path: Path, kind: str, value: str, step: str, outcome: str
) -> None:
    policy = SHORT_POLICY + "  visit: {table: visits, belongs_to: customer, personal: [note]}\n"
    schema = SHORT_SCHEMA + KEYS.format(kind=kind, value=value)
    firm = Firm.open(tmp_path, rows="", schema=schema, policy=policy)
    assert killed(lambda: _kill_at(firm, step))
    firm.log = open_log(firm.log.home)
    if outcome == "committed":  # what the log does not say yet
        lines = firm.log.home.log.read_bytes().splitlines(keepends=True)
        assert b'"purge.done"' in lines[-1]
        firm.log.home.log.write_bytes(b"".join(lines[:-1]))
    result = firm.purge(LATER)
    assert [one.outcome for one in result.recovered] == [outcome]
    assert firm.tables()["visits"] == {}
    firm.assert_settled()


def test_nothing_is_rolled_back_under_a_running_statement_however_often_ctrl_c_is_pressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = Firm.open(tmp_path)
    before, steps, erase = firm.tables(), [], Eraser.erase
    main = threading.get_ident()

    def slowly(eraser: Eraser, plan: Plan, chunk: Chunk | None) -> Erased:
        for _ in range(3):
            time.sleep(0.1)
            signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.1)
        erased = erase(eraser, plan, chunk)
        steps.append("erased")
        return erased

    monkeypatch.setattr(Eraser, "erase", slowly)
    sa.event.listen(firm.engine, "rollback", lambda _: steps.append("rolled back"))
    with pytest.raises(KeyboardInterrupt):
        firm.purge()
    assert steps[-2:] == ["erased", "rolled back"]
    assert firm.tables() == before

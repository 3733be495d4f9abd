"""A purge that is killed anywhere: the next one finds out what happened, and log and database agree row for row."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from purge_office import DAY, NOW, Firm, assert_log_and_database_agree

from staffords_gdpr.auditlog import AuditLog, open_log
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.rows import list_pending
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.purge import batches as purge_batches
from staffords_gdpr.operations.purge import settle as purge_settle
from staffords_gdpr.policy import load_policy

LATER = NOW + DAY / 24

ROWS = """
INSERT INTO customers VALUES (1, 'One', '2014-05-01 10:00:00'), (2, 'Two', '2014-05-01 10:00:00');
INSERT INTO calls VALUES (1, 1, '2015-01-01 10:00:00', 'noise', NULL), (2, 2, '2026-01-01 10:00:00', 'x', NULL);
INSERT INTO payments VALUES (1, 1, '2022-02-01 10:00:00', '4111', 'One'), (2, NULL, '2015-02-01', NULL, NULL);
INSERT INTO repairs VALUES (1, 2, NULL, '2015-02-01 10:00:00', 'lamp');
INSERT INTO consignments VALUES (1, 1, 'Street 9');
"""

# For the tests that purge again and again. A crash does not ask how long a policy is: this one has rows that are
# deleted, anonymised and changed by a step, with a customer and without, in two batches.
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
SHORT_ROWS = """
INSERT INTO customers VALUES (1, 'One', '2014-05-01'), (2, 'Two', '2014-05-01'), (3, 'Three', '2026-05-01');
INSERT INTO repairs VALUES (1, 2, '2015-02-01 10:00:00', 'lamp'), (2, 3, '2015-02-01 10:00:00', 'motor');
INSERT INTO payments VALUES (1, 1, '2022-02-01 10:00:00', 'One'), (2, NULL, '2015-02-01', NULL);
"""


class Saved:
    """A firm as it was, to come back to."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.copy = firm.folder.with_name(firm.folder.name + "-saved")
        shutil.copytree(firm.folder, self.copy)

    def restore(self) -> None:
        shutil.rmtree(self.firm.folder)
        shutil.copytree(self.copy, self.firm.folder)
        self.firm.log = open_log(self.firm.log.home)


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


class Countdown:
    """Kills this process at the n-th call of what is wrapped."""

    def __init__(self, n: int) -> None:
        self.left = n

    def wrap(self, place: Any, name: str, *, torn: bool = False) -> None:
        """`torn`: when half of the bytes are written, not before the call."""
        real = getattr(place, name)

        def step(*arguments: Any, **options: Any) -> Any:
            if self.left > 1:
                self.left -= 1
                return real(*arguments, **options)
            if torn:
                handle, data = arguments
                real(handle, bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        setattr(place, name, step)


# Everything that a purge writes. Killed after one of them is killed before the next: nothing lasting is in between.
STEPS: tuple[tuple[Any, str], ...] = (
    (purge_batches, "write_batch_key"),
    (purge_batches, "write_pending"),
    (AuditLog, "append"),
    (purge_batches, "erase"),
    (sa.engine.RootTransaction, "commit"),
    (purge_batches, "write_leaves"),
    (AuditLog, "write_checkpoint"),
    (purge_batches, "remove_pending"),
    (purge_settle, "write_leaves"),
    (purge_settle, "remove_pending"),
)


def cut_off(firm: Firm, arm: Callable[[Countdown], None], now: Any = NOW, every: int = 1) -> Iterator[int]:
    """Kill a purge at its first armed call, then from the same beginning at the second, and so on to its end."""
    saved = Saved(firm)
    for n in range(1, 500, every):

        def work(n: int = n) -> None:
            arm(Countdown(n))
            firm.purge(now)

        if not killed(work):
            assert n > 5
            return
        firm.log = open_log(firm.log.home)
        yield n
        saved.restore()
    raise AssertionError("it never came to its end")


def settled_by_the_next(firm: Firm, before: Any, end: Any) -> None:
    """What must hold after a purge that was killed, and after the one that follows."""
    assert verify(firm.log.home).ok
    rehearsed = firm.purge(LATER, dry_run=True)
    left = firm.tables()
    result = firm.purge(LATER)
    assert rehearsed.erased == result.erased
    assert rehearsed.recovered == result.recovered
    for one in result.recovered:
        assert one.outcome in ("committed", "not-committed")
        assert (one.outcome == "committed") == (not one.left)
    assert result.erased or left == end
    assert firm.tables() == end
    firm.assert_settled()
    assert_log_and_database_agree(firm, before)


@pytest.fixture
def short(tmp_path: Path) -> Firm:
    """A firm with the short policy, in a folder of its own."""
    (tmp_path / "firm").mkdir()
    return Firm.open(tmp_path / "firm", rows=SHORT_ROWS, schema=SHORT_SCHEMA, policy=SHORT_POLICY)


def purged(firm: Firm) -> Any:
    """What a purge leaves that nothing interrupts. The firm is as it was again."""
    saved = Saved(firm)
    firm.purge()
    end = firm.tables()
    saved.restore()
    shutil.rmtree(saved.copy)
    return end


def test_killed_at_any_step(short: Firm) -> None:
    before, end = short.tables(), purged(short)
    assert end != before

    def arm(countdown: Countdown) -> None:
        for place, name in STEPS:
            countdown.wrap(place, name)

    outcomes: set[str] = set()
    for _ in cut_off(short, arm):
        settled_by_the_next(short, before, end)
        outcomes |= {str(entry.fields["outcome"]) for entry in short.of_type("purge.recovered")}
    assert outcomes == {"committed", "not-committed"}


def test_killed_while_half_of_a_file_or_a_line_is_written(short: Firm) -> None:
    before, end = short.tables(), purged(short)
    torn = 0
    for _ in cut_off(short, lambda countdown: countdown.wrap(os, "write", torn=True), every=3):
        settled_by_the_next(short, before, end)
        torn += len(short.of_type("log.torn"))
    assert torn > 1


def test_killed_while_settling(short: Firm) -> None:
    before = short.tables()
    assert killed(lambda: _kill_at(short, purge_batches, "write_leaves", 1))
    short.log = open_log(short.log.home)

    def arm(countdown: Countdown) -> None:
        for place, name in STEPS:
            countdown.wrap(place, name)

    ends = []
    for _ in cut_off(short, arm, LATER - DAY / 48, every=2):
        assert verify(short.log.home).ok
        short.purge(LATER)
        short.assert_settled()
        assert_log_and_database_agree(short, before)
        ends.append(short.tables())
    assert all(end == ends[0] for end in ends)


def _kill_at(firm: Firm, place: Any, name: str, n: int) -> None:
    Countdown(n).wrap(place, name)
    firm.purge()


def test_a_confirmation_outlives_a_run_that_was_killed(tmp_path: Path) -> None:
    """Up to 60 subjects were allowed, and the kill came in the fourth batch of five: 45 are left to do."""
    firm = Firm.open(tmp_path, rows="")
    firm.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
        "INSERT INTO customers SELECT i, 'Name', '2014-05-01' FROM n"
    )

    def work() -> None:
        Countdown(4).wrap(purge_batches, "erase")
        firm.purge(confirm=60, batch_size=5)

    assert killed(work)
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
        assert killed(lambda: _kill_at(firm, purge_batches, "erase", 1))
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
@pytest.mark.parametrize(("step", "outcome"), [("erase", "not-committed"), ("write_leaves", "committed")])
def test_keys_of_any_type_outlive_a_crash(
    tmp_path: Path, kind: str, value: str, step: str, outcome: str
) -> None:
    policy = SHORT_POLICY + "  visit: {table: visits, belongs_to: customer, personal: [note]}\n"
    schema = SHORT_SCHEMA + KEYS.format(kind=kind, value=value)
    firm = Firm.open(tmp_path, rows="", schema=schema, policy=policy)
    assert killed(lambda: _kill_at(firm, purge_batches, step, 1))
    firm.log = open_log(firm.log.home)
    if outcome == "committed":  # what the log does not say yet
        lines = firm.log.home.log.read_bytes().splitlines(keepends=True)
        assert b'"purge.done"' in lines[-1]
        firm.log.home.log.write_bytes(b"".join(lines[:-1]))
    result = firm.purge(LATER)
    assert [one.outcome for one in result.recovered] == [outcome]
    assert firm.tables()["visits"] == {}
    firm.assert_settled()


def test_a_real_purge_killed_at_random_moments(tmp_path: Path) -> None:
    """The command itself, over a demonstration of 400 customers."""
    command = [
        sys.executable,
        "-c",
        "import sys; from staffords_gdpr.cli.main import run; sys.exit(run(sys.argv[1:]))",
    ]
    folder = tmp_path / "demo"

    def start(*arguments: str, cwd: Path = folder) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*command, *arguments], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    assert (
        start(
            "demo", str(folder), "--customers", "400", "--seed", "7", "--format", "json", cwd=tmp_path
        ).wait()
        == 0
    )
    firm = Firm(
        folder,
        load_policy(folder / "retention.yaml"),
        connect(f"sqlite:///{folder / 'calls.db'}", write=False),
        open_log(Home(folder)),
    )
    before = firm.tables()
    with closing(sqlite3.connect(firm.database)) as database:
        dangling = set(database.execute("PRAGMA foreign_key_check"))  # the demonstration has a few
    chance = random.Random(11)
    kills = 0
    arguments = ("purge", "--confirm", "400", "--batch-size", "20")
    while kills < 4:
        ends = len(firm.of_type("purge.end"))
        intents = len(firm.of_type("purge.intent"))
        process = start(*arguments)
        deadline = time.monotonic() + 60
        # wait for work under way, so that no run is killed before it did anything
        while (
            len(firm.of_type("purge.intent")) == intents
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.wait()
        assert verify(firm.log.home).ok
        if len(firm.of_type("purge.end")) > ends:
            break
        kills += 1
    assert kills >= 3
    assert start(*arguments).wait() == 0
    firm.assert_settled()
    assert firm.types()[-1] == "purge.end"
    assert {entry.fields["outcome"] for entry in firm.of_type("purge.recovered")} <= {
        "committed",
        "not-committed",
    }
    assert_log_and_database_agree(firm, before)
    with closing(sqlite3.connect(firm.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert set(database.execute("PRAGMA foreign_key_check")) <= dangling

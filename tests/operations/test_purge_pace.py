"""How many subjects a batch takes, when a run ends, and where it goes on: nobody is kept waiting, nothing is lost."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from purge_office import DAY, ERASED, NOW, Firm, after_the_purge, assert_log_and_database_agree

from staffords_gdpr.operations.purge import Limits
from staffords_gdpr.operations.purge.pace import LEAST, MOST, Pace
from staffords_gdpr.operations.purge.window import next_at
from staffords_gdpr.operations.status import status

_BEGIN = dt.datetime(2020, 1, 1)  # noqa: DTZ001  what hypothesis asks for
LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm.open(tmp_path)


class TestPace:
    @given(st.floats(0, 2), st.floats(1e-6, 1e-2), st.randoms(use_true_random=False))
    def test_it_settles_where_a_batch_holds_its_locks_for_the_target_or_twice_what_any_batch_would(
        self, batch: float, subject: float, chance: Random
    ) -> None:
        pace = Pace(0.1)
        for _ in range(100):
            pace.took(pace.size, (batch + subject * pace.size) * chance.uniform(0.9, 1.1))
        wanted, took = max(0.1, 2 * batch), batch + subject * pace.size
        assert took < wanted * 2 or pace.size < LEAST * 2
        assert took > wanted / 2 or pace.size > MOST / 2

    @given(st.lists(st.tuples(st.integers(1, 30_000), st.floats(0, 1e6)), max_size=30))
    def test_it_keeps_its_bounds_and_never_leaps(self, took: list[tuple[int, float]]) -> None:
        pace = Pace(0.1)
        for amount, seconds in took:
            before = pace.size
            pace.took(amount, seconds)
            assert LEAST <= pace.size <= MOST
            assert before / 4 <= pace.size + 1 <= before * 4 + 2

    def test_one_batch_that_had_to_wait_does_not_upset_it(self) -> None:
        pace = Pace(0.1)
        for _ in range(30):
            pace.took(pace.size, 1e-4 * pace.size)
        before = pace.size
        pace.took(pace.size, 30.0)
        assert pace.size >= before / 4
        for _ in range(30):
            pace.took(pace.size, 1e-4 * pace.size)
        assert pace.size == pytest.approx(before, rel=0.7)

    def test_a_batch_that_did_not_get_through_makes_it_smaller(self) -> None:
        pace = Pace(0.1)
        before = pace.size
        pace.failed()
        assert pace.size == pytest.approx(before / 2, abs=1)

    def test_batches_are_longer_while_nobody_else_writes_and_at_once_shorter_when_somebody_does(self) -> None:
        pace = Pace.within(Limits(), writes_at_once=True)

        def settled(*, undisturbed: bool) -> float:
            seconds = []
            for _ in range(40):
                seconds.append(1e-4 * pace.size)
                pace.took(pace.size, seconds[-1], undisturbed=undisturbed)
            return fmean(seconds[-10:])

        assert settled(undisturbed=False) == pytest.approx(0.1, rel=0.2)
        assert settled(undisturbed=True) == pytest.approx(0.3, rel=0.2)
        pace.took(pace.size, 1e-4 * pace.size, undisturbed=False)
        assert 1e-4 * pace.size < 0.1 * 1.5 * 1.2
        assert settled(undisturbed=False) == pytest.approx(0.1, rel=0.2)

    @pytest.mark.parametrize(
        ("limits", "writes_at_once", "wanted"),
        [(Limits(hold_locks_for=0.05), True, 0.05), (Limits(), False, 0.5)],
        ids=["said", "one writer"],
    )
    def test_where_it_was_said_or_others_wait_anyway_they_are_as_long_as_ever(
        self, limits: Limits, writes_at_once: bool, wanted: float
    ) -> None:
        pace = Pace.within(limits, writes_at_once=writes_at_once)
        for _ in range(60):
            pace.took(pace.size, 1e-3 * pace.size, undisturbed=True)
        assert 1e-3 * pace.size == pytest.approx(wanted, rel=0.6)

    def test_a_fixed_size_stays(self) -> None:
        pace = Pace(0.1, fixed=7)
        pace.took(7, 5.0)
        pace.failed()
        assert pace.size == 7


class TestUntil:
    @given(
        st.datetimes(_BEGIN, _BEGIN.replace(year=2030), timezones=st.just(dt.UTC)),
        st.times().map(lambda time: time.replace(second=0, microsecond=0)),
    )
    def test_it_is_the_next_moment_at_which_clocks_there_show_it(
        self, now: dt.datetime, when: dt.time
    ) -> None:
        found = next_at(when, now, LONDON)
        assert now < found <= now + dt.timedelta(hours=25)
        shown = found.astimezone(LONDON).time()
        skipped = when.hour == 1 and shown.hour == 2  # on the night on which the clocks go forward
        assert shown == when or skipped

    def test_at_the_very_minute_it_is_tomorrow(self) -> None:
        now = dt.datetime(2026, 11, 23, 6, 0, tzinfo=dt.UTC)
        assert next_at(dt.time(6), now, LONDON) == now + DAY
        assert next_at(dt.time(6), now - dt.timedelta(microseconds=1), LONDON) == now


def after(batches: int) -> Callable[[], bool]:
    """Asked to stop once so many batches were begun, which the run asks before each."""
    asked = count()
    return lambda: next(asked) >= batches


class TestEnds:
    def test_told_to_stop_it_stops_after_a_whole_batch_and_the_next_night_goes_on(self, firm: Firm) -> None:
        before = firm.tables()
        due = firm.purge(dry_run=True).left
        stopped = firm.purge(batch_size=1, stop=after(4), confirm=30)
        assert stopped.left == due - 4
        assert (stopped.result, stopped.ended, stopped.needs_person) == ("signal", "signal", False)
        assert 0 < sum(stopped.erased.values()) < sum(ERASED.values())
        end = firm.the("purge.end").fields
        assert (end["result"], end["rows"]) == ("signal", stopped.erased)
        assert end["confirm"] == 30 - 4
        firm.assert_settled()
        assert_log_and_database_agree(firm, before)
        firm.purge(NOW + DAY / 24)
        assert firm.tables() == after_the_purge(before)
        assert firm.of_type("purge.end")[-1].fields["confirm"] == 0

    def test_a_window_that_is_over_begins_no_batch_and_is_no_purge_that_kept_the_schedule(
        self, firm: Firm
    ) -> None:
        before = firm.tables()
        ended = firm.purge(limits=Limits(max_runtime=0.0))
        assert (ended.ended, ended.erased, ended.needs_person) == ("max-runtime", {}, False)
        assert ended.left == firm.purge(NOW + DAY / 24, dry_run=True).left > 0
        assert firm.tables() == before
        found = status(firm.policy, None, firm.log, now=NOW + 3 * DAY)
        assert found.last_purge is None
        assert found.purge.late

    def test_of_two_ends_the_nearer_one_counts(self, firm: Firm) -> None:
        limits = Limits(max_runtime=0.0, until=dt.time(3))
        assert firm.purge(limits=limits).ended == "max-runtime"
        limits = Limits(max_runtime=7200.0, until=dt.time(3))
        assert firm.purge(NOW + DAY, limits=limits).ended == "done"

    def test_told_to_stop_after_the_last_batch_it_leaves_the_traces_to_the_next_run(self, firm: Firm) -> None:
        done = firm.purge(stop=lambda: bool(firm.of_type("purge.end")))
        assert (done.result, done.erased, done.reclaimed) == ("complete", ERASED, None)

    def test_others_write_while_it_pauses(self, firm: Firm) -> None:
        written = []

        def stop() -> bool:
            with closing(sqlite3.connect(firm.database, timeout=0)) as other:
                other.execute("UPDATE customers SET name = name")
                other.rollback()
            written.append(1)
            return False

        assert firm.purge(limits=Limits(batch_size=1, pause=0.01), stop=stop).erased == ERASED
        assert written

    def test_a_pause_ends_when_the_run_is_told_to_stop(self, firm: Firm) -> None:
        stopped = firm.purge(limits=Limits(batch_size=1, pause=3600.0), stop=after(2))
        assert stopped.ended == "signal"
        assert stopped.erased


def started(firm: Firm, *arguments: str) -> subprocess.Popen[bytes]:
    """The command itself, under way: it has carried out a batch."""
    command = "import sys; from staffords_gdpr.cli.main import run; sys.exit(run(sys.argv[1:]))"
    environ = {
        **os.environ,
        "GDPR_DATABASE_URL": f"sqlite:///{firm.database}",
        "GDPR_POLICY": str(firm.folder / "policy.yaml"),
        "GDPR_HOME": str(firm.folder / "home"),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", command, "purge", *arguments], env=environ, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, cwd=firm.folder,
    )  # fmt: skip
    for _ in range(6000):
        if firm.of_type("purge.done") or process.poll() is not None:
            break
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(
    ("number", "code", "result"),
    [(signal.SIGTERM, 0, "signal"), (signal.SIGHUP, 0, "signal"), (signal.SIGINT, 130, "signal")],
)
def test_a_signal_ends_the_command_after_a_whole_batch(
    tmp_path: Path, number: signal.Signals, code: int, result: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    firm = Firm.open(tmp_path, now=now)
    before = firm.tables()
    process = started(firm, "--batch-size", "1", "--pause", "1h")
    process.send_signal(number)
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said, errors) == (code, b"", b"")
    assert firm.the("purge.end").fields["result"] == result
    assert len(firm.of_type("purge.done")) == 1
    firm.assert_settled()
    assert_log_and_database_agree(firm, before)

"""The brakes of a purge, on both sides of their limits, and what else refuses before the first row goes."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from office import at
from purge_office import DAY, ERASED, NOW, POLICY, Firm, after_the_purge

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.database import connection as connection_module
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import BrakeError, DatabaseError, GdprError, LockedError, LogBrokenError
from staffords_gdpr.operations.purge import retries
from staffords_gdpr.operations.purge.announcements import Announcements
from staffords_gdpr.operations.purge.batches import Batches
from staffords_gdpr.operations.purge.brakes import share
from staffords_gdpr.operations.purge.run import _Run
from staffords_gdpr.retention.bulk import Chunk, Todo

APPROVE = "gdpr approve --as director --key FILE"


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm.open(tmp_path)


def refused(firm: Firm, code: str, now: dt.datetime = NOW, **options: int) -> BrakeError:
    """The purge refuses by this brake: exit code, log, dry run, and nothing erased."""
    before, entries = firm.tables(), len(firm.types())
    rehearsed = firm.purge(now, dry_run=True, **options)
    assert code in [brake.code for brake in rehearsed.brakes]
    assert len(firm.types()) == entries
    with pytest.raises(BrakeError) as caught:
        firm.purge(now, **options)
    error = caught.value
    assert (error.code, error.exit_code) == (code, 4)
    assert firm.tables() == before
    assert firm.of_type("purge.refused")[-1].fields["brake"] == code
    assert not firm.of_type("purge.intent")
    firm.assert_settled()
    return error


def passes(firm: Firm, now: dt.datetime = NOW, **options: int) -> None:
    """No brake refuses, neither in a rehearsal nor in earnest."""
    assert firm.purge(now, dry_run=True, **options).brakes == ()
    firm.purge(now, **options)
    assert firm.types()[-1] == "purge.end"


class TestApproval:
    def test_without_an_approval_nothing_goes(self, tmp_path: Path) -> None:
        firm = Firm.open(tmp_path, approved=False)
        assert APPROVE in refused(firm, "not-approved").hint
        firm.approve(NOW)
        passes(firm)

    def test_a_changed_policy_file_must_be_approved_again(self, firm: Firm) -> None:
        firm.change_policy("The policy of a test", "The policy of a test!")
        error = refused(firm, "policy-changed")
        assert "policy.yaml" in error.message
        assert APPROVE in error.hint
        firm.approve(NOW)
        passes(firm)

    def test_a_copy_of_the_database_is_another_database(self, firm: Firm) -> None:
        here = firm.engine
        shutil.copy(firm.database, firm.folder / "copy.db")
        firm.engine = connect(f"sqlite:///{firm.folder / 'copy.db'}", write=True)
        error = refused(firm, "wrong-database")
        assert "copy.db" in error.message
        assert "GDPR_DATABASE_URL" in error.hint
        firm.engine = here
        passes(firm)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("ALTER TABLE payments ADD COLUMN iban TEXT", "column payments.iban is new"),
            (
                "ALTER TABLE prices ADD COLUMN customer_id INTEGER REFERENCES customers(id)",
                "the foreign key prices(customer_id) to customers(id) is new",
            ),
            (
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, call_id INTEGER REFERENCES calls)",
                "table notes is new, and refers to calls",
            ),
            (
                "CREATE TRIGGER t AFTER DELETE ON calls BEGIN SELECT 1; END",
                "trigger calls.t is new",
            ),
        ],
    )
    def test_a_change_that_the_policy_rests_on_must_be_approved(
        self, firm: Firm, change: str, said: str
    ) -> None:
        firm.sql(change)
        error = refused(firm, "schema-changed")
        assert APPROVE in error.hint
        assert said in error.message
        firm.approve(NOW)
        passes(firm)

    @pytest.mark.parametrize(
        "change",
        [
            "ALTER TABLE calls ADD COLUMN recording TEXT",  # goes with the row
            "ALTER TABLE prices ADD COLUMN currency TEXT",
            "CREATE TABLE holidays (day TEXT PRIMARY KEY)",
            "DROP TABLE prices",
        ],
    )
    def test_a_change_that_it_does_not_rest_on_stops_nothing(self, firm: Firm, change: str) -> None:
        firm.sql(change)
        passes(firm)

    def test_a_change_stops_where_the_approved_schema_is_not_known(self, firm: Firm) -> None:
        (kept,) = firm.log.home.schemas.iterdir()
        kept.write_bytes(kept.read_bytes().replace(b"prices", b"prizes"))
        firm.sql("ALTER TABLE prices ADD COLUMN currency TEXT")
        assert "not known" in refused(firm, "schema-changed").message

    def test_a_table_that_is_gone_stops_the_approved_policy(self, firm: Firm) -> None:
        firm.sql("ALTER TABLE consignments RENAME TO parcels")
        assert "consignments" in refused(firm, "policy-does-not-fit").message

    def test_an_approval_signed_for_one_state_does_not_count_for_the_next(self, firm: Firm) -> None:
        firm.change_policy("3 years", "4 years")
        firm.approve(NOW)
        firm.change_policy("4 years", "3 years")
        refused(firm, "policy-changed")


class TestClock:
    def test_a_clock_behind_the_last_entry_is_refused(self, firm: Firm) -> None:
        last = NOW - DAY / 24
        assert "clock" in refused(firm, "clock-behind", last - dt.timedelta(seconds=1)).message
        passes(firm, last)

    def test_a_fraction_of_a_second_is_not_behind(self, firm: Firm) -> None:
        passes(firm, NOW - DAY / 24 + dt.timedelta(milliseconds=1))

    def test_after_three_intervals_it_still_runs(self, firm: Firm) -> None:
        firm.purge()
        passes(firm, at("2026-11-26", "23:59"))

    def test_the_day_after_it_does_not(self, firm: Firm) -> None:
        firm.purge()
        error = refused_after_a_run(firm, "clock-ahead", at("2026-11-27", "00:00"))
        assert "timedatectl" in error.hint
        assert APPROVE in error.hint

    def test_days_are_those_of_the_policys_zone(self, tmp_path: Path) -> None:
        """22:59 UTC in July is 23:59 in London, and one minute later is the next day there."""
        firm = Firm.open(tmp_path, rows="", now=at("2026-07-01"))
        firm.purge(at("2026-07-01"))
        assert firm.purge(at("2026-07-04", "22:59"), dry_run=True).brakes == ()
        assert [b.code for b in firm.purge(at("2026-07-04", "23:00"), dry_run=True).brakes] == ["clock-ahead"]

    def test_intervals_are_those_of_the_schedule(self, tmp_path: Path) -> None:
        monthly = POLICY.replace("{purge: 1 day,", "{purge: 1 month,")
        firm = Firm.open(tmp_path, rows="", policy=monthly)
        assert firm.purge(at("2027-02-23"), dry_run=True).brakes == ()
        assert [b.code for b in firm.purge(at("2027-02-24"), dry_run=True).brakes] == ["clock-ahead"]

    def test_a_refusal_under_a_wrong_clock_does_not_move_the_limit(self, firm: Firm) -> None:
        firm.purge()
        refused_after_a_run(firm, "clock-ahead", at("2030-01-01"))
        passes(firm, NOW + DAY)

    def test_a_director_lets_it_go_on_after_a_long_pause(self, firm: Firm) -> None:
        firm.purge()
        later = at("2027-01-15")
        refused_after_a_run(firm, "clock-ahead", later)
        firm.approve(later)
        passes(firm, later)


def refused_after_a_run(firm: Firm, code: str, now: dt.datetime) -> BrakeError:
    before = firm.tables()
    assert [brake.code for brake in firm.purge(now, dry_run=True).brakes] == [code]
    with pytest.raises(BrakeError) as caught:
        firm.purge(now)
    assert (caught.value.code, caught.value.exit_code) == (code, 4)
    assert firm.tables() == before
    return caught.value


def backlog(folder: Path, due: int, kept: int, orphans: int = 0) -> Firm:
    """So many customers with something due, so many with nothing, and so many old calls of nobody.

    The policy names only what these tests count: a shorter one is read and decided in a third of the time.
    """
    policy = yaml.safe_load(POLICY)
    for name in ("product", "repair", "consignment"):
        del policy["records"][name]
    return Firm.open(
        folder,
        policy=yaml.safe_dump(policy, sort_keys=False),
        rows=f"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {due + kept})
        INSERT INTO customers SELECT i, 'Name', iif(i <= {due}, '2014-05-01', '2026-05-01') FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {orphans})
        INSERT INTO calls SELECT i, 9999, '2014-05-01', 'noise', NULL FROM n WHERE i <= {orphans};
        """,
    )


class TestShare:
    def test_twenty_subjects_are_never_too_many(self, tmp_path: Path) -> None:
        passes(backlog(tmp_path, due=20, kept=0))

    def test_twenty_one_of_twenty_one_are(self, tmp_path: Path) -> None:
        assert "gdpr purge --confirm 21" in refused(backlog(tmp_path, due=21, kept=0), "too-many").hint

    @pytest.mark.parametrize(("due", "total", "brakes"), [(21, 400, True), (21, 420, False), (22, 420, True)])
    def test_five_in_a_hundred_are_allowed_and_no_more(
        self, tmp_path: Path, due: int, total: int, brakes: bool
    ) -> None:
        firm = backlog(tmp_path, due=due, kept=total - due)
        if brakes:
            error = refused(firm, "too-many")
            assert f"{due} of {total}" in error.message
        else:
            passes(firm)

    def test_the_policy_may_set_the_share(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=25, kept=75)
        refused(firm, "too-many")
        firm.change_policy("subject: customer", "erase_at_most: 25 %\nsubject: customer")
        firm.approve(NOW)
        passes(firm)

    def test_rows_of_nobody_count_one_each(self, tmp_path: Path) -> None:
        assert "--confirm 21" in refused(backlog(tmp_path, due=10, kept=90, orphans=11), "too-many").hint

    def test_one_row_of_nobody_is_told_in_the_singular(self, firm: Firm) -> None:
        (brake,) = share(firm.policy, Todo(subjects=30, rows=1), 40, 0)
        assert "and 1 row that belongs to nobody have" in brake.message
        assert brake.hint.startswith("Look at gdpr scan; ")

    def test_anonymising_counts_like_deleting(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=0, kept=21)
        firm.sql("INSERT INTO payments SELECT id, id, '2025-01-01', '4111', 'Name' FROM customers")
        refused(firm, "too-many")


class TestConfirm:
    def test_it_allows_as_many_as_it_says_and_one_fewer_is_too_few(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=30, kept=10)
        refused(firm, "too-many", confirm=29)
        passes(firm, confirm=30)
        assert firm.the("purge.end").fields["confirm"] == 0

    def test_it_is_gone_once_the_backlog_is_done(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=30, kept=10)
        firm.purge(confirm=30)
        firm.sql(
            "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1020) "
            "INSERT INTO customers SELECT i, 'Name', '2014-05-01' FROM n"
        )
        assert [brake.code for brake in firm.purge(NOW + DAY, dry_run=True).brakes] == ["too-many"]

    def test_it_lasts_over_a_run_that_was_stopped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        firm = backlog(tmp_path, due=60, kept=10)
        with monkeypatch.context() as patched:
            stop_after(patched, 3)
            with pytest.raises(KeyboardInterrupt):
                firm.purge(confirm=60, batch_size=5)
        end = firm.the("purge.end").fields
        assert (end["result"], end["subjects"], end["confirm"]) == ("stopped", 15, 45)
        firm.assert_settled()
        passes(firm, NOW + DAY)
        assert firm.of_type("purge.end")[-1].fields["confirm"] == 0
        assert set(firm.tables()["customers"]) == set(range(61, 71))

    def test_rows_of_nobody_use_it_up_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        firm = backlog(tmp_path, due=30, kept=10, orphans=30)
        with monkeypatch.context() as patched:
            stop_after(patched, 1)
            with pytest.raises(KeyboardInterrupt):
                firm.purge(confirm=60, batch_size=10)
        assert firm.the("purge.end").fields["confirm"] == 20

    def test_it_lasts_over_many_nights_however_their_runs_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Sixty subjects and thirty rows of nobody: allowed once, done in four nights, and nothing is left of it."""
        firm = backlog(tmp_path, due=60, kept=10, orphans=30)
        nights = iter(NOW + DAY * night for night in range(10))
        with monkeypatch.context() as patched:  # killed: no end is written
            killed_after(patched, 2)
            with pytest.raises(KeyboardInterrupt):
                firm.purge(next(nights), confirm=90, batch_size=10)
        assert (firm.types()[-1], firm.log.standing().confirmed) == ("purge.done", 70)
        firm.log = open_log(firm.log.home)
        with monkeypatch.context() as patched:  # stopped by a fault
            stop_after(patched, 2)
            with pytest.raises(KeyboardInterrupt):
                firm.purge(next(nights), batch_size=10)
        end = firm.the("purge.end").fields
        assert (end["result"], end["subjects"], end["confirm"]) == ("stopped", 20, 40)
        done = firm.types().count("purge.intent")
        third = firm.purge(  # stopped by a person
            next(nights), batch_size=10, stop=lambda: firm.types().count("purge.intent") == done + 1
        )
        assert (third.result, third.subjects_affected) == ("signal", 10)
        assert firm.of_type("purge.end")[-1].fields["confirm"] == 30
        assert firm.purge(NOW + DAY * 3, dry_run=True).brakes == ()
        assert firm.purge(next(nights), batch_size=10).result == "complete"
        assert [entry.fields["confirm"] for entry in firm.of_type("purge.start")][:3] == [90, 70, 40]
        assert firm.of_type("purge.end")[-1].fields["confirm"] == 0
        assert set(firm.tables()["customers"]) == set(range(61, 71))
        assert not firm.tables()["calls"]
        firm.assert_settled()
        firm.sql(
            "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1020) "
            "INSERT INTO customers SELECT i, 'Name', '2014-05-01' FROM n"
        )
        assert [brake.code for brake in firm.purge(next(nights), dry_run=True).brakes] == ["too-many"]

    def test_it_does_not_stretch_to_a_backlog_that_has_grown(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        firm = backlog(tmp_path, due=60, kept=10)
        with monkeypatch.context() as patched:
            stop_after(patched, 3)
            with pytest.raises(KeyboardInterrupt):
                firm.purge(confirm=60, batch_size=5)
        firm.customer(500, "2014-05-01")
        assert "--confirm 46" in firm.purge(NOW + DAY, dry_run=True).brakes[0].hint


def killed_after(patched: pytest.MonkeyPatch, batches: int) -> None:
    """End the run after so many batches, and let it write no end of it, as a kill would."""
    outcome, done = Announcements.outcome, []

    def dying(self: Announcements, *arguments: Any, **more: str) -> None:
        outcome(self, *arguments, **more)
        done.append(arguments)
        if len(done) == batches:
            raise KeyboardInterrupt

    patched.setattr(Announcements, "outcome", dying)
    patched.setattr(_Run, "_end", lambda *_: None)


def stop_after(patched: pytest.MonkeyPatch, batches: int) -> None:
    """Interrupt the run, as Ctrl-C would, before the batch of subjects that follows so many."""
    listed, done = Batches.listed, []

    def stopping(self: Batches, chunk: Chunk) -> float:
        if len(done) == batches:
            raise KeyboardInterrupt
        done.append(chunk)
        return listed(self, chunk)

    patched.setattr(Batches, "listed", stopping)


class TestRefusalsInTheLog:
    def test_one_brake_is_written_once_a_day(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=21, kept=0)
        for now in (NOW, NOW + DAY / 24, at("2026-11-23", "23:59"), at("2026-11-24", "00:00")):
            with pytest.raises(BrakeError):
                firm.purge(now)
        days = [entry.time.day for entry in firm.of_type("purge.refused")]
        assert days == [23, 24]

    def test_one_that_comes_after_a_purge_of_that_day_is_written_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        firm = backlog(tmp_path, due=60, kept=10)
        refused(firm, "too-many")
        with monkeypatch.context() as patched:
            stop_after(patched, 3)
            with pytest.raises(KeyboardInterrupt):
                firm.purge(confirm=60, batch_size=5)
        firm.customer(500, "2014-05-01")
        for _ in range(2):
            with pytest.raises(BrakeError, match="46 of 56"):
                firm.purge()
        assert len(firm.of_type("purge.refused")) == 2

    def test_each_brake_once_even_where_they_alternate(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=21, kept=0)
        approved = "The policy of a test"
        for old, new in ((approved, "X"), ("X", approved), (approved, "X"), ("X", approved)):
            firm.change_policy(f"title: {old}", f"title: {new}")
            with pytest.raises(BrakeError):
                firm.purge()
        brakes = [entry.fields["brake"] for entry in firm.of_type("purge.refused")]
        assert sorted(brakes) == ["policy-changed", "too-many"]

    def test_it_says_what_was_seen(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=21, kept=4)
        refused(firm, "too-many")
        assert firm.the("purge.refused").fields["seen"] == {"affected": 21, "total": 25, "limit": 20}

    def test_a_dry_run_names_every_brake(self, tmp_path: Path) -> None:
        firm = backlog(tmp_path, due=21, kept=4)
        firm.change_policy("The policy of a test", "Another")
        firm.sql("ALTER TABLE payments ADD COLUMN iban TEXT")
        rehearsed = firm.purge(at("2026-12-24"), dry_run=True)
        assert [b.code for b in rehearsed.brakes] == [
            "policy-changed",
            "schema-changed",
            "clock-ahead",
            "too-many",
        ]
        assert all(brake.hint for brake in rehearsed.brakes)


class TestLogThatDoesNotVerify:
    @pytest.mark.parametrize("dry_run", [False, True])
    @pytest.mark.parametrize(
        "fault",
        [
            lambda log: log.write_bytes(log.read_bytes().replace(b'"purge.start"', b'"purge.stort"', 1)),
            lambda log: log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1])),
            lambda log: log.write_bytes(log.read_bytes() + b'{"entry":{}}\n'),
        ],
        ids=["changed", "cut", "invented"],
    )
    def test_nothing_is_erased(self, firm: Firm, fault: Callable[[Path], object], dry_run: bool) -> None:
        firm.logged_purge(NOW)
        firm.log.write_checkpoint(NOW)
        fault(firm.log.home.log)
        before, log = firm.tables(), firm.log.home.log.read_bytes()
        with pytest.raises(LogBrokenError) as caught:
            firm.purge(NOW + DAY, dry_run=dry_run)
        assert caught.value.exit_code == 5
        assert firm.tables() == before
        assert firm.log.home.log.read_bytes() == log

    def test_a_hold_missing_from_the_file_stops_all(self, firm: Firm) -> None:
        firm.hold(1)
        (firm.log.home.secret / "holds.json").write_text("{}", encoding="utf-8")
        before = firm.tables()
        with pytest.raises(LogBrokenError):
            firm.purge()
        assert firm.tables() == before
        assert not firm.of_type("purge.intent")


def gdpr(firm: Firm, *arguments: str) -> subprocess.Popen[str]:
    """A `gdpr` process of its own over this firm."""
    environ = {
        **os.environ,
        "GDPR_DATABASE_URL": f"sqlite:///{firm.database}",
        "GDPR_POLICY": str(firm.folder / "policy.yaml"),
        "GDPR_HOME": str(firm.log.home.path),
        "XDG_CONFIG_HOME": str(firm.folder),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "staffords_gdpr.cli.main", *arguments],
        env=environ, cwd=firm.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


class TestLocks:
    def test_of_two_purges_one_is_refused(self, firm: Firm) -> None:
        with firm.log.run_lock():
            second = gdpr(firm, "purge")
            _, said = second.communicate(timeout=60)
        assert second.returncode == 7
        assert "another run" in said

    def test_a_dry_run_needs_no_lock(self, firm: Firm) -> None:
        with firm.log.run_lock():
            assert firm.purge(dry_run=True).erased == ERASED

    def test_within_one_process_too(self, firm: Firm) -> None:
        with firm.log.run_lock(), pytest.raises(LockedError):
            firm.purge()

    def test_a_database_locked_by_another_program_is_exit_6(
        self, firm: Firm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection_module, "BUSY_SECONDS", 0.1)
        monkeypatch.setattr(retries, "PAUSES", ())
        firm.engine = connect(f"sqlite:///{firm.database}", write=True)
        before = firm.tables()
        with closing(sqlite3.connect(firm.database, isolation_level=None)) as operator:
            operator.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseError, match="locked by another program") as caught:
                firm.purge()
            operator.execute("ROLLBACK")
        assert caught.value.exit_code == 6
        assert firm.tables() == before
        assert firm.the("purge.end").fields["result"] == "stopped"
        firm.assert_settled()
        passes(firm, NOW + DAY / 24)
        assert firm.tables() == after_the_purge(before)

    def test_a_reader_who_does_not_let_the_commit_through_is_exit_6_and_leaves_nothing_open(
        self, firm: Firm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection_module, "BUSY_SECONDS", 0.1)
        monkeypatch.setattr(retries, "PAUSES", ())
        firm.engine = connect(f"sqlite:///{firm.database}", write=True)
        before = firm.tables()
        with closing(sqlite3.connect(firm.database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM customers").fetchall()
            with pytest.raises(DatabaseError, match="locked by another program"):
                firm.purge()
        assert firm.tables() == before
        assert {entry.fields["code"] for entry in firm.of_type("purge.aborted")} == {"conflict"}
        assert not firm.purge(NOW + DAY / 24).recovered
        assert firm.tables() == after_the_purge(before)
        firm.assert_settled()

    def test_a_database_opened_for_reading_only_is_exit_6(self, firm: Firm) -> None:
        firm.engine = connect(f"sqlite:///{firm.database}", write=False)
        with pytest.raises(DatabaseError, match="opened for reading only") as caught:
            firm.purge()
        assert caught.value.exit_code == 6
        firm.assert_settled()

    def test_a_pending_folder_that_cannot_be_written_erases_nothing(self, firm: Firm) -> None:
        before = firm.tables()
        pending = firm.log.home.pending
        pending.rmdir()
        pending.write_text("a file where the folder should be", encoding="utf-8")
        with pytest.raises(GdprError):
            firm.purge()
        assert firm.tables() == before
        assert not firm.of_type("purge.intent")
        pending.unlink()
        firm.purge(NOW + DAY / 24)
        assert firm.tables() == after_the_purge(before)

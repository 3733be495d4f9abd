"""A purge erases what is due, nothing else, and says so in the log."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from office import at, codes
from purge_office import (
    DAY,
    ERASED,
    NOW,
    POLICY,
    Firm,
    after_the_purge,
    assert_log_and_database_agree,
    other_connection,
)

from staffords_gdpr.auditlog.rows import read_leaves, root
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.purge import run as purge_module
from staffords_gdpr.operations.purge.announcements import Announcements
from staffords_gdpr.operations.purge.batches import Batches
from staffords_gdpr.retention.bulk import Chunk


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm.open(tmp_path)


class TestWhatGoes:
    def test_it_erases_the_due_set_and_changes_nothing_else(self, firm: Firm) -> None:
        before = firm.tables()
        firm.purge()
        assert firm.tables() == after_the_purge(before)

    def test_it_counts_rows_and_steps_and_the_subjects_they_belonged_to(self, firm: Firm) -> None:
        result = firm.purge()
        assert result.erased == ERASED
        assert result.subjects_affected == 4
        assert result.undecidable == {"call": 1}
        assert (result.result, result.dry_run, result.brakes, result.recovered) == ("complete", False, (), ())

    def test_a_second_purge_erases_nothing(self, firm: Firm) -> None:
        firm.purge()
        after = firm.tables()
        second = firm.purge(NOW + DAY / 24)
        assert (second.erased, second.subjects_affected) == ({}, 0)
        assert firm.tables() == after

    def test_the_next_day_takes_what_had_its_last_day(self, firm: Firm) -> None:
        firm.purge()
        assert 6 in firm.tables()["customers"]
        assert firm.purge(NOW + DAY).erased == {"customer": 1, "call": 1, "payment": 1}
        assert 6 not in firm.tables()["customers"]

    @pytest.mark.parametrize("size", [1, 2, 3, 500])
    def test_the_size_of_a_batch_does_not_change_the_end(self, firm: Firm, size: int) -> None:
        before = firm.tables()
        result = firm.purge(batch_size=size)
        assert firm.tables() == after_the_purge(before)
        assert result.erased == ERASED
        assert_log_and_database_agree(firm, before)
        firm.assert_settled()

    def test_a_batch_has_no_more_subjects_than_asked(self, firm: Firm) -> None:
        firm.purge(batch_size=1)
        assert [entry.fields["subjects"] for entry in firm.of_type("purge.intent")] == [1] * 7

    def test_what_belongs_to_an_orphan_goes_with_it(self, firm: Firm) -> None:
        firm.purge()
        assert 4 not in firm.tables()["consignments"]
        assert firm.tables()["repairs"][3][4] is None

    def test_a_subject_on_hold_keeps_everything(self, firm: Firm) -> None:
        firm.hold(1)
        before = firm.tables()
        firm.purge()
        for table in ("customers", "products", "calls", "repairs", "consignments", "payments"):
            assert firm.tables()[table][1] == before[table][1]
        assert 7 not in firm.tables()["customers"]


class TestWhatTheLogSays:
    def test_start_then_pairs_of_intent_and_done_then_end(self, firm: Firm) -> None:
        before = firm.types()
        firm.purge(batch_size=2)
        said = " ".join(firm.types()[len(before) :])
        assert re.fullmatch(r"purge\.start( purge\.intent purge\.done){2,} purge\.end", said)

    def test_the_counts_of_the_batches_add_up_to_the_end(self, firm: Firm) -> None:
        firm.purge(batch_size=1)
        total: dict[str, int] = {}
        for intent, done in zip(firm.of_type("purge.intent"), firm.of_type("purge.done"), strict=True):
            assert {k: intent.fields[k] for k in ("run", "batch", "root", "rows")} == dict(done.fields)
            for name, count in done.fields["rows"].items():  # type: ignore[attr-defined]
                total[name] = total.get(name, 0) + count
        end = firm.the("purge.end").fields
        assert end["rows"] == total == ERASED
        assert (end["subjects"], end["undecidable"], end["held"]) == (
            4,
            {"call": 1},
            firm.purge(dry_run=True).held,
        )
        assert (end["result"], end["confirm"]) == ("complete", 0)

    def test_the_start_names_the_moment_and_the_policy(self, firm: Firm) -> None:
        run = firm.purge().run
        start = firm.the("purge.start").fields
        assert start == {
            "run": run,
            "as_of": "2026-11-23T02:00:00Z",
            "policy": firm.policy.sha256,
            "dry": False,
            "confirm": 0,
        }

    def test_the_leaves_have_the_root_of_the_intent(self, firm: Firm) -> None:
        firm.purge(batch_size=2)
        for intent in firm.of_type("purge.intent"):
            path = firm.log.home.leaves(str(intent.fields["batch"]))
            assert path is not None
            leaves = read_leaves(path)
            assert root(leaves) == intent.fields["root"]
            assert len(leaves) == sum(intent.fields["rows"].values())  # type: ignore[attr-defined]

    def test_every_erased_row_is_in_one_batch_and_no_other_row_is(self, firm: Firm) -> None:
        before = firm.tables()
        firm.purge(batch_size=2)
        assert_log_and_database_agree(firm, before)

    def test_the_checkpoint_covers_all_and_nothing_is_left_pending(self, firm: Firm) -> None:
        firm.purge()
        firm.assert_settled()

    def test_a_night_in_which_nothing_is_due_is_logged_too(self, tmp_path: Path) -> None:
        firm = Firm.open(tmp_path, rows="")
        firm.purge()
        assert firm.types()[-2:] == ["purge.start", "purge.end"]
        assert firm.the("purge.end").fields["rows"] == {}
        firm.assert_settled()

    def test_nothing_personal_stands_in_the_log(self, firm: Firm) -> None:
        firm.purge(batch_size=1)
        text = firm.log.home.log.read_text(encoding="utf-8")
        for personal in ("Street", "noise", "motor", "Seven", "2014-05-01"):
            assert personal not in text

    def test_an_audit_passes_afterwards(self, firm: Firm) -> None:
        firm.sql("DELETE FROM calls WHERE id = 6")  # undecidable: an audit's warning, not a purge's
        firm.purge()
        result = firm.audit(NOW + DAY / 24)
        assert codes(result, "error") == set()
        assert result.verdict == "pass"


class TestDryRun:
    def test_it_writes_nothing_anywhere(self, firm: Firm) -> None:
        firm.hold(1)
        before = firm.files()
        firm.purge(dry_run=True)
        assert firm.files() == before

    def test_it_needs_no_right_to_write(self, firm: Firm) -> None:
        firm.engine = connect(f"sqlite:///{firm.database}", write=False)
        assert firm.purge(dry_run=True).erased == ERASED

    def test_it_says_what_the_purge_then_does(self, firm: Firm) -> None:
        firm.hold(3)
        said, done = firm.purge(dry_run=True), firm.purge(batch_size=1)
        assert said.dry_run
        assert said.erased == done.erased
        assert said.subjects_affected == done.subjects_affected
        assert (said.held, said.undecidable) == (done.held, done.undecidable)


CHAIN = """
INSERT INTO customers SELECT value, 'Name', '2014-05-01' FROM json_each('[1,2,3,4,5]');
"""


class TestDueOnlyTogether:
    """Foreign keys across subjects, one subject in a batch."""

    def purge(self, tmp_path: Path, calls: str) -> Firm:
        firm = Firm.open(tmp_path, rows=CHAIN)
        firm.script(f"INSERT INTO calls (id, customer_id, received_at, follows) VALUES {calls}")
        before = firm.tables()
        result = firm.purge(batch_size=1)
        assert_log_and_database_agree(firm, before)
        firm.assert_settled()
        assert result.subjects_affected == len(before["customers"]) - len(firm.tables()["customers"])
        return firm

    def test_two_subjects_whose_calls_refer_to_each_other_go_together(self, tmp_path: Path) -> None:
        firm = self.purge(tmp_path, "(1, 1, '2015-01-01', 2), (2, 2, '2015-01-01', 1)")
        assert firm.tables()["customers"] == firm.tables()["calls"] == {}

    def test_a_ring_of_five_goes_together(self, tmp_path: Path) -> None:
        ring = "(1,1,'2015-01-01',2), (2,2,'2015-01-01',3), (3,3,'2015-01-01',4), (4,4,'2015-01-01',5)"
        firm = self.purge(tmp_path, f"{ring}, (5,5,'2015-01-01',1)")
        assert firm.tables()["customers"] == firm.tables()["calls"] == {}

    @pytest.mark.parametrize("step", [1, -1])
    def test_a_chain_goes_in_either_direction(self, tmp_path: Path, step: int) -> None:
        follows = {n: n + step if 1 <= n + step <= 5 else None for n in range(1, 6)}
        calls = ", ".join(f"({n},{n},'2015-01-01',{f or 'NULL'})" for n, f in follows.items())
        firm = self.purge(tmp_path, calls)
        assert firm.tables()["customers"] == firm.tables()["calls"] == {}

    def test_a_ring_with_a_call_that_stays_stays_with_all_that_it_refers_to(self, tmp_path: Path) -> None:
        ring = "(1,1,'2015-01-01',2), (2,2,'2015-01-01',3), (3,3,'2026-01-01',1), (4,4,'2015-01-01',NULL)"
        firm = self.purge(tmp_path, ring)
        assert set(firm.tables()["calls"]) == {1, 2, 3}
        assert set(firm.tables()["customers"]) == {1, 2, 3}

    @pytest.mark.parametrize("card", ["'1'", "NULL"])
    def test_who_is_in_two_passes_counts_once_and_waits_for_the_log(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: str
    ) -> None:
        """The first pass erases a card of each, the second all that is due only together: once the log knows."""
        outcome = Announcements.outcome

        def slowly(*arguments: Any, **more: str) -> None:
            time.sleep(0.1)
            outcome(*arguments, **more)

        monkeypatch.setattr(Announcements, "outcome", slowly)
        firm = Firm.open(tmp_path, rows=CHAIN)
        firm.script(
            f"INSERT INTO payments VALUES (1, 1, '2019-01-01', {card}, 'x'), (2, 2, '2019-01-01', '2', 'x'); "
            "INSERT INTO calls (id, customer_id, received_at, follows) VALUES "
            "(1, 1, '2015-01-01', NULL), (2, 2, '2015-01-01', 1)"
        )
        before = firm.tables()
        result = firm.purge(batch_size=1)
        assert_log_and_database_agree(firm, before)
        assert firm.tables()["customers"] == firm.tables()["calls"] == {}
        assert result.result == "complete"
        assert result.subjects_affected == len(before["customers"])


class TestMeanwhile:
    """What an operator changes after the first look at the database, before a batch's own."""

    def with_change(self, firm: Firm, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
        listed = Batches.listed

        def changed_before(batches: Batches, chunk: Chunk) -> float:
            operator = other_connection(firm)
            operator.execute(statement)
            operator.close()
            return listed(batches, chunk)

        monkeypatch.setattr(purge_module.Batches, "listed", changed_before)

    def test_a_new_call_keeps_its_customer(self, firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
        self.with_change(
            firm, monkeypatch, "INSERT OR IGNORE INTO calls VALUES (50, 7, '2026-11-23 01:59:00', 'x', NULL)"
        )
        before = firm.tables()
        result = firm.purge()
        after = firm.tables()
        assert {7} <= set(after["customers"])
        assert {8, 50} <= set(after["calls"])
        assert result.erased == {**ERASED, "customer": 2, "call": 3}
        assert set(before["customers"]) - set(after["customers"]) == {1, 3}
        firm.assert_settled()

    def test_a_customer_who_is_corrected_into_keeping_stays(
        self, firm: Firm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.with_change(firm, monkeypatch, "UPDATE customers SET registered_at = '2026-11-01' WHERE id = 1")
        firm.purge(batch_size=1)
        assert firm.tables()["customers"][1][1] == "One"

    def test_rows_that_somebody_else_deleted_are_not_counted(
        self, firm: Firm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.with_change(firm, monkeypatch, "DELETE FROM calls WHERE id = 8")
        assert firm.purge().erased == {**ERASED, "call": 3}
        firm.assert_settled()


def test_a_policy_that_erases_little_leaves_the_rest(tmp_path: Path) -> None:
    kept = POLICY.replace(
        "keep: {for: 3 years, after: registered_at}", "keep: {for: 30 years, after: registered_at}"
    )
    firm = Firm.open(tmp_path, policy=kept)
    before = firm.tables()
    firm.purge()
    assert firm.tables()["customers"] == before["customers"]
    assert firm.tables()["payments"][3] == (3, 3, "2022-02-01 10:00:00", None, "Three")


def test_midnight_is_the_one_of_the_policys_zone(tmp_path: Path) -> None:
    """23:30 UTC in July is the next day in London, so what had its last day is due."""
    firm = Firm.open(
        tmp_path,
        rows="INSERT INTO customers VALUES (1, 'One', '2023-07-01 12:00:00'), (2, 'Two', '2023-07-02 12:00:00');",
        now=at("2026-07-01", "23:30"),
    )
    assert firm.purge(at("2026-07-01", "22:59")).erased == {}
    assert firm.purge(at("2026-07-01", "23:30")).erased == {"customer": 1}
    assert set(firm.tables()["customers"]) == {2}

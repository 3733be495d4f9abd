"""What gets in a batch's way: a hold, a trigger, a foreign key."""

from __future__ import annotations

from pathlib import Path

import pytest
from purge_office import DAY, NOW, Firm, after_the_purge, hold_before_the_first_intent

from staffords_gdpr.errors import DatabaseError, GdprError
from staffords_gdpr.operations.purge.batches import Batches, Done
from staffords_gdpr.progress import NoProgress
from staffords_gdpr.retention.bulk import Chunk


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm.open(tmp_path)


def test_a_hold_that_comes_after_the_selection_is_respected(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Batches.listed

    def held_before(batches: Batches, chunk: Chunk) -> Done:
        firm.hold(1)
        return listed(batches, chunk)

    monkeypatch.setattr(Batches, "listed", held_before)
    firm.purge()
    assert 1 in firm.tables()["customers"]
    assert 7 not in firm.tables()["customers"]
    assert not firm.of_type("purge.aborted")
    firm.assert_settled()


def test_a_hold_that_comes_just_before_the_intent_aborts_the_batch(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_before_the_first_intent(firm, monkeypatch, 1)
    before = firm.tables()
    firm.purge()
    aborted = firm.the("purge.aborted").fields
    assert aborted["code"] == "hold"
    after = firm.tables()
    for table in ("customers", "products", "calls", "repairs", "consignments", "payments"):
        assert after[table][1] == before[table][1]
    assert 7 not in after["customers"]
    assert aborted["batch"] not in [entry.fields["batch"] for entry in firm.of_type("purge.done")]
    firm.assert_settled()


def test_of_a_batch_in_which_subjects_have_changed_only_these_are_decided_anew(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ", ".join(f"({key}, 'More', '2014-05-01 10:00:00')" for key in range(101, 133))
    firm.sql(f"INSERT INTO customers VALUES {more}")
    firm.sql(
        "INSERT INTO calls SELECT id, id, '2015-01-01 10:00:00', 'noise', NULL FROM customers WHERE id > 100"
    )
    changed, anew = [], []
    listed, subjects = Batches.listed, Batches.subjects

    def changed_before(batches: Batches, chunk: Chunk) -> Done:
        if not changed:
            firm.sql("UPDATE calls SET received_at = '2026-11-22 10:00:00' WHERE id IN (104, 117)")
        changed.append(chunk)
        return listed(batches, chunk)

    def decided(batches: Batches, chunk: Chunk) -> Done:
        anew.append(len(chunk))
        return subjects(batches, chunk)

    monkeypatch.setattr(Batches, "listed", changed_before)
    monkeypatch.setattr(Batches, "subjects", decided)
    result = firm.purge(confirm=40)
    assert result.result == "complete"
    assert {key for key in firm.tables()["customers"] if key > 100} == {104, 117}
    assert len(changed) == 1
    assert anew == [2]
    intents = [entry.fields["subjects"] for entry in firm.of_type("purge.intent")]
    alone = 3  # rows without a subject
    assert result.subjects_affected == sum(intents) - alone
    firm.assert_settled()


@pytest.mark.parametrize("batch_size", [1, 3, 500])
def test_whatever_has_changed_of_all_of_them_the_count_of_what_is_left_ends_at_none(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    listed, sizes, labels, left = Batches.listed, [], [], []

    def changed_before(batches: Batches, chunk: Chunk) -> Done:
        if not sizes:
            firm.sql("UPDATE calls SET reason = 'asked again', received_at = '2026-11-22 10:00:00'")
        sizes.append(len(chunk))
        return listed(batches, chunk)

    class Counting(NoProgress):
        def start(self, label: str, total: int | None) -> None:
            left.append(total or 0)
            labels.append(label)

        def advance(self, amount: int = 1) -> None:
            left[-1] -= amount

    monkeypatch.setattr(Batches, "listed", changed_before)
    result = firm.purge(batch_size=batch_size, progress=Counting())
    assert (result.result, result.left, result.put_off) == ("complete", 0, 0)
    assert sizes
    assert [rest for label, rest in zip(labels, left, strict=True) if label == "Erasing"] == [0]
    firm.assert_settled()


TRIGGERS = {
    "blocks": "CREATE TRIGGER t BEFORE DELETE ON calls WHEN old.id = 8 BEGIN SELECT RAISE(IGNORE); END",
    "deletes more": "CREATE TRIGGER t AFTER DELETE ON calls WHEN old.id = 1 BEGIN DELETE FROM calls WHERE id = 8; END",
    "blocks an update": "CREATE TRIGGER t BEFORE UPDATE ON payments BEGIN SELECT RAISE(IGNORE); END",
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_row_count_that_differs_from_the_plan_rolls_the_batch_back(firm: Firm, trigger: str) -> None:
    firm.sql("DELETE FROM calls WHERE id = 9")
    firm.sql("DELETE FROM payments WHERE customer_id IS NULL")
    firm.sql("DELETE FROM consignments WHERE id = 4")
    firm.sql("DELETE FROM repairs WHERE id = 3")
    firm.sql(TRIGGERS[trigger])
    firm.approve(NOW)
    before = firm.tables()
    with pytest.raises(GdprError, match="rolled back") as caught:
        firm.purge()
    assert "trigger" in caught.value.hint
    assert caught.value.__notes__ == ["Until then 0 of 16 erasures were done; the log has them."]
    assert firm.tables() == before
    assert firm.the("purge.aborted").fields["code"] == "row-count"
    assert firm.the("purge.end").fields["result"] == "stopped"
    assert firm.the("purge.end").fields["rows"] == {}
    firm.assert_settled()


def test_once_the_trigger_is_gone_all_of_it_is_erased(firm: Firm) -> None:
    before = firm.tables()
    firm.sql(TRIGGERS["blocks"])
    firm.approve(NOW)
    with pytest.raises(GdprError):
        firm.purge()
    firm.sql("DROP TRIGGER t")
    firm.approve(NOW + DAY / 48)
    firm.purge(NOW + DAY / 24)
    assert firm.tables() == after_the_purge(before)


def test_a_trigger_that_refuses_is_an_answer_of_the_database(firm: Firm) -> None:
    firm.sql("CREATE TRIGGER t BEFORE DELETE ON customers BEGIN SELECT RAISE(ABORT, 'no deleting'); END")
    firm.approve(NOW)
    with pytest.raises(DatabaseError):
        firm.purge()
    assert firm.the("purge.aborted").fields["code"] == "database"
    assert 1 in firm.tables()["customers"]
    firm.assert_settled()


@pytest.mark.parametrize(
    "trigger",
    [
        # a row that refers to one to be erased: no plan can know of it
        "CREATE TRIGGER t AFTER DELETE ON calls WHEN old.id = 8 BEGIN INSERT INTO notes VALUES (1, 7); END;",
        # a row that nobody named goes too
        "INSERT INTO notes VALUES (5, NULL); CREATE TRIGGER t AFTER DELETE ON calls BEGIN DELETE FROM notes; END;",
        # what was anonymised is put back
        """CREATE TRIGGER t AFTER UPDATE OF card ON payments WHEN new.card IS NULL
        BEGIN UPDATE payments SET card = old.card WHERE id = new.id; END;""",
    ],
)
def test_a_batch_in_which_more_or_less_changes_than_planned_is_rolled_back(firm: Firm, trigger: str) -> None:
    firm.script(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id));" + trigger
    )
    firm.approve(NOW)
    before = firm.tables()
    with pytest.raises(GdprError, match="rolled back"):
        firm.purge()
    assert firm.the("purge.aborted").fields["code"] == "row-count"
    assert firm.tables()["customers"] == before["customers"]
    assert firm.tables()["notes"] == before["notes"]
    firm.assert_settled()


def test_news_is_an_undecidable_row_more_than_last_time(firm: Firm) -> None:
    assert not firm.purge().has_news
    assert not firm.purge(NOW + DAY).has_news
    firm.customer(60, "2099-01-01")
    assert firm.purge(NOW + 2 * DAY).has_news
    assert not firm.purge(NOW + 3 * DAY).has_news

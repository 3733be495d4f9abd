"""A rehearsal: some nights on which a firm watches what a purge would erase. Nothing takes it for an erasure."""

from __future__ import annotations

from pathlib import Path

import pytest
from purge_office import DAY, ERASED, NOW, Firm, after_the_purge

from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import BrakeError
from staffords_gdpr.operations.history import read_history
from staffords_gdpr.operations.status import status


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm.open(tmp_path)


def test_it_erases_nothing_and_logs_what_a_purge_then_erases(firm: Firm) -> None:
    before, said = firm.tables(), firm.purge(dry_run=True)
    writing, firm.engine = firm.engine, connect(f"sqlite:///{firm.database}", write=False)

    result = firm.purge(rehearsal=True)

    assert (result.rehearsal, result.dry_run, result.erased) == (True, False, said.erased)
    assert firm.tables() == before
    entry = firm.the("purge.rehearsed").fields
    assert (entry["would_erase"], entry["subjects"]) == (ERASED, result.subjects_affected)
    assert firm.types()[-1] == "purge.rehearsed"
    assert not {"purge.start", "purge.intent", "purge.done", "purge.end"} & set(firm.types())
    firm.assert_settled()

    firm.engine = writing
    assert firm.purge(NOW + DAY / 24).erased == ERASED
    assert firm.tables() == after_the_purge(before)


def test_nights_of_it_keep_no_promise(firm: Firm) -> None:
    for night in range(3):
        firm.purge(NOW + night * DAY, rehearsal=True)
    now = NOW + 3 * DAY
    history = read_history(firm.log.entries())
    assert not history.runs
    assert len(history.rehearsals) == 3
    found = status(firm.policy, firm.engine, firm.log, now=now, rehearsal=True)
    assert found.last_purge is None
    assert found.purge.late
    assert "Nothing is being erased" in found.rehearsal
    findings = {each.code: each for each in firm.audit(now).findings}
    assert findings["purge_never"].severity == "error"
    assert (findings["purge_rehearsed"].count, findings["purge_rehearsed"].severity) == (3, "warning")


def test_brakes_refuse_in_it_too_and_a_word_is_for_rehearsals_only(firm: Firm) -> None:
    for number in range(100, 130):
        firm.customer(number, "2014-05-01 10:00:00")
    with pytest.raises(BrakeError, match="need a person's word"):
        firm.purge(rehearsal=True)
    assert firm.the("purge.refused").fields["brake"] == "too-many"
    firm.purge(NOW + DAY / 24, rehearsal=True, confirm=50)
    firm.purge(NOW + DAY, rehearsal=True)
    with pytest.raises(BrakeError):
        firm.purge(NOW + DAY + DAY / 24)
    firm.purge(NOW + DAY + DAY / 12, confirm=60)
    for number in range(200, 230):
        firm.customer(number, "2014-05-01 10:00:00")
    with pytest.raises(BrakeError):
        firm.purge(NOW + DAY + DAY / 8, rehearsal=True)


def test_the_first_purge_after_it_compares_with_what_it_saw(firm: Firm) -> None:
    firm.purge(rehearsal=True)
    firm.customer(60, "2099-01-01")
    assert firm.purge(NOW + DAY).undecidable_grew == {"customer": 1}


def test_held_rows_that_grow_are_told_but_are_no_news(firm: Firm) -> None:
    first = firm.purge()
    assert (first.held_before, first.held_grew) == (None, 0)
    firm.sql("INSERT INTO products VALUES (50, 4, '2016-01-01')")
    firm.sql("INSERT INTO repairs VALUES (50, 4, 50, NULL, 'open')")
    again = firm.purge(NOW + DAY / 24)
    assert again.held_grew == 1
    assert again.held_why["repair"] == {"open work": 1}
    assert not again.has_news

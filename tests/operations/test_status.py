"""Status: how things stand, and when monitoring must be told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from office import DIRECTOR, MANAGER, Office, at

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.errors import LogBrokenError, UsageError
from staffords_gdpr.operations import actions, holds
from staffords_gdpr.operations.sign import sign
from staffords_gdpr.operations.status import StatusResult, status
from staffords_gdpr.render.status import data, page
from staffords_gdpr.render.tables import plain


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office.build(tmp_path, now=at("2026-11-01"))


def look(office: Office, now: dt.datetime) -> StatusResult:
    return status(office.policy, office.engine, office.log, now=now)


def test_all_is_well_the_day_after_a_purge_and_late_a_day_later(office: Office) -> None:
    office.logged_purge(at("2026-11-10", "02:00"))
    well = look(office, at("2026-11-11", "23:59"))
    assert (well.exit_code, well.problems) == (0, ())
    assert well.purge.last == dt.date(2026, 11, 10)
    assert well.purge.next_due == dt.date(2026, 11, 11)
    late = look(office, at("2026-11-12", "00:01"))
    assert late.exit_code == 3
    assert "A purge was owed by 2026-11-11" in late.problems[0]


def test_days_are_those_of_the_policys_zone(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=at("2027-07-01"))
    office.logged_purge(at("2027-07-10", "02:00"))
    assert look(office, at("2027-07-11", "22:59")).exit_code == 0
    assert look(office, at("2027-07-11", "23:01")).exit_code == 3  # past midnight in London


def test_before_the_first_purge_time_counts_from_the_approval(office: Office) -> None:
    assert look(office, at("2026-11-02")).exit_code == 0
    assert look(office, at("2026-11-03")).exit_code == 3


def test_an_installation_that_was_never_approved_is_late_too(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=at("2026-11-01"), approved=False)
    fresh = look(office, at("2026-11-01"))
    assert (fresh.exit_code, fresh.approved, fresh.purge.late) == (3, False, False)
    assert "No director has approved" in fresh.problems[1]
    assert look(office, at("2026-11-03")).purge.late


def test_a_purge_that_is_certain_to_refuse_is_exit_3_before_it_is_late(office: Office) -> None:
    assert look(office, at("2026-11-01")).exit_code == 0
    behind = look(office, at("2026-10-31"))
    assert (behind.exit_code, behind.refuses, behind.purge.late) == (3, ("clock-behind",), False)
    assert behind.problems[0] == "The next purge will refuse (brake clock-behind)."
    assert "clock says 2026-10-31" in behind.problems[1]
    office.change_policy("The policy of a test", "The policy of a tester")
    changed = look(office, at("2026-11-01"))
    assert (changed.exit_code, changed.refuses) == (3, ("policy-changed",))
    office.approve(at("2026-11-01"))
    assert look(office, at("2026-11-01")).exit_code == 0


def test_only_a_schema_that_the_policy_rests_on_makes_the_next_purge_refuse(office: Office) -> None:
    office.sql("CREATE TABLE weather (day DATE)")
    assert look(office, at("2026-11-01")).exit_code == 0
    office.sql("CREATE TABLE notes (customer_id INTEGER REFERENCES customers(id), words TEXT)")
    assert look(office, at("2026-11-01")).refuses == ("schema-changed",)


def test_a_purge_that_stopped_half_way_does_not_count(office: Office) -> None:
    office.logged_purge(at("2026-11-09", "02:00"))
    office.logged_purge(at("2026-11-10", "02:00"), result="stopped")
    late = look(office, at("2026-11-11"))
    assert late.exit_code == 3
    assert late.last_purge is not None
    assert late.last_purge.started == at("2026-11-09", "02:00")


def test_a_rehearsal_is_said_first_and_counts_for_no_purge(office: Office) -> None:
    office.logged_purge(at("2026-11-09", "02:00"))
    office.log.append(
        "purge.rehearsed",
        {
            "run": "r2", "as_of": at("2026-11-10", "02:00"), "policy": office.policy.sha256, "subjects": 4,
            "would_erase": {"call": 5, "customer": 4, "call.text": 1}, "undecidable": {}, "held": 0, "confirm": 0,
        },
        now=at("2026-11-10", "02:00"),
    )  # fmt: skip
    live = look(office, at("2026-11-10"))
    assert (live.exit_code, live.rehearsal, data(live)["mode"]) == (0, "", "live")
    late = status(office.policy, office.engine, office.log, now=at("2026-11-11"), rehearsal=True)
    assert (late.exit_code, data(late)["mode"]) == (3, "rehearsal")
    assert "Nothing waits" not in plain(page(late, office.policy))
    assert plain(page(late, office.policy)).splitlines()[0] == (
        'REHEARSAL (mode = "rehearsal" in gdpr.toml): Nothing is being erased. '
        "The last rehearsal, on 2026-11-10, would have erased 9 rows and 1 step of anonymising."
    )


@pytest.mark.parametrize("result", ["complete", "max-runtime"])
def test_a_refused_purge_waits_for_a_person_until_one_has_begun(tmp_path: Path, result: str) -> None:
    office = Office.build(tmp_path, now=at("2026-07-01"))
    seen = {"affected": 90, "total": 100, "limit": 20}
    office.log.append(
        "purge.refused", {"run": "r1", "brake": "too-many", "seen": seen}, now=at("2026-07-01", "23:30")
    )  # which is past midnight in London
    assert "refused on 2026-07-02 (brake too-many)" in look(office, at("2026-07-02", "00:30")).problems[0]
    office.logged_purge(at("2026-07-02", "01:00"), result)
    assert look(office, at("2026-07-02", "09:00")).problems == ()


def test_a_changed_policy_or_schema_is_a_problem(office: Office) -> None:
    office.sql("ALTER TABLE calls ADD COLUMN mood TEXT")
    (problem,) = look(office, at("2026-11-01")).problems
    assert "column calls.mood is new" in problem
    assert status(office.policy, None, office.log, now=at("2026-11-01")).problems == ()
    office.change_policy("The policy of a test", "The policy of a tester")
    _, problem = status(office.policy, None, office.log, now=at("2026-11-01")).problems
    assert "policy file has changed" in problem


def test_what_waits_for_a_person_is_shown_until_it_is_done(office: Office) -> None:
    now = at("2026-11-01", "12:00")
    made = office.audit(now)
    assert made.entry is not None
    opened = actions.open_action(
        office.log, of=made.entry.seq, code="training", due=dt.date(2026, 11, 1), now=now
    )
    (waiting,) = look(office, now).unsigned
    assert waiting.missing == (MANAGER, DIRECTOR)
    assert [each.action for each in look(office, now).open_actions] == [opened.action]
    for role in (MANAGER, DIRECTOR):
        sign(office.log, key=office.key(role), role=role, now=now)
    assert look(office, now).unsigned == ()
    assert any("past the date" in each for each in look(office, at("2026-11-02")).problems)
    actions.close_action(office.log, action=opened.action, key=office.key(MANAGER), now=now)
    assert look(office, at("2026-11-02")).problems == ()
    with pytest.raises(UsageError, match="was closed"):
        actions.close_action(office.log, action=opened.action, key=office.key(MANAGER), now=now)


def test_an_intent_without_an_outcome_is_shown(office: Office) -> None:
    batch = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    fields = {"run": "r", "batch": batch, "root": "0" * 64, "rows": {"call": 3}, "subjects": 1}
    office.log.append("purge.intent", fields, now=at("2026-11-01", "10:00"))
    result = look(office, at("2026-11-01", "11:00"))
    assert result.dangling == (batch,)
    assert "gdpr purge" in result.problems[0]


@pytest.mark.parametrize(("day", "late"), [("2027-05-01", False), ("2027-05-02", True)])
def test_the_next_audit_is_owed_six_months_after_the_approval(office: Office, day: str, late: bool) -> None:
    result = look(office, at(day))
    assert result.audit.next_due == dt.date(2027, 5, 1)
    assert result.audit.late is late


def test_status_writes_nothing(office: Office) -> None:
    before = {path: path.read_bytes() for path in office.folder.rglob("*") if path.is_file()}
    look(office, at("2026-11-20"))
    assert {path: path.read_bytes() for path in office.folder.rglob("*") if path.is_file()} == before


def test_status_refuses_a_log_that_does_not_verify(office: Office) -> None:
    log = office.log.home.log
    log.write_bytes(log.read_bytes().replace(b"policy.approve", b"policy.approvd"))
    office.log = open_log(office.log.home)
    with pytest.raises(LogBrokenError):
        look(office, at("2026-11-01"))


def test_a_hold_names_its_subject_in_the_secret_folder_only(office: Office) -> None:
    now, today = at("2026-11-01"), dt.date(2026, 11, 1)
    subject = ("ZEBEDEE-77",)
    hold = holds.add(
        office.log, subject=subject, reason="claim", look_again=dt.date(2026, 12, 1), now=now, today=today
    )
    assert holds.current_holds(office.log) == frozenset({subject})
    for path in office.log.home.audit.rglob("*"):
        assert not path.is_file() or b"ZEBEDEE" not in path.read_bytes()
    with pytest.raises(UsageError, match="on hold already"):
        holds.add(
            office.log, subject=subject, reason="claim", look_again=dt.date(2026, 12, 1), now=now, today=today
        )
    holds.release(office.log, hold=hold.hold, now=now)
    assert holds.current_holds(office.log) == frozenset()
    assert b"ZEBEDEE" not in (office.log.home.secret / "holds.json").read_bytes()


def test_a_hold_is_named_from_the_day_after_its_review_date(office: Office) -> None:
    day = dt.date(2026, 11, 2)
    now, today = at("2026-11-01"), dt.date(2026, 11, 1)
    added = [
        holds.add(office.log, subject=(n,), reason="claim", look_again=until, now=now, today=today)
        for n, until in ((1, day), (2, dt.date(2999, 1, 1)))
    ]
    office.logged_purge(at("2026-11-02", "02:00"))
    assert (look(office, at("2026-11-02")).stale_holds, look(office, at("2026-11-02")).problems) == ((), ())
    office.logged_purge(at("2026-11-03", "02:00"))
    result = look(office, at("2026-11-03"))
    assert result.problems == (
        f"1 legal hold to be looked at again: {added[0].hold} (since 2026-11-02). See gdpr hold list.",
    )
    assert [hold["review_due"] for hold in data(result)["open_holds"]] == [True, False]  # type: ignore[attr-defined]
    assert result.exit_code == 0


def test_a_hold_that_was_taken_out_or_given_to_another_stops_everything_that_asks_for_holds(
    office: Office,
) -> None:
    now, today = at("2026-11-01"), dt.date(2026, 11, 1)
    holds.add(office.log, subject=(7,), reason="claim", look_again=dt.date(2026, 12, 1), now=now, today=today)
    path = office.log.home.secret / "holds.json"
    text = path.read_text(encoding="utf-8")
    for changed in ("{}", text.replace("7", "8", 1)):
        path.write_text(changed, encoding="utf-8")
        with pytest.raises(holds.HoldMissingError):
            holds.current_holds(office.log)
    path.write_text(text, encoding="utf-8")
    assert holds.current_holds(office.log) == frozenset({(7,)})


@pytest.mark.parametrize(
    ("reason", "look_again", "words"),
    [
        ("Mr Quill", dt.date(2026, 12, 1), "no reason code"),
        ("claim", dt.date(2026, 11, 1), "not in the future"),
    ],
)
def test_a_hold_with_a_name_as_its_reason_or_no_day_to_come_is_refused(
    office: Office, reason: str, look_again: dt.date, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        holds.add(
            office.log,
            subject=(7,),
            reason=reason,
            look_again=look_again,
            now=at("2026-11-01"),
            today=dt.date(2026, 11, 1),
        )
    assert "hold.add" not in office.types()

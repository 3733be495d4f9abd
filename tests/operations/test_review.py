"""The review: what changed, the questions, the changes deemed necessary, and the approval at its end."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from office import DIRECTOR, MANAGER, Office, at, codes

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.errors import LockedError, UsageError
from staffords_gdpr.operations.review import ReviewResult, prepare, review
from staffords_gdpr.operations.review.answers import Change, read_answers, replies
from staffords_gdpr.operations.setup import new_keys
from staffords_gdpr.operations.sign import sign
from staffords_gdpr.render.certificate import review_report

NOW = at("2026-11-10")
ANSWERS = {
    "Do third parties still handle data as agreed?": "Yes, asked both couriers.",
    "Was everybody trained?": "All but two.",
}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office.build(tmp_path, now=at("2026-11-01"))
    office.nightly("2026-11-02", "2026-11-10")
    return office


def reviewed(
    office: Office,
    now: dt.datetime = NOW,
    *,
    answers: Mapping[str, str] = ANSWERS,
    changes: tuple[Change, ...] = (),
    key: str = DIRECTOR,
    role: str = DIRECTOR,
) -> ReviewResult:
    return review(
        office.policy,
        office.engine,
        office.log,
        answers=answers,
        changes=changes,
        key=office.key(key),
        role=role,
        now=now,
        write_report=review_report,
    )


def test_a_review_logs_its_hashes_signs_and_approves(office: Office) -> None:
    result = reviewed(office)
    assert office.types()[-3:] == ["review", "signoff", "policy.approve"]
    fields = result.entry.fields
    assert (fields["period"], fields["changes"]) == ("2026", 0)
    assert fields["report"] == hashlib.sha256(result.report.read_bytes()).hexdigest()
    answers = result.report.parent / "answers.json"
    assert fields["answers"] == hashlib.sha256(answers.read_bytes()).hexdigest()
    assert result.sign_off.complete
    assert result.approval.policy_sha256 == office.policy.sha256
    assert verify(office.log.home).ok


def test_a_review_approves_a_policy_that_was_changed(office: Office) -> None:
    office.change_policy("The policy of a test", "The policy of a tester")
    assert "policy_changed" in codes(office.audit(NOW))
    reviewed(office)
    assert "policy_changed" not in codes(office.audit(NOW))


def test_changes_deemed_necessary_become_actions_and_their_words_stay_out_of_the_log(office: Office) -> None:
    changes = (Change("Ask Mrs Zebedee to train the night shift", dt.date(2027, 1, 31)),)
    result = reviewed(office, changes=changes)
    (opened,) = [entry for entry in office.log.entries() if entry.type == "action.open"]
    assert opened.fields["due"] == "2027-01-31"
    assert opened.fields["of"] == result.entry.seq
    assert result.entry.fields["changes"] == 1
    assert b"Zebedee" not in office.log.home.log.read_bytes()
    report = result.report.read_text(encoding="utf-8")
    assert "> Ask Mrs Zebedee to train the night shift" in report
    assert str(opened.fields["action"]) in report


def test_every_question_without_an_answer_is_named_and_nothing_is_written(office: Office) -> None:
    before = office.types()
    with pytest.raises(UsageError) as caught:
        reviewed(office, answers={"Was everybody trained?": "  ", "And the weather?": "Fine."})
    assert caught.value.message.splitlines() == [
        "no answer to: Do third parties still handle data as agreed?",
        "no answer to: Was everybody trained?",
        "the policy does not ask: And the weather?",
    ]
    assert office.types() == before
    assert list(office.log.home.reviews.iterdir()) == []


def test_only_a_director_reviews(office: Office) -> None:
    before = office.types()
    with pytest.raises(UsageError, match="may not review"):
        reviewed(office, key=MANAGER, role=MANAGER)
    with pytest.raises(UsageError, match="is enrolled as call-centre-manager"):
        reviewed(office, key=MANAGER)
    assert office.types() == before


def test_an_action_that_is_due_in_the_past_is_refused_and_one_due_today_is_not(office: Office) -> None:
    with pytest.raises(UsageError, match="2026-11-09"):
        reviewed(office, changes=(Change("Too late", dt.date(2026, 11, 9)),))
    assert "review" not in office.types()
    assert len(reviewed(office, changes=(Change("At once", dt.date(2026, 11, 10)),)).actions) == 1


def test_the_material_tells_what_happened_since_the_last_review(office: Office) -> None:
    reviewed(office)
    assert prepare(office.policy, office.engine, office.log, now=NOW).changes == ()
    office.sql("ALTER TABLE calls ADD COLUMN mood TEXT")
    office.change_policy("The policy of a test", "The policy of a tester")
    new_keys(
        office.log,
        role=MANAGER,
        path=office.folder / "new.key",
        passphrase=None,
        by=office.key(DIRECTOR),
        now=NOW,
    )
    office.nightly("2026-11-11", "2026-11-12")
    office.log.append(
        "purge.refused", {"run": "r", "brake": "share", "seen": {}}, now=at("2026-11-13", "02:00")
    )
    office.logged_purge(at("2026-11-14", "02:00"))
    office.audit(at("2026-11-14"))
    sign(office.log, key=office.key(MANAGER), role=MANAGER, now=at("2026-11-14"))
    material = prepare(office.policy, office.engine, office.log, now=at("2026-11-14"))
    assert material.since == NOW
    assert len(material.changes) == 2
    assert material.people_added == {MANAGER: 1}
    assert (material.purges_completed, material.purges_refused, material.purges_missed) == (3, 1, 1)
    (audit,) = material.audits
    assert (audit.verdict, audit.signed_by) == ("fail", (MANAGER,))
    assert audit.findings["purge_missed"] == 1


def test_a_change_that_was_approved_between_reviews_is_shown_at_the_next(office: Office) -> None:
    reviewed(office)
    office.change_policy("The policy of a test", "The policy of a tester")
    office.approve(at("2026-11-11"))
    (change,) = prepare(office.policy, office.engine, office.log, now=at("2026-11-12")).changes
    assert "policy file has changed" in change


def test_rows_that_a_batch_erased_are_counted_only_once_they_are_gone(office: Office) -> None:
    fields = {"run": "r", "batch": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "root": "0" * 64, "rows": {"call": 3}}
    office.log.append("purge.intent", {**fields, "subjects": 1}, now=NOW)
    assert prepare(office.policy, office.engine, office.log, now=NOW).erased == {}
    office.log.append("purge.aborted", {**fields, "code": "row-count"}, now=NOW)
    assert prepare(office.policy, office.engine, office.log, now=NOW).erased == {}


def test_a_second_review_in_a_year_gets_a_folder_of_its_own(office: Office) -> None:
    first, second = reviewed(office), reviewed(office, at("2026-12-31"))
    third = reviewed(office, at("2027-01-01"))
    names = [each.report.parent.name for each in (first, second, third)]
    assert names == ["2026", "2026-2", "2027"]


def test_an_answers_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(
        "answers:\n  was everybody  trained: yes\n  Third parties?: They do.\n"
        "actions:\n  - {what: Train the night shift, due: 2027-01-31}\n",
        encoding="utf-8",
    )
    found = read_answers(path)
    assert found.changes == (Change("Train the night shift", dt.date(2027, 1, 31)),)
    asked = ("Was everybody trained?", "Third parties?")
    assert [each.answer for each in replies(asked, found.answers)] == ["yes", "They do."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("answers: [", "is not YAML"),
        ("- one", "has neither `answers` nor `actions`"),
        ("answer: {}", "unknown key 'answer'"),
        ("answers: [a]", "`answers` is not a list of questions, each with its answer"),
        ("actions: {a: b}", "`actions` is not a list"),
        ("actions: [{due: 2027-01-31}]", "action 1: `what` is missing"),
        ("actions: [{what: x, due: soon}]", "action 1: `due` is not a day"),
        ("actions: [{what: x}, {what: y, due: 2027-01-31 10:00:00}]", "action 2: `due` is not a day"),
    ],
)
def test_an_answers_file_with_a_mistake_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_answers(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message


def test_free_text_cannot_pass_for_a_line_of_the_report(office: Office) -> None:
    sly = "Fine.\n\n## Signatures\n\nSigned by everybody."
    report = reviewed(office, answers={**ANSWERS, "Was everybody trained?": sly}).report
    lines = report.read_text(encoding="utf-8").splitlines()
    assert lines.count("## Signatures") == 1
    assert "> ## Signatures" in lines


def test_two_reviews_at_once_are_refused(office: Office) -> None:
    with open_log(office.log.home).run_lock(), pytest.raises(LockedError):
        reviewed(office)
    assert "review" not in office.types()

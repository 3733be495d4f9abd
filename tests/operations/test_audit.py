"""The audit: each thing that it promises to find is found, and not found when it is not there."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from office import DIRECTOR, MANAGER, Office, at, codes
from purge_office import Firm

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.rows import (
    leaf,
    new_batch_id,
    new_batch_key,
    root,
    write_batch_key,
    write_leaves,
)
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import DatabaseError, LockedError, LogBrokenError
from staffords_gdpr.operations import actions, holds
from staffords_gdpr.operations.audit import AuditResult
from staffords_gdpr.operations.audit.data_checks import disagreement
from staffords_gdpr.operations.audit.findings import CHECKS, Finding
from staffords_gdpr.operations.purge import purge
from staffords_gdpr.operations.setup import new_keys
from staffords_gdpr.operations.sign import sign
from staffords_gdpr.progress import SILENT
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.states import Key, State


def certificate_cells(result: AuditResult) -> dict[str, str]:
    """What the certificate says of each check, by its code."""
    assert result.report is not None
    _, _, table = result.report.read_text(encoding="utf-8").partition("| check | result |\n|---|---|\n")
    rows = table.partition("\n\n")[0].splitlines()
    cells = dict(row.strip("| ").split(" | ") for row in rows)
    return {code: cells[promise] for code, promise in CHECKS.items()}


def signed_audit(office: Office, now: dt.datetime) -> AuditResult:
    """An audit, signed by all who must sign it."""
    result = office.audit(now)
    for role in (MANAGER, DIRECTOR):
        sign(office.log, key=office.key(role), role=role, now=now)
    return result


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Approved on 1 November 2026, purged every night up to the 10th, with two customers who must stay."""
    office = Office.build(tmp_path, now=at("2026-11-01"))
    office.customer(1, "2025-01-01 10:00:00", "2025-03-01 10:00:00")
    office.customer(2, "2026-01-01 10:00:00")
    office.nightly("2026-11-02", "2026-11-10")
    return office


def test_an_office_that_keeps_its_promise_passes(office: Office) -> None:
    result = office.audit(at("2026-11-10"))
    assert result.verdict == "pass"
    assert codes(result) == {"role_single"}
    assert result.details.records["call"]["kept"] == 1
    assert result.details.purges == 9


def test_an_audit_is_logged_with_the_hashes_of_its_files(office: Office) -> None:
    result = office.audit(at("2026-11-10"))
    assert result.entry is not None
    assert result.report is not None
    assert result.statement is not None
    fields = result.entry.fields
    assert fields["period"] == "2026-H2"
    assert fields["verdict"] == "pass"
    assert fields["findings"] == {"role_single": 2}
    assert fields["report"] == hashlib.sha256(result.report.read_bytes()).hexdigest()
    assert fields["statement"] == hashlib.sha256(result.statement.read_bytes()).hexdigest()
    assert result.report == office.log.home.audits / "2026-H2" / "certificate.md"
    assert verify(office.log.home).ok


def test_the_certificate_names_every_check_and_the_statement_binds_it(office: Office) -> None:
    result = office.audit(at("2026-11-10"))
    assert result.report is not None
    assert result.statement is not None
    certificate = result.report.read_text(encoding="utf-8")
    assert certificate.startswith("# Audit 2026-H2: pass\n")
    assert all(promise in certificate for promise in CHECKS.values())
    statement = result.statement.read_text(encoding="utf-8")
    assert hashlib.sha256(result.report.read_bytes()).hexdigest() in statement
    assert "must sign: call-centre-manager, director" in statement
    assert all(line in statement for line in result.details.checkpoint.splitlines() if line)


def test_a_second_audit_in_the_same_half_year_gets_a_folder_of_its_own(office: Office) -> None:
    first, second = office.audit(at("2026-11-10")), office.audit(at("2026-11-10", "10:00"))
    assert first.report is not None
    assert second.report is not None
    assert (first.report.parent.name, second.report.parent.name) == ("2026-H2", "2026-H2-2")


@pytest.mark.parametrize(("day", "period"), [("2027-06-30", "2027-H1"), ("2027-07-01", "2027-H2")])
def test_the_half_year_ends_with_june(office: Office, day: str, period: str) -> None:
    result = office.audit(at(day))
    assert result.entry is not None
    assert result.entry.fields["period"] == period


def test_the_half_year_is_that_of_the_policys_zone(office: Office) -> None:
    result = office.audit(at("2027-06-30", "23:30"))  # half past midnight on 1 July in London
    assert result.entry is not None
    assert result.entry.fields["period"] == "2027-H2"


def test_a_purge_on_the_next_day_is_in_time_and_a_day_later_one_is_missed(office: Office) -> None:
    assert "purge_missed" not in codes(office.audit(at("2026-11-11", "23:59")))
    result = office.audit(at("2026-11-12", "00:01"))
    assert "purge_missed" in codes(result, "error")
    assert result.verdict == "fail"


def test_no_audit_passes_before_a_purge_has_completed(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=at("2026-11-01"))
    office.customer(1, "2020-01-01 10:00:00")
    office.customer(2, "2026-01-01 10:00:00")
    result = office.audit(at("2026-11-01", "10:00"))
    (found,) = [each for each in result.findings if each.code == "purge_never"]
    assert (result.verdict, found.severity, found.count) == ("fail", "error", 1)
    assert "overdue" not in codes(result)
    assert "purge_never" in codes(office.audit(at("2026-11-01", "11:00")), "error")
    office.nightly("2026-11-02", "2026-11-02")
    assert "purge_never" not in codes(office.audit(at("2026-11-02")))


def test_the_certificate_says_yes_only_to_what_was_checked(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=at("2026-11-01"), approved=False)
    cells = certificate_cells(office.audit(at("2026-11-01", "10:00")))
    assert {code for code, cell in cells.items() if cell.startswith("not checked: ")} == {
        *("policy_changed", "database_changed", "schema_changed", "audit_unsigned"),
        *("purge_missed", "purge_stopped", "overdue"),
    }
    assert cells["purge_never"] == "error (0), `purge_never`"
    assert cells["disagreement"] == "yes"


def test_what_a_purge_that_was_cut_off_should_have_erased_is_overdue(office: Office) -> None:
    office.customer(3, "2023-11-10 10:00:00")  # due from the 11th, on which the purge is cut off
    fields = {"run": "r", "as_of": at("2026-11-11"), "policy": office.policy.sha256, "dry": False}
    office.log.append("purge.start", {**fields, "confirm": 0}, now=at("2026-11-11", "02:00"))
    (found,) = [each for each in office.audit(at("2026-11-11")).findings if each.code == "overdue"]
    assert (found.severity, found.count) == ("error", 1)
    assert "2026-11-11, which did not come to its end" in found.message


def test_a_gap_between_purges_is_found_although_they_run_again(office: Office) -> None:
    office.logged_purge(at("2026-11-13", "02:00"))
    (gap,) = [each for each in office.audit(at("2026-11-13")).findings if each.code == "purge_missed"]
    assert gap.count == 2
    assert "2026-11-11 to 2026-11-12" in gap.message


def test_a_gap_is_reported_until_an_audit_that_reports_it_is_signed(office: Office) -> None:
    office.logged_purge(at("2026-11-13", "02:00"))
    assert "purge_missed" in codes(office.audit(at("2026-11-13")))
    result = signed_audit(office, at("2026-11-13", "10:00"))
    assert "purge_missed" in codes(result)
    office.logged_purge(at("2026-11-14", "02:00"))
    assert "purge_missed" not in codes(office.audit(at("2026-11-14")))


def test_an_audit_that_one_of_two_has_signed_is_no_baseline(office: Office) -> None:
    office.customer(3, None)
    signed_audit(office, at("2026-11-10"))
    office.customer(4, None)
    office.audit(at("2026-11-10", "10:00"))
    sign(office.log, key=office.key(MANAGER), role=MANAGER, now=at("2026-11-10", "10:30"))
    again = office.audit(at("2026-11-10", "11:00"))
    assert "undecidable" in codes(again, "error")
    assert again.details.since == at("2026-11-10")


def test_an_audit_in_the_middle_of_a_gap_does_not_hide_its_end(office: Office) -> None:
    signed_audit(office, at("2026-11-13"))
    office.logged_purge(at("2026-11-15", "02:00"))
    (gap,) = [each for each in office.audit(at("2026-11-15")).findings if each.code == "purge_missed"]
    assert "2026-11-13 to 2026-11-14" in gap.message


def test_a_purge_that_stopped_half_way_is_none(office: Office) -> None:
    office.logged_purge(at("2026-11-11", "02:00"), result="stopped")
    found = codes(office.audit(at("2026-11-12")))
    assert {"purge_missed", "purge_stopped"} <= found


def test_a_purge_that_was_refused_by_a_brake_is_shown_once(office: Office) -> None:
    office.log.append(
        "purge.refused",
        {"run": "r1", "brake": "share", "seen": {"subjects": 40}},
        now=at("2026-11-10", "03:00"),
    )
    result = signed_audit(office, at("2026-11-10"))
    (found,) = [each for each in result.findings if each.code == "purge_refused"]
    assert (found.severity, found.count) == ("warning", 1)
    assert "share" in found.message
    assert "purge_refused" not in codes(office.audit(at("2026-11-10")))


def test_a_row_is_overdue_when_it_was_due_as_the_last_purge_started(office: Office) -> None:
    # registered 9 November 2023: the last day is 9 November 2026, so the purge of the 10th had to erase it
    office.customer(3, "2023-11-09 10:00:00")
    result = office.audit(at("2026-11-10"))
    (found,) = [each for each in result.findings if each.code == "overdue"]
    assert (found.severity, found.count) == ("error", 1)
    assert "customer 1" in found.message
    assert result.verdict == "fail"


def test_a_row_that_became_due_after_the_last_purge_is_not_overdue(office: Office) -> None:
    office.customer(3, "2023-11-10 10:00:00")
    result = office.audit(at("2026-11-11"))
    assert "overdue" not in codes(result)
    assert result.details.records["customer"]["due"] == 1


def test_a_hold_that_was_released_since_does_not_make_a_row_overdue(office: Office) -> None:
    office.customer(3, "2020-01-01 10:00:00")
    hold = holds.add(
        office.log,
        subject=(3,),
        reason="claim",
        look_again=at("2027-01-01").date(),
        now=at("2026-11-09"),
        today=at("2026-11-09").date(),
    )
    assert "overdue" not in codes(office.audit(at("2026-11-10")))
    holds.release(office.log, hold=hold.hold, now=at("2026-11-10", "11:00"))
    assert "overdue" not in codes(office.audit(at("2026-11-10", "12:00")))
    office.logged_purge(at("2026-11-11", "02:00"))
    assert "overdue" in codes(office.audit(at("2026-11-11")))


def test_rows_that_only_a_newer_policy_makes_due_are_not_overdue_before_a_purge_under_it(
    office: Office,
) -> None:
    office.change_policy("3 years, after: registered_at", "6 months, after: registered_at")
    office.approve(at("2026-11-10", "10:00"))
    assert "overdue" not in codes(office.audit(at("2026-11-10", "11:00")))
    office.logged_purge(at("2026-11-11", "02:00"))
    assert "overdue" in codes(office.audit(at("2026-11-11")))


def test_a_row_that_the_second_implementation_judges_otherwise_is_an_error(office: Office) -> None:
    with office.engine.connect() as connection:
        catalogue = bind(office.policy, connection)
        bulk = Bulk(connection, catalogue)
        bulk.decide(at("2026-11-10"))
        states: dict[str, dict[Key, State]] = {name: {} for name in bulk.candidates}
        for verdict in bulk.verdicts():
            states[verdict.record][verdict.key] = verdict.state

        def found() -> list[Finding]:
            return list(
                disagreement(
                    connection, catalogue, states, as_of=at("2026-11-10"), holds=frozenset(), progress=SILENT
                )
            )

        assert found() == []
        states["call"][1,] = State.DUE
        assert [(each.severity, each.count) for each in found()] == [("error", 1)]
        states["call"][1,] = State.KEPT
        states["customer"][99,] = State.KEPT
        assert [(each.severity, each.count) for each in found()] == [("error", 1)]


def test_undecidable_rows_are_a_warning_until_there_are_more_of_them(office: Office) -> None:
    office.customer(3, None)
    first = signed_audit(office, at("2026-11-10"))
    assert "undecidable" in codes(first, "warning")
    assert first.verdict == "pass"
    assert "undecidable" in codes(office.audit(at("2026-11-10", "10:00")), "warning")
    office.customer(4, None)
    grown = office.audit(at("2026-11-10", "11:00"))
    assert "undecidable" in codes(grown, "error")
    assert grown.verdict == "fail"


def test_no_approval_is_an_error_and_no_missed_purge(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=at("2026-11-01"), approved=False)
    found = codes(office.audit(at("2026-11-20")), "error")
    assert found == {"policy_not_approved", "purge_never"}


def test_a_policy_that_was_changed_after_its_approval_is_an_error(office: Office) -> None:
    office.change_policy("The policy of a test", "The policy of a tester")
    assert codes(office.audit(at("2026-11-10")), "error") == {"policy_changed"}


def test_a_changed_schema_is_a_warning_and_an_error_where_the_policy_rests_on_it(office: Office) -> None:
    office.sql("ALTER TABLE customers ADD COLUMN mother TEXT")
    assert "schema_changed" in codes(office.audit(at("2026-11-10", "09:00")), "warning")
    office.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers)")
    assert codes(office.audit(at("2026-11-10")), "error") == {"schema_changed"}
    office.approve(at("2026-11-10", "10:00"))
    assert codes(office.audit(at("2026-11-10", "11:00")), "error") == set()


def test_another_database_than_the_approved_one_is_an_error(office: Office) -> None:
    shutil.copy(office.folder / "calls.db", office.folder / "test.db")
    office.engine = connect(f"sqlite:///{office.folder / 'test.db'}", write=False)
    assert codes(office.audit(at("2026-11-10")), "error") == {"database_changed"}


def test_an_intent_without_an_outcome_is_an_error(office: Office) -> None:
    batch = new_batch_id(at("2026-11-10"))
    fields = {"run": "r1", "batch": batch, "root": "0" * 64, "rows": {"call": 3}}
    office.log.append("purge.intent", {**fields, "subjects": 1}, now=at("2026-11-10", "03:00"))
    assert "dangling_intent" in codes(office.audit(at("2026-11-10")), "error")
    office.log.append("purge.recovered", {**fields, "outcome": "unclear"}, now=at("2026-11-10", "10:00"))
    found = codes(office.audit(at("2026-11-10", "11:00")), "error")
    assert found == {"unclear_batch"}


def test_an_erased_row_that_is_back_is_found_by_its_leaf(office: Office) -> None:
    now = at("2026-11-10", "03:00")
    batch, key = new_batch_id(now), new_batch_key()
    leaves = [leaf(key, "customer", (77,)), leaf(key, "call", (2,))]
    fields = {"run": "r1", "batch": batch, "root": root(leaves), "rows": {"customer": 1, "call": 1}}
    write_batch_key(office.log.home, batch, key)
    office.log.append("purge.intent", {**fields, "subjects": 1}, now=now)
    office.log.append("purge.done", fields, now=now)
    write_leaves(office.log.home, batch, now, leaves)
    office.customer(76, "2026-01-01 10:00:00")
    assert "erased_row_reappeared" not in codes(office.audit(at("2026-11-10")))
    office.customer(77, "2026-01-01 10:00:00")
    (found,) = [
        each
        for each in office.audit(at("2026-11-10", "10:00")).findings
        if each.code == "erased_row_reappeared"
    ]
    assert (found.severity, found.count) == ("warning", 1)
    assert batch in found.message


def test_an_action_is_an_error_from_the_day_after_its_date(office: Office) -> None:
    first = office.audit(at("2026-11-10"))
    assert first.entry is not None
    opened = actions.open_action(
        office.log, of=first.entry.seq, code="undecidable", due=at("2026-11-11").date(), now=at("2026-11-10")
    )
    office.logged_purge(at("2026-11-11", "02:00"))
    assert "action_overdue" not in codes(office.audit(at("2026-11-11", "23:00")))
    office.logged_purge(at("2026-11-12", "02:00"))
    assert "action_overdue" in codes(office.audit(at("2026-11-12")), "error")
    actions.close_action(
        office.log, action=opened.action, key=office.key(MANAGER), now=at("2026-11-12", "10:00")
    )
    assert "action_overdue" not in codes(office.audit(at("2026-11-12", "11:00")))


def test_a_hold_that_was_taken_out_of_its_file_is_an_error(office: Office) -> None:
    holds.add(
        office.log,
        subject=(1,),
        reason="claim",
        look_again=at("2026-11-12").date(),
        now=at("2026-11-09"),
        today=at("2026-11-09").date(),
    )
    assert "hold_missing" not in codes(office.audit(at("2026-11-10")))
    (office.log.home.secret / "holds.json").write_text("{}", encoding="utf-8")
    assert "hold_missing" in codes(office.audit(at("2026-11-10")), "error")


def test_a_hold_is_to_be_looked_at_again_from_the_day_after(office: Office) -> None:
    holds.add(
        office.log,
        subject=(1,),
        reason="claim",
        look_again=at("2026-11-11").date(),
        now=at("2026-11-09"),
        today=at("2026-11-09").date(),
    )
    office.logged_purge(at("2026-11-11", "02:00"))
    assert "hold_review_due" not in codes(office.audit(at("2026-11-11")))
    office.logged_purge(at("2026-11-12", "02:00"))
    assert "hold_review_due" in codes(office.audit(at("2026-11-12")), "warning")


@pytest.mark.parametrize(("day", "late"), [("2027-05-01", False), ("2027-05-02", True)])
def test_an_audit_is_late_six_months_and_a_day_after_the_approval(
    tmp_path: Path, day: str, late: bool
) -> None:
    office = Office.build(tmp_path, now=at("2026-11-01"))
    assert ("audit_late" in codes(office.audit(at(day)), "warning")) is late


def test_an_audit_without_its_signatures_is_shown_by_the_next(office: Office) -> None:
    office.audit(at("2026-11-10"))
    (found,) = [each for each in office.audit(at("2026-11-10")).findings if each.code == "audit_unsigned"]
    assert "call-centre-manager, director" in found.message
    for role in (MANAGER, DIRECTOR):
        sign(office.log, key=office.key(role), role=role, now=at("2026-11-10"))
    assert "audit_unsigned" not in codes(office.audit(at("2026-11-10")))


def test_a_role_without_a_deputy_is_worth_knowing(office: Office) -> None:
    assert "role_single" in codes(office.audit(at("2026-11-10")), "info")
    for role in (MANAGER, DIRECTOR):
        new_keys(
            office.log,
            role=role,
            path=office.folder / f"{role}2.key",
            passphrase=None,
            by=office.key(DIRECTOR),
            now=at("2026-11-10"),
        )
    assert codes(office.audit(at("2026-11-10", "10:00"))) == {"audit_unsigned"}


def test_a_log_that_does_not_verify_is_refused_and_nothing_is_written(office: Office) -> None:
    log = office.log.home.log
    log.write_bytes(log.read_bytes().replace(b'"undecidable":{}', b'"undecidable":{"call":1}', 1))
    before = log.read_bytes()
    office.log = open_log(office.log.home)
    with pytest.raises(LogBrokenError):
        office.audit(at("2026-11-10"))
    assert log.read_bytes() == before
    assert list(office.log.home.audits.iterdir()) == []


def test_an_audit_as_of_another_moment_judges_and_writes_nothing(office: Office) -> None:
    before = office.types()
    result = office.audit(at("2026-11-10"), as_of=at("2026-11-20"))
    assert "purge_missed" in codes(result, "error")
    assert (result.entry, result.report, result.statement) == (None, None, None)
    assert office.types() == before
    assert list(office.log.home.audits.iterdir()) == []


def test_an_audit_changes_nothing_in_the_database(office: Office) -> None:
    before = (office.folder / "calls.db").read_bytes()
    office.audit(at("2026-11-10"))
    assert (office.folder / "calls.db").read_bytes() == before


def test_no_audit_while_a_purge_runs(office: Office) -> None:
    with open_log(office.log.home).run_lock(), pytest.raises(LockedError):
        office.audit(at("2026-11-10"))


def test_a_database_that_is_gone_is_said_so_and_nothing_is_logged(office: Office) -> None:
    before = office.types()
    (office.folder / "calls.db").unlink()
    with pytest.raises(DatabaseError):
        office.audit(at("2026-11-10"))
    assert office.types() == before


def test_no_data_of_a_customer_reaches_log_certificate_or_statement(office: Office) -> None:
    office.sql("INSERT INTO customers VALUES (3, 'Zebedee Quill', NULL)")
    result = office.audit(at("2026-11-10"))
    assert result.entry is not None
    assert "undecidable" in codes(result)
    for path in office.log.home.audit.rglob("*"):
        if path.is_file():
            assert b"Zebedee" not in path.read_bytes()
    assert "Zebedee" not in json.dumps([each.message + each.action for each in result.findings])


def test_what_a_real_purge_did_passes_and_a_row_that_it_erased_is_found_when_it_is_back(
    tmp_path: Path,
) -> None:
    office = Office.build(tmp_path, now=at("2026-11-10"))
    office.customer(1, "2026-01-01 10:00:00")
    office.customer(2, "2020-01-01 10:00:00", "2020-02-01 10:00:00")
    assert purge(office.policy, office.engine, office.log, now=at("2026-11-10", "10:00")).erased == {
        "customer": 1,
        "call": 1,
    }
    result = office.audit(at("2026-11-10", "11:00"))
    assert (result.verdict, codes(result, "error") | codes(result, "warning")) == ("pass", set())
    assert result.details.erased == {"customer": 1, "call": 1}
    office.customer(2, "2020-01-01 10:00:00")  # as a backup brings it back
    found = codes(office.audit(at("2026-11-10", "12:00")))
    assert {"erased_row_reappeared", "overdue"} <= found


def test_a_batch_whose_key_is_gone_cannot_be_checked_and_the_certificate_says_so(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=at("2026-11-10"))
    office.customer(1, "2026-01-01 10:00:00")
    office.customer(2, "2020-01-01 10:00:00")
    purge(office.policy, office.engine, office.log, now=at("2026-11-10", "10:00"))
    cell = certificate_cells(office.audit(at("2026-11-10", "11:00")))["erased_row_reappeared"]
    assert cell == "yes"
    (key,) = office.log.home.batch_keys.iterdir()
    key.unlink()
    result = office.audit(at("2026-11-10", "12:00"))
    (found,) = [each for each in result.findings if each.code == "erased_row_reappeared"]
    assert (found.severity, found.count) == ("info", 1)
    assert "cannot be checked for 1 batch" in found.message
    assert "not checked: cannot be checked for 1 batch" in certificate_cells(result)["erased_row_reappeared"]


def test_an_anonymised_row_that_holds_data_again_is_found(tmp_path: Path) -> None:
    firm = Firm.open(tmp_path)
    firm.purge()

    def found(time: str) -> list[int]:
        findings = firm.audit(at("2026-11-23", time)).findings
        return [each.count for each in findings if each.code == "erased_row_reappeared"]

    assert found("10:00") == []
    firm.sql("UPDATE repairs SET fault = 'motor' WHERE id = 1")
    assert found("11:00") == [1]
    firm.sql("UPDATE payments SET card = '4222' WHERE id = 2")
    assert found("12:00") == [2]


def test_the_certificates_checkpoint_covers_every_entry_that_was_examined(office: Office) -> None:
    result = office.audit(at("2026-11-10"))
    assert result.entry is not None
    assert result.details.checkpoint.splitlines()[1] == str(result.entry.seq)


def test_a_run_without_an_end_is_one_that_crashed(office: Office) -> None:
    fields = {
        "run": "r",
        "as_of": at("2026-11-10"),
        "policy": office.policy.sha256,
        "dry": False,
        "confirm": 0,
    }
    office.log.append("purge.start", fields, now=at("2026-11-10", "03:00"))
    assert "purge_stopped" in codes(signed_audit(office, at("2026-11-10")), "warning")
    assert "purge_stopped" not in codes(office.audit(at("2026-11-10")))


def test_the_manual_explains_every_finding() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "managers.md").read_text(encoding="utf-8")
    assert [code for code in CHECKS if code != "log_broken" and f"`{code}`" not in manual] == []

"""Sign-offs: two different people, two different keys, the same bytes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from office import DIRECTOR, MANAGER, Office, at

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.people import people, verify_statement
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.errors import LogBrokenError, UsageError
from staffords_gdpr.operations.history import read_history
from staffords_gdpr.operations.setup import new_keys
from staffords_gdpr.operations.sign import SignOff, pending, sign

NOW = at("2026-11-02")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office with one audit to sign."""
    office = Office.build(tmp_path, now=at("2026-11-01"))
    office.audit(NOW)
    return office


def signed(office: Office, key: str, role: str | None = None, of: int | None = None) -> SignOff:
    return sign(office.log, key=office.key(key), role=role or key, of=of, now=NOW)


def test_two_people_sign_the_same_bytes_and_the_second_completes_it(office: Office) -> None:
    first = signed(office, MANAGER)
    assert (first.missing, first.complete) == ((DIRECTOR,), False)
    second = signed(office, DIRECTOR)
    assert (second.missing, second.complete) == ((), True)
    assert second.entry.fields["statement"] == first.entry.fields["statement"]
    assert first.person != second.person
    folder = office.log.home.audits / "2026-H2"
    statement = (folder / "statement.txt").read_bytes()
    for fingerprint, person in people(office.log.entries()).items():
        signature = (folder / f"{person.role}.sig").read_bytes()
        assert verify_statement(person.public_key, statement, signature), fingerprint
    assert first.entry.fields["sig"] == hashlib.sha256(first.signature.read_bytes()).hexdigest()
    assert verify(office.log.home).ok


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_ssh_keygen_verifies_a_sign_off(office: Office) -> None:
    done = signed(office, MANAGER)
    public = (office.folder / f"{MANAGER}.key.pub").read_text(encoding="utf-8")
    (office.folder / "allowed").write_text(f"{MANAGER} {public}", encoding="utf-8")
    arguments = ["-f", "allowed", "-I", MANAGER, "-n", "staffords-gdpr", "-s", str(done.signature)]
    statement = (done.signature.parent / "statement.txt").read_bytes()

    def verified(data: bytes) -> bool:
        command = ["ssh-keygen", "-Y", "verify", *arguments]
        return subprocess.run(command, cwd=office.folder, input=data, check=False).returncode == 0

    assert verified(statement)
    assert not verified(statement.replace(b"verdict: fail", b"verdict: pass"))


def test_nobody_signs_twice_and_no_key_for_two_roles(office: Office) -> None:
    signed(office, MANAGER)
    with pytest.raises(UsageError, match="has signed the audit 2026-H2 already"):
        signed(office, MANAGER)
    with pytest.raises(UsageError, match="is enrolled as call-centre-manager, not as director"):
        signed(office, MANAGER, role=DIRECTOR)
    assert office.types().count("signoff") == 1


def test_a_second_person_of_a_role_that_has_signed_is_refused(office: Office) -> None:
    new_keys(
        office.log,
        role=MANAGER,
        path=office.folder / "deputy.key",
        passphrase=None,
        by=office.key(DIRECTOR),
        now=NOW,
    )
    signed(office, MANAGER)
    with pytest.raises(UsageError, match="a call-centre-manager has signed"):
        signed(office, "deputy", role=MANAGER)


def test_a_role_that_is_not_asked_for_is_refused(office: Office) -> None:
    new_keys(
        office.log, role="auditor", path=office.folder / "auditor.key", passphrase=None, by=None, now=NOW
    )
    with pytest.raises(UsageError) as caught:
        signed(office, "auditor")
    assert "call-centre-manager, director" in caught.value.hint


def test_a_key_that_is_not_enrolled_is_refused(office: Office, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Office.build(tmp_path / "other", now=NOW)
    with pytest.raises(UsageError, match="is not enrolled"):
        sign(office.log, key=other.key(DIRECTOR), role=DIRECTOR, now=NOW)


@pytest.mark.parametrize("name", ["certificate.md", "statement.txt"])
def test_nobody_signs_a_changed_file(office: Office, name: str) -> None:
    path = office.log.home.audits / "2026-H2" / name
    path.write_bytes(path.read_bytes().replace(b"fail", b"pass", 1))
    with pytest.raises((UsageError, LogBrokenError), match=name):
        signed(office, MANAGER)
    assert "signoff" not in office.types()


def test_a_policy_changed_later_does_not_change_who_must_sign(office: Office) -> None:
    office.change_policy("audit: [call-centre-manager, director]", "audit: [director]")
    office.approve(NOW)
    assert signed(office, DIRECTOR).missing == (MANAGER,)


def test_an_entry_that_is_no_audit_is_refused_and_the_message_names_those_that_are(office: Office) -> None:
    with pytest.raises(UsageError) as caught:
        signed(office, MANAGER, of=0)
    assert "audit 2026-H2" in caught.value.hint


def test_without_an_audit_there_is_nothing_to_sign(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW)
    with pytest.raises(UsageError, match="no audit to sign"):
        signed(office, MANAGER)


def test_without_a_number_the_last_audit_is_signed(office: Office) -> None:
    office.audit(NOW)
    assert signed(office, MANAGER).period == "2026-H2-2"
    first = next(entry.seq for entry in office.log.entries() if entry.type == "audit")
    assert signed(office, MANAGER, of=first).period == "2026-H2"


def test_what_waits_for_a_signature_is_listed_until_all_have_signed(office: Office) -> None:
    def waiting() -> list[tuple[str, tuple[str, ...]]]:
        found = pending(office.log, read_history(office.log.entries()))
        return [(each.period, each.missing) for each in found]

    assert waiting() == [("2026-H2", (MANAGER, DIRECTOR))]
    signed(office, MANAGER)
    assert waiting() == [("2026-H2", (DIRECTOR,))]
    signed(office, DIRECTOR)
    assert waiting() == []


def test_nobody_signs_on_a_log_that_does_not_verify(office: Office) -> None:
    log = office.log.home.log
    log.write_bytes(log.read_bytes()[:-200])
    office.log = open_log(office.log.home)
    with pytest.raises(LogBrokenError):
        signed(office, MANAGER)

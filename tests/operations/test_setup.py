"""Setting up: the home folder, keys, approval."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from office import DIRECTOR, MANAGER, Office, at

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import people
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.errors import LogBrokenError, UsageError
from staffords_gdpr.operations.setup import approve, init_home, new_keys

NOW = at("2026-11-23")


def test_init_makes_a_log_that_verifies_and_folders_for_the_owner_and_its_group(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    made = init_home(home, name="test.example/data", now=NOW)
    assert (made.created, made.name) == (True, "test.example/data")
    assert stat.S_IMODE(home.audit.stat().st_mode) == 0o750
    assert stat.S_IMODE(home.secret.stat().st_mode) == 0o700
    assert verify(home).ok


def test_init_again_changes_nothing_and_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    first = init_home(home, name="test.example/data", now=NOW)
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    again = init_home(home, name="another.example/name", now=at("2026-11-24"))
    assert (again.created, again.name, again.public_key) == (False, first.name, first.public_key)
    assert {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()} == before


def test_init_under_a_missing_folder_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the folder above it does not exist"):
        init_home(Home(tmp_path / "missing" / "home"), name="test.example/data", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_init_over_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("something else", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        init_home(Home(tmp_path / "home"), name="test.example/data", now=NOW)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that not even root may write")
def test_init_in_a_folder_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot write") as caught:
        init_home(Home(Path("/proc/self/home")), name="test.example/data", now=NOW)
    assert "GDPR_HOME" in caught.value.hint


def test_other_commands_without_a_home_say_to_run_init(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_log(Home(tmp_path / "home"))
    assert "gdpr init" in caught.value.hint


def test_a_new_key_is_private_and_enrolled(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)
    assert stat.S_IMODE((tmp_path / "director.key").stat().st_mode) == 0o600
    enrolled = people(office.log.entries())
    assert {person.role for person in enrolled.values()} == {MANAGER, DIRECTOR}
    assert verify(office.log.home).ok


def test_an_existing_file_is_never_overwritten_by_a_key(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)
    precious = tmp_path / "precious"
    precious.write_text("keep me", encoding="utf-8")
    entries = office.types()
    with pytest.raises(UsageError, match="exists already"):
        new_keys(office.log, role="auditor", path=precious, passphrase=None, by=None, now=NOW)
    assert precious.read_text(encoding="utf-8") == "keep me"
    assert office.types() == entries


def test_the_second_person_of_a_role_needs_a_director(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)
    second = tmp_path / "second.key"
    with pytest.raises(UsageError, match="a director must enrol the next"):
        new_keys(office.log, role=MANAGER, path=second, passphrase=None, by=None, now=NOW)
    with pytest.raises(UsageError, match="is not a director's"):
        new_keys(office.log, role=MANAGER, path=second, passphrase=None, by=office.key(MANAGER), now=NOW)
    assert not second.exists()
    new_keys(office.log, role=MANAGER, path=second, passphrase=None, by=office.key(DIRECTOR), now=NOW)
    assert len(people(office.log.entries())) == 3
    assert verify(office.log.home).ok


@pytest.mark.parametrize("role", ["", "Director", "the boss", "../director"])
def test_a_role_that_is_none_is_refused_before_a_key_is_made(tmp_path: Path, role: str) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)
    with pytest.raises(UsageError, match="is no role"):
        new_keys(office.log, role=role, path=tmp_path / "new.key", passphrase=None, by=None, now=NOW)
    assert not (tmp_path / "new.key").exists()


def test_an_approval_binds_the_policy_file_the_database_and_its_schema(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)
    approval = office.approve(NOW)
    fields = approval.entry.fields
    assert fields["policy"] == office.policy.sha256
    assert (fields["database"], fields["fingerprint"]) == (approval.database, approval.fingerprint)
    assert (approval.first, approval.changes) == (True, ())
    assert verify(office.log.home).ok


def test_an_approval_says_what_changed_since_the_one_before(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW)
    assert office.approve(at("2026-11-24")).changes == ()
    office.change_policy("3 years, after: registered_at", "4 years, after: registered_at")
    office.sql("ALTER TABLE calls ADD COLUMN mood TEXT")
    changes = office.approve(at("2026-11-25")).changes
    assert len(changes) == 2
    assert "policy file has changed" in changes[0]
    assert "tables, columns, keys or triggers" in changes[1]


def test_only_a_person_enrolled_for_the_review_may_approve(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)

    def attempt(role: str, key: str) -> None:
        approve(office.policy, office.engine, office.log, key=office.key(key), role=role, now=NOW)

    with pytest.raises(UsageError, match="may not approve"):
        attempt(MANAGER, MANAGER)
    with pytest.raises(UsageError, match="is enrolled as call-centre-manager, not as director"):
        attempt(DIRECTOR, MANAGER)
    stranger = Office.build(_folder(tmp_path, "elsewhere"), now=NOW, approved=False)
    with pytest.raises(UsageError, match="is not enrolled"):
        approve(office.policy, office.engine, office.log, key=stranger.key(DIRECTOR), role=DIRECTOR, now=NOW)
    assert "policy.approve" not in office.types()


def test_nobody_approves_on_a_log_that_does_not_verify(tmp_path: Path) -> None:
    office = Office.build(tmp_path, now=NOW, approved=False)
    data = office.log.home.log.read_bytes()
    office.log.home.log.write_bytes(data.replace(b"test.example", b"best.example", 1))
    with pytest.raises(LogBrokenError):
        approve(
            office.policy,
            office.engine,
            open_log(office.log.home),
            key=office.key(DIRECTOR),
            role=DIRECTOR,
            now=NOW,
        )


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name

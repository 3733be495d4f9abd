"""Appending: what is written stays, and what a fault leaves behind is declared."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from log_samples import END, HASH, NAME, NOW, Sample, audit, build, enrol, purge_batch

from staffords_gdpr.auditlog import AuditLog, Home, create, open_log, rows
from staffords_gdpr.auditlog.people import new_person_key, people
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.errors import GdprError, LockedError, LogBrokenError, UsageError

START = {"run": "r4", "as_of": NOW, "policy": HASH, "dry": False}
LATER = NOW + dt.timedelta(days=1)


def test_every_append_leaves_all_earlier_bytes_as_they_were(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    log = create(home, name=NAME, now=NOW)
    before = home.log.read_bytes()
    for number in range(20):
        log.append("purge.end", {**END, "run": f"r{number}"}, now=NOW)
        after = home.log.read_bytes()
        assert after.startswith(before)
        assert after[len(before) :].count(b"\n") == 1
        before = after


def test_creating_a_log_that_exists_leaves_it_alone(sample: Sample) -> None:
    files = {path: path.read_bytes() for path in sample.home.path.rglob("*") if path.is_file()}
    log = create(sample.home, name="another.example/name", now=LATER)
    assert log.name == NAME
    assert {path: path.read_bytes() for path in files} == files


def test_a_new_home_keeps_its_secrets_to_its_owner(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    create(home, name=NAME, now=NOW)
    assert home.audit.stat().st_mode & 0o777 == 0o750
    assert home.secret.stat().st_mode & 0o777 == 0o700
    assert home.log_key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\there", "x" * 201])
def test_a_name_that_a_signed_note_cannot_carry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        create(Home(tmp_path / "home"), name=name, now=NOW)


def test_opening_where_there_is_no_log_says_to_run_init(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_log(Home(tmp_path))
    assert "gdpr init" in caught.value.hint


def test_an_entry_is_read_back_as_it_was_appended(sample: Sample) -> None:
    written = sample.log.append("hold.release", {"hold": "H1"}, now=LATER)
    assert list(sample.log.entries())[-1] == written
    assert sample.log.last("hold.release") == written
    assert sample.log.last("key.revoke") is None
    assert (written.seq, written.time, written.type) == (17, LATER, "hold.release")


@pytest.mark.parametrize(
    ("entry_type", "fields"),
    [
        ("purge.nothing", {}),
        ("key.rotate", {"key": "A" * 43 + "="}),
        ("hold.release", {}),
        ("hold.release", {"hold": "H1", "why": "Mrs Smith called"}),
        ("hold.release", {"hold": 1}),
        ("hold.release", {"hold": "two words"}),
        ("hold.add", {"hold": "H2", "subject": "Smith", "look_again": "2027-01-01"}),
        ("hold.add", {"hold": "H2", "subject": HASH, "look_again": "2027-02-29"}),
        ("purge.end", {**END, "held": 1.5}),
        ("purge.end", {**END, "held": True}),
        ("purge.end", {**END, "held": 2**53}),
        ("purge.end", {**END, "rows": {"call": -1}}),
        ("purge.end", {**END, "rows": {"ca\u200bll": 1}}),
        ("purge.done", {"run": "r1", "batch": "0" * 26, "root": HASH, "rows": {}}),
        ("log.torn", {"hash": HASH, "length": 3}),
    ],
)
def test_what_the_verifier_would_refuse_is_never_written(
    sample: Sample, entry_type: str, fields: dict[str, object]
) -> None:
    before = sample.home.log.read_bytes()
    log = sample.log
    with pytest.raises(UsageError, match="cannot be appended"):
        log.append(entry_type, fields, now=LATER)
    assert sample.home.log.read_bytes() == before
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    assert verify(sample.home).ok


def test_an_audit_without_its_statement_is_never_written(sample: Sample) -> None:
    fields = {
        "run": "a",
        "period": "2027-H1",
        "verdict": "pass",
        "findings": {},
        "report": HASH,
        "statement": HASH,
    }
    with pytest.raises(UsageError, match=r"audits/2027-H1/statement\.txt is missing"):
        sample.log.append("audit", fields, now=LATER)


def test_the_first_of_a_role_enrols_freely_and_later_ones_need_a_director(
    sample: Sample, tmp_path: Path
) -> None:
    second, third = (new_person_key(tmp_path / name, None) for name in ("second", "third"))
    log = sample.log
    with pytest.raises(UsageError, match="may not sign"):
        enrol(log, "manager", second)
    with pytest.raises(UsageError, match="may not sign"):
        enrol(log, "manager", second, by=sample.manager)
    enrol(log, "manager", second, by=sample.director)
    enrol(log, "auditor", third)
    assert {person.role for person in people(log.entries()).values()} == {"director", "manager", "auditor"}
    assert verify(sample.home).ok


def test_a_removed_person_signs_no_more(sample: Sample) -> None:
    log = sample.log
    fields = {"person": sample.manager.fingerprint, "by": sample.director.fingerprint}
    log.append("person.remove", fields, now=LATER, signers=[sample.director])
    assert sample.manager.fingerprint not in people(log.entries())
    with pytest.raises(UsageError, match="not enrolled"):
        audit(log, "2027-H1", {"manager": sample.manager})
    fields = {"person": sample.director.fingerprint, "by": sample.director.fingerprint}
    with pytest.raises(UsageError, match="the last director"):
        log.append("person.remove", fields, now=LATER, signers=[sample.director])


def test_an_audit_is_not_signed_twice_by_one_person(sample: Sample) -> None:
    with pytest.raises(UsageError, match="not enrolled as manager"):
        audit(sample.log, "2027-H1", {"director": sample.director, "manager": sample.director})


def test_a_review_needs_the_signature_of_somebody_enrolled(sample: Sample, tmp_path: Path) -> None:
    folder = sample.home.reviews / "2026"
    folder.mkdir()
    (folder / "statement.txt").write_bytes(b"review\n")
    statement = hashlib.sha256(b"review\n").hexdigest()
    fields = {
        "run": "v",
        "period": "2026",
        "report": HASH,
        "statement": statement,
        "answers": HASH,
        "changes": 0,
    }
    log = sample.log
    with pytest.raises(UsageError, match="enrolled person"):
        log.append("review", fields, now=LATER)
    with pytest.raises(UsageError, match="may not sign"):
        log.append("review", fields, now=LATER, signers=[new_person_key(tmp_path / "k", None)])
    log.append("review", fields, now=LATER, signers=[sample.director])
    assert verify(sample.home).ok


# Torn writes


@pytest.mark.parametrize("kept", [1, 5, 10, 11, 200, -2, -1])
def test_a_write_torn_anywhere_is_declared_and_survived(sample: Sample, kept: int) -> None:
    log = sample.log
    before = sample.home.log.read_bytes()
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    torn = sample.home.log.read_bytes()[len(before) :][:kept]
    sample.home.log.write_bytes(before + torn)
    found = verify(sample.home)
    assert found.ok
    assert any(f"{len(torn)} bytes of an interrupted write" in note for note in found.notes)
    log = sample.log
    log.require_verified(full=False)
    log.require_verified(full=True)
    assert len(list(log.entries())) == 17
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    log.write_checkpoint(LATER)
    after = sample.home.log.read_bytes()
    assert after.startswith(before + torn + b"\n")
    declared = sample.log.last("log.torn")
    assert declared is not None
    assert declared.fields == {"hash": hashlib.sha256(torn).hexdigest(), "length": len(torn)}
    assert declared.seq == 18  # the torn bytes have a place of their own in the chain
    assert verify(sample.home, checkpoint=sample.home.checkpoint).ok
    assert [entry.type for entry in sample.log.entries()][-2:] == ["log.torn", "hold.release"]


def test_nuls_that_a_power_cut_left_are_declared_by_the_next_append(sample: Sample) -> None:
    with sample.home.log.open("ab") as stream:
        stream.write(b'{"entry":{"hold"' + bytes(300))
    assert not verify(sample.home).ok
    log = sample.log
    log.require_verified(full=True)
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    assert verify(sample.home).ok


def test_a_write_torn_while_it_declared_a_torn_one_is_survived(sample: Sample) -> None:
    before = sample.home.log.read_bytes()
    sample.home.log.write_bytes(before + b'{"entry":{"hold')
    sample.log.append("hold.release", {"hold": "H1"}, now=LATER)
    twice = sample.home.log.read_bytes()[: len(before) + 100]
    sample.home.log.write_bytes(twice)
    assert verify(sample.home).ok
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    log.write_checkpoint(LATER)
    assert sample.home.log.read_bytes().startswith(twice)
    assert verify(sample.home).ok
    assert [entry.type for entry in sample.log.entries()][-2:] == ["log.torn", "hold.release"]


def test_declared_torn_bytes_cannot_be_changed_afterwards(sample: Sample) -> None:
    with sample.home.log.open("ab") as stream:
        stream.write(b'{"entry":{"hold')
    sample.log.write_checkpoint(LATER)
    assert verify(sample.home).ok
    text = sample.home.log.read_bytes()
    sample.home.log.write_bytes(text.replace(b'{"entry":{"hold\n', b'{"entry":{"holy\n'))
    found = verify(sample.home)
    assert (found.ok, found.line) == (False, 18)


def test_a_torn_line_that_was_complete_but_for_its_line_feed_is_no_entry(sample: Sample) -> None:
    """Nobody was told that it was written, so whoever wrote it did not act on it."""
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    sample.home.log.write_bytes(sample.home.log.read_bytes()[:-1])
    sample.log.write_checkpoint(LATER)
    assert sample.log.last("hold.release") is None
    assert verify(sample.home).ok


def test_a_torn_note_in_checkpoints_txt_is_survived(sample: Sample) -> None:
    kept = sample.home.checkpoints.read_bytes()
    sample.log.append("hold.release", {"hold": "H1"}, now=LATER)
    for torn in (b"stafford", NAME.encode() + b"\n18\nAAAA", kept.split(b"\n\n")[2] + b"\n\n\xe2\x80"):
        sample.home.checkpoints.write_bytes(kept + torn)
        assert verify(sample.home).ok, torn
    sample.log.write_checkpoint(LATER)
    assert sample.home.checkpoints.read_bytes().startswith(kept)
    assert verify(sample.home).ok


def test_a_crash_between_the_two_checkpoint_files_leaves_a_log_that_verifies(sample: Sample) -> None:
    before = sample.home.checkpoint.read_bytes()
    sample.log.append("hold.release", {"hold": "H1"}, now=LATER)
    sample.log.write_checkpoint(LATER)
    kept = sample.home.checkpoints.read_bytes()
    sample.home.checkpoint.write_bytes(before)
    assert verify(sample.home).ok
    sample.log.require_verified(full=False)
    sample.log.write_checkpoint(LATER)
    assert sample.home.checkpoints.read_bytes() == kept  # the same note, not twice
    assert sample.home.checkpoint.read_bytes() != before


def test_a_checkpoint_over_the_same_lines_changes_nothing(sample: Sample) -> None:
    files = {path: path.stat().st_mtime_ns for path in sample.home.audit.iterdir() if path.is_file()}
    sample.log.write_checkpoint(LATER)
    assert {path: path.stat().st_mtime_ns for path in files} == files


# Failures


def test_a_failed_fsync_raises_and_ends_this_object(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    log = sample.log

    def fails(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(GdprError, match="Input/output error"):
            log.append("hold.release", {"hold": "H1"}, now=LATER)
    with pytest.raises(GdprError, match="an earlier write failed"):
        log.append("hold.release", {"hold": "H1"}, now=LATER)
    with pytest.raises(GdprError, match="an earlier write failed"):
        log.write_checkpoint(LATER)


def test_a_short_write_raises_and_is_declared_by_the_next_run(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = sample.log
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: real(handle, data[:50]))
        with pytest.raises(GdprError, match="only 50 of"):
            log.append("hold.release", {"hold": "H1"}, now=LATER)
    with pytest.raises(GdprError, match="an earlier write failed"):
        log.append("hold.release", {"hold": "H1"}, now=LATER)
    again = sample.log
    again.append("hold.release", {"hold": "H1"}, now=LATER)
    declared = again.last("log.torn")
    assert declared is not None
    assert declared.fields["length"] == 50
    assert verify(sample.home).ok


def test_an_entry_is_on_the_disk_before_append_returns_and_keys_before_their_names(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of durability, as the system calls show it."""
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    calls: list[str] = []
    real_write, real_fsync = os.write, os.fsync

    def name(handle: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{handle}")).name

    def write(handle: int, data: bytes) -> int:
        calls.append(f"write {name(handle)}")
        return real_write(handle, data)

    def fsync(handle: int) -> None:
        calls.append(f"fsync {name(handle)}")
        real_fsync(handle)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", fsync)
    batch = rows.new_batch_id(NOW)
    rows.write_batch_key(sample.home, batch, rows.new_batch_key())
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    log.write_checkpoint(LATER)
    important = [call for call in calls if ".snapshot" not in call and call != "fsync secret"]
    assert important == [
        f"write {batch}.key",
        f"fsync {batch}.key",
        "fsync batch-keys",
        "write audit.jsonl",
        "fsync audit.jsonl",
        "write checkpoints.txt",
        "fsync checkpoints.txt",
        f"write .checkpoint.{os.getpid()}.new",
        f"fsync .checkpoint.{os.getpid()}.new",
        "fsync audit",
    ]


def test_somebody_writing_without_the_lock_is_noticed(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = sample.log
    real = os.open

    def opened(path: str, *args: int, **more: int) -> int:
        if str(path) == str(sample.home.log):
            with sample.home.log.open("ab") as stream:
                stream.write(b"x")
        return real(path, *args, **more)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(GdprError, match="without its lock"):
        log.append("hold.release", {"hold": "H1"}, now=LATER)


def test_a_tampered_log_is_not_appended_to(sample: Sample) -> None:
    lines = sample.lines
    sample.home.log.write_bytes(b"".join(lines[:-1]))
    for attempt in (sample.log, sample.log):
        with pytest.raises(LogBrokenError, match="broken at line 17"):
            attempt.append("hold.release", {"hold": "H1"}, now=LATER)


def test_the_log_s_key_missing_or_foreign_is_said(sample: Sample, tmp_path: Path) -> None:
    other = build(tmp_path / "other")
    sample.home.log_key.write_bytes(other.home.log_key.read_bytes())
    with pytest.raises(LogBrokenError, match="another key"):
        sample.log.append("hold.release", {"hold": "H1"}, now=LATER)
    sample.home.log_key.unlink()
    with pytest.raises(UsageError, match="signing key is missing"):
        sample.log.append("hold.release", {"hold": "H1"}, now=LATER)
    assert len(list(sample.log.entries())) == 17


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's right to write everywhere, where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_home_that_cannot_be_written_is_read_and_refuses_writing_in_words(original: Sample) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = original.copy(Path(folder) / "home")
        for path in [copy.home.path, *copy.home.path.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        log = copy.log
        with nobody():
            assert verify(copy.home).ok
            assert len(list(log.entries())) == 17
            with pytest.raises(UsageError, match=r"audit\.lock: cannot lock: Permission denied"):
                log.append("hold.release", {"hold": "H1"}, now=LATER)
            with pytest.raises(UsageError, match="home/new: cannot write: Permission denied"):
                create(Home(copy.home.path / "new"), name=NAME, now=NOW)
        for path in [copy.home.path, *copy.home.path.rglob("*")]:
            path.chmod(0o700)


# Several at once


def append_some(path: Path, worker: int) -> None:
    log = open_log(Home(path))
    for number in range(12):
        log.append("hold.release", {"hold": f"w{worker}-{number}"}, now=NOW)
    log.write_checkpoint(NOW)


def test_processes_that_append_at_once_lose_nothing_and_keep_the_chain(sample: Sample) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_some, args=(sample.home.path, worker)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    released = [str(entry.fields["hold"]) for entry in sample.log.entries() if entry.type == "hold.release"]
    assert sorted(released) == sorted(f"w{worker}-{number}" for worker in range(4) for number in range(12))
    for worker in range(4):
        assert [hold for hold in released if hold.startswith(f"w{worker}-")] == [
            f"w{worker}-{number}" for number in range(12)
        ]
    assert verify(sample.home, checkpoint=sample.home.checkpoint).ok


def test_the_run_lock_is_for_one_and_does_not_wait(sample: Sample) -> None:
    with (
        sample.log.run_lock(),
        pytest.raises(LockedError, match="another run") as caught,
        sample.log.run_lock(),
    ):
        pass
    assert caught.value.exit_code == 7
    with sample.log.run_lock():
        pass


def test_two_objects_over_one_log_see_each_other_s_entries(sample: Sample) -> None:
    one, other = sample.log, sample.log
    for number in range(4):
        (one, other)[number % 2].append("hold.release", {"hold": f"h{number}"}, now=LATER)
    assert [entry.seq for entry in one.entries()][-4:] == [17, 18, 19, 20]


# Verifying from the last checkpoint


@pytest.fixture
def quick(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> AuditLog:
    """A log whose full verification is out of reach, so that only the quick one can pass."""
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=LATER)

    def never(*_: object, **__: object) -> None:
        raise LogBrokenError("everything had to be read")

    monkeypatch.setattr("staffords_gdpr.auditlog.writer.verify", never)
    return log


def test_from_the_last_checkpoint_a_sound_log_is_not_judged_anew(quick: AuditLog) -> None:
    quick.require_verified(full=False)
    with pytest.raises(LogBrokenError, match="everything"):
        quick.require_verified(full=True)


def test_without_a_snapshot_of_ours_everything_is_judged(quick: AuditLog) -> None:
    text = quick.home.snapshot.read_bytes()
    quick.home.snapshot.write_bytes(text.replace(b'"size": 17', b'"size": 16'))
    with pytest.raises(LogBrokenError, match="everything"):
        quick.require_verified(full=False)
    quick.home.snapshot.unlink()
    with pytest.raises(LogBrokenError, match="everything"):
        quick.require_verified(full=False)


def test_an_older_snapshot_serves_and_the_lines_after_it_are_judged(quick: AuditLog) -> None:
    """As a power cut can leave it, which the checkpoint outlives."""
    older = quick.home.snapshot.read_bytes()
    quick.write_checkpoint(LATER)
    quick.append("hold.add", {"hold": "H2", "subject": HASH, "look_again": NOW.date()}, now=LATER)
    assert quick.home.snapshot.read_bytes() != older
    quick.home.snapshot.write_bytes(older)
    AuditLog(quick.home).require_verified(full=False)
    assert set(AuditLog(quick.home).standing().holds) == {"H2"}
    lines = quick.home.log.read_bytes().splitlines(keepends=True)
    assert b'"hold.release"' in lines[17]
    quick.home.log.write_bytes(b"".join([*lines[:17], lines[17].replace(b"H1", b"H7"), *lines[18:]]))
    with pytest.raises(LogBrokenError, match="everything"):
        AuditLog(quick.home).require_verified(full=False)


def test_a_snapshot_of_other_lines_counts_for_nothing_though_our_key_signed_it(
    quick: AuditLog, tmp_path: Path
) -> None:
    shutil.copytree(quick.home.path, tmp_path / "fork")
    for home, hold in ((quick.home, "H2"), (Home(tmp_path / "fork"), "H3")):
        log = AuditLog(home)
        log.append("hold.add", {"hold": hold, "subject": HASH, "look_again": NOW.date()}, now=LATER)
        log.write_checkpoint(LATER)
    shutil.copy(tmp_path / "fork" / "secret" / "snapshot.json", quick.home.snapshot)
    with pytest.raises(LogBrokenError, match="everything"):
        AuditLog(quick.home).require_verified(full=False)
    with pytest.raises(LogBrokenError, match="not the one that was written there"):
        AuditLog(quick.home).standing()


def test_a_checkpoint_that_is_older_than_the_snapshot_has_everything_judged(quick: AuditLog) -> None:
    older = quick.home.checkpoint.read_bytes()
    quick.write_checkpoint(LATER)
    quick.home.checkpoint.write_bytes(older)
    with pytest.raises(LogBrokenError, match="everything"):
        AuditLog(quick.home).require_verified(full=False)


@pytest.mark.parametrize("line", range(1, 19))
def test_an_edit_that_keeps_the_length_is_found_before_a_purge(sample: Sample, line: int) -> None:
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    lines = sample.lines
    lines[line - 1] = lines[line - 1].replace(b"2026-11-2", b"2025-11-2")
    sample.home.log.write_bytes(b"".join(lines))
    with pytest.raises(LogBrokenError, match=f"broken at line {line}:") as caught:
        sample.log.require_verified(full=False)
    assert caught.value.exit_code == 5
    with pytest.raises(LogBrokenError):
        sample.log.require_verified(full=True)


@pytest.mark.parametrize("kept", [1, 5, 9, 16])
def test_a_log_shorter_than_its_checkpoint_is_broken_before_a_purge(sample: Sample, kept: int) -> None:
    sample.home.log.write_bytes(b"".join(sample.lines[:kept]))
    with pytest.raises(LogBrokenError, match=f"broken at line {kept + 1}: the log ends here"):
        sample.log.require_verified(full=False)


def test_a_foreign_checkpoint_is_found_before_a_purge(sample: Sample, tmp_path: Path) -> None:
    other = build(tmp_path / "other")
    sample.home.checkpoint.write_bytes(other.home.checkpoint.read_bytes())
    with pytest.raises(LogBrokenError, match="not signed by the log's key"):
        sample.log.require_verified(full=False)


# How things stand


def test_what_the_snapshot_says_of_how_things_stand_is_what_the_lines_say(sample: Sample) -> None:
    log = sample.log
    log.append("purge.start", {**START, "confirm": 60}, now=LATER)
    batch = {"run": "r4", "root": HASH, "rows": {"call": 1}}
    names = [rows.new_batch_id(LATER) for _ in range(4)]
    for name in names:
        log.append("purge.intent", {**batch, "batch": name, "subjects": 7}, now=LATER)
    log.append("purge.aborted", {**batch, "batch": names[0], "code": "hold"}, now=LATER)
    for name, outcome in ((names[1], "unclear"), (names[2], "committed")):
        log.append("purge.recovered", {**batch, "batch": name, "outcome": outcome}, now=LATER)
    log.append("hold.add", {"hold": "H2", "subject": HASH, "look_again": NOW.date()}, now=LATER)
    log.append("hold.release", {"hold": "H1"}, now=LATER)
    log.append("purge.refused", {"run": "r5", "brake": "too-many", "seen": {}}, now=LATER)
    log.write_checkpoint(LATER)
    standing = AuditLog(sample.home).standing()
    assert (list(standing.open), list(standing.unclear)) == ([names[3]], [names[1]])
    assert standing.confirmed == 60 - 7
    assert (set(standing.holds), standing.released) == ({"H2"}, {"H1"})
    assert standing.last_that_counts is not None
    assert standing.last_that_counts.type == "hold.release"
    assert set(standing.refused) == {"share", "too-many"}
    for entry in log.entries():
        assert standing.latest[entry.type].seq >= entry.seq
    sample.home.snapshot.unlink()
    assert AuditLog(sample.home).standing() == standing


def test_the_newest_entry_of_a_type_is_the_same_with_and_without_a_snapshot(sample: Sample) -> None:
    kinds = {entry.type for entry in sample.log.entries()} | {"review"}
    told = {kind: sample.log.last(kind) for kind in kinds}
    assert told["purge.end"] is not None
    assert (told["purge.end"].seq, told["review"]) == (16, None)
    sample.home.snapshot.unlink()
    assert {kind: AuditLog(sample.home).last(kind) for kind in kinds} == told


# Crashes around a batch


def test_an_intent_without_outcome_is_reported_and_not_broken(sample: Sample) -> None:
    log = sample.log
    fields = {"run": "r4", "batch": rows.new_batch_id(NOW), "root": HASH, "rows": {"call": 1}}
    log.append("purge.intent", {**fields, "subjects": 1}, now=LATER)
    log.write_checkpoint(LATER)
    found = verify(sample.home)
    assert found.ok
    assert str(fields["batch"]) in found.notes[0]
    with pytest.raises(UsageError, match="no outcome yet"):
        log.append(
            "purge.intent", {**fields, "run": "r5", "batch": rows.new_batch_id(NOW), "subjects": 1}, now=LATER
        )
    fields = {**fields, "run": "r5", "outcome": "not-committed"}
    sample.log.append("purge.recovered", fields, now=LATER)  # another object: it knows from the snapshot
    assert verify(sample.home).notes == ()


def test_leaves_may_lack_only_after_the_last_checkpoint(sample: Sample) -> None:
    log = sample.log
    batch = purge_batch(log, "r4", now=LATER)
    path = sample.home.leaves(batch)
    assert path is not None
    data = path.read_bytes()
    path.unlink()
    assert verify(sample.home).ok
    log.write_checkpoint(LATER)
    found = verify(sample.home)
    assert (found.ok, found.line) == (False, 19)
    path.write_bytes(data)
    assert verify(sample.home).ok


def test_what_must_be_remembered_does_not_grow_with_the_lines(sample: Sample) -> None:
    log = sample.log
    before = sample.home.snapshot.stat().st_size
    for number in range(150):
        log.append("purge.end", {**END, "run": f"r{number}"}, now=LATER)
    log.write_checkpoint(LATER)
    frontier = 8 * len('"", ') * 32  # one hash for each bit of the number of lines
    assert sample.home.snapshot.stat().st_size < before + frontier

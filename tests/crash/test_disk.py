"""Disks that are full, that fail, or that may not be written: the run stops and says so, and claims nothing."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_office import Office, Saved, assert_nothing_is_gone_unannounced, settled_by_the_next_run
from own_servers import OwnServer
from shim import INTENT, NEVER, Action, Commands, Ended, Trap
from small_disk import SmallDisk, say_untested

PAGE = os.sysconf("SC_PAGESIZE")
SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)


def stopped_and_said_why(ended: Ended, code: int, why: str) -> None:
    """The exit code, and on the terminal what is wrong, and what to do."""
    assert ended.code == code, ended
    assert why in ended.err
    assert "unexpected" not in ended.err
    assert "an earlier write failed" not in ended.err, "what failed first is what a person has to hear"
    assert "Traceback" not in ended.err
    assert len(ended.err.splitlines()) >= 2, "what to do"


@contextmanager
def a_disk_for(folder: Path) -> Iterator[SmallDisk | None]:
    """A disk of one megabyte in the place of a folder, with what was in it. None where nothing may be mounted."""
    copy = folder.with_name(folder.name + "-copy")
    shutil.copytree(folder, copy)
    try:
        disk = SmallDisk(folder, "1m")
    except OSError:
        say_untested("a disk that is full: mounting one is not permitted here")
        yield None
        return
    try:
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        yield disk
    finally:
        disk.unmount()


@SQLITE
def test_a_log_on_a_full_disk_claims_nothing_and_goes_on_when_there_is_room(saved: Saved) -> None:
    with a_disk_for(saved.office.home.path) as disk:
        for pages in (0, 1, 3, 5, 8) if disk else ():
            disk.fill(leave=pages * PAGE)
            stopped_and_said_why(saved.office.purge(), 1, "isk")
            assert_nothing_is_gone_unannounced(saved)
            disk.give_way()
            settled_by_the_next_run(saved)
            shutil.rmtree(saved.office.home.path, ignore_errors=True)
            shutil.copytree(saved.copy, saved.office.home.path, dirs_exist_ok=True)
            saved.office.fill({name: rows.values() for name, rows in saved.tables.items()})


@SERVERS
def test_a_log_that_may_not_grow_is_survived_night_after_night(saved: Saved) -> None:
    """Each night there is room for a little more than the night before, but not for a line."""
    for bytes_more in (50, 1, 1, 400, 0, 3, 50):
        room = saved.office.home.log.stat().st_size + bytes_more
        stopped_and_said_why(saved.office.purge(largest_file=room), 1, "audit.jsonl")
        assert saved.office.tables() == saved.tables
    settled_by_the_next_run(saved)


@SERVERS
def test_a_log_that_is_full_in_mid_batch_is_survived(saved: Saved) -> None:
    sizes = [saved.office.home.log.stat().st_size + room for room in (700, 1600, 2800)]
    for size in sizes:
        stopped_and_said_why(saved.office.purge(largest_file=size), 1, "audit.jsonl")
        settled_by_the_next_run(saved)
        saved.restore()


def test_a_database_on_a_full_disk(tmp_path: Path, commands: Commands) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/firm.db").touch()
    saved = Saved(Office.open(Office(f"sqlite:///{tmp_path}/data/firm.db", tmp_path / "firm", commands)))
    with a_disk_for(tmp_path / "data") as disk:
        for pages in range(3) if disk else ():
            disk.fill(leave=pages * PAGE)
            stopped_and_said_why(saved.office.purge(), 6, "the disk is full")
            disk.give_way()
            settled_by_the_next_run(saved)
            saved.restore()


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"])
def test_a_server_on_a_full_disk(
    own_server: OwnServer, own_saved: Saved, small_disk: SmallDisk | None
) -> None:
    """What the server makes of it is its own affair: it may have room left in its files, refuse, or die."""
    if small_disk is None:
        return say_untested("a server on a disk that is full: mounting one is not permitted here")
    for since in ("", '"type":"purge.start"', INTENT):
        trap = Trap(Action.PAUSE, 1, ("send",), since=since)
        process = own_saved.office.start("purge", "--batch-size", "2", trap=trap)
        with own_saved.office.commands.paused(process):
            small_disk.fill()
        ended = own_saved.office.commands.wait(process)
        assert ended.code in (0, 6), ended.err
        small_disk.give_way()
        own_server.start_if_it_has_died()
        settled_by_the_next_run(own_saved)
        own_saved.restore()
    return None


@SQLITE
def test_a_sync_that_fails_stops_the_run_and_is_never_tried_again(saved: Saved) -> None:
    """A second fsync says that all is well though the first lost what it should have written."""
    office = saved.office
    steps = office.purge(Trap(Action.COUNT, NEVER, ("sync",))).steps
    saved.restore()
    first_of_each = [n for n, step in enumerate(map(kind, steps), 1) if step not in map(kind, steps[: n - 1])]
    assert len(first_of_each) > 10
    # of the log the first four: one of them is an intent's, one an outcome's
    log = [n for n, step in enumerate(steps, 1) if step.endswith("audit.jsonl")][:4]
    for n in sorted({*first_of_each, *log}):
        ended = office.purge(Trap(Action.FAIL, n, ("sync",), error=errno.EIO))
        failed = ended.steps[n - 1]
        ours = str(office.home.path) in failed
        if ours or ended.code:  # SQLite does not mind about the name of its journal
            stopped_and_said_why(ended, 1 if ours else 6, "Input/output error" if ours else "disk fails")
        assert not ours or failed not in ended.steps[n:], f"{failed} was tried again"
        if n in log:
            lose_the_last_line(office, n)
        settled_by_the_next_run(saved)
        saved.restore()


def kind(step: str) -> str:
    folder, _, name = step.rpartition("/")
    return folder + name.lstrip(".")[-10:] if name else folder


def lose_the_last_line(office: Office, n: int) -> None:
    """What the disk did not take: all of it, a part, or nothing."""
    data = office.home.log.read_bytes()
    last = len(data.splitlines(keepends=True)[-1])
    office.home.log.write_bytes(data[: len(data) - (0, last // 2, last)[n % 3]])


@SQLITE
@pytest.mark.parametrize(
    ("place", "mode", "code"),
    [
        ("home/audit/audit.jsonl", 0o444, 2),
        ("home/audit", 0o555, 2),
        ("home/audit/checkpoints.txt", 0o444, 2),
        ("home/secret/pending", 0o555, 2),
        ("home/secret/batch-keys", 0o555, 2),
        ("home/secret", 0o555, 2),
    ],
)
def test_what_may_not_be_written_stops_the_run_with_its_name(
    saved: Saved, place: str, mode: int, code: int
) -> None:
    path = saved.office.folder / place
    usual = path.stat().st_mode
    path.chmod(mode)
    ended = saved.office.purge(powerless=1)
    path.chmod(usual)
    stopped_and_said_why(ended, code, str(path))
    settled_by_the_next_run(saved)


@pytest.mark.parametrize(
    "engine_name", ["sqlite", "mariadb"], indirect=True
)  # PostgreSQL lets only its user in
def test_a_log_made_read_only_in_mid_batch(saved: Saved, engine_name: str) -> None:
    """After the erase and before its outcome: only the next run can say what became of it."""
    office = saved.office
    trap = (
        Trap(Action.PAUSE, 1, ("remove",), place="-journal", since=INTENT)
        if engine_name == "sqlite"
        else Trap(Action.PAUSE, 1, ("send",), text="COMMIT", since=INTENT)
    )
    process = office.start("purge", "--batch-size", "2", trap=trap, powerless=1)
    with office.commands.paused(process):
        office.home.log.chmod(0o444)
    stopped_and_said_why(office.commands.wait(process), 2, "audit.jsonl: cannot write: Permission denied")
    office.home.log.chmod(0o640)
    settled_by_the_next_run(saved)
    assert [entry.fields["outcome"] for entry in office.entries("purge.recovered")] == ["committed"]

"""Power cuts, clocks that are set wrong in between, and two purges at once."""

from __future__ import annotations

import datetime as dt
import random
import shutil

import pytest
from crash_office import Saved, assert_log_and_database_agree, settled_by_the_next_run
from shim import INTENT, NEVER, Action, Trap

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import BrakeError
from staffords_gdpr.operations.purge import purge
from staffords_gdpr.policy import load_policy

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
DAY = dt.timedelta(days=1)


@SQLITE
def test_each_thing_is_on_the_disk_before_what_rests_on_it(saved: Saved) -> None:
    """What is written is lost in a power cut until it is synced, and so is a name until its folder is."""
    home, folder = saved.office.home, saved.office.url.removeprefix("sqlite:///").rpartition("/")[0]
    needed = (str(home.audit), str(home.pending), str(home.batch_keys))  # not the snapshot: it is a cache
    steps = saved.office.purge(Trap(Action.COUNT, NEVER, ("write", "sync", "rename", "remove"))).steps
    may_be_lost: set[str] = set()
    entries = batches = 0

    def lost(rests_on: tuple[str, ...]) -> set[str]:
        # the next batch may have begun its journal, which is nothing before it is synced
        return {path for path in may_be_lost if path.startswith(rests_on) and not path.endswith("-journal")}

    for call, path in (step.split(" ", 1) for step in steps):
        if call == "write" and path == str(home.log):
            # an intent rests on its key and pending file, an outcome on the database's commit, too
            outcome = entries in (2, 4, 6)
            rests_on = (*needed, folder) if outcome else needed
            assert not lost(rests_on), entries
            entries += 1
        if call == "write" and path.endswith(".db"):
            assert not lost(needed), "the database before its intent"
        if call == "remove" and path.startswith(str(home.pending)):
            assert not lost((*needed, folder)), "nothing else knows"
            batches += 1
        if call == "sync":
            may_be_lost.discard(path)
        else:
            may_be_lost.add(path if call == "write" else path.rpartition("/")[0])
            may_be_lost -= {path} if call in ("rename", "remove") else set()
    assert (entries, batches) == (8, 3)


def last_line_torn_at(saved: Saved, kept: int) -> None:
    log = saved.office.home.log
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])


@SQLITE
@pytest.mark.parametrize("last", ["purge.intent", "purge.done"])
def test_a_last_line_torn_by_a_power_cut_at_any_byte(saved: Saved, last: str) -> None:
    """The log by itself at every byte; with the purge that follows at some."""
    office, home = saved.office, saved.office.home
    # killed where the line is on its way to the disk, and nothing that rests on it has been done
    assert office.purge(Trap(Action.KILL, 1, ("sync",), "audit.jsonl", since=f'"type":"{last}"')).was_killed
    after, length = home.log.read_bytes(), len(home.log.read_bytes().splitlines(keepends=True)[-1])
    rows, copy = office.tables(), home.path.with_name("killed")
    shutil.copytree(home.path, copy)
    for kept in range(length):
        last_line_torn_at(saved, kept)
        assert verify(home).ok, kept
        open_log(home).require_verified(full=False)
        open_log(home).append(
            "hold.release", {"hold": "H1"}, now=dt.datetime.now(dt.UTC)
        ) if kept % 40 == 7 else 0
        assert verify(home).ok, kept
        home.log.write_bytes(after)
    for kept in (0, 1, length // 2, length - 1):
        shutil.rmtree(home.path)
        shutil.copytree(copy, home.path)
        office.fill({name: some.values() for name, some in rows.items()})
        last_line_torn_at(saved, kept)
        settled_by_the_next_run(saved)


@SQLITE
def test_a_log_that_is_shorter_than_its_checkpoint_stops_every_purge(saved: Saved) -> None:
    """No power cut does that."""
    office = saved.office
    office.purge()
    saved.office.fill({name: rows.values() for name, rows in saved.tables.items()})
    whole = office.home.log.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for cut in (1, last // 2, last, last + 1, last + 200):
        office.home.log.write_bytes(whole[:-cut])
        ended = office.purge()
        assert ended.code == 5, ended
        assert office.tables() == saved.tables


@SQLITE
def test_writes_torn_again_and_again_are_survived(saved: Saved) -> None:
    """Night after night the power goes while the torn line of the night before is declared."""
    chance, home = random.Random(5), saved.office.home
    for _ in range(5):
        for _ in range(20):
            before = home.log.read_bytes()
            log = open_log(home)
            log.require_verified(full=False)
            log.append("hold.release", {"hold": "H1"}, now=dt.datetime.now(dt.UTC))
            written = home.log.read_bytes()[len(before) :]
            length = written.index(b"\n", 1) + 1  # of what one write brings: an entry
            kept = chance.choice((0, 1, 2, chance.randrange(length), length - 1))
            home.log.write_bytes(before + written[:kept])
            assert verify(home).ok
        settled_by_the_next_run(saved)
        saved.restore()


def test_of_two_purges_at_once_one_is_refused_and_the_other_is_not_disturbed(saved: Saved) -> None:
    office = saved.office
    process = office.start("purge", trap=Trap(Action.PAUSE, 1, ("sync",), "audit.jsonl", since=INTENT))
    with office.commands.paused(process):
        size = office.home.log.stat().st_size
        second = office.purge()
        assert second.code == 7, second.err
        assert "another run is under way" in second.err
        assert office.home.log.stat().st_size == size
        assert list(office.home.pending.iterdir()), "only the holder of run.lock settles"
    assert office.commands.wait(process).code == 0
    assert office.tables() == saved.end
    assert_log_and_database_agree(office, saved.tables)


@SQLITE
def test_a_clock_that_is_wrong_after_a_crash_settles_nothing(saved: Saved) -> None:
    office = saved.office
    assert office.purge(Trap(Action.KILL, 1, ("write",), "audit.jsonl", text='"purge.done"')).was_killed
    now, rows = dt.datetime.now(dt.UTC), office.tables()
    engine = connect(office.url, write=True)
    for moment, brake in ((now - DAY / 24, "clock-behind"), (now + 5 * DAY, "clock-ahead")):
        with pytest.raises(BrakeError) as refused:
            purge(load_policy(office.policy), engine, office.log, now=moment)
        assert refused.value.code == brake
        assert office.tables() == rows
        assert list(office.home.pending.iterdir()), "it is settled when the clock is right"
    engine.dispose()
    settled_by_the_next_run(saved)
    assert [entry.fields["outcome"] for entry in office.entries("purge.recovered")] == ["committed"]

"""A purge that erases with two connections at once, killed, cut off and stopped: never is more than one batch open, and
the next run finds out about it.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from crash_office import Office, Saved, assert_nothing_is_gone_unannounced, settled_by_the_next_run
from engines.keeper import CLUSTER
from shim import INTENT, NEVER, Action, Commands, Ended, Trap
from test_killed import DISK, FACTOR, wait_for_an_entry

from staffords_gdpr.auditlog.rows import leaf, read_batch_key, read_leaves

pytestmark = [
    pytest.mark.skipif(CLUSTER in os.environ, reason="one connection only on a cluster"),
    pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True),
]

PARTS = (range(11, 18), range(1011, 1018))
"""More customers of whom everything is over: each connection has those of one thousand."""
AT_LEAST = 10  # kills on each engine


@pytest.fixture
def saved(engine_url: str, tmp_path: Path, commands: Commands) -> Saved:
    office = Office(engine_url, tmp_path / "firm", commands, connections=len(PARTS))
    return Saved(Office.open(office, customers=[number for part in PARTS for number in part]))


def open_batches(office: Office) -> set[object]:
    """Batches of which the log has an intent and no outcome, once it is looked at whether there were ever more."""
    waiting: set[object] = set()
    for entry in office.entries("purge.intent", "purge.done", "purge.aborted"):
        if entry.type == "purge.intent":
            assert not waiting, "a batch was announced while another was open"
            waiting.add(entry.fields["batch"])
        else:
            waiting.remove(entry.fields["batch"])
    return waiting


def test_both_erase(saved: Saved) -> None:
    office = saved.office
    ended = office.purge()
    assert ended.code == 0, ended.err
    assert office.tables() == saved.end
    assert open_batches(office) == set()
    batches = [entry.fields["batch"] for entry in office.entries("purge.done")]
    assert {_part_of(saved, batch) for batch in batches} == {0, 1}
    settled_by_the_next_run(saved)


def _part_of(saved: Saved, batch: object) -> int:
    """Whose customers a batch was about: 0 for the first connection's."""
    home = saved.office.home
    path, key = home.leaves(str(batch)), read_batch_key(home, str(batch))
    assert path is not None
    assert key is not None
    found = set(read_leaves(path))
    return int(any(leaf(key, "customer", (number,)) in found for number in PARTS[1]))


def test_killed_at_any_step_and_at_any_moment(saved: Saved) -> None:
    office, chance, kills = saved.office, random.Random(5), 0
    counted = office.purge(Trap(Action.COUNT, NEVER))
    steps = [step for step in counted.steps if step.split()[0] in DISK]
    assert office.tables() == saved.end
    saved.restore()
    for number in range(AT_LEAST * FACTOR * 2):
        if number % 3 == 0:
            ended = office.purge(Trap(Action.KILL, chance.randrange(1, len(steps)), DISK))
        elif number % 3 == 1:
            commit = Trap(Action.AFTER, chance.randrange(1, 12), ("send",), text="COMMIT", since=INTENT)
            ended = office.purge(commit)
        else:
            ended = killed_after(office, chance.uniform(0, 0.4))
        assert ended.was_killed or ended.code == 0, ended.err
        kills += ended.was_killed
        assert_nothing_is_gone_unannounced(saved)
        assert len(open_batches(office)) <= 1
        settled_by_the_next_run(saved)
        saved.restore()
        if kills == AT_LEAST * FACTOR:
            break
    assert kills == AT_LEAST * FACTOR


def killed_after(office: Office, seconds: float) -> Ended:
    size = office.home.log.stat().st_size
    process = office.start("purge", "--batch-size", "2")
    wait_for_an_entry(office, size)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    return office.commands.wait(process)


def test_a_commit_whose_answer_is_lost_ends_both(saved: Saved) -> None:
    office = saved.office
    ended = office.purge(Trap(Action.CUT, 3, ("send",), text="COMMIT", since=INTENT))
    assert ended.code == 6, ended.err
    assert "Traceback" not in ended.err
    assert "unexpected" not in ended.err
    assert len(open_batches(office)) <= 1
    assert office.tables() != saved.end, "the other connection has gone on to the end"
    time.sleep(0.5)  # a COMMIT that was sent may still be under way
    settled_by_the_next_run(saved)


def test_a_signal_ends_both_after_their_batches(saved: Saved) -> None:
    office = saved.office
    size = office.home.log.stat().st_size
    process = office.start("purge", "--batch-size", "1", "--pause", "20ms")
    wait_for_an_entry(office, size)
    os.kill(process, signal.SIGTERM)
    ended = office.commands.wait(process)
    assert ended.code == 0, ended.err
    (end,) = office.entries("purge.end")
    assert end.fields["result"] == "signal"
    assert open_batches(office) == set()
    assert office.tables() != saved.end
    settled_by_the_next_run(saved)

"""A purge that is killed anywhere: the next one finds out what happened, and log and database agree row for row.

More kills of each kind: GDPR_TEST_KILLS=10 (that many times as many).
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from crash_office import (
    Office,
    Saved,
    assert_log_and_database_agree,
    assert_nothing_is_gone_unannounced,
    settled_by_the_next_run,
)
from shim import INTENT, NEVER, Action, Ended, Trap

FACTOR = int(os.environ.get("GDPR_TEST_KILLS", "1"))
AT_LEAST = 70  # of each engine, and so more than 200 in all
DISK = ("write", "sync", "rename", "remove", "cut")


class Killing:
    """Kills purges of a firm, looks at what each left, and counts them."""

    def __init__(self, saved: Saved, seed: int) -> None:
        self.saved = saved
        self.office = saved.office
        self.chance = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.outcomes: Counter[object] = Counter()
        self.torn = 0

    def uninterrupted(self) -> Ended:
        """All the steps of a purge that comes to its end."""
        ended = self.office.purge(Trap(Action.COUNT, NEVER))
        assert ended.code == 0, ended.err
        assert self.office.tables() == self.saved.end != self.saved.tables
        assert_log_and_database_agree(self.office, self.saved.tables)
        self.saved.restore()
        return ended

    def at(self, kind: str, trap: Trap) -> bool:
        """Kill a purge there. False where it was at its end before."""
        return self._after(kind, self.office.purge(trap))

    def after(self, seconds: float) -> bool:
        """Kill a purge so long after its first entry."""
        size = self.office.home.log.stat().st_size
        process = self.office.start("purge", "--batch-size", "2")
        wait_for_an_entry(self.office, size)
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
        return self._after("at a random moment", self.office.commands.wait(process))

    def _after(self, kind: str, ended: Ended) -> bool:
        assert ended.was_killed or ended.code == 0, ended.err
        self.kills[kind] += ended.was_killed
        assert_nothing_is_gone_unannounced(self.saved)
        return ended.was_killed

    def settle(self) -> None:
        """The next run; then everything is as it was at first again."""
        settled_by_the_next_run(self.saved)
        recovered = self.office.entries("purge.recovered")
        self.outcomes.update(entry.fields["outcome"] for entry in recovered)
        self.torn += len(self.office.entries("log.torn"))
        self.saved.restore()


def each_kind_of(steps: tuple[str, ...], chance: random.Random) -> list[int]:
    """The numbers of the steps, one of each kind: what is done to which file after what was done to which. Which one of
    several is left to chance.
    """
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    before = ""
    for number, step in enumerate(steps, start=1):
        kind = re.sub(r"\b[0-9A-Z]{26}\b|\.\d+\.", "*", step)
        kinds[before, kind].append(number)
        before = kind
    return sorted(chance.choice(numbers) for numbers in kinds.values())


def wait_for_an_entry(office: Office, size: int) -> None:
    """Until the log is longer than that."""
    until = time.monotonic() + 60
    while office.home.log.stat().st_size == size and time.monotonic() < until:
        time.sleep(0.002)


def test_killed_at_every_step_and_at_any_moment(saved: Saved, engine_name: str) -> None:
    killing = Killing(saved, seed=7 if FACTOR == 1 else time.time_ns())
    steps = killing.uninterrupted().steps
    disk = tuple(step for step in steps if step.split()[0] in DISK)
    kinds = each_kind_of(disk, killing.chance)
    assert len(kinds) > 25
    for number, n in enumerate(kinds * FACTOR):
        assert killing.at("before a step", Trap(Action.KILL, n, DISK))
        # and again while the next run is settling that, with half of a step done: of a line in the log, or of any
        early = killing.chance.randrange(1, 40)
        if number % 4 == 1:
            killing.at("in the middle of a line", Trap(Action.TORN, early % 3 + 1, ("write",), "audit.jsonl"))
        elif number % 4 == 3:
            killing.at("in the middle of a step", Trap(Action.TORN, early, DISK))
        killing.settle()
    if engine_name != "sqlite":
        messages = len(steps) - len(disk)
        for _ in range(4 * FACTOR):
            n = killing.chance.randrange(messages // 2, messages)
            assert killing.at("after a message to the server", Trap(Action.AFTER, n, ("send",)))
            killing.settle()
            commit = Trap(Action.AFTER, 1, ("send",), text="COMMIT", since=INTENT)
            assert killing.at("after the commit was sent", commit)
            killing.settle()
    while killing.kills.total() < AT_LEAST * FACTOR:
        if killing.after(killing.chance.uniform(0, 0.3)):
            killing.after(killing.chance.uniform(0, 0.3))
            killing.settle()
        else:
            saved.restore()
    assert killing.outcomes.keys() == {"committed", "not-committed"}
    assert killing.torn
    assert killing.kills.total() >= AT_LEAST * FACTOR


def test_the_real_command_killed_at_random_moments(saved: Saved) -> None:
    """With nothing between it and the machine."""
    chance = random.Random(11)
    command = [Path(sys.executable).with_name("gdpr"), "purge", "--batch-size", "2"]
    office = saved.office
    for _ in range(2 * FACTOR):
        size = office.home.log.stat().st_size
        process = subprocess.Popen(command, cwd=office.folder, env={**os.environ, **office.environ})
        wait_for_an_entry(office, size)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        assert process.wait() in (-signal.SIGKILL, 0)
        settled_by_the_next_run(saved)
        saved.restore()

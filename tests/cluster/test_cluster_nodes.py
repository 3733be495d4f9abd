"""Nodes that are killed in the middle of a purge: after the next run log and database agree on every node."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from crash_office import (
    LONG_AGO,
    Office,
    Saved,
    assert_log_and_database_agree,
    assert_nothing_is_gone_unannounced,
    settled_by_the_next_run,
)
from engines.galera import Galera
from engines.talk import run
from shim import INTENT, Action, Commands, Trap


@pytest.fixture
def office(cluster: Galera, tmp_path: Path, commands: Commands) -> Office:
    return Office.open(Office(cluster.url(0), tmp_path / "firm", commands))


@pytest.fixture
def saved(office: Office) -> Saved:
    return Saved(office)


def assert_settled_on_every_node(cluster: Galera, saved: Saved) -> None:
    """A purge through a node that is there; then the same rows on each, and just those, also where one comes back."""
    saved.office.url = cluster.url(cluster.alive[0])
    settled_by_the_next_run(saved)
    cluster.start_missing()
    for node in cluster.nodes:
        saved.office.url = cluster.url(node)
        assert saved.office.tables() == saved.end
        assert_log_and_database_agree(saved.office, saved.tables)
    first, *others = (cluster.rows(node) for node in cluster.nodes)
    assert all(other == first for other in others)


@pytest.mark.parametrize("seed", range(4))
def test_the_node_that_a_purge_talks_to_is_killed(cluster: Galera, saved: Saved, seed: int) -> None:
    """Approved through another node: the policy is for the cluster."""
    office, node = saved.office, 1 + seed % 2
    office.url = cluster.url(node)
    process = office.start("purge", "--batch-size", "1")
    wait_for_intents(office, 1 + seed)
    time.sleep(random.Random(seed).uniform(0, 0.1))
    cluster.kill(node)
    ended = office.commands.wait(process)
    assert ended.code in (0, 6), ended.err
    office.url = cluster.url(cluster.alive[0])
    cluster.wait_for_size(cluster.alive[0], 2)
    assert_nothing_is_gone_unannounced(saved)
    assert_settled_on_every_node(cluster, saved)


def test_another_node_is_killed_and_the_purge_goes_on(cluster: Galera, saved: Saved) -> None:
    """It needs the locks of all nodes that there are, so it waits until the others have missed that one."""
    process = saved.office.start("purge", "--batch-size", "1")
    wait_for_intents(saved.office, 2)
    cluster.kill(1)
    ended = saved.office.commands.wait(process)
    assert ended.code == 0, ended.err
    assert saved.office.tables() == saved.end
    assert_settled_on_every_node(cluster, saved)


def test_a_purge_is_killed_and_the_next_goes_through_another_node(cluster: Galera, saved: Saved) -> None:
    """Killed between intent and COMMIT, or when the COMMIT is on its way."""
    office, chance = saved.office, random.Random(7)
    outcomes: Counter[object] = Counter()
    for kill in range(9):
        office.url = cluster.url(kill % 3)
        sent = Trap(Action.AFTER, 1, ("send",), text="COMMIT", since=INTENT)
        unsent = Trap(Action.KILL, 1, ("send",), text="COMMIT", since=INTENT)
        # which of them is sent after the intent depends on who is faster
        any_of_them = Trap(Action.AFTER, chance.randrange(1, 5), ("send",), since=INTENT)
        assert office.purge((unsent, sent, any_of_them)[kill // 3]).was_killed
        office.url = cluster.url((kill + 1) % 3)
        assert_nothing_is_gone_unannounced(saved)
        settled_by_the_next_run(saved)
        outcomes.update(entry.fields["outcome"] for entry in office.entries("purge.recovered"))
        saved.restore()
    assert outcomes.keys() == {"committed", "not-committed"}


def test_batches_stay_within_what_a_write_set_may_hold(cluster: Galera, office: Office) -> None:
    more = ", ".join(f"({number}, 'Name', '{LONG_AGO}')" for number in range(101, 113))
    run(office.url, f"INSERT INTO customers VALUES {more}")
    before = office.tables()
    for node in cluster.nodes:
        cluster.run(node, "SET GLOBAL wsrep_max_ws_rows = 4")
    ended = office.gdpr("purge", "--batch-size", "100")
    assert ended.code == 0, ended.err
    assert not any(key > "100" for key in office.tables()["customers"] if len(key) == 3)
    assert_log_and_database_agree(office, before)
    sizes = [sum(entry.fields["rows"].values()) for entry in office.entries("purge.done")]  # type: ignore[attr-defined]
    assert 2 < max(sizes) <= 4


def test_a_limit_with_which_nothing_can_be_done_is_named(cluster: Galera, saved: Saved) -> None:
    cluster.run(0, "SET GLOBAL wsrep_max_ws_rows = 1")
    ended = saved.office.gdpr("purge")
    assert ended.code in (1, 6)
    assert "wsrep_max_ws_rows" in ended.err


def test_a_node_that_has_lost_the_others_is_not_purged(cluster: Galera, saved: Saved) -> None:
    cluster.kill(1)
    cluster.kill(2)
    cluster.wait(0, lambda: cluster.status(0, "wsrep_cluster_status") == "non-Primary")
    ended = saved.office.gdpr("purge")
    assert ended.code == 6
    cluster.run(0, "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
    cluster.wait_for_size(0, 1)
    assert_settled_on_every_node(cluster, saved)


def test_a_node_that_is_read_only_is_no_place_for_a_purge(cluster: Galera, saved: Saved) -> None:
    cluster.run(0, "SET GLOBAL read_only = ON")
    try:
        assert saved.office.gdpr("scan").code == 0
        ended = saved.office.gdpr("purge")
    finally:
        cluster.run(0, "SET GLOBAL read_only = OFF")
    assert ended.code == 6
    assert "replica" in ended.err
    assert saved.office.tables() == saved.tables


def wait_for_intents(office: Office, count: int) -> None:
    until = time.monotonic() + 60
    while len(office.entries("purge.intent")) < count:
        assert time.monotonic() < until
        time.sleep(0.01)

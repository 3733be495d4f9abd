"""The connection to the database breaks, or the server dies, at the worst moments of a batch."""

from __future__ import annotations

import time

import pytest
from crash_office import Office, Saved, settled_by_the_next_run
from engines.talk import run, speaking
from own_servers import OwnServer
from shim import INTENT, Action, Ended, Trap

SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
MOMENTS = {
    "between intent and erase": Trap(Action.PAUSE, 1, ("send",), since=INTENT),
    "between erase and commit": Trap(Action.PAUSE, 1, ("send",), text="COMMIT", since=INTENT),
}


def break_other_connections(url: str) -> None:
    """What an administrator, or a proxy that is restarted, does."""
    with speaking(url) as administrator:
        if administrator.dialect.name == "postgresql":
            administrator.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return
        found = administrator.exec_driver_sql(
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
        )
        for (connection,) in found.all():
            administrator.exec_driver_sql(f"KILL CONNECTION {connection}")


def says_that_the_database_has_gone(ended: Ended) -> None:
    assert ended.code == 6, ended.err
    assert "unexpected" not in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def recovered(office: Office) -> list[object]:
    return [entry.fields["outcome"] for entry in office.entries("purge.recovered")]


@SERVERS
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_connection_that_breaks_in_mid_batch_erases_nothing_of_it(saved: Saved, moment: str) -> None:
    office = saved.office
    process = office.start("purge", "--batch-size", "2", trap=MOMENTS[moment])
    with office.commands.paused(process):
        break_other_connections(office.url)
    says_that_the_database_has_gone(office.commands.wait(process))
    assert office.tables() == saved.tables
    settled_by_the_next_run(saved, foretold=True)
    if moment == "between erase and commit":
        assert recovered(office) == ["not-committed"], "a run that does not know must not say"
    else:
        assert recovered(office) == ["not-committed"] or len(office.entries("purge.aborted")) == 1


@SERVERS
def test_a_commit_whose_answer_is_lost_is_found_out_by_the_next_run(saved: Saved) -> None:
    office = saved.office
    cut = Trap(Action.CUT, 1, ("send",), text="COMMIT", since=INTENT)
    says_that_the_database_has_gone(office.purge(cut))
    assert not office.entries("purge.done", "purge.aborted")
    wait_for_a_change(saved)
    settled_by_the_next_run(saved, foretold=True)
    assert recovered(office) == ["committed"]


def wait_for_a_change(saved: Saved) -> None:
    until = time.monotonic() + 20
    while saved.office.tables() == saved.tables and time.monotonic() < until:
        time.sleep(0.02)
    assert saved.office.tables() != saved.tables


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"])
def test_a_server_that_is_killed_and_started_again(own_server: OwnServer, own_saved: Saved) -> None:
    """Nobody has the time to say goodbye: every process of it gets SIGKILL."""
    saved, office = own_saved, own_saved.office
    for trap in MOMENTS.values():
        process = office.start("purge", "--batch-size", "2", trap=trap)
        with office.commands.paused(process):
            own_server.kill()
        says_that_the_database_has_gone(office.commands.wait(process))
        own_server.start()
        settled_by_the_next_run(saved)
        saved.restore()


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"])
def test_what_the_log_calls_erased_outlives_the_server_also_where_commits_need_not_last(
    own_server: OwnServer, own_saved: Saved, engine_name: str
) -> None:
    office = own_saved.office
    if engine_name == "postgresql":
        run(office.url, "ALTER ROLE postgres SET synchronous_commit = off")
    process = office.start(
        "purge", "--batch-size", "2", trap=Trap(Action.PAUSE, 2, text='"type":"purge.done"')
    )
    with office.commands.paused(process):
        own_server.kill()
    says_that_the_database_has_gone(office.commands.wait(process))
    own_server.start()
    settled_by_the_next_run(own_saved)

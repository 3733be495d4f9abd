"""Fixtures of the tests that interrupt purges."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_office import TABLES, Office, Saved
from engines.talk import run
from own_servers import KINDS, OwnServer
from shim import Commands
from small_disk import UNTESTED, SmallDisk


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what in sorted(UNTESTED):
        terminalreporter.write_line(f"NOT TESTED: {what}", yellow=True)


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    commands = Commands(tmp_path_factory.mktemp("shim"))
    yield commands
    commands.close()


@pytest.fixture
def office(engine_url: str, tmp_path: Path, commands: Commands) -> Office:
    return Office.open(Office(engine_url, tmp_path / "firm", commands))


@pytest.fixture
def saved(office: Office) -> Saved:
    return Saved(office)


@pytest.fixture(scope="session")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk | None]:
    """Room for a server; None where nothing can be mounted."""
    # the path of a socket has at most 107 characters
    folder = Path(tempfile.mkdtemp(prefix="gdpr-"))
    try:
        disk = SmallDisk(folder, "300m")
    except OSError:
        yield None
        return
    yield disk
    disk.unmount()
    folder.rmdir()


@pytest.fixture(scope="session")
def own_servers(
    small_disk: SmallDisk | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, OwnServer]]:
    """Servers to kill, on the small disk where there is one; started when a test asks."""
    started: dict[str, OwnServer] = {}
    yield started
    for server in started.values():
        server.stop()


@pytest.fixture
def own_server(
    engine_name: str, own_servers: dict[str, OwnServer], small_disk: SmallDisk | None
) -> OwnServer:
    if engine_name not in own_servers:
        folder = small_disk.folder if small_disk else Path(tempfile.mkdtemp(prefix="gdpr-"))
        own_servers[engine_name] = KINDS[engine_name](folder)
    return own_servers[engine_name]


@pytest.fixture
def own_saved(own_server: OwnServer, tmp_path: Path, commands: Commands) -> Saved:
    """A firm on the test's own server."""
    run(own_server.url, *(f"DROP TABLE IF EXISTS {name}" for name in reversed(TABLES)))
    return Saved(Office.open(Office(own_server.url, tmp_path / "firm", commands)))

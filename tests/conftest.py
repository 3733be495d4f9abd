"""Fixtures for every folder: real databases of the three engines. How to use them: tests/engines/servers.py."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from engines.servers import CHOICE, ENGINES, Servers, begin_run, enabled, end_run, own_database, own_server
from engines.talk import run_alone


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("databases"))
    yield servers
    servers.drop_all()


@pytest.fixture(scope="session")
def enabled_engines() -> tuple[str, ...]:
    return enabled()


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine_url(engine_name: str, servers: Servers) -> Iterator[str]:
    url = servers.fresh(engine_name)
    yield url
    servers.drop(url)


@pytest.fixture(scope="session")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL that nobody else uses, not even its own maintenance."""
    with own_server("postgresql", tmp_path_factory.mktemp("quiet")) as url:
        run_alone(url, "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
        yield url


@pytest.fixture
def quiet(quiet_server: str) -> Iterator[str]:
    """The URL of an empty database there."""
    with own_database(quiet_server, "quiet") as url:
        yield url


@pytest.fixture(scope="session")
def alone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MariaDB that nobody else uses."""
    with own_server("mariadb", tmp_path_factory.mktemp("alone")) as url:
        yield url


@pytest.fixture
def alone(alone_server: str) -> Iterator[str]:
    """The URL of an empty database there."""
    with own_database(alone_server, "alone") as url:
        yield url


def pytest_configure(config: pytest.Config) -> None:
    # statements are big trees that die at once; an eighth of the time went into looking for garbage
    gc.set_threshold(200_000, 50, 100)
    enabled()
    if not hasattr(config, "workerinput"):
        begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        end_run()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of engines that the developer does not have, see CHOICE."""
    left_out = [
        item
        for item in items
        if isinstance(item, pytest.Function)
        and hasattr(item, "callspec")
        and item.callspec.params.get("engine_name", "sqlite") not in enabled()
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if missing := [name for name in ENGINES if name not in enabled()]:
        terminalreporter.write_line(f"NOT TESTED on {', '.join(missing)}: {CHOICE} is set", yellow=True)

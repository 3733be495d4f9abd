"""A firm's folder around a measured database: settings, policy, keys, and the log with the policy's approval."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Engine
from staffords_gdpr.operations.demo.folder import POLICY, PREPARATION, SETTINGS, packaged_policy

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = ROOT / "benchmarks" / "launch.py"
GDPR = (sys.executable, "-m", "staffords_gdpr.cli.main")


class Failed(Exception):  # noqa: N818
    """What was to be measured did not do its work."""


@dataclass(frozen=True)
class Process:
    """A process that has ended. `peak` of its memory in bytes, `cpu` in seconds; `out` is what it printed, `said` what
    it printed on stderr.
    """

    seconds: float
    cpu: float
    peak: int
    code: int
    out: str
    said: str

    def require(self, what: str, codes: Sequence[int] = (0,)) -> Process:
        """Raise Failed unless it ended with one of `codes`."""
        if self.code not in codes:
            raise Failed(f"{what} ended with {self.code}: {(self.said or self.out).strip()[-1000:]}")
        return self


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
        """Run a command in the folder. Raises Failed where it ends with none of `codes`."""
        return run([*GDPR, *argv], self.folder).require(f"gdpr {' '.join(argv)}", codes)

    def _prepare(self) -> None:
        self.folder.mkdir()
        (self.folder / "keys").mkdir(mode=0o700)
        policy = packaged_policy()
        assert policy.count(b"reclaim: vacuum ") == 1
        # what it does about traces afterwards, nothing that is compared with it does
        (self.folder / POLICY).write_bytes(policy.replace(b"reclaim: vacuum ", b"reclaim: no "))
        (self.folder / SETTINGS).write_text(
            f'database_url = {json.dumps(self.engine.url)}\npolicy = "{POLICY}"\nhome = "."\n'
        )
        for step in PREPARATION:
            self.gdpr(step.argv, codes=step.codes)
        self.folder.rename(self.pristine)


def run(argv: Sequence[str], folder: Path) -> Process:
    """Run a process to its end. Settings of the person who measures do not reach it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GDPR_")}
    environment["PYTHONPATH"] = str(ROOT)  # the program beside these benchmarks, wherever one is installed
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "out").open("w+") as out:
        report, said = Path(scratch) / "report", Path(scratch) / "said"
        with said.open("w") as err:
            launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(report), *argv]
            subprocess.run(launcher, cwd=folder, stdout=out, stderr=err, env=environment, check=True)
        out.seek(0)
        took = json.loads(report.read_text())
        return Process(**took, out=out.read(), said=said.read_text(errors="replace"))

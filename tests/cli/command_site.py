"""Commands run in a folder with database, policy, keys and log."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from staffords_gdpr.cli.main import run


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Site:
    """A folder with database, policy, keys and log."""

    folder: Path

    @property
    def parent(self) -> Site:
        """The folder above, which has no settings."""
        return Site(self.folder.parent)

    @property
    def database(self) -> Path:
        return self.folder / "calls.db"

    @property
    def policy(self) -> Path:
        return self.folder / "retention.yaml"

    @property
    def log(self) -> Path:
        return self.folder / "audit/audit.jsonl"

    def gdpr(
        self, *arguments: str, environ: dict[str, str] | None = None, given: str = "", typed: str = ""
    ) -> Done:
        """Run a command line here, in this process, to be quick.

        Nobody is at a terminal, and `given` is the standard input; unless `typed` says what somebody types.
        """
        out, err = io.StringIO(), io.StringIO()
        variables = {"COLUMNS": "80", "XDG_CONFIG_HOME": str(self.folder), **(environ or {})}
        with (
            mock.patch.dict("os.environ", variables),
            mock.patch.object(sys, "stdin", Terminal(typed) if typed else io.StringIO(given)),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(arguments)
        return Done(code, out.getvalue(), err.getvalue())

    def told(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """What the command prints as JSON, with the exit code that it must have."""
        done = self.gdpr(*arguments, "--format", "json")
        assert done.returncode == code, done.stderr
        told = json.loads(done.stdout)
        assert isinstance(told, dict)
        return told

    def contents(self) -> dict[str, bytes]:
        """Every file here but locks, to see whether something was written."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.suffix != ".lock"
        }

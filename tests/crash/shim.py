"""Commands of `gdpr` that are killed, or meet an error of the machine, at a step of the test's choice.

`Commands` starts real `gdpr` processes, see zygote.py. A `Trap` says at which step what happens to one, see shim.c. The
steps do not depend on our code: write, sync, rename, remove and cut (of files), lock (of SQLite), send (to a server).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Action(IntEnum):
    """What happens at the step. The numbers are those of shim.c."""

    COUNT = 0
    KILL = 1  # before it
    TORN = 2  # in the middle: half of the bytes
    AFTER = 3
    FAIL = 4  # with `error`; later ones work again
    PAUSE = 5  # before it, until the test lets it go on
    CUT = 6  # a message to a server: it goes out, and the connection is shut before the answer


NEVER = 1_000_000
INTENT = '"type":"purge.intent"'
"""The bytes in the log before which nothing of a batch may have happened in the database."""


@dataclass(frozen=True)
class Trap:
    """At the n-th step with this name (any, where none is given) whose path holds `place`, and whose bytes hold `text`.

    `since`: what has to be written or sent before counting begins.
    """

    action: Action
    n: int = 1
    calls: tuple[str, ...] = ()
    place: str = ""
    text: str = ""
    since: str = ""
    error: int = 0


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or None where it was killed; and the steps that the trap counted."""

    code: int | None
    out: str
    err: str
    steps: tuple[str, ...]

    @property
    def was_killed(self) -> bool:
        return self.code is None


class Commands:
    """Starts commands. One `python` for all of them: it forks."""

    def __init__(self, folder: Path) -> None:
        library = folder / "shim.so"
        options = ("-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC")
        subprocess.run(["gcc", *options, "-o", library, HERE / "shim.c", "-ldl"], check=True)
        self.library = library
        self._zygote = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "LD_PRELOAD": str(library)},
            text=True,
        )

    def close(self) -> None:
        assert self._zygote.stdin
        self._zygote.stdin.close()
        self._zygote.wait()

    def start(
        self,
        *arguments: str,
        folder: Path,
        environ: dict[str, str],
        trap: Trap | None = None,
        **more: int,
    ) -> int:
        """Start a command in a folder. Returns its process id, for os.kill and `wait`."""
        shim = None
        if trap is not None:
            calls = "".join(f",{call}" for call in trap.calls) + "," * bool(trap.calls)
            shim = {**asdict(trap), "calls": calls}
        request = {"start": arguments, "folder": str(folder), "environ": environ, "shim": shim, **more}
        return int(self._ask(request)["process"])

    @contextmanager
    def paused(self, process: int) -> Iterator[None]:
        """While a command is at the step before which it was told to pause; it goes on afterwards."""
        answer = self._ask({"wait": process})
        assert os.WIFSTOPPED(int(answer["status"])), f"it came to its end before: {answer}"
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def wait(self, process: int) -> Ended:
        """Wait for the end of a command."""
        answer = self._ask({"wait": process})
        status = int(answer["status"])
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, answer["err"]
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        return Ended(code, answer["out"], answer["err"], tuple(answer["steps"].splitlines()))

    def _ask(self, request: dict[str, object]) -> dict[str, Any]:
        assert self._zygote.stdin
        assert self._zygote.stdout
        self._zygote.stdin.write(json.dumps(request) + "\n")
        self._zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return answer

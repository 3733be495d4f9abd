"""A command of the site's own, run after a purge: a heartbeat where it went well, an alarm where it did not."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from staffords_gdpr.cli.stopping import INTERRUPTED
from staffords_gdpr.errors import GdprError
from staffords_gdpr.settings import Notify

PATIENCE = 30.0  # seconds that a command may take


@dataclass
class Ending:
    """How a purge ended. `run` is empty where it did not begin."""

    exit_code: int = 0
    run: str = ""


@contextmanager
def notifying(commands: Notify) -> Iterator[Ending]:
    """Run the command for how the work within ended: what it leaves in `exit_code`, or what it raised.

    What becomes of the command changes neither: the exit code tells of the erasing.
    """
    ending = Ending()
    try:
        yield ending
    except GdprError as error:
        ending.exit_code = error.exit_code
        raise
    except KeyboardInterrupt:
        ending.exit_code = INTERRUPTED
        raise
    except BaseException:
        ending.exit_code = GdprError.exit_code
        raise
    finally:
        command = commands.failure if ending.exit_code else commands.success
        if command and (problem := _problem_with(command, _environment(ending))):
            sys.stderr.write(f"gdpr: the notify command '{shlex.join(command)}' {problem}\n")


def _environment(ending: Ending) -> dict[str, str]:
    """This process's own without gdpr's settings, of which one may be a password."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GDPR_")}
    return {**own, "GDPR_EXIT_CODE": str(ending.exit_code), "GDPR_RUN": ending.run}


def _problem_with(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run a command. Returns what went wrong, empty where nothing did."""
    with tempfile.TemporaryFile() as errors:  # a pipe would be held open by what the command leaves running
        try:
            process = subprocess.Popen(
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            return f"cannot be run: {error.strerror}"
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"was stopped: it took longer than {PATIENCE:.0f} seconds"
        return f"exited with {code}{_last_line(errors)}" if code else ""


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f": {lines[-1]}" if lines else ""

"""Pages of documentation: their blocks of code, and a session in which the commands of a page are typed."""

from __future__ import annotations

import os
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl
    import pty
    import termios

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a passphrase that the tests type"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


def blocks(page: str, *kinds: str) -> Iterator[tuple[str, str]]:
    """The fenced blocks of these kinds, in order: kind and text."""
    for kind, text in _FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
        if not kinds or kind in kinds:
            yield kind, text


@dataclass(frozen=True)
class Line:
    """A command as the page has it, and the exit code that it must have: 0, or as a comment `# exit 4` says."""

    command: str
    code: int


def commands(text: str) -> Iterator[Line]:
    """The commands of a block `sh`, one a line."""
    for line in text.splitlines():
        command, _, comment = line.partition("  #")
        told = re.fullmatch(r" exit (\d+)", comment)
        yield Line(command.rstrip(), int(told[1]) if told else 0)


def install(folder: Path) -> None:
    """Put a `gdpr` that runs the package under test into `folder`/bin, with an `activate` that finds it."""
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    program = binaries / "gdpr"
    code = "import sys; from staffords_gdpr.cli.main import main; sys.exit(main())"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{code}" "$@"\n')
    program.chmod(0o755)
    (binaries / "activate").write_text(f"export PATH={shlex.quote(str(binaries))}:$PATH\n")


def type_in(lines: Sequence[Line], folder: Path, *, stand_in: Path | None = None) -> str:
    """Type the lines into one shell on a terminal of 80 columns. What was printed; every exit code is checked.

    The shell starts in `folder`. Paths below /opt, /srv and /mnt are moved to `stand_in`. A passphrase is given to
    whatever asks for one.
    """
    script = []
    for line in lines:
        command = moved(line.command, stand_in) if stand_in else line.command
        script.append(f"{command} <<< {shlex.quote(PASSPHRASE)}")
        wrong = shlex.quote(f"exit code $?, not {line.code}: {line.command}").replace("$?", "'$code'")
        script.append(f"code=$?; [ $code -eq {line.code} ] || {{ echo {wrong} >&2; exit 99; }}")
    code, printed, errors = _on_a_terminal("\n".join(script), folder)
    assert code == 0, f"{errors}\nprinted last: {printed[-300:]}"
    return printed.replace(str(stand_in), "") if stand_in else printed


def moved(text: str, folder: Path) -> str:
    """The text with paths below /opt, /srv and /mnt put below `folder`."""
    return re.sub(r"(?<![\w.])/(opt|srv|mnt)/", rf"{folder}/\1/", text)


def _on_a_terminal(script: str, folder: Path) -> tuple[int, str, str]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GDPR_", "MAKE"))}
    environ |= {"COLUMNS": "80", "TERM": "xterm", "XDG_CONFIG_HOME": str(folder)}
    with (folder / "errors.txt").open("w+") as errors:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=environ,
            stdout=theirs,
            stderr=errors,
            stdin=subprocess.DEVNULL,
        )
        os.close(theirs)
        printed = b"".join(_until_closed(ours))
        os.close(ours)
        code = shell.wait()
        errors.seek(0)
        return code, _TERMINAL_CODES.sub("", printed.decode()), errors.read()


def _until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the last program has left a terminal
            return
        if not data:
            return
        yield data


def shown_but_not_printed(shown: Sequence[str], printed: str) -> list[str]:
    """The lines of blocks `text` that a session did not print, in this order.

    Figures and dates change from day to day, and with them the widths of columns and the breaks of lines: they are
    not compared. A line `…` stands for anything.
    """
    output, place, missing = _stable(printed), 0, []
    for line in (line for text in shown for line in text.splitlines()):
        wanted = _stable(line)
        if wanted in ("…", ""):
            continue
        found = output.find(wanted, place)
        if found < 0:
            missing.append(line)
        else:
            place = found + len(wanted)
    return missing


def _stable(text: str) -> str:
    masked = re.sub(r"\d[\d,]*", "#", re.sub("─+", "─", text))
    return " ".join(masked.split())

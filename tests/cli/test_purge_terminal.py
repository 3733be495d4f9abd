"""What somebody at a terminal sees of a purge: the plan, the bar, the summary; and that cron sees none of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staffords_gdpr.operations.purge import PurgeResult
from staffords_gdpr.policy import load_policy
from staffords_gdpr.progress import Planned
from staffords_gdpr.render import purge as view
from staffords_gdpr.render.tables import plain

if sys.platform != "win32":
    import fcntl
    import pty
    import struct
    import termios

if TYPE_CHECKING:
    from command_site import Site

FIRMS = load_policy(Path(__file__).parents[2] / "policies/retention.yaml")
DONE = PurgeResult(
    run="r", erased={"call": 3}, subjects_affected=2, dry_run=False, held=5, undecidable={"call": 4}, brakes=(),
    recovered=(), result="complete", undecidable_before={"call": 1}, held_before=3,
    held_why={"customer": {"legal hold": 2, "call stays and refers to it": 3}},
)  # fmt: skip


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a program prints, on stdout and stderr together, on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GDPR_")}
    environ |= {"TERM": "xterm", "XDG_CONFIG_HOME": str(folder)}
    program = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=environ, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    printed = b""
    while True:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # Linux says so when the last program has left a terminal
            break
        if not data:
            break
        printed += data
    os.close(ours)
    program.wait()
    return printed.decode()


def test_a_plan_comes_before_and_a_summary_after_and_both_fit(site: Site) -> None:
    would_go = site.told("purge", "--dry-run")["erased"]["customer"]
    printed = on_a_terminal(
        site.folder, "-c", "from staffords_gdpr.cli.main import main; main()", "purge", "--confirm", "60"
    )
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", printed)
    planned, erased = text.split("Erased: ")
    assert "About to be erased: " in planned
    assert "Allowed by --confirm: up to 60" in planned
    for page in (planned, erased):
        assert re.search(rf"^Customer +{would_go} +\d+ +\d+$", page, re.MULTILINE)
    assert "Why held" in erased
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_bar_tells_rate_and_time_left_and_is_gone_whatever_ends_the_work(tmp_path: Path) -> None:
    code = """
import time
from staffords_gdpr.cli import progress
progress.PATIENCE = 0
with progress.reporter() as bar:
    bar.start("Deciding", None)
    time.sleep(0.3)
    bar.start("Erasing", 1000)
    for _ in range(8):
        time.sleep(0.1)
        bar.advance(100)
    raise RuntimeError("in the middle")
"""
    printed = on_a_terminal(tmp_path, "-c", code)
    assert "Deciding" in printed
    assert re.search(
        r"Erasing .* \d+/1000 [\d,]+/s \d:\d\d:\d\d left", re.sub(r"\x1b\[[0-9;]*m", "", printed)
    )
    drawn, raised = printed.split("Traceback")
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l"), "the cursor is still hidden"
    assert "Erasing" not in raised.split('"in the middle"')[-1]


def test_rows_that_are_held_or_undecidable_and_more_than_last_time_are_said_so() -> None:
    text = plain(view.page(DONE, FIRMS))
    assert "Held, and so left alone: 5 rows, 2 more than at the last purge." in text
    assert "Undecidable, and so left alone: 4 rows, 3 more than at the last purge." in text
    assert re.search(r"call stays and refers to it +3\n +legal hold +2\n", text)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            {"result": "until", "left": 7},
            "Its hour had come, so the run ended after a whole batch: 7 customers",
        ),
        (
            {"result": "signal", "left": 1},
            "It was told to stop, so the run ended after a whole batch: 1 customer",
        ),
        ({"result": "max-runtime", "left": 7}, "The time that it was given was over"),
        ({"put_off": 2}, "Put off: 2 batches"),
        ({"rehearsal": True}, "REHEARSAL"),
    ],
)
def test_what_stopped_a_run_or_kept_it_from_erasing_is_said(what: dict[str, object], said: str) -> None:
    assert said in plain(view.page(PurgeResult(**{**vars(DONE), **what}), FIRMS))
    assert said not in plain(view.page(DONE, FIRMS))


def test_a_plan_of_nothing_is_not_told() -> None:
    nothing = Planned({}, 0, 60, 0, {"call": {"legal hold": 2}}, {})
    assert view.plan(nothing, FIRMS) == ()

"""Writes docs/commands.md from the program itself: `python -m staffords_gdpr.cli.docs`. A test compares."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 80
PAGE = Path(__file__).parent.parent.parent / "docs" / "commands.md"

HEAD = """\
# Commands, settings and exit codes

<!-- Written by `make docs` from the program itself: change it there. -->

Results go to stdout, errors and progress to stderr. Every command takes `--format json`, for scripts; an
error is then one JSON object on stderr, `{"error": …, "hint": …, "exit_code": …}`. Nothing is coloured where
the output is piped or `NO_COLOR` is set. `GDPR_DEBUG=1` shows the traceback of a fault of gdpr.

"""

ROW = {"record": "call", "key": [123], "state": "due", "last_day": "2026-11-22", "reason": "…"}
SCAN = {
    "as_of": "2026-11-23T09:00:00+00:00",
    "records": {"call": {"kept": 1, "held": 0, "due": 2, "undecidable": 0, "anonymised": 0}},
    "subjects": 3,
    "subjects_affected": 2,
    "oldest_due": "2026-10-31",
    "forecast": [{"until": "2026-12-23", "due": {"call": 1}}],
}
RECLAIM = {
    "level": "vacuum",
    "complete": True,
    "parts": [{"what": "calls", "how": "VACUUM", "before": 81920, "after": 40960, "failure": ""}],
    "gone": "…",
    "remains": "…",
}
PURGE = {
    "run": "…",
    "dry_run": False,
    "erased": {"call": 2},
    "subjects_affected": 2,
    "held": 3,
    "held_why": {"call": {"legal hold": 3}},
    "held_grew": 0,
    "undecidable": {"call": 1},
    "undecidable_grew": {"call": 1},
    "result": "complete",
    "ended": "done",
    "left": 0,
    "put_off": 0,
    "rehearsal": False,
    "reclaim": RECLAIM,
    "brakes": [{"code": "…", "message": "…", "hint": "…", "seen": {"affected": 150}}],
    "recovered": [{"batch": "…", "outcome": "committed", "rows": {"call": 3}, "left": {}}],
}
FINDING = {"code": "…", "severity": "error", "count": 1, "message": "…", "action": "…"}
AUDIT = {"verdict": "fail", "findings": [FINDING], "report": "…", "statement": "…", "entry": 12}
DEADLINE = {"last": "2026-11-22", "due_by": "2026-11-23", "late": False}
STATUS = {
    "now": "2026-11-23T09:00:00+00:00",
    "mode": "live",
    "log": "staffords.example/customer-data",
    "approved": True,
    "approved_on": "2026-05-01",
    "purge": DEADLINE,
    "audit": DEADLINE,
    "review": DEADLINE,
    "unsigned": [{"of": 12, "type": "audit", "period": "2026-H2", "missing": ["director"]}],
    "open_actions": [{"action": "…", "code": "training", "due": "2026-12-31"}],
    "open_holds": [{"hold": "…", "look_again": "2027-05-01", "review_due": False}],
    "dangling": [],
    "unclear": [],
    "people": {"director": 1},
    "purge_refuses": [],
    "problems": ["…"],
    "advice": ["…"],
}
CHECK = {
    "usable": True,
    "findings": [
        {"code": "…", "severity": "warning", "place": "…:31:3", "message": "…", "advice": "…", "paste": "…"}
    ],
    "records": {
        "call": {
            "table": "calls",
            "rows": 4,
            "members": 3,
            "orphans": 0,
            "several_subjects": 0,
            "states": {"kept": 1, "due": 2},
            "undecidable": {},
            "dates": {
                "received_at": {"empty": 0, "impossible": 0, "first": "2019-03-01", "last": "2026-11-20"}
            },
        }
    },
}
EXAMPLES = {
    "gdpr check --format json": CHECK,
    "gdpr scan --format json": SCAN,
    "gdpr scan --details --format json": {**SCAN, "rows": [ROW]},
    "gdpr scan --details --format jsonl": ROW,
    "gdpr purge --format json": PURGE,
    "gdpr audit --format json": AUDIT,
    "gdpr reclaim --format json": RECLAIM,
    "gdpr status --format json": STATUS,
}

CONTRACT_HEAD = """\
## For scripts

These keys are kept. Others may come beside them, so read what you need and ignore the rest. Dates are days in
the policy's time zone, null where there is none; moments are in UTC. jsonl prints one row a line.

"""


def commands() -> list[tuple[str, ...]]:
    """Every command as it is typed, without `gdpr`: ("scan",), ("log", "show"). Groups are left out."""
    from typer.core import TyperGroup
    from typer.main import get_command

    from staffords_gdpr.cli.main import app

    def below(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not isinstance(command, TyperGroup):
            yield path
            return
        for name, child in command.commands.items():
            yield from below(child, (*path, name))

    return list(below(get_command(app), ()))


def page() -> str:
    """The whole of docs/commands.md."""
    parts = [HEAD, "## gdpr\n\n", _help(())]
    for path in commands():
        parts += [f"## gdpr {' '.join(path)}\n\n", _help(path)]
    return "".join([*parts, _settings(), "\n", _contract(), _exit_codes()])


def _contract() -> str:
    blocks = (
        f"`{command}`\n\n```json\n{json.dumps(example, ensure_ascii=False, indent=1)}\n```\n\n"
        for command, example in EXAMPLES.items()
    )
    return CONTRACT_HEAD + "".join(blocks)


def _help(path: tuple[str, ...]) -> str:
    """What `--help` prints on a terminal of 80 columns, without colours."""
    from staffords_gdpr.cli.main import run

    printed = io.StringIO()
    with _plain_terminal(), contextlib.redirect_stdout(printed):
        run([*path, "--help"])
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue())
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "\n".join(["```text", *lines, "```", "", ""]).replace("```text\n\n", "```text\n")


@contextlib.contextmanager
def _plain_terminal() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(COLUMNS=str(WIDTH), NO_COLOR="1", TERM="dumb")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _settings() -> str:
    from staffords_gdpr.settings import SETTINGS

    lines = [
        "## Settings",
        "",
        "A flag counts before a `GDPR_*` variable, and a variable before `gdpr.toml`, which is looked for in",
        "this folder, in the user's configuration folder (`~/.config/gdpr/` on Linux) and in `/etc`.",
        "Relative paths in a `gdpr.toml` are relative to that file.",
        "",
        "| gdpr.toml | variable | flag | default | meaning |",
        "|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        key = f"`{setting.key}`" if setting.in_file else ""
        variable, flag = (f"`{name}`" if name else "" for name in (setting.variable, setting.flag))
        default = "" if setting.default is None else f"`{setting.default}`"
        lines.append(f"| {key} | {variable} | {flag} | {default} | {setting.meaning} |")
    return "\n".join(lines) + "\n"


def _exit_codes() -> str:
    from staffords_gdpr.cli.main import INTERRUPTED, PIPE_CLOSED
    from staffords_gdpr.errors import EXIT_CODES

    codes = {
        **EXIT_CODES,
        INTERRUPTED: "interrupted from the keyboard; nothing is half done",
        PIPE_CLOSED: "the reader of the output went away",
    }
    lines = ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| {code} | {meaning} |" for code, meaning in sorted(codes.items()))]) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} is written\n")

"""`gdpr demo`: a made-up database with policy and keys, and a tour that runs the real commands over it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.progress import reporter

if TYPE_CHECKING:
    from staffords_gdpr.operations.demo import Demo, Step


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    *,
    customers: Annotated[
        int,
        typer.Option("--customers", metavar="N", min=1, max=1_000_000, help="How many customers to make up."),
    ] = 2000,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="S", min=0, help="The same seed on the same day gives the same rows."),
    ] = 1,
    format: options.Formatted = options.Format.TABLE,
) -> int:
    """Make up a call-management database with policy and keys, and take a tour of the commands.

    Everything is in DIR; nothing outside of it is touched. The keys have no
    passphrase: never use them in earnest. With --format json the files are made
    and the tour is left out.
    """
    from staffords_gdpr.operations.demo import tour, write_demo

    with reporter() as progress:
        made = write_demo(folder, customers=customers, seed=seed, today=now().date(), progress=progress)
    with _inside(folder):
        if format == options.Format.JSON:
            _quietly([step.argv for step in made.preparation])
            output.show_json({"folder": str(folder), "rows": dict(made.counts.rows)})
            return 0
        _welcome(made)
        code = _walk(made.preparation)
        if code == 0:
            code = _walk(tour(confirm=_to_confirm()))
        if code == 0:
            _say(
                f"That was the tour. It can all be typed again in {folder}; 'gdpr --help' lists the commands."
            )
        return code


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in the folder, under its own settings only, so that the commands can be typed again there."""
    foreign = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GDPR_")}
    if "GDPR_DEBUG" in foreign:
        os.environ["GDPR_DEBUG"] = foreign["GDPR_DEBUG"]
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        os.environ.update(foreign)


def _welcome(made: Demo) -> None:
    tables = ", ".join(f"{rows:,} {table}" for table, rows in made.counts.rows.items())
    _say(f"{made.directory} now holds a made-up call-management database: {tables}.")


def _walk(steps: Sequence[Step]) -> int:
    """Run the steps one after the other. Returns 0, or the exit code of the first that went wrong."""
    from staffords_gdpr.cli.main import run
    from staffords_gdpr.render.page import Text, Tone, title

    for step in steps:
        sys.stdout.write("\n")
        command = Text(f"$ gdpr {shlex.join(step.argv)}", Tone.QUIET)
        output.show_page((title(step.title), Text(step.shows), command))
        sys.stdout.flush()
        if _is_silent(step.argv):
            sys.stdout.write("(prints nothing where nobody looks, unless something needs a person)\n")
        code = run(step.argv)
        if code not in step.codes:
            return code
    return 0


def _is_silent(arguments: Sequence[str]) -> bool:
    return arguments[0] == "purge" and "--dry-run" not in arguments and not sys.stdout.isatty()


def _say(sentence: str) -> None:
    from staffords_gdpr.render.page import title

    sys.stdout.write("\n")
    output.show_page((title(sentence),))


def _quietly(commands: Sequence[Sequence[str]]) -> str:
    """Run commands without their output. Returns what the last one printed."""
    from staffords_gdpr.cli.main import run

    printed = ""
    for command in commands:
        with contextlib.redirect_stdout(io.StringIO()) as caught:
            code = run(command)
        printed = caught.getvalue()
        if code:
            raise typer.Exit(code)
    return printed


def _to_confirm() -> int:
    """How many the first purge would touch: what somebody would confirm after the dry run."""
    told = json.loads(_quietly([("purge", "--dry-run", "--format", "json")]))
    affected = [brake["seen"]["affected"] for brake in told["brakes"] if brake["code"] == "too-many"]
    return int(affected[0] if affected else max(1, told["subjects_affected"]))

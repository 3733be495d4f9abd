"""The command `gdpr`: its commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from staffords_gdpr import __version__
from staffords_gdpr.cli import (
    action,
    audit,
    check,
    demo,
    explain,
    hold,
    keys,
    log,
    purge,
    reclaim,
    review,
    scan,
    schedule,
    setup,
    sign,
    status,
)
from staffords_gdpr.cli.output import OutputError, show_error, writing
from staffords_gdpr.errors import GdprError, UsageError

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE

app = typer.Typer(
    name="gdpr",
    help="Erases customer data when its retention period ends, and proves that it did.",
    epilog="Start with 'gdpr demo DIR'. Exit codes and settings: docs/commands.md.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo", rich_help_panel="First steps")(demo.demo)
app.command("init", rich_help_panel="First steps")(setup.init)
app.command("check", rich_help_panel="First steps")(check.check)
app.command("approve", rich_help_panel="First steps")(setup.approve)
app.add_typer(keys.app, name="keys", rich_help_panel="First steps")
app.command("scan", rich_help_panel="The four commands")(scan.scan)
app.command("purge", rich_help_panel="The four commands")(purge.purge)
app.command("audit", rich_help_panel="The four commands")(audit.audit)
app.command("review", rich_help_panel="The four commands")(review.review)
app.command("explain", rich_help_panel="Around them")(explain.explain)
app.command("sign", rich_help_panel="Around them")(sign.sign)
app.command("status", rich_help_panel="Around them")(status.status)
app.command("reclaim", rich_help_panel="Around them")(reclaim.reclaim)
app.command("schedule", rich_help_panel="Around them")(schedule.schedule)
app.add_typer(hold.app, name="hold", rich_help_panel="Around them")
app.add_typer(action.app, name="action", rich_help_panel="Around them")
app.add_typer(log.app, name="log", rich_help_panel="Around them")


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"gdpr {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options of gdpr itself."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns its exit code; every error has been printed."""
    as_json = wants_json(arguments)
    try:
        with writing() if _asks_for_help(arguments) else nullcontext():
            code = _invoke(list(arguments) or ["--help"])
        sys.stdout.flush()
    except OutputError as error:
        _leave_stdout()
        show_error(error.message, error.hint, error.exit_code, as_json=as_json)
        return error.exit_code
    except GdprError as error:
        show_error(error.message, _hint(error.hint, error), error.exit_code, as_json=as_json)
        return error.exit_code
    except TyperException as error:
        show_error(_words(error), _help_of(error), UsageError.exit_code, as_json=as_json)
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort) as error:
        if sys.stderr.isatty():
            sys.stderr.write("\n")  # after the ^C, or the prompt that nobody answered
        hint = _hint("Run the command again to go on.", error)
        show_error("stopped. Nothing is half done.", hint, INTERRUPTED, as_json=as_json)
        return INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return PIPE_CLOSED
    except Exception as error:
        if os.environ.get("GDPR_DEBUG") == "1":
            raise
        message = f"unexpected {type(error).__name__}: {error}".splitlines()[0]
        hint = _hint("This is a fault of gdpr; run again with GDPR_DEBUG=1 to see where.", error)
        show_error(message, hint, GdprError.exit_code, as_json=as_json)
        return GdprError.exit_code
    return code


def _hint(hint: str, error: BaseException | None) -> str:
    """The hint, and what was noted on the error, or on those that it came of: how far the work had got."""
    lines = [hint] if hint else []
    while error is not None:
        lines += getattr(error, "__notes__", [])
        error = error.__cause__
    return "\n".join(lines)


def _asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether typer itself prints, and no command runs."""
    return not arguments or not {"-h", "--help", "--version"}.isdisjoint(arguments)


def _leave_stdout() -> None:
    """Nobody can write there. Python would complain once more when it flushes stdout at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(arguments: list[str]) -> int:
    """What typer's own `main` does, without its printing and exiting."""
    command = get_command(app)
    try:
        with command.make_context("gdpr", arguments) as context:
            return command.invoke(context) or 0
    except typer.Exit as finished:
        return finished.exit_code


def _words(error: TyperException) -> str:
    return error.format_message().replace("Value error, ", "")  # a word of the library that typer reads with


def _help_of(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"'{context.command_path if context else 'gdpr'} --help' shows what can be written."


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether json was asked for. Read from the bare words: it counts for mistakes in them, too."""
    return any(
        word in ("--format=json", "--format=jsonl")
        or (word == "--format" and list(arguments[place + 1 : place + 2]) in (["json"], ["jsonl"]))
        for place, word in enumerate(arguments)
    )


def main() -> int:
    """The entry point of the command. Returns the exit code."""
    _look_for_garbage_seldom()
    if os.environ.get("GDPR_DEBUG") != "1":
        warnings.simplefilter(
            "ignore"
        )  # meant for developers, like a connection's troubles with its own closing
        logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that cannot show a character
    return run(sys.argv[1:])


def _look_for_garbage_seldom() -> None:
    """Look for cycles of objects far less often than Python would, and not once more at the end, when the
    system takes all memory back. SQL statements are large trees that live as long as the command: a purge of 20,000
    subjects spent a seventh of its time on looking through them.
    """
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)


if __name__ == "__main__":
    sys.exit(main())

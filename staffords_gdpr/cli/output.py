"""What commands print: results on stdout, errors on stderr; as a page for people or as JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from staffords_gdpr.errors import GdprError

if TYPE_CHECKING:
    from staffords_gdpr.render.page import Page


DONE_HINT = "Do not repeat it for that. Whatever it changed is in the audit log: gdpr log show"


class OutputError(GdprError):
    """Standard output takes nothing more: its disk is full, its terminal is gone."""


@contextmanager
def writing() -> Iterator[None]:
    """Write to stdout to the last byte. Raises OutputError, or BrokenPipeError where the reader has gone."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the output could not be written: {error.strerror or error}") from None


def show_page(page: Page) -> None:
    """On a terminal drawn by rich, elsewhere as plain text."""
    if sys.stdout.isatty():
        from rich.console import Console

        from staffords_gdpr.render.terminal import draw

        drawn = draw(page)
        with writing():
            Console(highlight=False).print(drawn)
    else:
        from staffords_gdpr.render.tables import plain

        text = plain(page)
        with writing():
            sys.stdout.write(text)


def show_text(text: str) -> None:
    """Text to the letter: files, which nobody may wrap."""
    with writing():
        sys.stdout.write(text)


def show_json(data: Mapping[str, object]) -> None:
    """One JSON object."""
    from staffords_gdpr.render.json import text

    line = text(data, indent=2) + "\n"
    with writing():
        sys.stdout.write(line)


def show_lines(rows: Iterable[Mapping[str, object]]) -> None:
    """One JSON object a line."""
    from staffords_gdpr.render.json import text

    lines = [text(row) + "\n" for row in rows]
    with writing():
        sys.stdout.writelines(lines)


def show(style: str, *, page: Callable[[], Page], data: Callable[[], Mapping[str, object]]) -> None:
    """Print the result of what was done, in the style that was asked for: table or json.

    Raises OutputError that says so: whoever reads only the exit code must not do it again.
    """
    try:
        if style == "json":
            show_json(data())
        else:
            show_page(page())
    except OutputError as error:
        raise OutputError(f"the command did its work, but {error.message}", DONE_HINT) from None


def show_error(message: str, hint: str, exit_code: int, *, as_json: bool) -> None:
    """What went wrong and what to do next, on stderr."""
    if as_json:
        from staffords_gdpr.render.json import text

        sys.stderr.write(text({"error": message, "hint": hint, "exit_code": exit_code}) + "\n")
        return
    if not sys.stderr.isatty():
        sys.stderr.write(f"gdpr: {message}\n" + (f"{hint}\n" if hint else ""))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    console.print(Text.assemble(("gdpr: ", "bold red"), message))
    if hint:
        console.print(Text(hint, style="yellow"))

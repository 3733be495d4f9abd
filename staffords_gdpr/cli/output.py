"""What commands print: results on stdout, errors on stderr; as a page for people or as JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staffords_gdpr.render.page import Page


def show_page(page: Page) -> None:
    """On a terminal drawn by rich, elsewhere as plain text."""
    if sys.stdout.isatty():
        from rich.console import Console

        from staffords_gdpr.render.terminal import draw

        Console(highlight=False).print(draw(page))
    else:
        from staffords_gdpr.render.tables import plain

        sys.stdout.write(plain(page))


def show_json(data: Mapping[str, object]) -> None:
    """One JSON object."""
    from staffords_gdpr.render.json import text

    sys.stdout.write(text(data, indent=2) + "\n")


def show_lines(rows: Iterable[Mapping[str, object]]) -> None:
    """One JSON object a line."""
    from staffords_gdpr.render.json import text

    for row in rows:
        sys.stdout.write(text(row) + "\n")


def show(style: str, *, page: Callable[[], Page], data: Callable[[], Mapping[str, object]]) -> None:
    """Print a result in the style that was asked for: table or json."""
    if style == "json":
        show_json(data())
    else:
        show_page(page())


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

"""A page drawn with rich, made to look good at 80 columns."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text as RichText

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, cell

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {
    Tone.PLAIN: "",
    Tone.TITLE: "bold",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "bold red",
    Tone.QUIET: "dim",
}


def draw(page: Page) -> RenderableType:
    """The page as one thing that a rich console prints."""
    parts: list[RenderableType] = []
    for block in page:
        if parts and isinstance(block, Table):
            parts.append("")
        parts.append(_block(block))
        if isinstance(block, Table):
            parts.append("")
    if parts and parts[-1] == "":
        parts.pop()
    return Group(*parts)


def _block(block: Block) -> RenderableType:
    if isinstance(block, Text):
        return RichText(block.text, style=_STYLES[block.tone])
    return _table(block)


def _table(table: Table) -> RenderableType:
    drawn = RichTable(
        title=RichText(table.title, style="bold") if table.title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for index, column in enumerate(table.columns):
        drawn.add_column(
            RichText(column),
            justify="right" if index in table.numbers else "left",
            no_wrap=index in table.numbers or _holds_dates(table, index),
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(_cell(table, index, value) for index, value in enumerate(row)))
    return drawn


def _holds_dates(table: Table, index: int) -> bool:
    return any(isinstance(row[index], dt.date) for row in table.rows if index < len(row))


def _cell(table: Table, index: int, value: object) -> RichText:
    if index in table.loud and value:
        return RichText(cell(value), style="bold yellow")
    if index in table.numbers and value == 0:
        return RichText("0", style="dim")
    return RichText(cell(value))

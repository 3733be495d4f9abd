"""A page as plain text, for pipes and files."""

from __future__ import annotations

from staffords_gdpr.render.page import Page, Table, Text, cell


def plain(page: Page) -> str:
    """The page as text that ends with a line feed; empty for an empty page."""
    return "".join(_paragraph(block) + "\n" if isinstance(block, Text) else _table(block) for block in page)


def _paragraph(block: Text) -> str:
    return block.text


def _table(table: Table) -> str:
    from tabulate import tabulate  # noqa: PLC0415  only piped tables need it

    width = len(table.columns)
    rows = [[cell(value) for value in row] + [""] * (width - len(row)) for row in table.rows]
    text = tabulate(
        rows,
        headers=list(table.columns),
        tablefmt="simple",
        disable_numparse=True,
        colalign=["right" if index in table.numbers else "left" for index in range(width)],
    )
    heading = f"{table.title}\n" if table.title else ""
    return f"\n{heading}{text}\n\n"

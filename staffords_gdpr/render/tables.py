"""A page as plain text, for pipes and files."""

from __future__ import annotations

from staffords_gdpr.render.page import Page, Table, Text, cell


def plain(page: Page) -> str:
    """The page as text, with an empty line on either side of a table."""
    lines: list[str] = []
    for place, block in enumerate(page):
        if isinstance(block, Text):
            lines.append(block.text)
            continue
        if place > 0 and lines[-1]:
            lines.append("")
        lines.append(_table(block))
        if place + 1 < len(page):
            lines.append("")
    return "".join(f"{line}\n" for line in lines)


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
    return f"{table.title}\n{text}" if table.title else text

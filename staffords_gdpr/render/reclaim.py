"""The page of `gdpr reclaim`, and what a purge says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, title, warn

if TYPE_CHECKING:
    from staffords_gdpr.operations.purge.reclaim import ReclaimResult


def page(result: ReclaimResult) -> Page:
    """What was done table by table, with sizes, and what that is good for."""
    rows = [(part.what, part.how, _size(part.before), _size(part.after)) for part in result.parts]
    table = Table(("What", "How", "Before", "After"), rows, numbers=frozenset({2, 3}))
    if not result.complete:
        return (table, *summary(result))
    return (
        title(f"Traces of erased rows were cleared ({result.level})."),
        table,
        Text(f"What holds now: {result.guarantee.gone}.", Tone.GOOD),
        Text(f"Where erased rows may be all the same: {result.guarantee.remains}."),
    )


def summary(result: ReclaimResult) -> list[Block]:
    """A sentence where all went well, and what is wrong where not."""
    if result.level == "no":
        return [warn(f"{part.what} {part.failure}.") for part in result.failures]
    if result.complete:
        done = f"Traces in the database's files ({result.level}): {result.guarantee.gone}."
        return [Text(done, Tone.QUIET)]
    blocks: list[Block] = [
        Text(
            "Every row is erased, but traces of some are still in the database's files. It is tried again after the "
            "next purge; 'gdpr reclaim' does it now.",
            Tone.BAD,
        )
    ]
    blocks += [Text(f"{part.what} {part.failure}.", Tone.BAD) for part in result.failures]
    return [*blocks, Text(f"What it takes: {result.takes}.")]


def _size(size: int | None) -> str:
    """Bytes in the unit that people read: 1.5 MB."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"

"""The page of `gdpr purge`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, count, warn
from staffords_gdpr.render.scan import name_of

if TYPE_CHECKING:
    from staffords_gdpr.operations.purge import PurgeResult
    from staffords_gdpr.policy import Policy


def page(result: PurgeResult, policy: Policy) -> Page:
    """What went or would go, what stayed and why, and which brakes would refuse."""
    verb = "A purge would erase" if result.dry_run else "Erased"
    total = sum(result.erased.values())
    blocks: list[Block] = []
    if total:
        subjects = count(result.subjects_affected, policy.subject)
        blocks.append(Text(f"{verb} {count(total, 'row')}, of {subjects}.", Tone.TITLE))
        rows = [(name_of(name, policy), number) for name, number in result.erased.items() if number]
        blocks.append(
            Table(("Records", "Would go" if result.dry_run else "Erased"), rows, numbers=frozenset({1}))
        )
    else:
        blocks.append(
            Text(
                "Nothing is due: a purge would erase nothing." if result.dry_run else "Nothing was due.",
                Tone.GOOD,
            )
        )
    undecidable = sum(result.undecidable.values())
    if result.held:
        blocks.append(Text(f"Held, and so left alone: {count(result.held, 'row')}."))
    if undecidable:
        blocks.append(
            warn(
                f"Undecidable, and so left alone: {count(undecidable, 'row')}. "
                "'gdpr scan --details --state undecidable' says why."
            )
        )
    for brake in result.brakes:
        blocks.append(Text(f"A purge would refuse ({brake.code}): {brake.message}", Tone.BAD))
        blocks.append(Text(brake.hint))
    if result.dry_run:
        blocks.append(Text("This was a dry run: nothing was erased and nothing was written.", Tone.QUIET))
    return tuple(blocks)

"""The pages of `gdpr hold`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, key_text

if TYPE_CHECKING:
    from staffords_gdpr.operations.holding import Held
    from staffords_gdpr.operations.holds import Hold


def page(found: Sequence[Hold]) -> Page:
    """The holds in force."""
    if not found:
        return (Text("No legal hold is in force.", Tone.GOOD),)
    rows = [(each.hold, key_text(each.subject), each.reason, each.look_again) for each in found]
    return (Table(("Hold", "Subject", "Reason", "Review on"), rows),)


def data(found: Sequence[Hold]) -> dict[str, object]:
    """`gdpr hold list --format json`"""
    return {"holds": [hold_data(each) for each in found]}


def added(result: Held) -> Page:
    """That a subject is on hold now, and what the hold came too late for."""
    one = result.hold
    blocks: list[Block] = [
        Text(f"On hold: {key_text(one.subject)}, as hold {one.hold}.", Tone.GOOD),
        Text(f"Nothing of it is erased until: gdpr hold release {one.hold}"),
        Text(f"Review on {one.look_again.isoformat()}: 'gdpr status' and the audit ask then."),
    ]
    for batch in result.too_late:
        if batch.committed:
            said = f"Too late for batch {batch.batch}: what was due of it was erased as the hold came."
        else:
            said = (
                f"Perhaps too late for batch {batch.batch}: its end is not known. 'gdpr purge' finds it out."
            )
        blocks.append(Text(said, Tone.BAD))
    if result.gone:
        blocks.append(Text("The subject itself is gone: a purge that was running has erased it.", Tone.BAD))
    return tuple(blocks)


def released(number: str) -> Page:
    """That a hold is over."""
    return (Text(f"Released: hold {number}. From the next purge on the rules decide again.", Tone.GOOD),)


def hold_data(one: Hold) -> dict[str, object]:
    """One hold of the list."""
    return {
        "hold": one.hold,
        "subject": list(one.subject),
        "reason": one.reason,
        "look_again": one.look_again,
        "added": moment(one.added) if one.added else None,
    }


def added_data(result: Held) -> dict[str, object]:
    """`gdpr hold add --format json`"""
    return {
        **hold_data(result.hold),
        "too_late": [{"batch": each.batch, "outcome": each.outcome or None} for each in result.too_late],
        "gone": result.gone,
    }

"""The pages of `gdpr hold`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Page, Table, Text, Tone, key_text

if TYPE_CHECKING:
    from staffords_gdpr.operations.holds import Hold


def page(found: Sequence[Hold]) -> Page:
    """The holds in force."""
    if not found:
        return (Text("No legal hold is in force.", Tone.GOOD),)
    rows = [(each.hold, key_text(each.subject), each.reason, each.look_again) for each in found]
    return (Table(("Hold", "Subject", "Reason", "Look again"), rows),)


def data(found: Sequence[Hold]) -> dict[str, object]:
    """`gdpr hold list --format json`"""
    return {"holds": [hold_data(each) for each in found]}


def added(one: Hold) -> Page:
    """That a subject is on hold now."""
    return (
        Text(f"On hold: {key_text(one.subject)}, as hold {one.hold}.", Tone.GOOD),
        Text(f"Nothing of it is erased until: gdpr hold release {one.hold}"),
        Text(f"Look again on {one.look_again.isoformat()}: 'gdpr status' and the audit ask then."),
    )


def released(number: str) -> Page:
    """That a hold is over."""
    return (Text(f"Released: hold {number}. From the next purge on the rules decide again.", Tone.GOOD),)


def hold_data(one: Hold) -> dict[str, object]:
    """`gdpr hold add --format json`, and one hold of the list."""
    return {
        "hold": one.hold,
        "subject": list(one.subject),
        "reason": one.reason,
        "look_again": one.look_again,
        "added": moment(one.added) if one.added else None,
    }

"""The pages of `gdpr action`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Page, Table, Text, Tone

if TYPE_CHECKING:
    from staffords_gdpr.operations.history import Action


def page(found: Sequence[Action]) -> Page:
    """The actions, and where their words stand."""
    if not found:
        return (Text("No corrective action is open.", Tone.GOOD),)
    rows = [
        (each.action, each.code, each.of, each.due, each.closed.date() if each.closed else "open")
        for each in found
    ]
    return (
        Table(("Action", "Code", "Of entry", "Due", "Closed"), rows),
        Text("What is to be done stands in the review's report, under audit/reviews/."),
    )


def data(found: Sequence[Action]) -> dict[str, object]:
    """`gdpr action list --format json`"""
    return {"actions": [action_data(each) for each in found]}


def closed(done: Action) -> Page:
    """That an action is closed."""
    return (Text(f"Closed: action {done.action}, which was due on {done.due.isoformat()}.", Tone.GOOD),)


def action_data(one: Action) -> dict[str, object]:
    """`gdpr action close --format json`, and one action of the list."""
    return {
        "action": one.action,
        "code": one.code,
        "of": one.of,
        "due": one.due,
        "opened": moment(one.opened),
        "closed": moment(one.closed) if one.closed else None,
    }

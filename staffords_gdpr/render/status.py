"""The page of `gdpr status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, title

if TYPE_CHECKING:
    from staffords_gdpr.operations.schedule import Deadline
    from staffords_gdpr.operations.status import StatusResult
    from staffords_gdpr.policy import Policy


def page(result: StatusResult, policy: Policy) -> Page:
    """When each thing was last done, when it is due, and what waits for a person."""
    rows = [
        _row("Purge", str(policy.schedule.purge), result.purge),
        _row("Audit", str(policy.schedule.audit), result.audit),
        _row("Review", str(policy.schedule.review), result.review),
    ]
    rehearsing = f'REHEARSAL (mode = "rehearsal" in gdpr.toml): {result.rehearsal}'
    blocks: list[Block] = [
        *([Text(rehearsing, Tone.BAD)] if result.rehearsal else []),
        title(f"{policy.title} ({result.log_name})"),
        Table(("Task", "Every", "Last", "Due by", "State"), rows),
    ]
    blocks += [Text(problem, Tone.WARN) for problem in result.problems]
    if not (result.problems or result.rehearsal):
        blocks.append(Text("Nothing waits for a person.", Tone.GOOD))
    blocks += [Text(advice) for advice in result.advice]
    if result.open_holds:
        blocks.append(Text(f"Legal holds in force: {len(result.open_holds)}."))
    if result.open_actions:
        blocks.append(Text(f"Corrective actions open: {len(result.open_actions)}."))
    return tuple(blocks)


def _row(name: str, every: str, deadline: Deadline) -> tuple[object, ...]:
    return (name, every, deadline.last or "never", deadline.next_due, "late" if deadline.late else "in time")


def data(result: StatusResult) -> dict[str, object]:
    """`gdpr status --format json`"""
    return {
        "now": moment(result.now),
        "mode": "rehearsal" if result.rehearsal else "live",
        "log": result.log_name,
        "approved": result.approved,
        "approved_on": result.approved_on,
        "purge": _deadline(result.purge),
        "audit": _deadline(result.audit),
        "review": _deadline(result.review),
        "unsigned": [
            {"of": each.seq, "type": each.kind, "period": each.period, "missing": list(each.missing)}
            for each in result.unsigned
        ],
        "open_actions": [
            {"action": each.action, "code": each.code, "due": each.due} for each in result.open_actions
        ],
        "open_holds": [
            {"hold": each.hold, "look_again": each.look_again, "review_due": each in result.stale_holds}
            for each in result.open_holds
        ],
        "dangling": list(result.dangling),
        "unclear": list(result.unclear),
        "people": dict(result.people),
        "purge_refuses": list(result.refuses),
        "problems": list(result.problems),
        "advice": list(result.advice),
    }


def _deadline(deadline: Deadline) -> dict[str, object]:
    return {"last": deadline.last, "due_by": deadline.next_due, "late": deadline.late}

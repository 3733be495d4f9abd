"""The pages of `gdpr review`: what a director should know before answering, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, count, title, warn
from staffords_gdpr.render.scan import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from staffords_gdpr.operations.review import ReviewMaterial, ReviewResult
    from staffords_gdpr.policy import Policy


def material_page(material: ReviewMaterial, policy: Policy) -> Page:
    """What happened since the last review."""
    since = (
        "the log began" if material.since is None else f"the last review on {policy.today(material.since)}"
    )
    blocks: list[Block] = [
        title(f"Review {material.period}: {material.policy_title}"),
        Text(f"Since {since}:"),
    ]
    blocks += [warn(change) for change in material.changes] or [
        Text("Policy, database and schema are as they were approved.", Tone.GOOD)
    ]
    blocks.append(
        Text(
            f"{count(material.purges_completed, 'purge')} completed, {material.purges_missed:,} missed, "
            f"{material.purges_refused:,} refused."
        )
    )
    if material.erased:
        rows = [(name_of(name, policy), number) for name, number in material.erased.items()]
        blocks.append(Table(("Records", "Erased"), rows, numbers=frozenset({1})))
    if material.audits:
        audits = [(a.period, a.day, a.verdict, ", ".join(a.signed_by) or "nobody") for a in material.audits]
        blocks.append(Table(("Audit", "Day", "Verdict", "Signed by"), audits))
    if material.open_actions:
        blocks.append(warn(f"{count(len(material.open_actions), 'corrective action')} still open."))
    if material.holds:
        blocks.append(Text(f"{count(material.holds, 'legal hold')} in force."))
    return tuple(blocks)


def approval_page(material: ReviewMaterial, policy: Path) -> Page:
    """What the approval with which the review ends would approve, and what differs from the one in force."""
    if material.approved_on is None:
        differs = [warn("No policy was approved before.")]
    else:
        differs = [warn(change) for change in material.since_approval] or [
            Text(f"All of it is as it was approved on {material.approved_on}.", Tone.GOOD)
        ]
    return (
        Text(""),
        Text(f"Policy {policy}, SHA-256 {material.policy_sha256}"),
        Text(f"Database {material.database}"),
        *differs,
    )


def page(result: ReviewResult, policy: Policy) -> Page:
    """What came of the review."""
    blocks = [Text(f"Review {result.material.period} is done and the policy is approved.", Tone.GOOD)]
    blocks += [
        warn(f"Action {action.action}, due {action.due}: see the report.") for action in result.actions
    ]
    blocks.append(Text(f"Report: {result.report}"))
    if not result.sign_off.complete:
        blocks.append(warn(f"Still to sign: {', '.join(result.sign_off.missing)}."))
    return tuple(blocks)


def data(result: ReviewResult) -> dict[str, object]:
    """`gdpr review --format json`"""
    return {
        "period": result.material.period,
        "changes": list(result.material.changes),
        "actions": [{"action": each.action, "due": each.due} for each in result.actions],
        "missing": list(result.sign_off.missing),
        "report": str(result.report),
        "statement": str(result.statement),
        "entry": result.entry.seq,
    }

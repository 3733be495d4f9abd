"""The pages of `gdpr audit` and `gdpr sign`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, warn

if TYPE_CHECKING:
    from staffords_gdpr.operations.audit import AuditResult
    from staffords_gdpr.operations.sign import SignOff


def page(result: AuditResult) -> Page:
    """The verdict, what was found, what to do about it, and who signs where."""
    good = result.verdict == "pass"
    blocks: list[Block] = [
        Text(
            "Audit passed: the purge did its work." if good else "Audit failed: see the errors below.",
            Tone.GOOD if good else Tone.BAD,
        )
    ]
    if result.findings:
        rows = [(each.severity, each.code, each.count, each.message) for each in result.findings]
        blocks.append(Table(("Severity", "Finding", "Count", "What"), rows, numbers=frozenset({2})))
        blocks += [Text(f"{each.code}: {each.action}") for each in result.findings if each.action]
    else:
        blocks.append(Text("There are no findings."))
    if result.report is None:
        blocks.append(
            Text("This was a rehearsal: no certificate was made and nothing was logged.", Tone.QUIET)
        )
        return tuple(blocks)
    blocks.append(Text(f"Certificate: {result.report}"))
    blocks += [Text(f"To be signed with: gdpr sign --as {role} --key FILE") for role in result.roles]
    return tuple(blocks)


def data(result: AuditResult) -> dict[str, object]:
    """`gdpr audit --format json`"""
    return {
        "verdict": result.verdict,
        "findings": [
            {
                "code": each.code,
                "severity": each.severity,
                "count": each.count,
                "message": each.message,
                "action": each.action,
            }
            for each in result.findings
        ],
        "report": None if result.report is None else str(result.report),
        "statement": None if result.statement is None else str(result.statement),
        "entry": None if result.entry is None else result.entry.seq,
    }


def signed(result: SignOff) -> Page:
    """Who signed what, and who must sign still."""
    done = Text(f"Signed by the {result.role}: {result.period}, entry {result.of} of the log.", Tone.GOOD)
    if result.complete:
        return (done, Text("Everybody who must sign has signed."))
    return (done, warn(f"Still to sign: {', '.join(result.missing)}."))


def signed_data(result: SignOff) -> dict[str, object]:
    """`gdpr sign --format json`"""
    return {
        "of": result.of,
        "period": result.period,
        "role": result.role,
        "person": result.person,
        "signature": str(result.signature),
        "missing": list(result.missing),
        "entry": result.entry.seq,
    }

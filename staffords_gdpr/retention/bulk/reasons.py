"""A verdict's reason in words, as the bulk way can give it. `explain` tells more of a single subject."""

from __future__ import annotations

import datetime as dt

from staffords_gdpr.database.catalogue import Bound
from staffords_gdpr.retention.bulk.blocks import Block
from staffords_gdpr.retention.bulk.codes import Code, Rule


def reason_of(rule: Rule, bound: Bound, code: Code, block: Block | None, last: dt.date | None) -> str:
    """Why a row is in its state, in one line without anything that the row holds."""
    record, shares = bound.record, bound.shares
    owner = record.belongs_to.record if record.belongs_to else "subject"
    said = f"{rule.keep.for_} after {rule.keep.after}"
    if rule.keep.or_until:
        said += " or until " + " or ".join(str(until) for until in rule.keep.or_until)
    if block is not None:
        return {
            "reference": f"{block.by} stays and refers to it",
            "evidence": f"carries the latest {block.date}, which a {block.by} that stays counts from",
            "impossible evidence": f"contributes to {block.date}, which is impossible",
            "goes with": f"goes with its {block.by}, which stays",
            "another owner": f"belongs to another {owner} too, and stays for them",
        }[block.kind]
    return {
        Code.CANDIDATE: f"{said}: passed",
        Code.KEPT: f"{said}: until {last}",
        Code.OPEN: "open work",
        Code.IMPOSSIBLE: f"a date of '{said}' is impossible: malformed, before 1900 or in the future",
        Code.MISSING: f"a date of '{said}' is missing",
        Code.HOLD: "legal hold",
        Code.ORPHAN: f"its {owner} is missing, and no `orphans` rule says what to do",
        Code.DANGLING: f"a row that '{said}' reads is not there",
        Code.DONE: "anonymised",
        Code.AMBIGUOUS: f"also a {' or '.join(shares)}: the conditions of 'where' overlap"
        if shares
        else f"also belongs to a row of another kind than {owner}",
    }[code]

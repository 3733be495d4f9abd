"""What an audit may find: the codes, their severity, and what to do about each.

`error`: the promise was not kept, or cannot be shown to be kept; the verdict is then "fail". `warning`: a
person should look. `info`: worth knowing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

CHECKS: Mapping[str, str] = {
    "log_broken": "the audit log verifies from its first entry to its last",
    "policy_not_approved": "a director has approved the policy",
    "policy_changed": "the policy file is the one that was approved",
    "database_changed": "the database is the one that the approval names",
    "schema_changed": "the database's tables, columns and keys are as approved",
    "purge_never": "a purge has completed",
    "purge_missed": "a purge completed in every interval of the schedule",
    "purge_refused": "no purge was refused by a brake",
    "purge_stopped": "every purge that began came to its end",
    "purge_rehearsed": "no night was a rehearsal, which erases nothing",
    "dangling_intent": "every intent to erase has an outcome",
    "unclear_batch": "the outcome of every batch is clear",
    "overdue": "nothing is due that was due already when the last purge started",
    "disagreement": "two separate implementations of the rules agree on every row",
    "undecidable": "every row has the dates that its rule needs",
    "erased_row_reappeared": "no erased row is back in the database, no anonymised one holds data again",
    "hold_missing": "every legal hold of the log is in force",
    "hold_review_due": "legal holds are looked at again in time",
    "action_overdue": "corrective actions were done by their date",
    "audit_late": "audits are done as often as the policy asks",
    "audit_unsigned": "the audit before was signed by all who must sign",
    "review_late": "the directors review as often as the policy asks",
    "role_empty": "every role that must sign has a person enrolled",
    "role_single": "every role has a second person enrolled",
}
"""Everything that is checked, in the order of the certificate: the code of a finding, and what is true
without it.
"""


@dataclass(frozen=True)
class Finding:
    """One thing found. `count` is how many of it; `message` says what, `action` what to do next. Neither
    names a data subject.
    """

    code: str
    severity: Severity
    count: int
    message: str
    action: str


@dataclass(frozen=True)
class AuditFindings:
    """All that an audit found, from which its certificate is written. `records` counts the rows of each
    record type and step by state; `erased` the rows erased since the last audit that all have signed (`since`; None:
    since the log began). `unchecked` names the checks that could not be made, or not on everything, and why.
    """

    period: str
    log_name: str
    entries: int
    now: dt.datetime
    as_of: dt.datetime
    since: dt.datetime | None
    policy_title: str
    policy_sha256: str
    database: str
    fingerprint: str
    records: Mapping[str, Mapping[str, int]]
    purges: int
    last_purge: dt.datetime | None
    erased: Mapping[str, int]
    roles: tuple[str, ...]
    findings: tuple[Finding, ...]
    unchecked: Mapping[str, str]
    checkpoint: str

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """ "fail" if any finding is an error; warnings leave it at "pass"."""
        return "fail" if any(finding.severity == "error" for finding in self.findings) else "pass"

    @property
    def checks(self) -> tuple[tuple[str, str, Finding | None, str], ...]:
        """Every check: its code, what it promises, the finding against it if there is one, and why it could
        not be made ("" where it was). The promise holds only where there is neither.
        """
        found = {finding.code: finding for finding in self.findings}
        return tuple(
            (code, promise, found.get(code), self.unchecked.get(code, "")) for code, promise in CHECKS.items()
        )


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Errors first, then warnings; within these in the order of the certificate."""
    codes = list(CHECKS)
    return tuple(sorted(findings, key=lambda each: (SEVERITIES.index(each.severity), codes.index(each.code))))


def several(count: int, one: str, many: str = "") -> str:
    """`1 purge`, `2 purges`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"

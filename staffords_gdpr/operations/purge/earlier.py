"""What earlier runs left in the log for the next one: what a person has allowed, and what was left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.kinds import number


@dataclass(frozen=True)
class Earlier:
    """`allowed`: up to how many subjects a person has let a backlog go that is not done yet; `rehearsed`: the same of
    rehearsals, which get no backlog done. `undecidable` by record type, and `held`: how many rows the last run left
    alone; None before the first.
    """

    allowed: int = 0
    rehearsed: int = 0
    undecidable: Mapping[str, int] | None = None
    held: int | None = None


def earlier(log: AuditLog) -> Earlier:
    """Read from the log. A run that was killed wrote no end: what it was allowed stands, less what it got done.

    What a person has allowed a rehearsal is for rehearsals only, up to the next purge.
    """
    standing = log.standing()
    ends = [standing.latest[name] for name in ("purge.end", "purge.rehearsed") if name in standing.latest]
    if not ends:
        return Earlier(standing.confirmed)
    last = max(ends, key=lambda entry: entry.seq)
    fields = last.fields
    rehearsed = number(fields["confirm"]) if last.type == "purge.rehearsed" else 0
    return Earlier(standing.confirmed, rehearsed, _counts(fields["undecidable"]), number(fields["held"]))


def _counts(value: object) -> Mapping[str, int]:
    return {str(name): int(n) for name, n in value.items()} if isinstance(value, Mapping) else {}

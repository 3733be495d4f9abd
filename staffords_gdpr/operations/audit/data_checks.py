"""The checks that an audit makes on the data: did the purge erase what it should, and do two ways of
deciding agree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staffords_gdpr.auditlog import Entry
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.operations import holds as legal_holds
from staffords_gdpr.operations.audit.erased import CODE, erased_rows
from staffords_gdpr.operations.audit.findings import Finding, several
from staffords_gdpr.operations.history import History, Run
from staffords_gdpr.progress import Progress
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.pure.loader import judge_in_chunks
from staffords_gdpr.retention.states import Key, State, Verdict

if TYPE_CHECKING:
    import sqlalchemy as sa

CHUNK = 1_000
"""How many subjects the second implementation judges at a time."""

States = Mapping[str, Mapping[Key, State]]


@dataclass(frozen=True)
class DataFindings:
    """What the data checks found, the rows of each record type and step by state, and the checks that could
    not be made, with the reason.
    """

    records: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    unchecked: Mapping[str, str]


def data_findings(
    connection: sa.Connection,
    catalogue: Catalogue,
    history: History,
    home: Home,
    *,
    as_of: dt.datetime,
    holds: frozenset[Key],
    progress: Progress,
) -> DataFindings:
    """Judge every row as of `as_of`, twice, and hold the result against what the log says was erased. Only
    reads.
    """
    bulk = Bulk(connection, catalogue)
    run = _last_run(catalogue, history)
    overdue = list(_overdue(bulk, catalogue, history, home, run, as_of=as_of, holds=holds)) if run else []
    bulk.decide(as_of, holds=holds)
    states: dict[str, dict[Key, State]] = {name: {} for name in bulk.candidates}
    for verdict in bulk.verdicts():
        states[verdict.record][verdict.key] = verdict.state
    records = {
        name: {str(state): sum(1 for found in rows.values() if found is state) for state in State}
        for name, rows in states.items()
    }
    erased = erased_rows(bulk, states, history, home, progress)
    findings = [
        *_never(records, history),
        *overdue,
        *disagreement(connection, catalogue, states, as_of=as_of, holds=holds, progress=progress),
        *_undecidable(records, history.signed_audit(catalogue.policy.roles.audit)),
        *erased.findings,
    ]
    unchecked = {} if run else {"overdue": "no purge has started under this policy"}
    if erased.unchecked:
        unchecked[CODE] = erased.unchecked
    return DataFindings(records, tuple(findings), unchecked)


def _last_run(catalogue: Catalogue, history: History) -> Run | None:
    """The last purge under this very policy, also one that was cut off: an older policy may have kept the
    rows that this one makes due.
    """
    return next((run for run in reversed(history.runs) if run.policy == catalogue.policy.sha256), None)


def _never(records: Mapping[str, Mapping[str, int]], history: History) -> Iterator[Finding]:
    if history.completed_runs:
        return
    due = sum(counts["due"] for counts in records.values())
    yield Finding(
        "purge_never",
        "error",
        due,
        f"No purge has completed yet; {several(due, 'row is', 'rows are')} due now.",
        "Look at gdpr purge --dry-run, run gdpr purge, and let cron run it at the policy's interval.",
    )


def _overdue(
    bulk: Bulk,
    catalogue: Catalogue,
    history: History,
    home: Home,
    run: Run,
    *,
    as_of: dt.datetime,
    holds: frozenset[Key],
) -> Iterator[Finding]:
    """Rows that are due now, and were due already when the purge `run` started.

    A subject that was on hold then is not overdue because its hold has been released since.
    """
    bulk.decide(as_of, holds=holds)
    due = {(verdict.record, verdict.key): verdict for verdict in bulk.verdicts((State.DUE,))}
    if not due:
        return
    bulk.decide(run.as_of, holds=holds)
    then = {(verdict.record, verdict.key) for verdict in bulk.verdicts((State.DUE,))}
    late = [
        verdict for at, verdict in due.items() if at in then and not _held_then(verdict, run, history, home)
    ]
    if late:
        yield Finding(
            "overdue",
            "error",
            len(late),
            f"{several(len(late), 'row is', 'rows are')} due that should have gone with the purge of "
            f"{catalogue.policy.today(run.started).isoformat()}"
            f"{'' if run.completed else ', which did not come to its end'}: "
            f"{_by_record(verdict.record for verdict in late)}.",
            "List them with gdpr scan --details --state due, and run gdpr purge. Rows that were added or "
            "changed by "
            "hand since then show here, too.",
        )


def _held_then(verdict: Verdict, run: Run, history: History, home: Home) -> bool:
    then = {hold.subject for hold in history.holds if hold.active_at(run.started)}
    return (
        bool(then) and verdict.subject is not None and legal_holds.fingerprint(home, verdict.subject) in then
    )


def disagreement(
    connection: sa.Connection,
    catalogue: Catalogue,
    states: States,
    *,
    as_of: dt.datetime,
    holds: frozenset[Key],
    progress: Progress,
) -> Iterator[Finding]:
    """Rows on which SQL and the pure function differ (R9), or which only one of them sees."""
    differing: list[str] = []
    compared = 0
    progress.start("comparing with the second implementation", None)
    for verdicts in judge_in_chunks(connection, catalogue, as_of, holds, CHUNK):
        for verdict in verdicts:
            compared += 1
            if states.get(verdict.record, {}).get(verdict.key) is not verdict.state:
                differing.append(verdict.record)
        progress.advance(len(verdicts))
    progress.finish()
    missing = sum(len(rows) for rows in states.values()) - compared
    if differing or missing:
        yield Finding(
            "disagreement",
            "error",
            len(differing) + abs(missing),
            f"The two implementations of the rules differ on {several(len(differing), 'row')}"
            f"{': ' + _by_record(differing) if differing else ''}"
            f"{f', and {abs(missing):,} were judged by one only' if missing else ''}.",
            "Stop the nightly purge until this is understood, and report it: it is a fault of this tool.",
        )


def _undecidable(records: Mapping[str, Mapping[str, int]], audit: Entry | None) -> Iterator[Finding]:
    """Undecidable rows stay for ever unless somebody repairs their dates: a warning; an error when there are
    more than at the last signed `audit`.
    """
    by_record = {name: counts["undecidable"] for name, counts in records.items() if counts["undecidable"]}
    count = sum(by_record.values())
    if not count:
        return
    before = audit.fields["findings"] if audit else None
    earlier = int(before.get("undecidable", 0)) if isinstance(before, Mapping) else None
    growing = earlier is not None and count > earlier
    listed = ", ".join(f"{name} {number:,}" for name, number in by_record.items())
    yield Finding(
        "undecidable",
        "error" if growing else "warning",
        count,
        f"{several(count, 'row')} cannot be decided: "
        f"{listed}" + (f". At the last signed audit there were {earlier:,}." if growing else "."),
        "They are never erased. gdpr scan --details --state undecidable lists them and says why; have them "
        "corrected.",
    )


def _by_record(records: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for record in records:
        counts[record] = counts.get(record, 0) + 1
    return ", ".join(f"{record} {count:,}" for record, count in sorted(counts.items()))

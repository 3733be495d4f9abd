"""`gdpr audit`: did the purge do its work. Finds out, writes a certificate, and says so in the log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.people import people
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connected
from staffords_gdpr.operations.audit.data_checks import data_findings
from staffords_gdpr.operations.audit.findings import AuditFindings, Finding, in_order
from staffords_gdpr.operations.audit.log_checks import approval_findings, log_findings, unchecked
from staffords_gdpr.operations.history import read_history
from staffords_gdpr.operations.holds import HoldMissingError, current_holds
from staffords_gdpr.operations.purge.settle import unclear_subjects
from staffords_gdpr.operations.schedule import last_completed
from staffords_gdpr.operations.statement import next_period, sha256, statement_text, write_files
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Progress
from staffords_gdpr.retention.states import Key

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class AuditResult:
    """The verdict, what was found, and the roles that must sign. `report`, `statement` and `entry` are None
    for a rehearsal (an audit as of another moment), which writes nothing.
    """

    verdict: str
    findings: tuple[Finding, ...]
    details: AuditFindings
    roles: tuple[str, ...]
    report: Path | None
    statement: Path | None
    entry: Entry | None


def audit(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    now: dt.datetime,
    write_report: Callable[[AuditFindings], bytes],
    as_of: dt.datetime | None = None,
    progress: Progress = SILENT,
) -> AuditResult:
    """Examine everything, write certificate and statement under `audits/`, and the finding to the log.

    `write_report` makes the certificate's bytes, whose hash is logged. With `as_of` it is a rehearsal: it
    judges as of that moment and writes nothing, because only an audit of the present can count.

    Raises LogBrokenError (and writes nothing) for a log that does not verify, PolicyError where the policy
    does not fit the database, LockedError while a purge runs.
    """
    with log.run_lock():
        found = examine(policy, engine, log, now=now, as_of=as_of or now, progress=progress)
        if as_of is not None:
            return AuditResult(found.verdict, found.findings, found, found.roles, None, None, None)
        # After a crash the last checkpoint may not cover all that was examined.
        log.write_checkpoint(now)
        found = replace(found, checkpoint=log.home.checkpoint.read_text(encoding="utf-8"))
        report = write_report(found)
        statement = statement_text(
            "audit",
            log=log.name,
            period=found.period,
            verdict=found.verdict,
            facts={
                "policy": policy.sha256,
                "database": found.database,
                "schema": found.fingerprint,
                "findings": len(found.findings),
                **{f"  {each.code}": f"{each.count} ({each.severity})" for each in found.findings},
            },
            roles=found.roles,
            report_sha256=sha256(report),
            checkpoint=found.checkpoint,
            now=now,
        )
        files = write_files(log.home, "audit", found.period, report=report, statement=statement)
        entry = log.append(
            "audit",
            {
                "run": new_batch_id(now),
                "period": found.period,
                "verdict": found.verdict,
                "findings": {each.code: each.count for each in found.findings},
                "report": files.report_sha256,
                "statement": files.statement_sha256,
            },
            now=now,
        )
        log.write_checkpoint(now)
    return AuditResult(
        found.verdict, found.findings, found, found.roles, files.report, files.statement, entry
    )


def examine(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    now: dt.datetime,
    as_of: dt.datetime,
    progress: Progress = SILENT,
) -> AuditFindings:
    """Everything that an audit finds as of `as_of`. Writes nothing. Raises LogBrokenError for a log that
    does not verify from its first entry to its last.
    """
    log.require_verified(full=True)
    entries = list(log.entries())
    whole = read_history(entries)
    history = whole.until(as_of)
    with connected(engine) as connection:
        catalogue = bind(policy, connection)
        data = data_findings(
            connection,
            catalogue,
            history,
            log.home,
            as_of=as_of,
            holds=_holds(log) | unclear_subjects(log),
            progress=progress,
        )
    findings = [
        *approval_findings(policy, history, log.home, catalogue),
        *log_findings(policy, history, people(entries), log.home, now=as_of),
        *data.findings,
    ]
    before = history.signed_audit(policy.roles.audit)
    begin = before.seq if before else -1
    last = last_completed(history)
    return AuditFindings(
        period=next_period("audit", policy.today(as_of), whole.audits),
        log_name=log.name,
        entries=len(entries),
        now=now,
        as_of=as_of,
        since=before.time if before else None,
        policy_title=policy.title,
        policy_sha256=policy.sha256,
        database=catalogue.identity,
        fingerprint=catalogue.fingerprint,
        records=data.records,
        purges=sum(1 for run in history.completed_runs if run.seq > begin),
        last_purge=(last.ended or last.started) if last else None,
        erased=history.erased_since(begin),
        roles=policy.roles.audit,
        findings=in_order(findings),
        unchecked={**unchecked(history), **data.unchecked},
        checkpoint=log.home.checkpoint.read_text(encoding="utf-8"),
    )


def _holds(log: AuditLog) -> frozenset[Key]:
    """The holds in force. A hold that is missing is a finding of its own, so the audit goes on without it."""
    try:
        return current_holds(log)
    except HoldMissingError:
        return frozenset()

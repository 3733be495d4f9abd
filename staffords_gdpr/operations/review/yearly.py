"""The directors' yearly review: what changed, the policy's questions, changes deemed necessary, approval."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.people import PersonKey
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connected
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations import schedule
from staffords_gdpr.operations.approved import differences
from staffords_gdpr.operations.history import Action, History, read_history
from staffords_gdpr.operations.review.answers import Change, Reply, replies
from staffords_gdpr.operations.setup import Approval, approve, require_role
from staffords_gdpr.operations.sign import SignOff, sign
from staffords_gdpr.operations.statement import next_period, sha256, statement_text, write_files
from staffords_gdpr.policy.models import Policy

if TYPE_CHECKING:
    import sqlalchemy as sa

ANSWERS = "answers.json"


@dataclass(frozen=True)
class AuditSummary:
    """An audit since the last review."""

    period: str
    day: dt.date
    verdict: str
    findings: Mapping[str, int]
    signed_by: tuple[str, ...]


@dataclass(frozen=True)
class ReviewMaterial:
    """What a director should know before answering: everything since the last review (`since`; None: since
    the log began), and the questions. `since_approval`: what differs from the approval in force.
    """

    period: str
    log_name: str
    now: dt.datetime
    since: dt.datetime | None
    policy_title: str
    policy_sha256: str
    database: str
    fingerprint: str
    changes: tuple[str, ...]
    people_added: Mapping[str, int]
    people_removed: int
    audits: tuple[AuditSummary, ...]
    purges_completed: int
    purges_refused: int
    purges_missed: int
    erased: Mapping[str, int]
    open_actions: tuple[Action, ...]
    holds: int
    questions: tuple[str, ...]
    approved_on: dt.date | None
    since_approval: tuple[str, ...]


@dataclass(frozen=True)
class ReviewReport:
    """All that the review's report says."""

    material: ReviewMaterial
    replies: tuple[Reply, ...]
    actions: tuple[tuple[str, Change], ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class ReviewResult:
    """A finished review: its files and entries, the actions it opened, the sign-off and the approval."""

    material: ReviewMaterial
    report: Path
    statement: Path
    entry: Entry
    actions: tuple[Action, ...]
    sign_off: SignOff
    approval: Approval


def prepare(policy: Policy, engine: sa.Engine, log: AuditLog, *, now: dt.datetime) -> ReviewMaterial:
    """What changed since the last review, and the policy's questions. Writes nothing.

    Raises LogBrokenError for a log that does not verify, PolicyError for a policy that does not fit the
    database.
    """
    log.require_verified(full=True)
    history = read_history(log.entries())
    with connected(engine) as connection:
        catalogue = bind(policy, connection)
    last = history.reviews[-1] if history.reviews else None
    in_force = history.approvals[-1] if history.approvals else None
    since = last.time if last else None
    begin = last.seq if last else -1
    added = Counter(
        str(entry.fields["role"])
        for entry in history.people
        if entry.seq > begin and entry.type == "person.add"
    )
    return ReviewMaterial(
        next_period("review", policy.today(now), history.reviews),
        log.name,
        now,
        since,
        policy.title,
        policy.sha256,
        catalogue.identity,
        catalogue.fingerprint,
        _differences(_approved_then(history, begin), policy, log, catalogue),
        dict(sorted(added.items())),
        sum(1 for entry in history.people if entry.seq > begin and entry.type == "person.remove"),
        tuple(_summary(policy, history, audit) for audit in history.audits if audit.seq > begin),
        sum(1 for run in history.completed_runs if run.seq > begin),
        sum(1 for entry in history.refusals if entry.seq > begin),
        sum(gap.missed for gap in schedule.purge_gaps(policy, history, now=now, since=since)),
        history.erased_since(begin),
        history.open_actions,
        len(history.open_holds),
        policy.review_questions,
        policy.today(in_force.time) if in_force else None,
        _differences(in_force, policy, log, catalogue),
    )


def review(
    policy: Policy,
    engine: sa.Engine,
    log: AuditLog,
    *,
    answers: Mapping[str, str],
    changes: Sequence[Change] = (),
    key: PersonKey,
    role: str,
    now: dt.datetime,
    write_report: Callable[[ReviewReport], bytes],
) -> ReviewResult:
    """Write the review's report and statement, log it with its actions, sign it, and approve the policy.

    Answers and the text of `changes` stand in the report, which the log binds by hash; they never enter the
    log. Raises UsageError naming every question without an answer, and for a person who may not review;
    LockedError while a purge or an audit runs.
    """
    # Two reviews at once would write to the same folder.
    with log.run_lock():
        material = prepare(policy, engine, log, now=now)
        require_role(log, key, role, policy.roles.review, "review the policy")
        given = replies(material.questions, answers)
        past = [change.due.isoformat() for change in changes if change.due < policy.today(now)]
        if past:
            raise UsageError(
                f"an action cannot be due in the past: {', '.join(past)}", "Give each action a day to come."
            )
        opened = tuple((new_batch_id(now), change) for change in changes)
        log.write_checkpoint(now)
        report = write_report(ReviewReport(material, given, opened, policy.roles.review))
        words = (
            json.dumps({each.question: each.answer for each in given}, ensure_ascii=False, indent=1).encode()
            + b"\n"
        )
        statement = statement_text(
            "review",
            log=log.name,
            period=material.period,
            verdict="done",
            facts={
                "policy": policy.sha256,
                "database": material.database,
                "answers": f"{ANSWERS} sha256 {sha256(words)}",
                "changes deemed necessary": len(opened),
            },
            roles=policy.roles.review,
            report_sha256=sha256(report),
            checkpoint=log.home.checkpoint.read_text(encoding="utf-8"),
            now=now,
        )
        files = write_files(
            log.home, "review", material.period, report=report, statement=statement, others={ANSWERS: words}
        )
        entry = log.append(
            "review",
            {
                "run": new_batch_id(now),
                "period": material.period,
                "report": files.report_sha256,
                "statement": files.statement_sha256,
                "answers": sha256(words),
                "changes": len(opened),
            },
            now=now,
            signers=(key,),
        )
        actions = tuple(_open(log, action, change, entry, now) for action, change in opened)
        sign_off = sign(log, key=key, role=role, of=entry.seq, now=now)
        approval = approve(policy, engine, log, key=key, role=role, now=now)
        return ReviewResult(material, files.report, files.statement, entry, actions, sign_off, approval)


def _open(log: AuditLog, action: str, change: Change, review_entry: Entry, now: dt.datetime) -> Action:
    fields = {
        "action": action,
        "of": review_entry.seq,
        "code": "review-change",
        "due": change.due.isoformat(),
    }
    entry = log.append("action.open", fields, now=now)
    return Action(action, entry.time, review_entry.seq, "review-change", change.due)


def _differences(
    approved: Entry | None, policy: Policy, log: AuditLog, catalogue: Catalogue
) -> tuple[str, ...]:
    return tuple(found.sentence for found in differences(policy, log.home, approved, catalogue))


def _approved_then(history: History, begin: int) -> Entry | None:
    """The approval with which the last review ended; before the first review, the first approval of all."""
    return next((entry for entry in history.approvals if entry.seq > begin), None)


def _summary(policy: Policy, history: History, audit: Entry) -> AuditSummary:
    findings = audit.fields["findings"]
    assert isinstance(findings, Mapping)
    return AuditSummary(
        str(audit.fields["period"]),
        policy.today(audit.time),
        str(audit.fields["verdict"]),
        dict(findings),
        history.signed_roles(audit.seq),
    )

"""`gdpr status`: how things stand, and what is due next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staffords_gdpr.auditlog import AuditLog
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import people
from staffords_gdpr.auditlog.rows import list_batch_keys
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connected
from staffords_gdpr.operations import schedule
from staffords_gdpr.operations.audit.findings import several
from staffords_gdpr.operations.audit.log_checks import approval_findings
from staffords_gdpr.operations.history import Action, History, LoggedHold, Run, read_history
from staffords_gdpr.operations.holds import missing_holds
from staffords_gdpr.operations.purge import brakes
from staffords_gdpr.operations.purge.brakes import Brake
from staffords_gdpr.operations.purge.reclaim import traces
from staffords_gdpr.operations.schedule import Deadline
from staffords_gdpr.operations.sign import Pending, pending
from staffords_gdpr.policy.models import Policy

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class StatusResult:
    """How things stand at `now`. `problems` are sentences for a person; `exit_code` is what monitoring
    should see: 3 when the last good purge is older than the schedule allows, or when the next one is certain to
    refuse, otherwise 0. `refuses` names the brakes that will; `hold-missing` stands for a hold that was taken out of
    its file. `stale_holds` are the open ones past the day to look at them again. `rehearsal` is a sentence where purges
    only rehearse, empty where they are live. `advice` is what would be better, and can wait.
    """

    now: dt.datetime
    log_name: str
    last_purge: Run | None
    purge: Deadline
    audit: Deadline
    review: Deadline
    approved: bool
    approved_on: dt.date | None
    unsigned: tuple[Pending, ...]
    open_actions: tuple[Action, ...]
    open_holds: tuple[LoggedHold, ...]
    stale_holds: tuple[LoggedHold, ...]
    dangling: tuple[str, ...]
    unclear: tuple[str, ...]
    people: tuple[tuple[str, int], ...]
    refuses: tuple[str, ...]
    problems: tuple[str, ...]
    rehearsal: str = ""
    advice: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return 3 if self.purge.late or self.refuses else 0


def status(
    policy: Policy, engine: sa.Engine | None, log: AuditLog, *, now: dt.datetime, rehearsal: bool = False
) -> StatusResult:
    """What the log tells of purges, audits, reviews, sign-offs and actions, against the policy's schedule.

    With `engine` the database and its schema are held against the approval, too. `rehearsal`: purges only rehearse,
    which counts for nothing here. Reads only. Raises
    LogBrokenError where the log does not verify from its last checkpoint on.
    """
    log.require_verified(full=False)
    history = read_history(log.entries())
    today = policy.today(now)
    enrolled = people(log.entries())
    roles: dict[str, int] = dict.fromkeys((*policy.roles.audit, *policy.roles.review), 0)
    for person in enrolled.values():
        roles[person.role] = roles.get(person.role, 0) + 1
    approval = history.approval
    deadlines = (
        schedule.purge_deadline(policy, history, now=now),
        schedule.audit_deadline(policy, history, now=now),
        schedule.review_deadline(policy, history, now=now),
    )
    unsigned = pending(log, history)
    catalogue = _catalogue(policy, engine)
    stale = tuple(hold for hold in history.open_holds if hold.look_again < today)
    lost = missing_holds(log.home, history.open_holds)
    refusing = [*brakes.approval(policy, log, catalogue), *brakes.clock(policy, log, now)]
    return StatusResult(
        now,
        log.name,
        schedule.last_completed(history),
        *deadlines,
        approved=approval is not None and approval.fields["policy"] == policy.sha256,
        approved_on=policy.today(approval.time) if approval else None,
        unsigned=unsigned,
        open_actions=history.open_actions,
        open_holds=history.open_holds,
        stale_holds=stale,
        dangling=tuple(batch.batch for batch in history.dangling),
        unclear=tuple(batch.batch for batch in history.unclear),
        people=tuple(roles.items()),
        refuses=(*(brake.code for brake in refusing), *(["hold-missing"] if lost else [])),
        problems=(
            *_late(*deadlines),
            *_refusing(refusing),
            *_lost(lost),
            *_approval(policy, catalogue, history, log),
            *_work(policy, history, unsigned, today),
            *_stale(stale),
            *_traces(policy, log),
        ),
        rehearsal=_rehearsing(policy, history) if rehearsal else "",
        advice=tuple(_advice(policy, log.home)),
    )


def _advice(policy: Policy, home: Home) -> Iterator[str]:
    kept = len(list_batch_keys(home)) if policy.backups_kept is None else 0
    if kept:
        yield (
            f"{several(kept, 'key')} of batches can still tell which rows were erased, and none is ever destroyed: "
            "the policy does not say how long backups of the database exist. Write, for example, backups_kept: 35 days."
        )


def _rehearsing(policy: Policy, history: History) -> str:
    last = history.rehearsals[-1] if history.rehearsals else None
    if last is None:
        return "Nothing is being erased. No purge has been rehearsed yet."
    found = last.fields["would_erase"]
    counts = found if isinstance(found, Mapping) else {}
    rows = sum(count for name, count in counts.items() if name in policy.records)
    steps = sum(counts.values()) - rows
    would = several(rows, "row") + (f" and {several(steps, 'step')} of anonymising" if steps else "")
    return f"Nothing is being erased. The last rehearsal, on {policy.today(last.time)}, would have erased {would}."


def _late(purge: Deadline, audit: Deadline, review: Deadline) -> list[str]:
    problems = []
    if purge.late:
        since = f"the last good purge was on {purge.last.isoformat()}" if purge.last else "there was none yet"
        problems.append(f"A purge was owed by {purge.next_due.isoformat()}: {since}.")
    if audit.late:
        problems.append(f"An audit was owed by {audit.next_due.isoformat()}: gdpr audit")
    if review.late:
        problems.append(
            f"The directors' review was owed by {review.next_due.isoformat()}: gdpr review --as director "
            "--key FILE"
        )
    return problems


def _catalogue(policy: Policy, engine: sa.Engine | None) -> Catalogue | None:
    if engine is None:
        return None
    with connected(engine) as connection:
        return bind(policy, connection)


def _refusing(refusing: list[Brake]) -> list[str]:
    """That the next purge will refuse; of the clock also why, because nothing else here says so."""
    if not refusing:
        return []
    problems = [f"The next purge will refuse (brake {', '.join(brake.code for brake in refusing)})."]
    for brake in refusing:
        if brake.code.startswith("clock"):
            problems.append(f"{brake.message[0].upper()}{brake.message[1:]}. {brake.hint}")
    return problems


def _lost(holds: tuple[str, ...]) -> list[str]:
    if not holds:
        return []
    missing = f"{several(len(holds), 'legal hold')} of the log missing from secret/holds.json"
    return [f"{missing}: no purge runs. Restore the file from its last good copy."]


def _approval(policy: Policy, catalogue: Catalogue | None, history: History, log: AuditLog) -> list[str]:
    found = approval_findings(policy, history, log.home, catalogue)
    return [f"{finding.message} {finding.action}" for finding in found]


def _work(policy: Policy, history: History, unsigned: tuple[Pending, ...], today: dt.date) -> list[str]:
    problems = [
        f"The {each.kind} {each.period} (entry {each.seq}) waits for the signature of: "
        f"{', '.join(each.missing)}."
        for each in unsigned
    ]
    if history.dangling:
        problems.append(
            f"{several(len(history.dangling), 'batch', 'batches')} without an outcome: a purge is running, "
            "or was cut off; then run gdpr purge."
        )
    if history.unclear:
        problems.append(
            f"{several(len(history.unclear), 'batch', 'batches')} with an unclear outcome: gdpr log settle "
            f"{history.unclear[0].batch} shows what is gone."
        )
    begun = (*(run.seq for run in history.runs[-1:]), *(entry.seq for entry in history.rehearsals[-1:]))
    refused = [entry for entry in history.refusals if entry.seq > max(begun, default=-1)]
    if refused:
        problems.append(
            f"The purge was refused on {policy.today(refused[-1].time)} (brake {refused[-1].fields['brake']}): "
            "gdpr purge --dry-run says why and how to go on."
        )
    late = [action for action in history.open_actions if action.due < today]
    if late:
        problems.append(f"{several(len(late), 'corrective action')} past the date: gdpr action list")
    return problems


def _stale(holds: tuple[LoggedHold, ...]) -> list[str]:
    if not holds:
        return []
    named = ", ".join(f"{hold.hold} (since {hold.look_again})" for hold in holds)
    return [f"{several(len(holds), 'legal hold')} to be looked at again: {named}. See gdpr hold list."]


def _traces(policy: Policy, log: AuditLog) -> list[str]:
    left = traces(policy, log)
    if policy.reclaim == "no" or not left:
        return []
    said = f"the policy says reclaim: {policy.reclaim}, which was not done since"
    next_time = "The next purge that comes to its end does it, or gdpr reclaim now."
    return [f"Traces of erased rows of {', '.join(left)} are in the database's files: {said}. {next_time}"]

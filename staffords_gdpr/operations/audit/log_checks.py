"""The checks that an audit makes on the log alone, against the policy: were the promises kept in time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping

from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.people import Person
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.operations import schedule
from staffords_gdpr.operations.approved import APPROVE, differences
from staffords_gdpr.operations.audit.findings import Finding, Severity, several
from staffords_gdpr.operations.history import History, Run
from staffords_gdpr.operations.holds import missing_holds
from staffords_gdpr.policy.models import Policy


def log_findings(
    policy: Policy, history: History, enrolled: Mapping[str, Person], home: Home, *, now: dt.datetime
) -> Iterator[Finding]:
    """What the log tells against the policy, up to `now`."""
    yield from _purges(policy, history, now)
    yield from _batches(history)
    yield from _holds(policy, history, home, now)
    yield from _actions(policy, history, now)
    yield from _audits(policy, history, now)
    yield from _people(policy, enrolled)


def approval_findings(
    policy: Policy, history: History, home: Home, catalogue: Catalogue | None
) -> Iterator[Finding]:
    """Whether the policy, the database and its schema are those that a director approved."""
    if history.approval is None:
        yield Finding(
            "policy_not_approved",
            "error",
            1,
            "No director has approved the policy, so no purge runs.",
            f"A director approves it with: {APPROVE}",
        )
    for found in differences(policy, home, history.approval, catalogue):
        severity: Severity = "error" if found.stops else "warning"
        action = f"{_BEFORE[found.what]}Look at what changed, then approve: {APPROVE}"
        yield Finding(f"{found.what}_changed", severity, found.count, found.sentence, action)


_BEFORE = {
    "policy": "",
    "database": "Correct the database URL, unless the database has moved. ",
    "schema": "New columns may hold personal data that the policy does not name. ",
}
"""What to think of first, by what has changed."""


def unchecked(history: History) -> dict[str, str]:
    """The checks of the log for which there is nothing to look at yet, and why."""
    found: dict[str, str] = {}
    if history.approval is None:
        nothing = "nothing has been approved"
        found |= dict.fromkeys(("policy_changed", "database_changed", "schema_changed"), nothing)
    if not history.runs:
        found["purge_stopped"] = "no purge has begun"
    if not history.completed_runs:
        found["purge_missed"] = "no purge has completed"
    if not history.audits:
        found["audit_unsigned"] = "there was no audit before"
    return found


def _purges(policy: Policy, history: History, now: dt.datetime) -> Iterator[Finding]:
    before = history.signed_audit(policy.roles.audit)
    gaps = schedule.purge_gaps(policy, history, now=now, since=before.time if before else None)
    if gaps:
        yield Finding(
            "purge_missed",
            "error",
            sum(gap.missed for gap in gaps),
            f"No purge completed on: {_listed([str(gap) for gap in gaps])}.",
            "See why (gdpr log show, the cron mail), repair it, and run gdpr purge.",
        )
    begin = before.seq if before else -1
    refusals = [entry for entry in history.refusals if entry.seq > begin]
    if refusals:
        brakes = sorted({str(entry.fields["brake"]) for entry in refusals})
        yield Finding(
            "purge_refused",
            "warning",
            len(refusals),
            f"A brake refused {several(len(refusals), 'purge')}: {', '.join(brakes)}.",
            "gdpr purge --dry-run says whether a brake would refuse now, and how to go on.",
        )
    # The audit holds the run lock: a run without an end is one that crashed.
    stopped = [run for run in history.runs if run.seq > begin and not run.completed]
    if stopped:
        yield Finding(
            "purge_stopped",
            "warning",
            len(stopped),
            f"{several(len(stopped), 'purge')} began and did not come to an end: {_ends(stopped)}.",
            "If the nights after it completed, nothing is left to do; otherwise run gdpr purge, and give it more time "
            "where its window ended it.",
        )
    rehearsed = [entry for entry in history.rehearsals if entry.seq > begin]
    if rehearsed:
        yield Finding(
            "purge_rehearsed",
            "warning",
            len(rehearsed),
            f"{several(len(rehearsed), 'purge was a rehearsal', 'purges were rehearsals')}, the last one on "
            f"{policy.today(rehearsed[-1].time)}: nothing was erased.",
            'When the numbers in gdpr log show --type purge.rehearsed are right, take mode = "rehearsal" out of '
            "gdpr.toml.",
        )


_ENDS = {
    "": "cut off",
    "stopped": "ended by an error",
    "put-off": "with batches put off",
    "max-runtime": "ended by --max-runtime",
    "until": "ended by --until",
    "signal": "told to stop",
}


def _ends(runs: list[Run]) -> str:
    """How many runs ended how, before their work was done."""
    found = Counter(_ENDS.get(run.result, run.result) for run in runs)
    return ", ".join(f"{number} {words}" for words, number in found.items())


def _batches(history: History) -> Iterator[Finding]:
    if history.dangling:
        rows = sum(sum(batch.rows.values()) for batch in history.dangling)
        yield Finding(
            "dangling_intent",
            "error",
            len(history.dangling),
            f"A purge was cut off before it could write whether {several(rows, 'row')} "
            f"of {several(len(history.dangling), 'batch', 'batches')} went.",
            "Run gdpr purge: it finds out from the database, and says so in the log.",
        )
    if history.unclear:
        names = _listed([batch.batch for batch in history.unclear])
        yield Finding(
            "unclear_batch",
            "error",
            len(history.unclear),
            f"It is not clear which rows of these batches are gone: {names}.",
            "Compare the database with its backup of that night, then settle it: gdpr log settle BATCH. The customers "
            "concerned are left out of purges until then.",
        )


def _holds(policy: Policy, history: History, home: Home, now: dt.datetime) -> Iterator[Finding]:
    missing = missing_holds(home, history.open_holds)
    if missing:
        yield Finding(
            "hold_missing",
            "error",
            len(missing),
            f"Legal holds of the log are not in secret/holds.json: {_listed(list(missing))}.",
            "Restore the file, or release these holds: gdpr hold release HOLD",
        )
    today = policy.today(now)
    past = [hold for hold in history.open_holds if hold.look_again < today]
    if past:
        yield Finding(
            "hold_review_due",
            "warning",
            len(past),
            f"{several(len(past), 'legal hold')} should have been looked at again by now: "
            f"{_listed([hold.hold for hold in past])}.",
            "Ask whether the claim is still open; if not: gdpr hold release HOLD",
        )


def _actions(policy: Policy, history: History, now: dt.datetime) -> Iterator[Finding]:
    today = policy.today(now)
    late = [action for action in history.open_actions if action.due < today]
    if late:
        yield Finding(
            "action_overdue",
            "error",
            len(late),
            f"{several(len(late), 'corrective action')} past the date: "
            f"{_listed([action.action for action in late])}.",
            "Do it and say so: gdpr action close ACTION --key FILE",
        )


def _audits(policy: Policy, history: History, now: dt.datetime) -> Iterator[Finding]:
    audit = schedule.audit_deadline(policy, history, now=now)
    if audit.late:
        yield Finding(
            "audit_late",
            "warning",
            1,
            f"This audit was owed by {audit.next_due.isoformat()}.",
            f"The policy asks for one every {policy.schedule.audit}: put the next into the calendar.",
        )
    if history.audits:
        before = history.audits[-1]
        missing = [role for role in policy.roles.audit if role not in history.signed_roles(before.seq)]
        if missing:
            yield Finding(
                "audit_unsigned",
                "warning",
                len(missing),
                f"The audit {before.fields['period']} has no signature of: {', '.join(missing)}.",
                f"gdpr sign --of {before.seq} --as {missing[0]} --key FILE",
            )
    review = schedule.review_deadline(policy, history, now=now)
    if review.late:
        yield Finding(
            "review_late",
            "warning",
            1,
            f"The directors' review was owed by {review.next_due.isoformat()}.",
            "A director does it with: gdpr review --as director --key FILE",
        )


def _people(policy: Policy, enrolled: Mapping[str, Person]) -> Iterator[Finding]:
    counts = dict.fromkeys((*policy.roles.audit, *policy.roles.review), 0)
    for person in enrolled.values():
        if person.role in counts:
            counts[person.role] += 1
    empty = [role for role, count in counts.items() if count == 0]
    if empty:
        yield Finding(
            "role_empty",
            "warning",
            len(empty),
            f"Nobody is enrolled as: {', '.join(empty)}. Without them an audit or a review cannot be signed.",
            f"gdpr keys new --as {empty[0]} --out FILE",
        )
    single = [role for role, count in counts.items() if count == 1]
    if single:
        yield Finding(
            "role_single",
            "info",
            len(single),
            f"Only one person is enrolled as: {', '.join(single)}. If that key is lost, nobody can sign "
            "for the role.",
            f"Enrol a deputy: gdpr keys new --as {single[0]} --out FILE --by DIRECTORS_KEY",
        )


def _listed(names: list[str], most: int = 10) -> str:
    """The names; of a long list the first ones and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

"""What the policy's schedule asks for, held against what was done: purges missed, audits and reviews due.

Counted in calendar days of the policy's zone, so that a purge which runs at 02:00 one night and at 02:10
the next is on time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from staffords_gdpr.operations.history import History, Run
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.policy.periods import Period


@dataclass(frozen=True)
class Gap:
    """Consecutive days on which a purge should have completed and none did; `missed` counts them."""

    first: dt.date
    last: dt.date
    missed: int

    def __str__(self) -> str:
        if self.first == self.last:
            return self.first.isoformat()
        return f"{self.first.isoformat()} to {self.last.isoformat()} ({self.missed} purges)"


@dataclass(frozen=True)
class Deadline:
    """When something was last done (None: never), and the last day on which it is in time to do it again."""

    last: dt.date | None
    next_due: dt.date
    late: bool


def purge_gaps(
    policy: Policy, history: History, *, now: dt.datetime, since: dt.datetime | None = None
) -> tuple[Gap, ...]:
    """The purges that are missing from the day of `since` on (None: from the first approval on).

    A purge is owed one `schedule.purge` after the one before, and missed when that whole day has gone by
    without a completed run. Nothing is owed before a policy was approved: until then a purge refuses to
    run.
    """
    if not history.approvals:
        return ()
    judged = policy.today(since) if since else dt.date.min
    done_on = policy.today(history.approvals[0].time)
    gaps = []
    for run in history.completed_runs:
        gaps.append(_gap(policy.schedule.purge, done_on, policy.today(run.started), judged))
        done_on = max(done_on, policy.today(run.ended or run.started))
    gaps.append(_gap(policy.schedule.purge, done_on, policy.today(now), judged))
    return tuple(gap for gap in gaps if gap is not None)


def _gap(every: Period, done_on: dt.date, next_on: dt.date, judged: dt.date) -> Gap | None:
    """The days from `judged` on and before `next_on` on which a purge was owed."""
    missed = []
    owed = every.after(done_on)
    while owed < next_on:
        if owed >= judged:
            missed.append(owed)
        owed = every.after(owed)
    return Gap(missed[0], missed[-1], len(missed)) if missed else None


def purge_deadline(policy: Policy, history: History, *, now: dt.datetime) -> Deadline:
    """When the last good purge was and by when the next is owed. Before the first: counted from the first
    approval, or from the opening of the log, so that a fresh installation is not late.
    """
    last = last_completed(history)
    begin = history.approvals[0].time if history.approvals else history.opened
    last_day = policy.today(last.ended or last.started) if last else None
    return _deadline(policy, policy.schedule.purge, last_day, begin, now)


def audit_deadline(policy: Policy, history: History, *, now: dt.datetime) -> Deadline:
    """When the last audit was and by when the next is owed."""
    last_day = policy.today(history.audits[-1].time) if history.audits else None
    begin = history.approvals[0].time if history.approvals else history.opened
    return _deadline(policy, policy.schedule.audit, last_day, begin, now)


def review_deadline(policy: Policy, history: History, *, now: dt.datetime) -> Deadline:
    """When the directors last reviewed and by when they owe the next review."""
    last_day = policy.today(history.reviews[-1].time) if history.reviews else None
    begin = history.approvals[0].time if history.approvals else history.opened
    return _deadline(policy, policy.schedule.review, last_day, begin, now)


def last_completed(history: History) -> Run | None:
    """The last run that completed."""
    runs = history.completed_runs
    return runs[-1] if runs else None


def _deadline(
    policy: Policy, every: Period, last: dt.date | None, begin: dt.datetime | None, now: dt.datetime
) -> Deadline:
    today = policy.today(now)
    next_due = every.after(last or (policy.today(begin) if begin else today))
    return Deadline(last, next_due, late=today > next_due)

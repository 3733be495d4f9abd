"""What the audit log tells, read once from its entries: runs, batches, approvals, audits, reviews, actions,
holds.

Nothing here judges: `schedule` says what is late, `audit/log_checks` what is a finding.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from staffords_gdpr.auditlog import Entry

COMPLETED = ("complete", "unclear")
"""The results of a run that went through all its work. One that ended before it, even as it was told to, has left rows
that are due: it kept no promise."""


@dataclass(frozen=True)
class Run:
    """One purge. `ended` is None while it runs, and for ever where it crashed."""

    run: str
    seq: int
    started: dt.datetime
    as_of: dt.datetime
    policy: str
    ended: dt.datetime | None = None
    result: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def completed(self) -> bool:
        return self.ended is not None and self.result in COMPLETED


@dataclass(frozen=True)
class Batch:
    """One intent to erase, and what came of it: "" while that is not known, else committed, not-committed, unclear, or
    settled: a person closed what was unclear, and `rows` are those that are gone. `forgotten`: its key was destroyed.
    """

    batch: str
    seq: int
    time: dt.datetime
    rows: Mapping[str, int]
    outcome: str = ""
    forgotten: bool = False

    @property
    def committed(self) -> bool:
        """Whether `rows` are gone for good."""
        return self.outcome in ("committed", "settled")


@dataclass(frozen=True)
class Action:
    """A corrective action. Its text stands in the review's report, never in the log."""

    action: str
    opened: dt.datetime
    of: int
    code: str
    due: dt.date
    closed: dt.datetime | None = None


@dataclass(frozen=True)
class LoggedHold:
    """A legal hold as the log knows it: the subject only as a keyed hash."""

    hold: str
    subject: str
    look_again: dt.date
    added: dt.datetime
    released: dt.datetime | None = None

    def active_at(self, moment: dt.datetime) -> bool:
        return self.added <= moment and (self.released is None or moment < self.released)


@dataclass(frozen=True)
class History:
    """The log's entries, sorted by what they are about; each tuple in the order of the log."""

    opened: dt.datetime | None
    runs: tuple[Run, ...]
    rehearsals: tuple[Entry, ...]  # which erase nothing, and so are no runs
    refusals: tuple[Entry, ...]
    batches: tuple[Batch, ...]
    approvals: tuple[Entry, ...]
    audits: tuple[Entry, ...]
    reviews: tuple[Entry, ...]
    signoffs: tuple[Entry, ...]
    people: tuple[Entry, ...]  # person.add and person.remove
    actions: tuple[Action, ...]
    holds: tuple[LoggedHold, ...]

    @property
    def approval(self) -> Entry | None:
        """The approval in force: the last one."""
        return self.approvals[-1] if self.approvals else None

    @property
    def completed_runs(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.completed)

    @property
    def dangling(self) -> tuple[Batch, ...]:
        """Intents without an outcome: nobody knows yet whether the rows are gone."""
        return tuple(batch for batch in self.batches if not batch.outcome)

    @property
    def unclear(self) -> tuple[Batch, ...]:
        return tuple(batch for batch in self.batches if batch.outcome == "unclear")

    @property
    def open_actions(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if action.closed is None)

    @property
    def open_holds(self) -> tuple[LoggedHold, ...]:
        return tuple(hold for hold in self.holds if hold.released is None)

    def signed_roles(self, seq: int) -> tuple[str, ...]:
        """The roles that have signed the audit or review in entry `seq`."""
        return tuple(str(entry.fields["role"]) for entry in self.signoffs if entry.fields["of"] == seq)

    def signed_audit(self, roles: Iterable[str]) -> Entry | None:
        """The last audit that all of these roles have signed: nobody has looked at a later one yet, so what it
        found must be found again.
        """
        wanted = set(roles)
        return next(
            (each for each in reversed(self.audits) if wanted <= set(self.signed_roles(each.seq))), None
        )

    def erased_since(self, seq: int) -> dict[str, int]:
        """The rows that were erased by batches whose intent stands after entry `seq`, by record type and
        step.
        """
        rows: Counter[str] = Counter()
        for batch in self.batches:
            if batch.seq > seq and batch.committed:
                rows.update(batch.rows)
        return dict(sorted(rows.items()))

    def until(self, moment: dt.datetime) -> History:
        """The same, without the entries about runs, audits and reviews that came after `moment`."""
        return History(
            self.opened,
            tuple(run for run in self.runs if run.started <= moment),
            _before(self.rehearsals, moment),
            _before(self.refusals, moment),
            tuple(batch for batch in self.batches if batch.time <= moment),
            self.approvals,
            _before(self.audits, moment),
            _before(self.reviews, moment),
            self.signoffs,
            self.people,
            self.actions,
            self.holds,
        )


def read_history(entries: Iterable[Entry]) -> History:
    """Sort the entries of a verified log; one pass, in the log's order."""
    opened: dt.datetime | None = None
    runs: dict[str, Run] = {}
    batches: dict[str, Batch] = {}
    actions: dict[str, Action] = {}
    holds: dict[str, LoggedHold] = {}
    kept: dict[str, list[Entry]] = {}
    for entry in entries:
        fields: Mapping[str, Any] = entry.fields
        match entry.type:
            case "log.open":
                opened = entry.time
            case "purge.start":
                runs[fields["run"]] = Run(
                    fields["run"], entry.seq, entry.time, moment_of(fields["as_of"]), fields["policy"]
                )
            case "purge.end" if fields["run"] in runs:
                begun = runs[fields["run"]]
                runs[begun.run] = Run(
                    begun.run,
                    begun.seq,
                    begun.started,
                    begun.as_of,
                    begun.policy,
                    entry.time,
                    fields["result"],
                    fields["rows"],
                )
            case "purge.intent":
                batches[fields["batch"]] = Batch(fields["batch"], entry.seq, entry.time, fields["rows"])
            case "purge.done" | "purge.aborted" | "purge.recovered" if fields["batch"] in batches:
                known = batches[fields["batch"]]
                batches[known.batch] = replace(known, outcome=_outcome(entry))
            case "purge.settled" if fields["batch"] in batches:
                known = batches[fields["batch"]]
                batches[known.batch] = replace(known, outcome="settled", rows=fields["gone"])
            case "batch.forget":
                for batch in fields["batches"]:
                    if batch in batches:
                        batches[batch] = replace(batches[batch], forgotten=True)
            case "action.open":
                actions[fields["action"]] = Action(
                    fields["action"],
                    entry.time,
                    fields["of"],
                    fields["code"],
                    dt.date.fromisoformat(fields["due"]),
                )
            case "action.close" if fields["action"] in actions:
                was = actions[fields["action"]]
                actions[was.action] = Action(was.action, was.opened, was.of, was.code, was.due, entry.time)
            case "hold.add":
                holds[fields["hold"]] = logged_hold(entry)
            case "hold.release" if fields["hold"] in holds:
                held = holds[fields["hold"]]
                holds[held.hold] = LoggedHold(
                    held.hold, held.subject, held.look_again, held.added, entry.time
                )
            case "person.add" | "person.remove":
                kept.setdefault("person", []).append(entry)
            case other:
                kept.setdefault(other, []).append(entry)
    return History(
        opened,
        tuple(runs.values()),
        tuple(kept.get("purge.rehearsed", ())),
        tuple(kept.get("purge.refused", ())),
        tuple(batches.values()),
        tuple(kept.get("policy.approve", ())),
        tuple(kept.get("audit", ())),
        tuple(kept.get("review", ())),
        tuple(kept.get("signoff", ())),
        tuple(kept.get("person", ())),
        tuple(actions.values()),
        tuple(holds.values()),
    )


def logged_hold(entry: Entry) -> LoggedHold:
    """The hold that a hold.add puts in force."""
    fields: Mapping[str, Any] = entry.fields
    return LoggedHold(
        fields["hold"], fields["subject"], dt.date.fromisoformat(fields["look_again"]), entry.time
    )


def moment_of(text: str) -> dt.datetime:
    """A moment as the log writes it (`2026-11-23T02:00:04Z`), aware, in UTC."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def _outcome(entry: Entry) -> str:
    if entry.type == "purge.recovered":
        return str(entry.fields["outcome"])
    return "committed" if entry.type == "purge.done" else "not-committed"


def _before(entries: tuple[Entry, ...], moment: dt.datetime) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.time <= moment)

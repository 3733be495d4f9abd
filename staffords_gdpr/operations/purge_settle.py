"""Dangling intents: batches that were announced, and of which nobody wrote down what became of them.

The database knows. Deleted rows are tested by their absence, anonymised ones by their values: all done, it was
committed; none done, it was not; anything else is unclear, and its subjects are left alone until a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from staffords_gdpr.auditlog import AuditLog, Entry
from staffords_gdpr.auditlog.entries import OUTCOMES
from staffords_gdpr.auditlog.rows import (
    list_pending,
    read_batch_key,
    read_pending,
    remove_pending,
    write_leaves,
)
from staffords_gdpr.database.connection import begin
from staffords_gdpr.operations.erasure import Erasure, Plan, remaining
from staffords_gdpr.operations.purge_batches import Clock
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.states import Key


@dataclass(frozen=True)
class Recovered:
    """What became of a batch: `outcome` is committed, not-committed or unclear. `left`: rows that are still there."""

    batch: str
    outcome: str
    rows: Mapping[str, int]
    left: Mapping[str, int]


def settle(bulk: Bulk, log: AuditLog, clock: Clock) -> list[Recovered]:
    """Find out what became of every dangling intent and write it to the log. Only the holder of run.lock may do so."""
    intents, outcomes = _read(log)
    recovered = []
    for batch in intents:
        if batch not in outcomes:
            recovered.append(_settle(bulk, log, intents[batch], clock))
    for batch in list_pending(log.home):
        _tidy(log, batch, intents, outcomes)
    if recovered:
        log.write_checkpoint(clock())
    return recovered


def unclear_subjects(log: AuditLog) -> frozenset[Key]:
    """The subjects of batches whose end is unclear: no run touches them until a person has settled it."""
    return frozenset(
        tuple(key) for batch in list_pending(log.home) for key in (read_pending(log.home, batch) or {}).get("subjects", ())  # type: ignore[attr-defined]
    )  # fmt: skip


def _read(log: AuditLog) -> tuple[dict[str, Entry], dict[str, Entry]]:
    intents: dict[str, Entry] = {}
    outcomes: dict[str, Entry] = {}
    for entry in log.entries():
        if entry.type == "purge.intent":
            intents[str(entry.fields["batch"])] = entry
        elif entry.type in OUTCOMES:
            outcomes[str(entry.fields["batch"])] = entry
    return intents, outcomes


def _settle(bulk: Bulk, log: AuditLog, intent: Entry, clock: Clock) -> Recovered:
    batch, rows = str(intent.fields["batch"]), _rows(intent)
    pending = read_pending(log.home, batch)
    left: dict[str, int] = {}
    if pending is None:
        outcome = "unclear"
    else:
        transaction = begin(bulk.connection, lock=True)  # waits for whoever may still be committing
        try:
            left = remaining(bulk, _erasures(pending))
        finally:
            transaction.rollback()
        outcome = "committed" if not any(left.values()) else "not-committed" if left == rows else "unclear"
    now = clock()
    fields = {name: intent.fields[name] for name in ("run", "batch", "root", "rows")}
    log.append("purge.recovered", {**fields, "outcome": outcome}, now=now)
    if outcome == "committed" and pending is not None:
        _write_leaves(log, batch, pending, intent)
    if outcome != "unclear":
        remove_pending(log.home, batch)
    return Recovered(batch, outcome, rows, {name: n for name, n in left.items() if n})


def _tidy(log: AuditLog, batch: str, intents: Mapping[str, Entry], outcomes: Mapping[str, Entry]) -> None:
    """A pending file that a crash left behind, though its end is known or it never came to an intent."""
    outcome = outcomes.get(batch)
    if batch in intents and outcome is None:
        return  # settled just now
    if outcome is not None and outcome.fields.get("outcome") == "unclear":
        return
    pending = read_pending(log.home, batch)
    if outcome is not None and pending is not None and _committed(outcome):
        _write_leaves(log, batch, pending, intents[batch])
    remove_pending(log.home, batch)


def _committed(outcome: Entry) -> bool:
    return outcome.type == "purge.done" or outcome.fields.get("outcome") == "committed"


def _write_leaves(log: AuditLog, batch: str, pending: Mapping[str, Any], intent: Entry) -> None:
    key = read_batch_key(log.home, batch)
    if key is not None:
        leaves = Plan(tuple(_erasures(pending)), ()).leaves(key)
        write_leaves(log.home, batch, intent.time, leaves)


def _erasures(pending: Mapping[str, Any]) -> list[Erasure]:
    return [
        Erasure(str(e["name"]), e["values"], tuple(tuple(key) for key in e["keys"])) for e in pending["erasures"]
    ]


def _rows(intent: Entry) -> dict[str, int]:
    rows = intent.fields["rows"]
    return {str(name): int(count) for name, count in rows.items()} if isinstance(rows, Mapping) else {}

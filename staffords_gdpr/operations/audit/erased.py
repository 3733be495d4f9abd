"""The audit's check of what is gone: no row that was erased may be back, and no anonymised row may hold data again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.rows import leaf, read_batch_key, read_leaves
from staffords_gdpr.operations.audit.findings import Finding, several
from staffords_gdpr.operations.history import Batch, History
from staffords_gdpr.operations.purge.erasure import values_of
from staffords_gdpr.progress import Progress
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.conditions import replaced
from staffords_gdpr.retention.bulk.work import Candidates
from staffords_gdpr.retention.states import Key

CODE = "erased_row_reappeared"
HASHES = 20_000_000
"""How many leaves one audit computes at most when it looks for erased rows that are back: about a minute's
work.
"""


@dataclass(frozen=True)
class Erased:
    """The findings of this check, and why some of it could not be made ("" where all of it was)."""

    findings: tuple[Finding, ...]
    unchecked: str


def erased_rows(
    bulk: Bulk, present: Mapping[str, Iterable[Key]], history: History, home: Home, progress: Progress
) -> Erased:
    """Hold the rows that are there now against the leaves of all committed batches, newest first.

    `present`: the keys of the rows of each record type. Leaves can be computed only with the key of their batch.
    Batches whose keys the log says were destroyed are left out: no backup is as old as they are.
    """
    suspects = {
        name: tuple(present.get(name, ())) if values_of(found) is None else _not_replaced(bulk, found)
        for name, found in bulk.candidates.items()
    }
    back: dict[str, None] = {}
    count = hashes = lost = skipped = 0
    batches = [batch for batch in reversed(history.batches) if batch.committed and not batch.forgotten]
    progress.start("looking for erased rows that are back", len(batches))
    for batch in batches:
        progress.advance()
        rows = [(name, key) for name in batch.rows for key in suspects.get(name, ())]
        hashes += len(rows)
        if hashes > HASHES:
            skipped += 1
            continue
        found = _found(batch, rows, home)
        if found is None:
            lost += 1
        elif found:
            count += found
            back[batch.batch] = None
    progress.finish()
    unchecked = _unchecked(lost, skipped)
    if count:
        return Erased((_back(count, list(back), unchecked),), unchecked)
    if unchecked:
        message = f"No erased row was found again; {unchecked}."
        action = "If the folder secret was restored from a backup, restore the keys of the batches, too."
        return Erased((Finding(CODE, "info", lost + skipped, message, action),), unchecked)
    return Erased((), "")


def _not_replaced(bulk: Bulk, found: Candidates) -> tuple[Key, ...]:
    """The keys of the rows that do not hold what anonymising puts there."""
    table, values = found.bound.sa_table, values_of(found)
    key = [table.c[name] for name in found.bound.key]
    rows = bulk.connection.execute(sa.select(*key).where(sa.not_(replaced(table, values or {}, key))))
    return tuple(tuple(row) for row in rows)


def _found(batch: Batch, rows: Iterable[tuple[str, Key]], home: Home) -> int | None:
    """How many of these rows were erased by this batch; None where its key or its leaves are gone."""
    key = read_batch_key(home, batch.batch)
    path = home.leaves(batch.batch)
    if key is None or path is None:
        return None
    leaves = frozenset(read_leaves(path))
    return sum(1 for name, row in rows if leaf(key, name, row) in leaves)


def _unchecked(lost: int, skipped: int) -> str:
    reasons = []
    if lost:
        reasons.append(
            f"cannot be checked for {several(lost, 'batch', 'batches')} whose key or leaves are gone"
        )
    if skipped:
        reasons.append(f"the {several(skipped, 'oldest batch', 'oldest batches')} would take too long")
    return "; ".join(reasons)


def _back(count: int, batches: list[str], unchecked: str) -> Finding:
    were, are = ("was", "is") if count == 1 else ("were", "are")
    return Finding(
        CODE,
        "warning",
        count,
        f"{several(count, 'row')} that {were} erased (batches {', '.join(batches)}) {are} in the database again, or "
        f"{'holds' if count == 1 else 'hold'} data again that was anonymised"
        f"{f'; it {unchecked}' if unchecked else ''}.",
        "If a backup was restored, the next purge erases what is due by the rules. A database that uses the "
        "numbers of deleted rows again, and a policy that anonymises more than it did then, show here, too.",
    )

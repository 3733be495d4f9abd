"""What one transaction takes: where the database limits how many rows it may change, a part of what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.order import erasing_order
from staffords_gdpr.errors import GdprError
from staffords_gdpr.operations.purge.erasure import Eraser, Plan
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.work import decided_by
from staffords_gdpr.retention.states import Key

Rows = frozenset[tuple[str, Key]]


def most_changes(bulk: Bulk) -> int | None:
    """How many rows a plan may have; None for any number. Needs no transaction, and leaves one open."""
    most = backend_of(bulk.connection).most_rows(bulk.connection)
    if most is None:
        return None
    # rows of a circle are changed before they go
    circles = erasing_order(bulk.catalogue, backend_of(bulk.connection)).openings
    return max(1, most // 2) if circles else most


def portion_of(
    bulk: Bulk, eraser: Eraser, decide: Callable[[Rows], None], most: int | None, *, by_subjects: bool
) -> tuple[Plan, bool]:
    """The plan for what is due, and True; or for a part of that with at most so many rows, and False.

    `decide` decides for the batch, with more rows left alone than there are anyway. For a part the rules are asked
    again: `by_subjects` for fewer of them, and then with fewer rows, the last of the plan left alone. So what refers
    goes before what it refers to, children before owners, and dates stay that others count from. Raises GdprError
    where not even one row, with what goes along with it, is few enough.
    """
    decide(frozenset())
    plan = eraser.plan()
    if most is None or _size(plan) <= most:
        return plan, True
    subjects = plan.subjects
    for taken in _fewer(len(subjects), most / _size(plan)) if by_subjects else ():
        bulk.scope_to(subjects=subjects[:taken])
        decide(frozenset())
        smaller = eraser.plan()
        if 0 < _size(smaller) <= most:
            return smaller, False
        plan = smaller if smaller.erasures else plan  # nothing: these are due only together with others
    if by_subjects:
        bulk.scope_to(subjects=plan.subjects)
    rows = _deciding(bulk, plan)
    for taken in _fewer(len(rows), most / _size(plan)):
        decide(frozenset(rows[taken:]))
        plan = eraser.plan()
        if 0 < _size(plan) <= most:
            return plan, False
    raise GdprError(
        f"more rows are due only together than one transaction of this database may change: {most}",
        "raise the server's limit (wsrep_max_ws_rows, wsrep_max_ws_size) for the time of the purge",
    )


def _size(plan: Plan) -> int:
    return sum(plan.rows.values())


def _fewer(count: int, share: float) -> Iterator[int]:
    """Ever fewer of so many: that share of them, then half as many each time, down to one."""
    taken = min(count - 1, max(1, int(count * share)))
    while taken > 0:
        yield taken
        taken //= 2


def _deciding(bulk: Bulk, plan: Plan) -> list[tuple[str, Key]]:
    """The rows of a plan, in its order, but those that another row decides for, which go along with it."""
    rows = (
        (erasure.name.partition(".")[0], key)
        for erasure in plan.erasures
        if decided_by(bulk.catalogue, bulk.candidates[erasure.name]) is None
        for key in erasure.keys
    )
    return list(dict.fromkeys(rows))

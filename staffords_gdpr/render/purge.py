"""The page of `gdpr purge`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, count, warn
from staffords_gdpr.render.scan import amounts, name_of

if TYPE_CHECKING:
    from staffords_gdpr.operations.purge import PurgeResult
    from staffords_gdpr.policy import Policy

_OUTCOMES = {
    "committed": "its rows are gone, which is now in the log.",
    "not-committed": "nothing of it was erased, which is now in the log.",
    "unclear": "some of its rows are gone, some not. Its subjects are left alone until a person looks.",
}


def page(result: PurgeResult, policy: Policy) -> Page:
    """What went or would go, what stayed and why, and which brakes would refuse."""
    blocks = _erased(result, policy)
    undecidable = sum(result.undecidable.values())
    if result.held:
        blocks.append(Text(f"Held, and so left alone: {count(result.held, 'row')}."))
    if undecidable:
        blocks.append(
            warn(
                f"Undecidable, and so left alone: {count(undecidable, 'row')}. "
                "'gdpr scan --details --state undecidable' says why."
            )
        )
    for batch in result.recovered:
        what = f"An earlier run was cut off in batch {batch.batch} ({count(sum(batch.rows.values()), 'row')})"
        blocks.append(Text(f"{what}: {_OUTCOMES[batch.outcome]}", Tone.WARN))
    for brake in result.brakes:
        blocks.append(Text(f"A purge would refuse ({brake.code}): {brake.message}", Tone.BAD))
        blocks.append(Text(brake.hint))
    if result.dry_run:
        blocks.append(Text("This was a dry run: nothing was erased and nothing was written.", Tone.QUIET))
    return tuple(blocks)


def _erased(result: PurgeResult, policy: Policy) -> list[Block]:
    if any(brake.code == "policy-does-not-fit" for brake in result.brakes):
        return [Text("What is due could not be worked out: the policy does not fit the database.", Tone.BAD)]
    if not any(result.erased.values()):
        nothing = "Nothing is due: a purge would erase nothing." if result.dry_run else "Nothing was due."
        return [Text(nothing, Tone.GOOD)]
    what = amounts(result.erased, policy)
    subjects = count(result.subjects_affected, policy.subject)
    sentence = f"{'A purge would erase' if result.dry_run else 'Erased:'} {what}, of {subjects}."
    order = list(policy.records)
    names = sorted(result.erased, key=lambda name: (order.index(name.split(".")[0]), name))
    rows = [(name_of(name, policy), result.erased[name]) for name in names if result.erased[name]]
    column = "Would go" if result.dry_run else "Erased"
    return [Text(sentence, Tone.TITLE), Table(("Records", column), rows, numbers=frozenset({1}))]

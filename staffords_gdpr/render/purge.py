"""The pages of `gdpr purge`: the plan before the first row goes, and the summary after the last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from staffords_gdpr.render import reclaim
from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, count, title, warn
from staffords_gdpr.render.scan import amounts, name_of

if TYPE_CHECKING:
    from staffords_gdpr.operations.purge import PurgeResult
    from staffords_gdpr.policy import Policy
    from staffords_gdpr.progress import Planned

_OUTCOMES = {
    "committed": "its rows are gone, which is now in the log.",
    "not-committed": "nothing of it was erased, which is now in the log.",
    "unclear": "some of its rows are gone, some not. Its subjects are left alone until a person looks.",
}
_ENDS = {
    "max-runtime": "The time that it was given was over",
    "until": "Its hour had come",
    "signal": "It was told to stop",
}


def plan(planned: Planned, policy: Policy) -> Page:
    """What is about to be erased and what is left alone; nothing where nothing is due."""
    if not any(planned.rows.values()):
        return ()
    subjects = f"{planned.subjects:,} of {count(planned.total, policy.subject)}"
    alone = f" and {count(planned.alone, 'row')} that belong to nobody" if planned.alone else ""
    blocks: list[Block] = [
        title(f"About to be erased: {amounts(planned.rows, policy)}, of {subjects}{alone}."),
        _table("To erase", planned.rows, planned.held, planned.undecidable, policy),
    ]
    if planned.allowed:
        blocks.append(Text(f"Allowed by --confirm: up to {planned.allowed:,}, until that backlog is done."))
    if planned.stops_at is not None:
        at = planned.stops_at.astimezone(policy.zone)
        blocks.append(Text(f"The run stops by itself at {at:%H:%M} on {at:%-d %B} ({policy.timezone})."))
    return tuple(blocks)


def page(result: PurgeResult, policy: Policy) -> Page:
    """What went or would go, what stayed and why, what ended the run, and which brakes would refuse."""
    blocks = [*_erased(result, policy), *_held(result, policy), *_undecidable(result), *_end(result, policy)]
    if result.reclaimed is not None and not result.dry_run:
        blocks += reclaim.summary(result.reclaimed)
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
    would = result.dry_run or result.rehearsal
    loud: list[Block] = []
    if result.rehearsal:
        loud = [Text('REHEARSAL (mode = "rehearsal" in gdpr.toml): nothing was erased.', Tone.BAD)]
    if not any(result.erased.values()):
        nothing = "Nothing is due: a purge would erase nothing." if would else "Nothing was due."
        sentence = Text(nothing, Tone.GOOD)
    else:
        said = "A purge would erase" if would else "Erased:"
        of = f", of {count(result.subjects_affected, policy.subject)}" if result.subjects_affected else ""
        sentence = title(f"{said} {amounts(result.erased, policy)}{of or ' that belong to nobody'}.")
    table = _table(
        "Would go" if would else "Erased", result.erased, result.held_why, result.undecidable, policy
    )
    return [*loud, sentence, *([table] if table.rows else [])]


def _table(
    goes: str,
    rows: Mapping[str, int],
    held: Mapping[str, Mapping[str, int]],
    undecidable: Mapping[str, int],
    policy: Policy,
) -> Table:
    """A line for each record type and step of which something goes or is left alone, in the policy's order."""
    every = [
        name
        for record in policy.records.values()
        for name in (record.name, *(f"{record.name}.{step.name}" for step in record.sooner))
        if rows.get(name) or held.get(name) or undecidable.get(name)
    ]
    return Table(
        ("Records", goes, "Held", "Undecidable"),
        [
            (
                name_of(name, policy),
                rows.get(name, 0),
                sum(held.get(name, {}).values()) if name in policy.records else None,
                undecidable.get(name, 0),
            )
            for name in every
        ],
        numbers=frozenset({1, 2, 3}),
        loud=frozenset({3}),
    )


def _held(result: PurgeResult, policy: Policy) -> list[Block]:
    if not result.held:
        return []
    rows = [
        ("" if place else name_of(name, policy), why, number)
        for name, reasons in result.held_why.items()
        for place, (why, number) in enumerate(sorted(reasons.items(), key=lambda reason: -reason[1]))
    ]
    grown = f", {result.held_grew:,} more than at the last purge" if result.held_grew else ""
    return [
        Text(f"Held, and so left alone: {count(result.held, 'row')}{grown}."),
        Table(("Records", "Why held", "Rows"), rows, numbers=frozenset({2})),
    ]


def _undecidable(result: PurgeResult) -> list[Block]:
    number = sum(result.undecidable.values())
    if not number:
        return []
    more = sum(result.undecidable_grew.values())
    grown = f", {more:,} more than at the last purge" if more else ""
    return [
        warn(
            f"Undecidable, and so left alone: {count(number, 'row')}{grown}. "
            "'gdpr scan --details --state undecidable' says why."
        )
    ]


def _end(result: PurgeResult, policy: Policy) -> list[Block]:
    """What ended the run before all its work was done, and what it put off."""
    blocks: list[Block] = []
    left = f"{count(result.left, policy.subject)} or rows of nobody are left for the next run"
    if result.ended in _ENDS:
        blocks.append(warn(f"{_ENDS[result.ended]}, so the run ended after a whole batch: {left}."))
    if result.put_off:
        batches = count(result.put_off, "batch", "batches")
        blocks.append(
            Text(f"Put off: {batches}, whose rows others had locked. The next run tries again.", Tone.BAD)
        )
    return blocks

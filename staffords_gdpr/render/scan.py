"""The page of `gdpr scan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, count, key_text, title, warn

if TYPE_CHECKING:
    from staffords_gdpr.operations.scan import ScanResult
    from staffords_gdpr.policy import Policy

FORECAST_COLUMNS = 5  # more do not fit on 80 columns


def page(result: ScanResult, policy: Policy) -> Page:
    """What a manager asks: how many rows in which state, what is due, what comes, what needs a person."""
    moment = result.as_of.astimezone(policy.zone)
    blocks: list[Block] = [
        title(policy.title),
        Text(f"As of {moment:%-d %B %Y, %H:%M} ({policy.timezone}), {_subjects(result.subjects, policy)}."),
        _states(result, policy),
        *_due(result, policy),
        *_undecidable(result),
        *_forecast(result, policy),
        *_drift(result),
    ]
    return tuple(blocks)


def details(result: ScanResult, *, at_most: int | None) -> Page:
    """The rows, one a line. On a terminal only the first so many: nobody reads 500,000 rows there."""
    rows = result.rows or ()
    if not rows:
        return (Text("No rows to list."),)
    shown = rows if at_most is None else rows[:at_most]
    table = Table(
        ("Record", "Key", "State", "Last day", "Reason"),
        [(row.record, key_text(row.key), row.state, row.last_day, row.reason) for row in shown],
    )
    if len(shown) == len(rows):
        return (table,)
    return (
        table,
        Text(
            f"… and {count(len(rows) - len(shown), 'more row')}: --format jsonl lists them all.", Tone.QUIET
        ),
    )


def name_of(record: str, policy: Policy) -> str:
    """What a person calls a record type: its title, and the name in the policy where it has none."""
    known = policy.records.get(record)
    if known is None:  # a step, such as payment.card
        return f"  {record}"
    return known.title or record


def amounts(by_record: Mapping[str, int], policy: Policy) -> str:
    """ "12 rows", "12 rows and 3 steps of anonymising": a step is done to a row that stays."""
    rows = sum(number for name, number in by_record.items() if name in policy.records)
    steps = sum(by_record.values()) - rows
    parts = [count(rows, "row")] if rows or not steps else []
    return " and ".join(parts + ([count(steps, "step") + " of anonymising"] if steps else []))


def _subjects(number: int, policy: Policy) -> str:
    return count(number, policy.subject)


def _states(result: ScanResult, policy: Policy) -> Table:
    return Table(
        ("Records", "Kept", "Held", "Due", "Undecidable", "Anonymised"),
        [
            (name_of(name, policy), c.kept, c.held, c.due, c.undecidable, c.anonymised)
            for name, c in result.records.items()
        ],
        numbers=frozenset(range(1, 6)),
        loud=frozenset({3, 4}),
    )


def _due(result: ScanResult, policy: Policy) -> list[Block]:
    due = {name: counts.due for name, counts in result.records.items()}
    if not any(due.values()):
        return [Text("Nothing is due.", Tone.GOOD)]
    what = amounts(due, policy)
    sentence = f"Due now: {what}, of {_subjects(result.subjects_affected, policy)}."
    if result.oldest_due is not None:
        sentence += f" The oldest had its last day on {result.oldest_due}."
    if any(due.get(name) for name in result.records if "." in name):
        sentence += " A step on a row that is due itself goes with the row, so a purge counts fewer steps."
    return [warn(sentence), Text("To see what a purge would erase:\n  gdpr purge --dry-run")]


def _undecidable(result: ScanResult) -> list[Block]:
    number = sum(counts.undecidable for counts in result.records.values())
    if not number:
        return []
    return [
        warn(
            f"Undecidable: {count(number, 'row')}. A date is missing or impossible, an owner is gone, or the row is "
            "claimed twice."
        ),
        Text(
            "They are never erased until someone corrects them in the database. To list them:\n"
            "  gdpr scan --details --state undecidable"
        ),
    ]


def _drift(result: ScanResult) -> list[Block]:
    if not result.drift.any:
        return []
    said = "no purge runs until a director approves again" if result.drift.stops else "the purge goes on"
    return [warn(f"The database has changed since the approval ({said}): {result.drift.text}.")]


def _forecast(result: ScanResult, policy: Policy) -> list[Block]:
    totals: Counter[str] = Counter()
    for month in result.forecast:
        totals.update(month.due)
    if not totals.total():
        return [Text("In the next 12 months nothing becomes due.")] if result.forecast else []
    most = {name for name, _ in totals.most_common(FORECAST_COLUMNS)}
    shown = [name for name in result.records if name in most and totals[name]]
    others = totals.total() - sum(totals[name] for name in shown)
    rows: list[list[object]] = []
    for month in result.forecast:
        row: list[object] = [month.until, *(month.due.get(name, 0) for name in shown)]
        if others:
            row.append(sum(month.due.values()) - sum(month.due.get(name, 0) for name in shown))
        rows.append(row)
    columns = ["Until", *(name.replace(".", "\n.") for name in shown), *(["others"] if others else [])]
    return [Table(columns, rows, title="Becomes due", numbers=frozenset(range(1, len(columns))))]

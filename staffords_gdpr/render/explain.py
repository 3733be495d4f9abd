"""The page of `gdpr explain`: why each row of one data subject is still here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, key_text, title, warn

if TYPE_CHECKING:
    from staffords_gdpr.operations.explain import ClauseExplained, DateExplained, Explanation, RowExplained
    from staffords_gdpr.policy import Policy

HOLDERS_SHOWN = 3  # json has them all


def page(result: Explanation, policy: Policy) -> Page:
    """The subject's dates, then each row with its state, its clauses and what holds it."""
    at = result.as_of.astimezone(policy.zone)
    blocks: list[Block] = [
        title(f"{result.record} {key_text(result.subject)}, as of {at:%-d %B %Y, %H:%M} ({policy.timezone})")
    ]
    if result.legal_hold:
        blocks.append(warn("A legal hold is in force: nothing of this is erased."))
    if result.dates:
        rows = [(each.name, _day(each), each.source) for each in result.dates]
        blocks.append(Table(("Date", "Day", "Comes from"), rows))
    for row in result.rows:
        blocks += _row(row)
    return tuple(blocks)


def _day(date: DateExplained) -> object:
    return date.day or date.problem or "none"


def _row(row: RowExplained) -> list[Block]:
    verdict = row.verdict
    until = f", last day {verdict.last_day}" if verdict.last_day else ""
    tone = Tone.WARN if verdict.state in ("due", "undecidable") else Tone.TITLE
    lines: list[Block] = [Text(f"{verdict.record} {key_text(verdict.key)}: {verdict.state}{until}", tone)]
    if row.others:
        named = ", ".join(key_text(key) for key in row.others)
        lines.append(Text(f"  belongs to {named} as well, and goes when it may go for each"))
    if row.goes_with:
        lines.append(Text(f"  goes with {row.goes_with}"))
    elif not row.held_by and verdict.reason not in [clause.text for clause in row.clauses]:
        lines.append(Text(f"  {verdict.reason.removeprefix(f'{verdict.state}: ')}"))
    lines += [Text(_clause(clause), Tone.PLAIN if clause.wins else Tone.QUIET) for clause in row.clauses]
    if row.open_work:
        lines.append(Text(f"  open work: {row.open_work}"))
    lines += [Text(f"  because {holder}") for holder in row.held_by[:HOLDERS_SHOWN]]
    if len(row.held_by) > HOLDERS_SHOWN:
        lines.append(Text(f"  and {len(row.held_by) - HOLDERS_SHOWN} reasons more of this kind", Tone.QUIET))
    return lines


def _clause(clause: ClauseExplained) -> str:
    """The clause that decides is marked with an arrow."""
    source = f" ({clause.source})" if clause.source else ""
    found = "" if clause.day else f": {clause.problem or 'no date'}"
    until = f", so until {clause.last_day}" if clause.last_day and clause.last_day != clause.day else ""
    return f"  {'>' if clause.wins else '-'} {clause.text}{source}{found}{until}"


def data(result: Explanation) -> dict[str, object]:
    """`gdpr explain --format json`"""
    return {
        "record": result.record,
        "key": list(result.subject),
        "as_of": moment(result.as_of),
        "legal_hold": result.legal_hold,
        "dates": {
            each.name: {"day": each.day, "problem": each.problem, "source": each.source}
            for each in result.dates
        },
        "rows": [_row_data(row) for row in result.rows],
    }


def _row_data(row: RowExplained) -> dict[str, object]:
    return {
        "record": row.verdict.record,
        "key": list(row.verdict.key),
        "state": str(row.verdict.state),
        "last_day": row.verdict.last_day,
        "reason": row.verdict.reason,
        "clauses": [
            {
                "kind": clause.kind,
                "name": clause.name,
                "source": clause.source,
                "day": clause.day,
                "problem": clause.problem,
                "last_day": clause.last_day,
                "wins": clause.wins,
                "text": clause.text,
            }
            for clause in row.clauses
        ],
        "goes_with": row.goes_with,
        "open_work": row.open_work,
        "held_by": list(row.held_by),
        "others": [list(key) for key in row.others],
    }

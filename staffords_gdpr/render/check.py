"""The page of `gdpr check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, count, warn

if TYPE_CHECKING:
    from staffords_gdpr.operations.check import CheckResult
    from staffords_gdpr.operations.check.counts import RecordCounts
    from staffords_gdpr.operations.check.findings import Finding
    from staffords_gdpr.policy import Policy


def page(result: CheckResult, policy: Policy) -> Page:
    """What must be looked at, with what to paste; then what each rule sees."""
    blocks: list[Block] = []
    for finding in result.findings:
        blocks += _finding(finding)
    if result.records:
        blocks += [_records(result, policy), *_dates(result), *_undecidable(result)]
    return (*blocks, _sum(result))


def data(result: CheckResult) -> dict[str, object]:
    """`gdpr check --format json`"""
    return {
        "usable": result.usable,
        "findings": [
            {
                "code": each.code,
                "severity": each.severity,
                "place": each.place,
                "message": each.message,
                "advice": each.advice,
                "paste": each.paste,
            }
            for each in result.findings
        ],
        "records": {each.record: _counts(each) for each in result.records},
    }


def _counts(counts: RecordCounts) -> dict[str, object]:
    return {
        "table": counts.table,
        "rows": counts.rows,
        "members": counts.members,
        "orphans": counts.orphans,
        "several_subjects": counts.several,
        "states": {str(state): number for state, number in counts.states.items()},
        "undecidable": dict(counts.undecidable),
        "dates": {
            date.name: {
                "empty": date.empty,
                "impossible": date.impossible,
                "first": date.first,
                "last": date.last,
            }
            for date in counts.dates
        },
    }


def _finding(finding: Finding) -> list[Block]:
    said = f"{finding.place}: {finding.message}"
    if finding.advice:
        said += f"{_stop(finding.message)} {finding.advice}"
    tone = Tone.BAD if finding.severity == "error" else Tone.WARN
    end = ":" if finding.paste else _stop(said)
    return [
        Text(said + end, tone),
        *([Text(finding.paste)] if finding.paste else []),
        Text(""),
    ]


def _stop(text: str) -> str:
    return "" if text.endswith((".", "?", "!", ";", ":")) else "."


def _records(result: CheckResult, policy: Policy) -> Table:
    rows = [
        (
            policy.records[each.record].title or each.record,
            each.table,
            each.rows,
            each.members,
            each.rows - each.members,
            each.orphans,
            each.several,
            sum(each.undecidable.values()),
        )
        for each in result.records
    ]
    columns = ("Records", "Table", "Rows", "Members", "Others", "Orphans", "Several", "Undecidable")
    return Table(
        columns, rows, title="What each rule sees", numbers=frozenset(range(2, 8)), loud=frozenset({7})
    )


def _dates(result: CheckResult) -> list[Block]:
    rows = [
        (f"{each.record}.{date.name}", date.empty, date.impossible, date.first, date.last)
        for each in result.records
        for date in each.dates
    ]
    if not rows:
        return []
    columns = ("Date", "Empty", "Impossible", "First", "Last")
    return [
        Table(
            columns, rows, title="Dates that rules count from", numbers=frozenset({1, 2}), loud=frozenset({2})
        )
    ]


def _undecidable(result: CheckResult) -> list[Block]:
    rows = [
        (each.record, number, reason)
        for each in result.records
        for reason, number in each.undecidable.items()
    ]
    if not rows:
        return []
    return [Table(("Record", "Rows", "Undecidable because"), rows, numbers=frozenset({1}))]


def _sum(result: CheckResult) -> Text:
    if not result.findings:
        return Text("There are no findings: policy and database fit.", Tone.GOOD)
    said = count(len(result.findings), "finding")
    if not result.usable:
        return Text(
            f"{said}. The policy cannot be used with this database until the errors are mended.", Tone.BAD
        )
    return warn(f"{said}. The policy can be used; decide about each of them before the directors approve it.")

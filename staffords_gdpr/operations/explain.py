"""Why a data subject's rows are still here: every row, its dates, the clause that wins, and what holds it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connected
from staffords_gdpr.operations.subjects import located, missing
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.pure import Court
from staffords_gdpr.retention.pure.dates import Trouble
from staffords_gdpr.retention.pure.loader import load_subjects
from staffords_gdpr.retention.pure.nodes import Node
from staffords_gdpr.retention.pure.references import with_declared
from staffords_gdpr.retention.pure.rules import Clause
from staffords_gdpr.retention.pure.values import comparable_key
from staffords_gdpr.retention.pure.world import Row
from staffords_gdpr.retention.states import Key, Verdict

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class ClauseExplained:
    """One clause of a rule, as it reads for one row.

    `kind` is after, or_else or or_until; `name` the date as the policy spells it; `source` the row and column
    it comes from. `day` is None where there is no date, and then `problem` says so if it is impossible.
    """

    kind: str
    name: str
    source: str
    day: dt.date | None
    problem: str
    last_day: dt.date | None
    wins: bool
    text: str


@dataclass(frozen=True)
class RowExplained:
    """A row or a step with its verdict. `goes_with` names the row whose state it shares, if any.

    `others` are the other subjects to whom the row belongs: it goes when it may go for each of them.
    """

    verdict: Verdict
    clauses: tuple[ClauseExplained, ...]
    goes_with: str
    open_work: str
    held_by: tuple[str, ...]
    others: tuple[Key, ...] = ()


@dataclass(frozen=True)
class DateExplained:
    """One of the policy's `dates` for this subject, and the row and column with its latest day."""

    name: str
    day: dt.date | None
    problem: str
    source: str


@dataclass(frozen=True)
class Explanation:
    """Every row of one subject, the subject's own first. `today` is the calendar day in the policy's zone."""

    record: str
    subject: Key
    as_of: dt.datetime
    today: dt.date
    legal_hold: bool
    dates: tuple[DateExplained, ...]
    rows: tuple[RowExplained, ...]


def explain(
    policy: Policy, engine: sa.Engine, *, subject: Key, as_of: dt.datetime, holds: frozenset[Key]
) -> Explanation:
    """Every row of one subject with its dates, clauses, last day, and what holds it. Writes nothing.

    `subject` is the key as the database has it, or as a person types it; of a subject without a table, its value.
    Raises UsageError where there is no such subject, PolicyError where the policy does not fit the database.
    """
    with connected(engine) as connection:
        catalogue = with_declared(connection, bind(policy, connection))
        key = located(connection, catalogue, subject)
        rows = load_subjects(connection, catalogue, [key])
    court = Court(catalogue, rows, as_of, holds)
    wanted = comparable_key(key)
    found = next((row for row in court.world.rows[policy.subject] if comparable_key(row.key) == wanted), None)
    if found is None:  # deleted a moment ago
        raise missing(catalogue, key)
    return Explanation(
        record=policy.subject,
        subject=found.key,
        as_of=as_of,
        today=court.world.today,
        legal_hold=wanted in {comparable_key(hold) for hold in holds},
        dates=tuple(_dates(court, found)),
        rows=tuple(_rows(court, found)),
    )


def _dates(court: Court, subject: Row) -> Iterator[DateExplained]:
    for name, found in court.world.dates_of(subject).items():
        problem = found.day.why if isinstance(found.day, Trouble) else ""
        day = found.day if isinstance(found.day, dt.date) else None
        yield DateExplained(name=name, day=day, problem=problem, source=found.source)


def _rows(court: Court, subject: Row) -> Iterator[RowExplained]:
    decided = [d for d in court.decided() if any(node.row.subject is subject for node in d.nodes)]
    order = list(court.world.policy.ours)
    for one in sorted(decided, key=lambda d: _place(d.node.row, subject, order)):
        node = next(node for node in one.nodes if node.row.subject is subject)
        others = {each.row.subject.key for each in one.nodes if each.row.subject not in (None, subject)}
        yield RowExplained(
            verdict=one.verdict,
            clauses=tuple(_clauses(node)),
            goes_with=str(node.follows) if node.follows is not None else "",
            open_work=node.clock.open_work if node.clock else "",
            held_by=tuple(court.holders(node)),
            others=tuple(sorted(others, key=lambda key: tuple(map(str, key)))),
        )


def _place(row: Row, subject: Row, order: list[str]) -> tuple[object, ...]:
    """The subject's own row first, then the policy's order, then the keys': numbers before words."""
    key = tuple((0, part, "") if isinstance(part, int) else (1, 0, str(part)) for part in row.key)
    return row is not subject, order.index(row.record), key


def _clauses(node: Node) -> Iterator[ClauseExplained]:
    if node.clock is None:
        return
    for clause in node.clock.clauses:
        yield _clause(clause, wins=clause is node.clock.winner)


def _clause(clause: Clause, *, wins: bool) -> ClauseExplained:
    return ClauseExplained(
        kind=clause.kind,
        name=str(clause.ref),
        source=clause.source,
        day=clause.found if isinstance(clause.found, dt.date) else None,
        problem=clause.problem,
        last_day=clause.last_day,
        wins=wins,
        text=clause.text,
    )

"""`explain` tells of one subject everything that the rules look at."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from pure_cases import Case

from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.explain import Explanation, explain

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def engine() -> sa.Engine:
    case = Case()
    with case.engine.begin() as connection:
        for statement in (
            "INSERT INTO customers VALUES (1, 'A', '2020-01-01 10:00:00'), (2, 'B', '2010-01-01')",
            "INSERT INTO products VALUES (1, 1, '2022-03-04')",
            "INSERT INTO calls VALUES (1, 1, '2020-05-02', 'r', 's', NULL), (2, 2, 'x', 'r', 's', NULL)",
            "INSERT INTO repairs VALUES (7, 2, 1, '2023-01-01', 'f')",
        ):
            connection.exec_driver_sql(statement)
    return case.engine


def explained(
    engine: sa.Engine, *subject: object, holds: frozenset[tuple[object, ...]] = frozenset()
) -> Explanation:
    return explain(Case().catalogue.policy, engine, subject=subject, as_of=NOON, holds=holds)


def test_every_clause_is_listed_with_its_day_its_source_and_whether_it_wins(engine: sa.Engine) -> None:
    customer = explained(engine, "1").rows[0]
    assert [(c.kind, c.source, c.day, c.last_day, c.wins) for c in customer.clauses] == [
        ("after", "customer 1 registered_at", dt.date(2020, 1, 1), dt.date(2023, 1, 1), True),
        ("or_until", "product 1 warranty_until", dt.date(2022, 3, 4), dt.date(2022, 3, 4), False),
    ]


def test_everything_that_holds_a_row_is_named(engine: sa.Engine) -> None:
    rows = {(r.verdict.record, r.verdict.key): r for r in explained(engine, "1").rows}
    assert rows["product", (1,)].held_by == (
        "latest warranty of 1 customer",
        "repair 7 stays until 2025-01-01 and refers to it",
    )
    assert rows["customer", (1,)].held_by == ("product 1 goes with it and stays",)
    assert rows["product", (1,)].goes_with == "customer 1"


def test_only_rows_of_the_subject_are_explained(engine: sa.Engine) -> None:
    assert {r.verdict.subject for r in explained(engine, "2").rows} == {(2,)}


def test_an_impossible_date_is_explained_with_its_row(engine: sa.Engine) -> None:
    (last_contact, _) = explained(engine, 2).dates
    assert (last_contact.day, last_contact.source) == (None, "call 2 received_at")
    assert last_contact.problem == "cannot be told: call 2 received_at holds no possible date"


def test_a_legal_hold_is_said(engine: sa.Engine) -> None:
    held = explained(engine, "1", holds=frozenset({(1,)}))
    assert held.legal_hold
    assert held.rows[0].verdict.reason == "held: legal hold on customer 1"


@pytest.mark.parametrize("key", [("99",), ("x",), ("1", "2"), ()])
def test_an_unknown_subject_is_refused(engine: sa.Engine, key: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        explained(engine, *key)

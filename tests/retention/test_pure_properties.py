"""The due set is the largest valid one, and is the same whichever part of the database is looked at.

The checker here is the third statement of the rules: it says of a given set whether it may go, and tries all
sets. Dates are only ever long past, recent or ahead: whether a row has passed its own rule can be read off.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import chain, combinations

import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pure_cases import Case, changed

from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import (
    chunks,
    judge_in_chunks,
    load_everything,
    load_subjects,
    subjectless_chunks,
)
from staffords_gdpr.retention.states import State

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
OLD, RECENT, AHEAD = "2010-01-01", "2023-06-01", "2030-01-01"
CASE = Case(changed("records.repair.keep", {"for": "1 month", "after": "completed_at"}))
Row = dict[str, object]
Tables = Mapping[str, list[Row]]
Node = tuple[str, int]

dates = st.sampled_from([OLD, OLD, OLD, RECENT, None])
owners = st.sampled_from([1, 1, 2, 2, 9, None])
ids = st.sampled_from([1, 2, None])
text = st.sampled_from(["x", None])


def numbered(most: int, **columns: st.SearchStrategy[object]) -> st.SearchStrategy[list[Row]]:
    rows = st.lists(st.fixed_dictionaries(columns), max_size=most)
    return rows.map(lambda found: [{"id": number, **row} for number, row in enumerate(found, 1)])


databases = st.fixed_dictionaries(
    {
        "customers": numbered(2, name=text, registered_at=st.sampled_from([OLD, OLD, RECENT, None])),
        "products": numbered(2, customer_id=owners, warranty_until=st.sampled_from([OLD, AHEAD, None])),
        "calls": numbered(
            2, customer_id=owners, received_at=dates, reason=text, status=text, follows_call=ids
        ),
        "repairs": numbered(2, customer_id=owners, product_id=ids, completed_at=dates, fault=text),
        "consignments": numbered(1, repair_id=ids, address=text),
        "payments": numbered(1, customer_id=owners, taken_at=dates, card=text, holder=text),
        "survey": st.lists(st.fixed_dictionaries({"call_id": ids}), max_size=1).map(
            lambda rows: [{"id": 1, **row} for row in rows]
        ),
    }
)


class Checker:
    """Says of a set of rows and steps whether all of it may go together."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.customers = {row["id"] for row in tables["customers"]}
        self.anonymised = {
            ("repair", row["id"])
            for row in tables["repairs"]
            if row["customer_id"] is None and row["product_id"] is None and row["fault"] is None
            if not any(c["repair_id"] == row["id"] for c in tables["consignments"])
        } | {
            ("payment.identity", row["id"])
            for row in tables["payments"]
            if row["customer_id"] is None and row["holder"] is None
        }

    def latest(self, customer: object, *sources: tuple[str, str, str]) -> tuple[str | None, list[Node]]:
        """The latest day of a customer, and the rows that carry it."""
        values = [
            (row[column], (record, row["id"]))
            for record, table, column in sources
            for row in self.tables[table]
            if row["customer_id"] == customer and row[column] is not None
        ]
        day = max((value for value, _ in values), default=None)
        return day, [node for value, node in values if value == day]

    def contact(self, customer: object) -> tuple[str | None, list[Node]]:
        return self.latest(customer, ("call", "calls", "received_at"), ("repair", "repairs", "completed_at"))

    def warranty(self, customer: object) -> tuple[str | None, list[Node]]:
        return self.latest(customer, ("product", "products", "warranty_until"))

    def candidates(self) -> Iterator[Node]:
        """What has passed its own rule: R1 to R3 and R8."""
        passed: set[Node] = set()
        for row in self.tables["customers"]:
            if row["registered_at"] == OLD and self.warranty(row["id"])[0] != AHEAD:
                passed.add(("customer", row["id"]))
        for row in self.tables["products"]:
            if ("customer", row["customer_id"]) in passed:
                passed.add(("product", row["id"]))
        for row in self.tables["calls"]:
            known = row["customer_id"] in self.customers
            day = self.contact(row["customer_id"])[0] if known else row["received_at"]
            if day == OLD:
                passed.add(("call", row["id"]))
        for row in self.tables["repairs"]:
            done = row["customer_id"] is None and row["product_id"] is None and row["fault"] is None
            reachable = row["customer_id"] is None or row["customer_id"] in self.customers
            if reachable and (done or row["completed_at"] in (OLD, RECENT)):
                passed.add(("repair", row["id"]))
        passed -= self.anonymised
        for row in self.tables["consignments"]:
            if ("repair", row["repair_id"]) in passed:
                passed.add(("consignment", row["id"]))
        for row in self.tables["payments"]:
            if row["customer_id"] is not None and row["customer_id"] not in self.customers:
                continue
            if row["taken_at"] == OLD:
                passed |= {("payment", row["id"]), ("payment.card", row["id"])}
            if row["customer_id"] is None or ("customer", row["customer_id"]) in passed:
                passed.add(("payment.identity", row["id"]))
        yield from sorted(passed - self.anonymised)

    def valid(self, going: frozenset[Node]) -> bool:
        gone = going | self.anonymised
        return (
            all(source in gone or target not in going for source, target in self.references(going))
            and all((child in going) == (owner in going) for child, owner in self.goes_with())
            and all(step not in going or owner in going for step, owner in self.steps_with())
            and not any(carrier in going for carrier in self.evidence(gone))
        )

    def references(self, going: frozenset[Node]) -> Iterator[tuple[Node, Node]]:
        tables = self.tables
        for row in tables["calls"]:
            yield ("call", row["id"]), ("customer", row["customer_id"])
            if row["follows_call"] != row["id"]:
                yield ("call", row["id"]), ("call", row["follows_call"])
        for row in tables["survey"]:
            yield ("survey", row["id"]), ("call", row["call_id"])
        for row in tables["repairs"]:
            yield ("repair", row["id"]), ("customer", row["customer_id"])
            yield ("repair", row["id"]), ("product", row["product_id"])
        for row in tables["payments"]:
            if ("payment.identity", row["id"]) not in going:
                yield ("payment", row["id"]), ("customer", row["customer_id"])

    def goes_with(self) -> Iterator[tuple[Node, Node]]:
        for row in self.tables["products"]:
            if row["customer_id"] in self.customers:
                yield ("product", row["id"]), ("customer", row["customer_id"])
        repairs = {row["id"] for row in self.tables["repairs"]}
        for row in self.tables["consignments"]:
            if row["repair_id"] in repairs:
                yield ("consignment", row["id"]), ("repair", row["repair_id"])

    def steps_with(self) -> Iterator[tuple[Node, Node]]:
        for row in self.tables["payments"]:
            if row["customer_id"] is not None:
                yield ("payment.identity", row["id"]), ("customer", row["customer_id"])

    def evidence(self, gone: frozenset[Node]) -> Iterator[Node]:
        """The rows that must stay because a row that stays counts from their date (R6)."""
        for customer in self.customers:
            calls = [("call", r["id"]) for r in self.tables["calls"] if r["customer_id"] == customer]
            if any(user not in gone for user in calls):
                yield from self.contact(customer)[1]
            if ("customer", customer) not in gone:
                yield from self.warranty(customer)[1]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(databases)
def test_the_due_set_is_the_largest_set_that_may_go(tables: Tables) -> None:
    checker = Checker(tables)
    candidates = list(checker.candidates())
    assume(len(candidates) <= 8)
    subsets = chain.from_iterable(combinations(candidates, size) for size in range(len(candidates) + 1))
    valid = [frozenset(subset) for subset in subsets if checker.valid(frozenset(subset))]
    largest = frozenset().union(*valid)
    assert checker.valid(largest)

    verdicts = judge(CASE.catalogue, tables, NOON, frozenset())
    erased = {(v.record, v.key[0]) for v in verdicts if v.state in (State.DUE, State.ANONYMISED)}
    assert erased - checker.anonymised == largest
    assert {(v.record, v.key[0]) for v in verdicts if v.state is State.ANONYMISED} >= checker.anonymised


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(databases, st.permutations(range(7)))
def test_verdicts_do_not_depend_on_the_order_of_the_rows(tables: Tables, order: list[int]) -> None:
    names = list(tables)
    shuffled = {names[i]: list(reversed(tables[names[i]])) for i in order}
    first = judge(CASE.catalogue, tables, NOON, frozenset())
    second = judge(CASE.catalogue, shuffled, NOON, frozenset())
    assert sorted(map(repr, first)) == sorted(map(repr, second))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(databases)
def test_erasing_what_is_due_leaves_nothing_due_that_day(tables: Tables) -> None:
    verdicts = judge(CASE.catalogue, tables, NOON, frozenset())
    left = erased(tables, {(v.record, v.key[0]) for v in verdicts if v.state is State.DUE})
    again = judge(CASE.catalogue, left, NOON, frozenset())
    before = {(v.record, v.key): v for v in verdicts}
    assert [v for v in again if v.state is State.DUE] == []
    for verdict in again:
        if before[verdict.record, verdict.key].state is State.KEPT:
            assert verdict.last_day == before[verdict.record, verdict.key].last_day


def erased(tables: Tables, due: set[Node]) -> Tables:
    """The tables after the erasure of what is due."""
    names = {"customers": "customer", "products": "product", "calls": "call", "consignments": "consignment"}
    left: dict[str, list[Row]] = {"survey": tables["survey"]}
    for table, record in names.items():
        left[table] = [row for row in tables[table] if (record, row["id"]) not in due]
    nothing = {"fault": None, "customer_id": None, "product_id": None}
    left["repairs"] = [
        {**row, **nothing} if ("repair", row["id"]) in due else row for row in tables["repairs"]
    ]
    left["payments"] = []
    for payment in tables["payments"]:
        row = dict(payment)
        if ("payment.card", row["id"]) in due:
            row["card"] = None
        if ("payment.identity", row["id"]) in due:
            row.update(holder=None, customer_id=None)
        if ("payment", row["id"]) not in due:
            left["payments"].append(row)
    return left


def stored(tables: Tables) -> sa.Connection:
    connection = CASE.engine.connect()
    for table, rows in tables.items():
        connection.exec_driver_sql(f"DELETE FROM {table}")
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" for _ in row)
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    return connection


many = st.fixed_dictionaries(
    {
        "customers": numbered(4, registered_at=dates),
        "products": numbered(4, customer_id=st.sampled_from([1, 2, 3, 4, None]), warranty_until=dates),
        "calls": numbered(5, customer_id=owners, received_at=dates,
                          follows_call=st.sampled_from([1, 2, 3, 4, None])),
        "repairs": numbered(
            4, customer_id=st.sampled_from([1, 2, 3, 4, 9, None]),
            product_id=st.sampled_from([1, 2, 3, 4, 9, None]), completed_at=dates, fault=text,
        ),
        "consignments": numbered(3, repair_id=st.sampled_from([1, 2, 3, 9, None])),
        "payments": numbered(3, customer_id=owners, taken_at=dates, card=text, holder=text),
        "survey": numbered(1, call_id=ids),
    }
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(many, st.integers(1, 3))
def test_a_part_of_the_database_gives_the_verdicts_of_the_whole(tables: Tables, size: int) -> None:
    with stored(tables) as connection:
        holds = frozenset({(2,)})
        whole = judge(CASE.catalogue, load_everything(connection, CASE.catalogue), NOON, holds)
        parts = [v for part in judge_in_chunks(connection, CASE.catalogue, NOON, holds, size) for v in part]
        assert sorted(map(repr, parts)) == sorted(map(repr, whole))
        for customer in tables["customers"]:
            key = (customer["id"],)
            alone = judge(CASE.catalogue, load_subjects(connection, CASE.catalogue, [key]), NOON, holds)
            assert {v for v in alone if v.subject == key} == {v for v in whole if v.subject == key}


def test_chunks_hold_every_subject_and_every_row_without_one_once() -> None:
    tables: Tables = {
        "customers": [{"id": number} for number in range(1, 6)],
        "calls": [{"id": number, "customer_id": owner} for number, owner in enumerate((1, 9, None, 2), 1)],
        "consignments": [{"id": 1, "repair_id": 5}],
    }
    with stored(
        {name: [] for name in ("survey", "payments", "repairs", "products")} | dict(tables)
    ) as connection:
        subjects = [keys for keys, _ in chunks(connection, CASE.catalogue, 2)]
        alone = [(record, keys) for record, keys, _ in subjectless_chunks(connection, CASE.catalogue, 1)]
    assert subjects == [[(1,), (2,)], [(3,), (4,)], [(5,)]]
    assert alone == [("call", [(2,)]), ("call", [(3,)]), ("consignment", [(1,)])]


def test_odd_text_in_a_date_column_is_loaded_as_it_stands() -> None:
    odd = "half past nine"
    empty: dict[str, list[Row]] = {name: [] for name in CASE.rows({})}
    with stored({**empty, "customers": [{"id": 1, "registered_at": odd}]}) as connection:
        rows = load_everything(connection, CASE.catalogue)
    assert [row["registered_at"] for row in rows["customers"]] == [odd]

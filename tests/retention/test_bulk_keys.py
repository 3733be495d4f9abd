"""Rows are found by keys of every type, on every engine, in both ways (R9)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from bulk_cases import AS_OF, HEAD

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.rows import Scope
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import State

POLICY = """
subject: customer
records:
  customer: {table: customers, keep: {for: 3 years, after: made}, personal: [name]}
  call:
    table: calls
    belongs_to: customer
    on: {customer: code}
    not_personal: [status]
    keep: {for: 3 years, after: made, while: {status: open}}
"""
EXACT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
KEYS = {
    "sqlite": [("TEXT", "a", "B "), ("INTEGER", 1, 2), ("NUMERIC", 1.5, 2)],
    "postgresql": [
        ("TEXT", "a", "B "),
        ("VARCHAR(20)", "a", "A"),
        ('VARCHAR(20) COLLATE "C"', "a", "A"),
        ("BIGINT", 1, 2),
        ("NUMERIC(10,2)", "1.50", "2.00"),
        ("UUID", "0e37df36-f698-11e6-8dd4-cb9ced3df976", "0e37df36-f698-11e6-8dd4-cb9ced3df977"),
        ("DATE", "2001-02-03", "2001-02-04"),
    ],
    "mariadb": [
        (f"VARCHAR(20) {EXACT}", "a", "B "),
        (f"VARCHAR(700) {EXACT}", "a" * 600, "a" * 600 + "b"),
        ("VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_nopad_bin", "ä", "Ä"),
        ("BIGINT UNSIGNED", 1, 18446744073709551615),
        ("DECIMAL(10,2)", "1.50", "2.00"),
        ("DATE", "2001-02-03", "2001-02-04"),
        ("UUID", "0e37df36-f698-11e6-8dd4-cb9ced3df976", "0e37df36-f698-11e6-8dd4-cb9ced3df977"),
    ],
}
CASES = [(engine, *key) for engine, keys in KEYS.items() for key in keys]


@pytest.mark.parametrize(
    ("engine_name", "kind", "one", "other"),
    CASES,
    indirect=["engine_name"],
    ids=[f"{engine} {kind}" for engine, kind, _, _ in CASES],
)
def test_a_subject_is_found_by_a_key_of_any_type(
    engine_url: str, engine_name: str, kind: str, one: object, other: object
) -> None:
    with connect(engine_url, write=True).connect() as connection:
        plain = "VARCHAR(9)" if engine_name == "mariadb" else "TEXT"
        for statement in (
            f"CREATE TABLE customers (code {kind} NOT NULL PRIMARY KEY, name {plain}, made DATE)",
            (
                f"CREATE TABLE calls (id INTEGER PRIMARY KEY, customer {kind} REFERENCES customers(code), made DATE, "
                f"status {plain})"
            ),
            "CREATE INDEX calls_customer ON calls(customer)",
        ):
            connection.exec_driver_sql(statement)
        for key in (one, other):
            connection.execute(
                sa.text("INSERT INTO customers VALUES (:key, 'x', '2010-01-01')"), {"key": key}
            )
            connection.execute(
                sa.text("INSERT INTO calls VALUES (:id, :key, '2011-01-01', :status)"),
                {"id": 1 if key is one else 2, "key": key, "status": "open" if key is one else "Open"},
            )
        connection.commit()
        catalogue = bind(read_policy((HEAD + POLICY).encode(), "policy.yaml"), connection)
        for _ in range(2):  # a second one beside the first, on the same connection
            bulk = Bulk(connection, catalogue)
            bulk.decide(AS_OF)
        by_sql = {(v.record, v.key): (v.state, v.subject) for v in bulk.verdicts()}
        verdicts = judge(catalogue, load_everything(connection, catalogue), AS_OF, frozenset())
        assert by_sql == {(v.record, v.key): (v.state, v.subject) for v in verdicts}
        states = sorted(state for state, _ in by_sql.values())
        assert states == [State.DUE, State.DUE, State.HELD, State.HELD]
        (held,) = {subject for state, subject in by_sql.values() if state is State.HELD and subject}
        bulk.scope_to(subjects=[held])
        bulk.decide(AS_OF, scope=Scope.SUBJECTS, holds=[held])
        assert bulk.due_counts() == {"customer": 0, "call": 0}
        assert {verdict.subject for verdict in bulk.verdicts({State.HELD})} == {held}

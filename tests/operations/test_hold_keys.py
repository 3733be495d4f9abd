"""Whatever type a subject's key is of: it is named in words, explained, and a hold on it keeps its rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from engines.talk import rows, run
from purge_office import NOW, Firm

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.explain import explain
from staffords_gdpr.operations.holds import add
from staffords_gdpr.operations.subjects import find_subject
from staffords_gdpr.policy import load_policy
from staffords_gdpr.retention.pure.loader import judge_in_chunks

POLICY = """
version: 1
title: Keys of all kinds
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
erase_at_most: 100 %
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered}}
"""
ONE, OTHER = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
KEYS = [
    ("postgresql", "UUID", ONE, OTHER, ONE.upper()),
    ("postgresql", "DATE", "2020-01-01", "2020-01-02", "2020-01-01"),
    ("postgresql", "TIMESTAMPTZ", "2020-01-01 10:00+00", "2020-01-02 10:00+00", "2020-01-01 10:00:00+00:00"),
    ("postgresql", "BOOLEAN", "true", "false", "true"),
    ("postgresql", "NUMERIC", "7.5", "7", "7.50"),
    ("postgresql", "NUMERIC", "7.00", "7.5", "7"),
    ("postgresql", "NUMERIC(5,2)", "7", "7.5", "7.00"),
    ("postgresql", "CHAR(6)", "Bob", "Eve", "Bob"),
    ("postgresql", "INTEGER", "7", "8", "7"),
    ("postgresql", "TEXT", "007", "7", "007"),
    ("mariadb", "DECIMAL(5,2)", "7.5", "7", "7.50"),
    ("mariadb", "DECIMAL(5,2)", "7", "7.5", "7.00"),
    ("mariadb", "DATE", "2020-01-01", "2020-01-02", "2020-01-01"),
    ("mariadb", "UUID", ONE, OTHER, ONE.upper()),
    ("postgresql", "DOUBLE PRECISION", "0.1", "7", "0.1"),
    ("mariadb", "DOUBLE", "0.1", "7", "0.1"),
    ("sqlite", "BLOB", "seven", "x", "seven"),
    ("sqlite", "CHARACTER(6)", "Bob", "Eve", "Bob"),
    ("sqlite", "NUMERIC", "7.5", "7", "7.5"),
    ("sqlite", "REAL", "7.5", "7", "7.5"),
]


@pytest.mark.parametrize(
    ("engine_name", "kind", "held", "free", "word"),
    KEYS,
    indirect=["engine_name"],
    ids=str,
)
def test_a_hold_keeps_the_subject_that_it_names(
    engine_url: str, tmp_path: Path, kind: str, held: str, free: str, word: str
) -> None:
    firm = firm_with(engine_url, tmp_path, kind, f"'{held}'", f"'{free}'")
    if kind == "BLOB":  # which keeps a number as one
        run(engine_url, "UPDATE customers SET id = 7 WHERE id = 'seven'")
        word = "7"
    subject = find_subject(firm.policy, firm.engine, (word,))
    assert len(explain(firm.policy, firm.engine, subject=(word,), as_of=NOW, holds=frozenset()).rows) == 1
    day = dt.date(2027, 6, 1)
    add(firm.log, subject=subject, reason="claim", look_again=day, now=NOW, today=firm.policy.today(NOW))
    with firm.engine.connect() as connection:
        catalogue = bind(firm.policy, connection)
        assert len(list(judge_in_chunks(connection, catalogue, NOW, frozenset(), 1))) == 2
    assert firm.purge().erased == {"customer": 1}
    assert rows(engine_url, "SELECT name FROM customers") == [("held",)]


@pytest.mark.parametrize(  # a FLOAT of MariaDB is refused when the policy is bound
    ("engine_name", "kind"), [("postgresql", "REAL")], indirect=["engine_name"]
)
def test_a_key_that_has_no_exact_words_is_refused_with_advice(
    engine_url: str, tmp_path: Path, kind: str
) -> None:
    firm = firm_with(engine_url, tmp_path, kind, "'0.1'", "'7'")
    with pytest.raises(UsageError) as raised:
        find_subject(firm.policy, firm.engine, ("0.1",))
    assert "name another key" in raised.value.hint


def firm_with(url: str, folder: Path, kind: str, held: str, free: str) -> Firm:
    run(
        url,
        f"CREATE TABLE customers (id {kind} NOT NULL PRIMARY KEY, name VARCHAR(20), registered DATE)",
        f"INSERT INTO customers VALUES ({held}, 'held', '2010-01-01'), ({free}, 'free', '2010-01-01')",
    )
    firm = Firm.build(folder, now=NOW - dt.timedelta(hours=1), approved=False)
    assert isinstance(firm, Firm)
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    firm.policy, firm.engine = load_policy(folder / "policy.yaml"), connect(url, write=True)
    firm.approve(NOW - dt.timedelta(hours=1))
    return firm

"""On every engine the loader finds rows by keys of any type, reads them as they are stored, and forgets none."""

from __future__ import annotations

import datetime as dt

from pure_cases import HEAD

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.subjects import located
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import judge_in_chunks, load_everything

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
SCHEMA = """
CREATE TABLE people (area VARCHAR(20) NOT NULL, nr DECIMAL(8, 0) NOT NULL, kind VARCHAR(20), since DATE,
  email TEXT, PRIMARY KEY (area, nr));
CREATE TABLE calls (id INTEGER PRIMARY KEY, opened BIGINT, state INTEGER, months VARCHAR(10), email VARCHAR(40));
CREATE INDEX calls_email ON calls (email);
CREATE TABLE parts (call_id INTEGER, area VARCHAR(20), nr DECIMAL(8, 0), role VARCHAR(20));
CREATE INDEX parts_call ON parts (call_id);
CREATE INDEX parts_person ON parts (area, nr);
CREATE TABLE states (id INTEGER, closed BOOLEAN);
CREATE INDEX states_id ON states (id);
INSERT INTO people VALUES ('A-17', 2, 'customer', '2015-01-01', 'A-17-2'),
  ('A-17', 3, 'customer', '2023-12-01', 'c@x'), ('B', 2, 'staff', '2015-01-01', 'b@x');
INSERT INTO calls VALUES (1, 1420070400, 1, '1', 'a@x'),
  (2, 1420070400, 2, '1', 'b@x'), (3, 1420070400, 1, 'two', 'b@x'),
  (4, 1420070400, 1, '0', NULL), (5, 1420070400, 1, '0', 'a@x');
INSERT INTO parts VALUES (1, 'A-17', 2, 'caller'), (1, 'B', 2, 'agent'), (2, 'A-17', 2, 'caller'),
  (3, 'A-17', 2, 'caller'), (3, 'A-17', 3, 'caller'), (5, 'B', 2, 'caller');
INSERT INTO states VALUES (1, true), (2, false)
"""
PEOPLE = """
records:
  customer:
    table: people
    where: {sql: "kind <> 'staff'"}
    personal: [email]
    keep: {for: 3 years, after: since}
  call:
    table: calls
    dates: {until: {column: opened, stored_as: epoch seconds, plus: {months: months}}}
    belongs_to: customer
    through: {table: parts, on: {call_id: id}, where: {role: caller}}
    on: {area: area, nr: nr}
    keep: {for: 1 year, after: until, while: {state: {in: {table: states, column: id, where: {closed: false}}}}}
    orphans: {for: 1 year, after: until}
"""
CALLERS = """
records:
  caller: {values_of: [call.email]}
  call:
    table: calls
    dates: {day: {column: opened, stored_as: epoch seconds}}
    belongs_to: caller
    keep: {for: 1 year, after: day}
    orphans: {for: 20 years, after: day}
"""


def states(url: str, policy: str, subject: str, word: str) -> tuple[dict[tuple[str, str], str], str]:
    """By record type and key, the states in parts, which are those of the whole; and the key that `word` names."""
    with connect(url, write=True).connect() as connection:
        for statement in SCHEMA.split(";"):
            connection.exec_driver_sql(statement)
        connection.commit()
        text = (
            HEAD.format(zone="UTC", naive="UTC").replace("subject: customer", f"subject: {subject}") + policy
        )
        catalogue: Catalogue = bind(read_policy(text.encode(), "policy.yaml"), connection)
        whole = judge(catalogue, load_everything(connection, catalogue), NOON, frozenset())
        parts = [v for chunk in judge_in_chunks(connection, catalogue, NOON, frozenset(), 1) for v in chunk]
        named = "-".join(map(str, located(connection, catalogue, (word,))))
    assert sorted(map(repr, parts)) == sorted(map(repr, whole))
    return {(v.record, "-".join(map(str, v.key))): str(v.state) for v in parts}, named


def test_people_with_a_key_of_text_and_number_over_a_table_of_links(engine_url: str) -> None:
    found, named = states(engine_url, PEOPLE, "customer", "A-17/2")
    assert found == {
        ("customer", "A-17-2"): "held",
        ("customer", "A-17-3"): "kept",
        ("call", "1"): "due",
        ("call", "2"): "held",
        ("call", "3"): "undecidable",
        ("call", "4"): "due",
    }
    assert named == "A-17-2"


def test_callers_known_by_a_value(engine_url: str) -> None:
    found, named = states(engine_url, CALLERS, "caller", "a@x")
    assert found == {("call", str(n)): "kept" if n == 4 else "due" for n in range(1, 6)}
    assert named == "a@x"

"""The second opinion reads the declared foreign keys itself: one that the catalogue lacks still holds (R5, R9)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from pure_office import Office

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.pure.loader import judge_in_chunks
from staffords_gdpr.retention.pure.references import with_declared

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
OFFICE = Office(
    """
records:
  customer: {table: people, keep: {for: 1 year, after: since}}
  call:
    table: tickets
    where: {kind: call}
    belongs_to: customer
    on: {person_id: id}
    keep: {for: 9 years, after: at}
""",
    """CREATE TABLE people (id INTEGER PRIMARY KEY, since DATE);
       CREATE TABLE tickets (id INTEGER PRIMARY KEY, kind TEXT, person_id INTEGER REFERENCES people(id), at DATE,
         also INTEGER REFERENCES people);
       CREATE TABLE prizes (id INTEGER PRIMARY KEY, "Winner" INTEGER REFERENCES People(ID))""",
)
PEOPLE = [{"since": "2010-01-01"}] * 4
TICKETS = [{"kind": "memo", "person_id": 1}, {"kind": "call", "person_id": 4, "also": 2, "at": "2010-01-01"}]


def bound(connection: sa.Connection) -> Catalogue:
    return bind(read_policy(OFFICE.policy.encode(), "policy.yaml"), connection)


def test_a_catalogue_that_has_every_reference_is_left_as_it_is() -> None:
    with OFFICE.engine().connect() as connection:
        catalogue = bound(connection)
        assert with_declared(connection, catalogue) is catalogue


@pytest.mark.parametrize("left", ["none", "belongs_to"])
def test_a_reference_that_the_catalogue_lacks_holds_what_it_refers_to(left: str) -> None:
    given = {"people": PEOPLE, "tickets": TICKETS, "prizes": [{"Winner": 3}]}
    with OFFICE.engine(given).connect() as connection:
        whole = bound(connection)
        catalogue = replace(whole, edges=tuple(edge for edge in whole.edges if edge.kind == left))
        for each in (whole, catalogue):
            chunks = judge_in_chunks(connection, each, NOON, frozenset(), 1)
            states = {v.key: str(v.state) for chunk in chunks for v in chunk if v.record == "customer"}
            # 1: a ticket of no record type; 2: a call that goes; 3: a table that the policy does not name; 4: its owner
            assert states == {(1,): "held", (2,): "due", (3,): "held", (4,): "due"}

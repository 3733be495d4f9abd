"""A call centre in the full language. Whatever a test puts into it is judged whole, in parts, and in another order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from pure_cases import HEAD, Judged

from staffords_gdpr.database.binding import bind
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import judge_in_chunks, load_everything
from staffords_gdpr.retention.states import Key, Verdict

Given = Sequence[Mapping[str, object]]

SCHEMA = """
CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, name TEXT, since DATE);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, kind TEXT, person_id INTEGER REFERENCES people(id), opened_at INTEGER,
  subject TEXT, state_id INTEGER);
CREATE TABLE notes (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES tickets(id), body TEXT);
CREATE TABLE states (id INTEGER PRIMARY KEY, name TEXT, closed INTEGER);
CREATE TABLE fields (ticket_id INTEGER, field TEXT, value TEXT);
CREATE TABLE devices (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people(id), bought_on TEXT, months TEXT);
CREATE TABLE meetings (id INTEGER PRIMARY KEY, held_on DATE, minutes TEXT);
CREATE TABLE guests (meeting_id INTEGER, person_id INTEGER, role TEXT);
CREATE TABLE slides (id INTEGER PRIMARY KEY, meeting_id INTEGER REFERENCES meetings(id), text TEXT)
"""

STATES = (
    {"name": "open", "closed": 0},
    {"name": "done", "closed": 1},
    {"name": "odd", "closed": None},
)

POLICY = """
records:
  customer:
    table: people
    where: {kind: customer}
    personal: [name]
    keep: {for: 3 years, after: since}
  call:
    table: tickets
    where: {kind: call}
    belongs_to: customer
    dates: {opened: {column: opened_at, stored_as: epoch seconds}}
    personal: [subject]
    keep: {for: 2 years, after: opened, while: {state_id: {in: {table: states, column: id, where: {closed: 0}}}}}
    orphans: {for: 1 year, after: opened}
  visit:
    table: tickets
    where: {kind: [visit, both]}
    belongs_to: customer
    dates:
      closed: {column: value, through: {table: fields, on: {ticket_id: id}, where: {field: closed}}}
    keep: {for: 1 year, after: closed}
  note:
    table: notes
    belongs_to: call
    personal: [body]
  device:
    table: devices
    belongs_to: customer
    dates: {covered: {column: bought_on, plus: {months: months}}}
    keep: {for: 1 month, after: covered, future: true}
  meeting:
    table: meetings
    belongs_to: customer
    through: {table: guests, on: {meeting_id: id}, where: {role: guest}}
    on: {person_id: id}
    keep: {for: 1 year, after: held_on, or_until: customer.since}
    orphans: {for: 1 year, after: held_on}
  slide:
    table: slides
    belongs_to: meeting
"""


class Office:
    """Rows by table, each given by what matters; the rest is NULL, and `id` counts from 1."""

    def __init__(self, policy: str = POLICY, schema: str = SCHEMA, subject: str = "customer") -> None:
        self.policy = (
            HEAD.format(zone="UTC", naive="UTC").replace("subject: customer", f"subject: {subject}") + policy
        )
        self.schema = schema

    def engine(self, given: Mapping[str, Given] | None = None) -> sa.Engine:
        """A database in memory with these rows, and with `STATES` where there is a table of them."""
        states = {"states": STATES} if "TABLE states" in self.schema else {}
        engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        with engine.begin() as connection:
            for statement in self.schema.split(";"):
                connection.exec_driver_sql(statement)
            for table, rows in {**states, **(given or {})}.items():
                there = sa.Table(table, sa.MetaData(), autoload_with=connection, resolve_fks=False)
                plain = sa.table(table, *(sa.column(column.name) for column in there.c))
                for number, row in enumerate(rows, 1):
                    numbered = {"id": number, **row} if "id" in there.c else row
                    connection.execute(sa.insert(plain).values(**numbered))
        return engine

    def judge(self, today: str, holds: frozenset[Key] = frozenset(), **given: Given) -> Judged:
        as_of = dt.datetime.fromisoformat(today + "T12:00:00+00:00")
        with self.engine(given).connect() as connection:
            catalogue = bind(read_policy(self.policy.encode(), "policy.yaml"), connection)
            rows = load_everything(connection, catalogue)
            found = judge(catalogue, rows, as_of, holds)
            turned = judge(catalogue, {t: list(reversed(r)) for t, r in rows.items()}, as_of, holds)
            parts = [v for chunk in judge_in_chunks(connection, catalogue, as_of, holds, 1) for v in chunk]
        assert _sorted(turned) == _sorted(found), "the order of rows matters"
        assert _sorted(parts) == _sorted(found), "the parts give another answer than the whole"
        return Judged(found)


def _sorted(verdicts: Sequence[Verdict]) -> list[str]:
    return sorted(map(repr, verdicts))

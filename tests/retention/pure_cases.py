"""A small call-management world in which each test changes what it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import yaml

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.states import Verdict

HEAD = """
version: 1
title: Test
timezone: {zone}
schedule: {{purge: 1 day, audit: 6 months, review: 12 months}}
roles: {{audit: [manager, director], review: [director]}}
database: {{timestamps_in: {naive}, empty_dates: ["1970-01-01 00:00:00", "0000-00-00"]}}
subject: customer
"""

SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, registered_at TIMESTAMP);
CREATE TABLE products (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
  warranty_until DATE);
CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
  received_at TIMESTAMP, reason TEXT, status TEXT, follows_call INTEGER REFERENCES calls(id));
CREATE TABLE repairs (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
  product_id INTEGER REFERENCES products(id), completed_at TIMESTAMP, fault TEXT);
CREATE TABLE consignments (id INTEGER PRIMARY KEY, repair_id INTEGER REFERENCES repairs(id), address TEXT);
CREATE TABLE payments (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), taken_at DATE,
  card TEXT, holder TEXT);
CREATE TABLE survey (id INTEGER PRIMARY KEY, call_id INTEGER REFERENCES calls(id));
"""

POLICY = """
dates:
  last_contact: {latest_of: [call.received_at, repair.completed_at]}
  warranty_end: {latest_of: [product.warranty_until], future: true}
records:
  customer:
    table: customers
    personal: [name]
    keep: {for: 3 years, after: registered_at, or_until: warranty_end}
  product: {table: products, belongs_to: customer}
  call:
    table: calls
    belongs_to: customer
    refers_to: {call: {follows_call: id}}
    personal: [reason]
    keep: {for: 3 years, after: last_contact}
    orphans: {for: 1 year, after: received_at}
  repair:
    table: repairs
    belongs_to: customer
    refers_to: product
    personal: [fault]
    keep: {for: 2 years, after: completed_at, or_until: product.warranty_until, while: {completed_at: null}}
    erase: {anonymise: {fault: null, customer_id: null, product_id: null}}
  consignment: {table: consignments, belongs_to: repair, personal: [address]}
  payment:
    table: payments
    belongs_to: customer
    personal: [card, holder]
    keep: {for: 6 years, after: taken_at}
    sooner:
      card: {for: 13 months, after: taken_at, anonymise: {card: null}}
      identity: {with: customer, anonymise: {holder: null, customer_id: null}}
"""

TABLES = {
    "customer": "customers",
    "product": "products",
    "call": "calls",
    "repair": "repairs",
    "consignment": "consignments",
    "payment": "payments",
    "survey": "survey",
}


def catalogue_of(
    policy: str = POLICY, schema: str = SCHEMA, zone: str = "UTC", naive: str = "UTC"
) -> tuple[Catalogue, sa.Engine]:
    """A policy bound to empty tables in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        for statement in filter(str.strip, schema.split(";")):
            connection.exec_driver_sql(statement)
        head = HEAD.format(zone=zone, naive=naive)
        read = read_policy((head + policy).encode(), "policy.yaml")
        return bind(read, connection), engine


def changed(path: str, value: object, policy: str = POLICY) -> str:
    """The policy with one key replaced, or removed where `value` is None: changed("title", "Other")."""
    document = yaml.safe_load(policy)
    *parents, last = path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return yaml.safe_dump(document, sort_keys=False)


@dataclass
class Judged:
    verdicts: Sequence[Verdict]

    def __call__(self, record: str, *key: object) -> Verdict:
        (found,) = [v for v in self.verdicts if v.record == record and v.key == (key or (1,))]
        return found

    def state(self, record: str, *key: object) -> str:
        return str(self(record, *key).state)


class Case:
    """Rows by record type, each given by what matters; the rest is NULL, and `id` counts from 1."""

    def __init__(
        self, policy: str = POLICY, schema: str = SCHEMA, zone: str = "UTC", naive: str = "UTC"
    ) -> None:
        self.catalogue, self.engine = catalogue_of(policy, schema, zone, naive)

    def rows(self, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = {}
        inspector = sa.inspect(self.engine)
        for record, given in rows.items():
            table = TABLES.get(record, record)
            columns = [c["name"] for c in inspector.get_columns(table)]
            assert all(set(row) <= set(columns) for row in given)
            found[table] = [
                {**dict.fromkeys(columns), "id": number, **row} for number, row in enumerate(given, 1)
            ]
        return found

    def judge(
        self,
        today: str | dt.datetime,
        holds: frozenset[tuple[object, ...]] = frozenset(),
        **rows: Sequence[Mapping[str, object]],
    ) -> Judged:
        as_of = (
            today if isinstance(today, dt.datetime) else dt.datetime.fromisoformat(today + "T12:00:00+00:00")
        )
        return Judged(judge(self.catalogue, self.rows(rows), as_of, holds))

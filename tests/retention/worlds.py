"""Random policies of the language, and random databases for them, with the dates where rules change their mind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from staffords_gdpr.policy.periods import Period

AS_OF = dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC)
TODAY = AS_OF.date()

TABLES = {
    "customers": ("id", "name", "registered_at"),
    "products": ("id", "customer_id", "model", "warranty_until"),
    "calls": ("id", "customer_id", "received_at", "reason", "status", "follows"),
    "repairs": ("id", "customer_id", "product_id", "completed_at", "fault"),
    "consignments": ("id", "repair_id", "address", "sent_at"),
    "payments": ("id", "customer_id", "repair_id", "taken_at", "card", "holder"),
    "surveys": ("id", "call_id"),
}
SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, registered_at TIMESTAMP);
CREATE TABLE products (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), model TEXT,
  warranty_until DATE);
CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), received_at TIMESTAMP,
  reason TEXT, status TEXT, follows INTEGER REFERENCES calls(id));
CREATE TABLE repairs (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
  product_id INTEGER REFERENCES products(id), completed_at TIMESTAMP, fault TEXT);
CREATE TABLE consignments (id INTEGER PRIMARY KEY, repair_id INTEGER REFERENCES repairs(id), address TEXT,
  sent_at TIMESTAMP);
CREATE TABLE payments (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
  repair_id INTEGER REFERENCES repairs(id), taken_at DATE, card TEXT, holder TEXT);
CREATE TABLE surveys (id INTEGER PRIMARY KEY, call_id INTEGER REFERENCES calls(id));
"""

PERIODS = ("1 month", "13 months", "2 years", "3 years", "10 days", "52 weeks")


def build(connection: sa.Connection, rows: dict[str, list[dict[str, object]]]) -> None:
    """Make the tables and write the rows, with foreign keys unchecked, as a legacy database has them."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table, found in rows.items():
        for row in found:
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


@st.composite
def moments(draw: st.DrawFn) -> object:
    """A date as it may stand in a column: around a boundary, in any spelling, or none at all."""
    odd = draw(st.integers(0, 59))
    if odd == 0:
        return None
    if odd == 1:
        spelled = (
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01 00:00:00.000",
            "0000-00-00",
            "0000-00-00 00:00:00",
        )
        return draw(st.sampled_from(spelled))
    if odd == 2:
        rubbish = (
            "",
            "soon",
            "2024-02-30",
            "1899-12-31",
            "2023-13-01 00:00:00",
            "2024-01-01 24:00:00",
            20240101,
            "1970-01-01 00:00:01",
            "2024-01-01  10:00",
            "2024-01-01 10:00 ",
            "2024-1-1",
            "2024-01-01TT10:00",
            "99999-01-01",
        )
        return draw(st.sampled_from(rubbish))
    day = _boundary(draw)
    clock = draw(
        st.sampled_from(
            (
                "",
                "",
                " 00:00:00",
                " 12:00:00",
                " 23:30:00",
                "T23:59:59.999",
                " 04:30",
                " 00:00:00.000000",
                " 23:30:00Z",
                "T00:15:00+01:00",
                " 22:00:00-05:00",
            )
        )
    )
    return f"{day}{clock}"


def _boundary(draw: st.DrawFn) -> dt.date:
    period = Period.parse(draw(st.sampled_from(PERIODS)))
    old = dt.date(2010, 1, 1)
    base = draw(
        st.sampled_from(
            (
                old,
                old,
                old,
                period.cutoff(TODAY),
                period.cutoff(TODAY),
                TODAY,
                dt.date(2024, 2, 29),
                dt.date(2026, 3, 29),
                dt.date(2026, 10, 25),
            )
        )
    )
    return base + dt.timedelta(days=draw(st.integers(-1, 0 if base == TODAY else 2)))


def _rows(
    most: int, columns: dict[str, st.SearchStrategy[object]]
) -> st.SearchStrategy[list[dict[str, object]]]:
    return st.lists(st.fixed_dictionaries(columns), max_size=most).map(
        lambda rows: [{"id": number, **row} for number, row in enumerate(rows, 1)]
    )


_owner = st.sampled_from((1, 1, 1, 1, 2, 2, 2, 3, 9, None))
_id = st.sampled_from((1, 1, 2, 2, 3, None, None, None, 9))
_word = st.sampled_from(("x", None, "gone"))


def databases() -> st.SearchStrategy[dict[str, list[dict[str, object]]]]:
    """Rows of every table: ties, NULLs, sentinels, orphans, dangling references, references in a ring."""
    return st.fixed_dictionaries(
        {
            "customers": _rows(3, {"name": _word, "registered_at": moments()}),
            "products": _rows(3, {"customer_id": _owner, "model": _word, "warranty_until": moments()}),
            "calls": _rows(
                4,
                {
                    "customer_id": _owner,
                    "received_at": moments(),
                    "reason": _word,
                    "status": st.sampled_from(("open", "closed", None)),
                    "follows": _id,
                },
            ),
            "repairs": _rows(
                3, {"customer_id": _owner, "product_id": _id, "completed_at": moments(), "fault": _word}
            ),
            "consignments": _rows(2, {"repair_id": _id, "address": _word, "sent_at": moments()}),
            "payments": _rows(
                3,
                {
                    "customer_id": _owner,
                    "repair_id": _id,
                    "taken_at": moments(),
                    "card": _word,
                    "holder": _word,
                },
            ),
            "surveys": _rows(1, {"call_id": _id}),
        }
    )


@dataclass(frozen=True)
class World:
    """A policy as the text of its file would say it, and the rows of its database."""

    policy: dict[str, Any]
    rows: dict[str, list[dict[str, object]]]
    held: frozenset[tuple[object, ...]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    return World(
        draw(policies()),
        draw(databases()),
        frozenset((n,) for n in draw(st.sets(st.integers(1, 3), max_size=1))),
    )


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy of the whole language over the tables above."""
    maybe = st.booleans()
    sources = draw(
        st.sets(
            st.sampled_from(
                ("call.received_at", "repair.completed_at", "consignment.sent_at", "payment.taken_at")
            ),
            min_size=1,
        )
    )
    dates: dict[str, Any] = {
        "last_contact": {"latest_of": sorted(sources)},
        "warranty_end": {"latest_of": ["product.warranty_until"], "future": True},
    }
    if draw(maybe):
        dates["last_contact"]["or_else"] = "customer.registered_at"

    def keep(
        after: tuple[str, ...], until: tuple[str, ...] = (), *, conditions: tuple[dict[str, Any], ...] = ()
    ) -> dict[str, Any]:
        rule: dict[str, Any] = {"for": draw(st.sampled_from(PERIODS)), "after": draw(st.sampled_from(after))}
        chosen = draw(st.lists(st.sampled_from(until), max_size=2, unique=True)) if until else []
        if chosen:
            rule["or_until"] = chosen if len(chosen) > 1 else chosen[0]
        if conditions and draw(maybe):
            rule["while"] = draw(st.sampled_from(conditions))
        if draw(st.integers(0, 4)) == 0:
            other = [name for name in after if name != rule["after"]]
            if other:
                rule["or_else"] = draw(st.sampled_from(other))
        if draw(st.integers(0, 5)) == 0:
            rule["future"] = True
        return rule

    subject_dates = ("last_contact",)
    records: dict[str, Any] = {
        "customer": {
            "table": "customers",
            "personal": ["name"],
            "keep": keep(("registered_at", *subject_dates), ("warranty_end", "last_contact")),
        },
        "product": {"table": "products", "belongs_to": "customer"},
        "call": {
            "table": "calls",
            "belongs_to": "customer",
            "refers_to": {"call": {"follows": "id"}},
            "personal": ["reason"],
            "keep": keep(
                ("received_at", *subject_dates, "customer.registered_at"),
                ("warranty_end",),
                conditions=({"status": "open"}, {"status": [None, "open"]}, {"received_at": None}),
            ),
        },
        "repair": {
            "table": "repairs",
            "belongs_to": "customer",
            "refers_to": "product",
            "personal": ["fault"],
            "keep": keep(
                ("completed_at", *subject_dates),
                ("product.warranty_until", "warranty_end"),
                conditions=({"completed_at": None},),
            ),
        },
        "consignment": {"table": "consignments", "belongs_to": "repair", "personal": ["address"]},
        "payment": {
            "table": "payments",
            "belongs_to": draw(st.sampled_from(("customer", "repair"))),
            "personal": ["card", "holder"],
            "keep": keep(("taken_at", *subject_dates)),
        },
        "survey": {"table": "surveys", "leave": "another system deletes its rows"},
    }
    if draw(maybe):
        records["product"]["keep"] = keep(("warranty_until", *subject_dates))
    if draw(maybe):
        records["consignment"]["keep"] = keep(("sent_at", *subject_dates))
    for name, column in (
        ("call", "received_at"),
        ("repair", "completed_at"),
        ("consignment", "sent_at"),
        ("payment", "taken_at"),
    ):
        if draw(maybe):
            records[name]["orphans"] = {"for": draw(st.sampled_from(PERIODS)), "after": column}
    if draw(maybe):
        records["repair"]["erase"] = {"anonymise": {"fault": None, "customer_id": None, "product_id": None}}
    elif draw(maybe):
        records["call"]["erase"] = {"anonymise": {"reason": "gone", "customer_id": None}}
    if draw(maybe):
        owner = records["payment"]["belongs_to"]
        link = f"{owner}_id"
        steps = {
            "card": {**keep(("taken_at", *subject_dates)), "anonymise": {"card": None}},
            "identity": {"with": owner, "anonymise": {"holder": None, link: None}},
            "name": {"with": "customer", "anonymise": {"holder": None}},
            "early": {**keep(("taken_at",)), "anonymise": {"holder": None, link: None}},
        }
        for step in steps.values():
            step.pop("future", None)
        chosen = draw(st.sets(st.sampled_from(sorted(steps)), min_size=1))
        records["payment"]["sooner"] = {name: steps[name] for name in sorted(chosen)}
    if draw(maybe):
        del records["survey"]
    return {
        "version": 1,
        "title": "A random policy",
        "timezone": draw(st.sampled_from(("Europe/London", "America/New_York", "UTC"))),
        "schedule": {"purge": "1 day", "audit": "6 months", "review": "12 months"},
        "roles": {"audit": ["manager", "director"], "review": ["director"]},
        "database": {
            "timestamps_in": draw(st.sampled_from(("UTC", "Europe/London", "Australia/Sydney"))),
            "empty_dates": ["1970-01-01 00:00:00", "0000-00-00"],
        },
        "subject": "customer",
        "dates": dates,
        "records": records,
    }

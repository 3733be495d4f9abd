"""What a policy may not ask of a database is refused by name, before anything is decided."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import yaml

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy import read_policy

CUSTOMERS = "CREATE TABLE customers (id INTEGER PRIMARY KEY, phone TEXT, registered_at TIMESTAMP);"
CALLS = """CREATE TABLE calls (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), phone TEXT, at DATE
);"""


def bound(schema: str, **call: object) -> Catalogue:
    """The catalogue of a policy over customers and calls, where `call` says more of the calls."""
    keep = {"for": "3 years", "after": "at"}
    document = {
        "version": 1,
        "title": "t",
        "timezone": "UTC",
        "schedule": {"purge": "1 day", "audit": "6 months", "review": "12 months"},
        "roles": {"audit": ["director"], "review": ["director"]},
        "subject": "customer",
        "records": {
            "customer": {"table": "customers", "keep": {"for": "3 years", "after": "registered_at"}},
            "call": {"table": "calls", "belongs_to": "customer", "keep": keep, **call},
        },
    }
    policy = read_policy(yaml.safe_dump(document, sort_keys=False).encode(), "p.yaml")
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.connect() as connection:
        for statement in schema.split(";"):
            connection.exec_driver_sql(statement)
        return bind(policy, connection)


def refused(schema: str, **call: object) -> str:
    with pytest.raises(PolicyError) as caught:
        bound(schema, **call)
    assert "p.yaml:" in caught.value.message
    return caught.value.message


def test_a_sound_policy_is_bound() -> None:
    catalogue = bound(CUSTOMERS + CALLS)
    assert [(e.source, e.target, e.columns) for e in catalogue.edges] == [
        ("call", "customer", (("customer_id", "id"),))
    ]


def test_a_foreign_key_is_found_whatever_the_case_of_its_words() -> None:
    """SQLite does not tell them apart, and would cascade over a reference that the rules did not see."""
    other = (
        "CREATE TABLE invoices (n INTEGER PRIMARY KEY, C INTEGER REFERENCES Customers(ID) ON DELETE CASCADE);"
    )
    edges = bound(CUSTOMERS + CALLS + other).edges
    assert ("invoices", None, "customer", (("C", "id"),)) in [
        (e.source_table, e.source, e.target, e.columns) for e in edges
    ]


def test_a_link_to_columns_that_two_rows_may_share_is_refused() -> None:
    assert "may hold the same phone" in refused(CUSTOMERS + CALLS, on={"phone": "phone"})
    unique = CUSTOMERS.replace("phone TEXT", "phone TEXT UNIQUE")
    assert bound(unique + CALLS, on={"phone": "phone"}).edges[0].columns == (("phone", "phone"),)


def test_a_link_between_a_number_and_a_text_is_refused() -> None:
    calls = CALLS.replace("customer_id INTEGER", "customer_id TEXT")
    assert "Give both one type" in refused(CUSTOMERS + calls)
    untyped = CALLS.replace("customer_id INTEGER", "customer_id")
    assert "of no type" in refused(CUSTOMERS + untyped)


@pytest.mark.parametrize("collation", ["NOCASE", "RTRIM"])
def test_a_link_that_does_not_tell_spellings_apart_is_refused(collation: str) -> None:
    customers = CUSTOMERS.replace("phone TEXT", f"phone TEXT COLLATE {collation} UNIQUE")
    assert "tell capitals" in refused(customers + CALLS, on={"phone": "phone"})


def test_an_undeclared_key_is_taken_where_each_row_has_its_own() -> None:
    rows = "INSERT INTO calls (phone) VALUES ('1'), ('2'){}"
    assert bound(CUSTOMERS + CALLS + rows.format(""), key=["phone"]).records["call"].key == ("phone",)
    assert "may hold the same key" in refused(CUSTOMERS + CALLS + rows.format(", ('1')"), key=["phone"])
    assert "hold no value" in refused(CUSTOMERS + CALLS + rows.format(", (NULL)"), key=["phone"])


def test_anonymising_a_link_to_another_value_than_null_is_refused() -> None:
    """It would still refer to somebody."""
    erase = {"anonymise": {"customer_id": 0}}
    assert "Add customer_id: null" in refused(CUSTOMERS + CALLS, erase=erase)
    assert (
        bound(CUSTOMERS + CALLS, erase={"anonymise": {"customer_id": None}}).records["call"].table == "calls"
    )


def test_every_mistake_is_named_at_once() -> None:
    """A missing table, a wrong column elsewhere, a wrong link."""
    said = refused(
        CUSTOMERS.replace("customers", "clients") + CALLS.replace("customers", "clients"),
        personal=["fone"],
        keep={"for": "3 years", "after": "att"},
    )
    assert "no table 'customers'" in said
    assert "unknown column 'fone' in table calls. Did you mean 'phone'?" in said
    assert "unknown column 'att'" in said

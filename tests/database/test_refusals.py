"""Where nothing can be erased safely, the table is named with what would have to change."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from database.bound_office import CUSTOMER, bound, customers, link, policy_of, refused, run, table
from engines.talk import as_user

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.database.refusals import require_all_shown
from staffords_gdpr.errors import PolicyError

CALL: dict[str, Any] = {"table": "calls", "belongs_to": "customer"}


def office(url: str, *columns: Any, statements: tuple[str, ...] = (), **options: Any) -> None:
    tables = sa.MetaData()
    customers(tables)
    if columns:
        table(tables, "calls", *columns)
    run(url, *statements, tables=tables)


def test_a_table_without_a_key_is_refused(engine_url: str) -> None:
    office(engine_url, statements=("CREATE TABLE calls (customer_id INTEGER)",))
    said = refused(engine_url, {"customer": CUSTOMER, "call": {**CALL, "on": {"customer_id": "id"}}})
    assert "calls has no primary key" in said
    assert ("rowid is no key" in said) == engine_url.startswith("sqlite")


def test_a_view_is_refused(engine_url: str) -> None:
    office(engine_url, statements=("CREATE VIEW clients AS SELECT * FROM customers",))
    assert "clients is a view" in refused(engine_url, {"customer": {**CUSTOMER, "table": "clients"}})


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_rows_that_refer_to_each_other_in_a_closed_circle_are_refused(engine_url: str) -> None:
    """SQLite looks at foreign keys in the end; elsewhere one of the two must be able to be NULL for a moment."""
    office(engine_url, link("customer_id", nullable=False))
    back = "ALTER TABLE customers ADD last_call INTEGER {} REFERENCES calls (id)"
    if "postgresql" not in engine_url:
        back = "ALTER TABLE customers ADD last_call INTEGER {}, ADD FOREIGN KEY (last_call) REFERENCES calls (id)"
    records = {"customer": CUSTOMER, "call": CALL}
    run(engine_url, back.format("NULL"))
    assert bound(engine_url, records)
    run(
        engine_url,
        "ALTER TABLE customers DROP COLUMN last_call" if "postgresql" in engine_url else "SELECT 1",
    )
    changed = back.format("NOT NULL")
    if "postgresql" not in engine_url:
        changed = "ALTER TABLE customers MODIFY last_call INTEGER NOT NULL"
    run(engine_url, changed)
    assert "in a circle that nothing opens" in refused(engine_url, records)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_table_without_transactions_is_refused(engine_url: str) -> None:
    office(
        engine_url,
        sa.Column("customer_id", sa.Integer, index=True),
        statements=("ALTER TABLE calls ENGINE=MyISAM",),
    )
    said = refused(engine_url, {"customer": CUSTOMER, "call": {**CALL, "on": {"customer_id": "id"}}})
    assert "kept in MyISAM" in said
    assert "ALTER TABLE calls ENGINE=InnoDB" in said


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_link_without_an_index_is_refused_where_locks_are_set_by_it(engine_url: str) -> None:
    office(engine_url, sa.Column("customer_id", sa.Integer))
    records = {"customer": CUSTOMER, "call": {**CALL, "on": {"customer_id": "id"}}}
    said = refused(engine_url, records)
    assert "CREATE INDEX gdpr_calls_customer_id ON calls (customer_id);" in said
    run(engine_url, "CREATE INDEX gdpr_calls_customer_id ON calls (customer_id)")
    assert bound(engine_url, records)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_versioned_table_is_refused(engine_url: str) -> None:
    office(engine_url, statements=("ALTER TABLE customers ADD SYSTEM VERSIONING",))
    assert "keeps a copy of every row" in refused(engine_url, {"customer": CUSTOMER})


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_links_over_texts_are_taken_where_no_two_spellings_meet(engine_url: str) -> None:
    """MariaDB takes 'anna' and 'Anna' for one; the rules do not."""
    tables = sa.MetaData()
    table(tables, "calls", sa.Column("customer", sa.String(20), index=True))
    sa.Table(
        "customers",
        tables,
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("registered_at", sa.DateTime),
    )
    run(
        engine_url,
        "INSERT INTO customers (name) VALUES ('Anna')",
        "INSERT INTO calls (customer) VALUES ('Anna'), ('Bo')",
        tables=tables,
    )
    records = {"customer": CUSTOMER, "call": {**CALL, "on": {"customer": "name"}}}
    assert bound(engine_url, records)
    run(engine_url, "INSERT INTO calls (customer) VALUES ('anna')")
    assert "in different spellings" in refused(engine_url, records)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_partitioned_table_is_refused(engine_url: str) -> None:
    run(
        engine_url,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, registered_at TIMESTAMP) PARTITION BY HASH (id)",
        "CREATE TABLE customers_0 PARTITION OF customers FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    )
    assert "a partitioned table" in refused(engine_url, {"customer": CUSTOMER})


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_reference_from_another_schema_is_refused(engine_url: str) -> None:
    office(
        engine_url,
        statements=("CREATE SCHEMA shop", "CREATE TABLE shop.orders (c INTEGER REFERENCES customers)"),
    )
    assert "shop.orders refers to customers from another schema" in refused(
        engine_url, {"customer": CUSTOMER}
    )


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_table_that_refers_to_ours_and_cannot_be_read_is_refused(engine_url: str) -> None:
    office(
        engine_url,
        link("customer_id"),
        statements=("CREATE ROLE visitor LOGIN", "GRANT SELECT, DELETE ON customers TO visitor"),
    )
    visitor = sa.make_url(engine_url).set(username="visitor").render_as_string(hide_password=False)
    assert "may not read table calls" in refused(visitor, {"customer": CUSTOMER})
    run(engine_url, "GRANT SELECT ON calls TO visitor")
    assert bound(visitor, {"customer": CUSTOMER})
    run(engine_url, "DROP OWNED BY visitor", "DROP ROLE visitor")


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_rows_that_the_user_may_not_see_are_refused(engine_url: str) -> None:
    """Also in a table that only refers to ours: its rows hold what they refer to (R5)."""
    office(
        engine_url,
        link("customer_id"),
        statements=(
            "ALTER TABLE calls ENABLE ROW LEVEL SECURITY",
            "DROP ROLE IF EXISTS clerk",
            "CREATE ROLE clerk LOGIN",
            "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO clerk",
        ),
    )
    assert bound(engine_url, {"customer": CUSTOMER})  # the owner sees all of them
    clerk = sa.make_url(engine_url).set(username="clerk").render_as_string(hide_password=False)
    said = refused(clerk, {"customer": CUSTOMER})
    assert "row-level security hides rows of calls" in said
    run(engine_url, "DROP OWNED BY clerk", "DROP ROLE clerk")


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("place", ["the same database", "another database"])
def test_a_hidden_table_that_refers_to_ours_lets_nobody_purge(engine_url: str, place: str) -> None:
    """InnoDB would carry out its ON DELETE CASCADE, and no counter would show it."""
    name = sa.make_url(engine_url).database
    clerk, other = f"{name}_u", f"{name}_b" if place.startswith("another") else name
    office(
        engine_url,
        statements=(f"CREATE DATABASE IF NOT EXISTS {other}", f"CREATE USER {clerk}@localhost"),
    )
    try:
        run(
            engine_url,
            f"CREATE TABLE {other}.`bills-1` (id INTEGER PRIMARY KEY, c INTEGER, "
            f"FOREIGN KEY (c) REFERENCES {name}.customers (id) ON DELETE CASCADE)",
            f"GRANT SELECT, DELETE ON {name}.customers TO {clerk}@localhost",
        )
        limited = as_user(engine_url, clerk)
        with connected(connect(limited, write=False)) as connection:
            catalogue = bind(policy_of({"customer": CUSTOMER}), connection)  # a scan does no harm
            with pytest.raises(PolicyError) as caught:
                require_all_shown(connection, catalogue)
        assert "GRANT PROCESS ON *.* TO" in f"{caught.value.message} {caught.value.hint}"
        run(engine_url, f"GRANT PROCESS ON *.* TO {clerk}@localhost")
        said = refused(limited, {"customer": CUSTOMER})
        assert f"{other}.bills-1 refers to customers, and this database user is not shown that table" in said
        run(engine_url, f"DROP TABLE {other}.`bills-1`")
        with connected(connect(limited, write=False)) as connection:
            require_all_shown(connection, bind(policy_of({"customer": CUSTOMER}), connection))
    finally:
        run(engine_url, f"DROP USER {clerk}@localhost")
        if other != name:
            run(engine_url, f"DROP DATABASE {other}")


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_partition_with_a_foreign_key_of_its_own_is_refused(engine_url: str) -> None:
    """It is no table of the schema, and its rows hold what they refer to (R5)."""
    office(
        engine_url,
        statements=(
            "CREATE TABLE events (id INTEGER, customer_id INTEGER) PARTITION BY RANGE (id)",
            "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100)",
            "ALTER TABLE events_1 ADD CONSTRAINT own FOREIGN KEY (customer_id) REFERENCES customers",
        ),
    )
    assert "events_1 refers to customers, and it is a partition" in refused(
        engine_url, {"customer": CUSTOMER}
    )
    run(engine_url, "ALTER TABLE events_1 DROP CONSTRAINT own")
    assert bound(engine_url, {"customer": CUSTOMER})


KEYS = {"mariadb": ["SET('a', 'b')", "FLOAT"], "postgresql": ["INET", "INT4RANGE", "INTEGER[]", "JSONB"]}
PLAIN_KEYS = {"mariadb": "ENUM('a', 'b')", "postgresql": "MACADDR"}


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_a_key_of_a_type_that_cannot_be_written_down_is_refused(engine_url: str, engine_name: str) -> None:
    for kind in KEYS[engine_name]:
        run(engine_url, f"CREATE TABLE customers (id {kind} PRIMARY KEY, registered_at DATE)")
        said = refused(engine_url, {"customer": CUSTOMER})
        assert "customers.id is part of the key and of type" in said
        run(engine_url, "DROP TABLE customers")
    run(engine_url, f"CREATE TABLE customers (id {PLAIN_KEYS[engine_name]} PRIMARY KEY, registered_at DATE)")
    assert bound(engine_url, {"customer": CUSTOMER})

"""What an operator can do between the decision and a batch: whatever a rule reads is noticed, and nothing else is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from engines.talk import run, speaking

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, connect
from staffords_gdpr.database.locks import ChunkLocks
from staffords_gdpr.operations.demo.folder import packaged_policy
from staffords_gdpr.operations.demo.schema import metadata
from staffords_gdpr.operations.purge.erasure import Eraser
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.bulk import Bulk, Chunk, watch_together
from staffords_gdpr.retention.bulk.chain import numbered
from staffords_gdpr.retention.bulk.lists import within
from staffords_gdpr.retention.bulk.recheck import Recheck

AS_OF = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
ROWS = (
    "INSERT INTO operators VALUES (1, 'Op', 'op@example.com', '2010-01-01')",
    (
        "INSERT INTO customers (id, name, address, registered_at) VALUES (1, 'One', 'There', '2010-01-01 10:00:00'), "
        "(2, 'Two', 'There', '2010-01-01 10:00:00'), (3, 'Three', 'There', '2010-01-01 10:00:00')"
    ),
    (
        "INSERT INTO products VALUES (11, 1, 'M', 'S', '2010-01-01', '2012-01-01'), "
        "(12, 2, 'M', 'S', '2010-01-01', '2012-01-01'), (13, 3, 'M', 'S', '2010-01-01', '2012-01-01')"
    ),
    (
        "INSERT INTO calls (id, customer_id, operator_id, channel, received_at) VALUES "
        "(21, 1, 1, 'phone', '2015-01-01 10:00:00'), (22, 2, 1, 'phone', '2026-05-01 10:00:00'), "
        "(23, 3, 1, 'phone', '2026-06-01 10:00:00')"
    ),
    (
        "INSERT INTO repairs (id, customer_id, product_id, operator_id, booked_in_at, completed_at, status) VALUES "
        "(31, 1, 11, 1, '2014-01-01 10:00:00', '2014-02-01 10:00:00', 'done'), "
        "(32, 2, 12, 1, '2016-01-01 10:00:00', '2016-02-01 10:00:00', 'done')"
    ),
    (
        "INSERT INTO payments VALUES (41, 31, '2014-02-01 10:00:00', 100, 'One', '1', '1'), "
        "(42, 32, '2022-02-01 10:00:00', 100, 'Two', '2', '2')"
    ),
    "INSERT INTO consignments (id, repair_id, courier, direction) VALUES (51, 31, 'C', 'in'), (52, 32, 'C', 'in')",
)
HEAD = """
version: 1
title: A test's policy
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
subject: customer
"""
LISTED = (
    {"customer": 1, "product": 1, "call": 1, "repair": 1, "consignment": 1, "payment": 1},
    {"repair": 1, "consignment": 1, "payment.card": 1, "payment.identity": 1},
)
NOTICED = {
    "a call before the last contact": (
        0,
        (
            "INSERT INTO calls (id, customer_id, operator_id, channel, received_at) "
            "VALUES (29, 1, 1, 'phone', '2014-12-01 10:00:00')"
        ),
    ),
    "a call today": (
        0,
        (
            "INSERT INTO calls (id, customer_id, operator_id, channel, received_at) "
            "VALUES (29, 1, 1, 'phone', '2026-11-23 01:00:00')"
        ),
    ),
    "a call whose moment is corrected": (
        0,
        "UPDATE calls SET received_at = '2025-01-01 10:00:00' WHERE id = 21",
    ),
    "a call that has no moment any more": (0, "UPDATE calls SET received_at = NULL WHERE id = 21"),
    "a call in the future": (0, "UPDATE calls SET received_at = '2027-01-01 10:00:00' WHERE id = 21"),
    "a call that is gone": (0, "DELETE FROM calls WHERE id = 21"),
    "a repair that is open again": (0, "UPDATE repairs SET completed_at = NULL WHERE id = 31"),
    "a repair of somebody else now": (0, "UPDATE repairs SET customer_id = 3 WHERE id = 31"),
    "a warranty that is longer": (0, "UPDATE products SET warranty_until = '2030-01-01' WHERE id = 11"),
    "a product more": (0, "INSERT INTO products VALUES (19, 1, 'M', 'S', '2010-01-01', '2012-01-01')"),
    "a product of somebody else now": (0, "UPDATE products SET customer_id = 3 WHERE id = 11"),
    "a customer who is newer": (0, "UPDATE customers SET registered_at = '2026-01-01 10:00:00' WHERE id = 1"),
    "a repair of the product for somebody else": (
        0,
        (
            "INSERT INTO repairs (id, customer_id, product_id, operator_id, booked_in_at, completed_at, status) "
            "VALUES (39, 3, 11, 1, '2026-01-01 10:00:00', '2026-02-01 10:00:00', 'done')"
        ),
    ),
    "a consignment more": (
        0,
        "INSERT INTO consignments (id, repair_id, courier, direction) VALUES (59, 31, 'C', 'out')",
    ),
    "a consignment of another repair now": (0, "UPDATE consignments SET repair_id = 32 WHERE id = 51"),
    "a payment more": (
        0,
        "INSERT INTO payments VALUES (49, 31, '2026-02-01 10:00:00', 100, NULL, NULL, NULL)",
    ),
    "a payment that was taken later": (
        1,
        "UPDATE payments SET taken_at = '2026-06-01 10:00:00' WHERE id = 42",
    ),
    "a repair that is evidence of the last contact now": (
        1,
        "UPDATE repairs SET booked_in_at = '2026-05-01 08:00:00' WHERE id = 32",
    ),
}
NO_MATTER = (
    "UPDATE customers SET name = 'Married', address = 'Elsewhere' WHERE id = 1",
    "UPDATE calls SET reason = 'Noise' WHERE id = 21",
    "UPDATE repairs SET fault = 'Smoke' WHERE id = 31",
    (
        "INSERT INTO calls (id, customer_id, operator_id, channel, received_at) "
        "VALUES (29, 3, 1, 'phone', '2026-11-22 10:00:00')"
    ),
    "INSERT INTO operators VALUES (2, 'New', 'new@example.com', '2026-11-01')",
    "UPDATE calls SET received_at = '2026-05-01 09:00:00' WHERE id = 22",  # the same day
)


@pytest.fixture
def listed(engine_url: str) -> Iterator[Bulk]:
    """A decision over these rows, and what it found on the lists."""
    with speaking(engine_url) as connection:
        metadata.create_all(connection)
        connection.commit()
    run(engine_url, *ROWS)
    engine = connect(engine_url, write=True)
    with engine.connect() as connection:
        bulk = Bulk(connection, bind(read_policy(packaged_policy(), "retention.yaml"), connection))
        connection.commit()
        watch_together([bulk.agenda])
        connection.commit()
        with begin(connection, lock=False):
            bulk.decide(AS_OF)
            assert bulk.agenda.write().plain == 2
        yield bulk
    engine.dispose()


def still_due(bulk: Bulk, place: int) -> bool:
    with begin(bulk.connection, lock=True) as transaction:
        chunk = Chunk(place, place + 1)
        plan = Eraser(bulk, listed=True).plan(chunk)
        assert plan.rows == LISTED[place]
        says = bulk.agenda.still_due(chunk, frozenset(), plan.rows)
        transaction.rollback()
    return says


def test_what_a_rule_reads_is_noticed(listed: Bulk, engine_url: str, subtests: pytest.Subtests) -> None:
    url = engine_url
    for what, (place, statement) in NOTICED.items():
        with subtests.test(what), speaking(url) as operator:
            before = {t: operator.execute(sa.select(t)).all() for t in metadata.sorted_tables}
            operator.exec_driver_sql(statement)
            operator.commit()
            assert not still_due(listed, place)
            restore(operator, before)
        assert still_due(listed, place)


def test_what_no_rule_reads_is_not(listed: Bulk, engine_url: str) -> None:
    run(engine_url, *NO_MATTER)
    assert still_due(listed, 0)
    assert still_due(listed, 1)


def test_a_hold_that_has_come_since_is_noticed(listed: Bulk) -> None:
    with begin(listed.connection, lock=True) as transaction:
        plan = Eraser(listed, listed=True).plan(Chunk(0, 1))
        assert not listed.agenda.still_due(Chunk(0, 1), frozenset({(1,)}), plan.rows)
        transaction.rollback()


def restore(operator: sa.Connection, before: dict[sa.Table, list[sa.Row[tuple[object, ...]]]]) -> None:
    """Give the tables back the rows that they had."""
    for table in reversed(metadata.sorted_tables):
        operator.execute(sa.delete(table))
    for table, rows in before.items():
        operator.execute(sa.insert(table), [row._asdict() for row in rows])
    operator.commit()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_where_nobody_else_has_written_since_nothing_is_asked_again(
    listed: Bulk, engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(Recheck, "holds", lambda *_: asked.append("again"))
    assert still_due(listed, 0)
    assert not asked
    run(engine_url, NO_MATTER[0])
    assert not still_due(listed, 0)
    assert asked == ["again"]


@pytest.mark.parametrize("payment", ["payment", "subjects"])
def test_a_customer_who_is_gone_is_noticed_where_no_rule_asks_for_dates_of_theirs(
    engine_url: str, payment: str
) -> None:
    """Their payment belongs to nobody then, which is decided by other rules; whatever its record type is called."""
    run(
        engine_url,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, registered_at TIMESTAMP NULL)",
        "CREATE TABLE payments (id INTEGER PRIMARY KEY, customer_id INTEGER, taken_at TIMESTAMP NULL)",
        "CREATE INDEX i ON payments (customer_id)",
        "INSERT INTO customers VALUES (3, '2026-01-01 10:00:00')",
        "INSERT INTO payments VALUES (7, 3, '2015-01-01 10:00:00')",
    )
    policy = f"""{HEAD}
records:
  customer: {{table: customers, keep: {{for: 3 years, after: registered_at}}}}
  {payment}:
    {{table: payments, belongs_to: customer, on: {{customer_id: id}}, keep: {{for: 6 years, after: taken_at}}}}
"""
    assert says(engine_url, policy, "UPDATE customers SET registered_at = NULL WHERE id = 3")
    assert not says(engine_url, policy, "DELETE FROM customers WHERE id = 3")


def test_an_amount_whose_type_only_the_engine_knows_is_asked_about_again(engine_url: str) -> None:
    run(
        engine_url,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, registered_at TIMESTAMP NULL)",
        "CREATE TABLE terms (customer_id INTEGER PRIMARY KEY, since DATE, months INTEGER)",
        "INSERT INTO customers VALUES (3, '2015-01-01 10:00:00')",
        "INSERT INTO terms VALUES (3, '2015-01-01', 6)",
    )
    policy = (
        HEAD
        + """
records:
  customer:
    table: customers
    keep: {for: 3 years, after: registered_at, or_until: term_end}
    dates:
      term_end: {column: since, stored_as: day, plus: {months: months}, through: {table: terms, on: {customer_id: id}}}
"""
    )
    assert says(engine_url, policy, "UPDATE customers SET registered_at = '2015-01-02 10:00:00'")
    assert not says(engine_url, policy, "UPDATE terms SET months = 300")


WARRANTIES = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, registered_at TIMESTAMP NULL)",
    """CREATE TABLE products (id INTEGER PRIMARY KEY, customer_id INTEGER,
    FOREIGN KEY (customer_id) REFERENCES customers (id))""",
    "CREATE INDEX c ON products (customer_id)",
    """CREATE TABLE warranties (id INTEGER PRIMARY KEY, product_id INTEGER, day DATE,
    FOREIGN KEY (product_id) REFERENCES products (id))""",
    "CREATE INDEX w ON warranties (product_id)",
    """CREATE TABLE repairs (id INTEGER PRIMARY KEY, customer_id INTEGER, product_id INTEGER, done TIMESTAMP NULL,
    state VARCHAR(9), FOREIGN KEY (customer_id) REFERENCES customers (id),
    FOREIGN KEY (product_id) REFERENCES products (id))""",
    "CREATE INDEX r ON repairs (customer_id)",
    "CREATE INDEX p ON repairs (product_id)",
    "CREATE TABLE states (name VARCHAR(9) PRIMARY KEY, kind VARCHAR(9))",
    "INSERT INTO customers VALUES (3, '2010-01-01 10:00:00')",
    "INSERT INTO products VALUES (5, 3)",
    "INSERT INTO warranties VALUES (6, 5, '2012-01-01')",
    "INSERT INTO states VALUES ('done', 'closed')",
    "INSERT INTO repairs VALUES (7, 3, 5, '2015-01-01 10:00:00', 'done')",
)
OF_REPAIRS = """
records:
  customer: {table: customers, keep: {for: 3 years, after: registered_at}}
  product:
    table: products
    belongs_to: customer
    dates: {warranty: {column: day, stored_as: day, through: {table: warranties, on: {product_id: id}}}}
  repair:
    table: repairs
    belongs_to: customer
    refers_to: product
    keep: {for: 2 years, after: done, or_until: product.warranty%s}
  warranty: {table: warranties, belongs_to: product}
"""


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_what_is_read_on_the_way_to_a_date_of_what_a_row_refers_to_is_locked(engine_url: str) -> None:
    run(engine_url, *WARRANTIES)
    policy = read_policy((HEAD + OF_REPAIRS % "").encode(), "policy.yaml")
    engine = connect(engine_url, write=True)
    with engine.connect() as connection:
        bulk = Bulk(connection, bind(policy, connection))
        connection.commit()
        with begin(connection, lock=False):
            bulk.decide(AS_OF)
            bulk.agenda.write()
        todo = bulk.work.todo
        locks = ChunkLocks(connection, bulk.catalogue, todo, numbered(todo, "s"), within(todo))
        with begin(connection, lock=True) as transaction:
            locks.take(connection, {"after": 0, "last": 1})
            with (
                connect(engine_url, write=True).connect() as operator,
                begin(operator, lock=True, short=True),
            ):
                with pytest.raises(sa.exc.OperationalError, match="timeout"):
                    operator.exec_driver_sql("UPDATE warranties SET day = '2030-01-01' WHERE id = 6")
                operator.rollback()
            transaction.rollback()
    engine.dispose()


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_where_rules_read_look_up_tables_a_batch_decides_as_only_that_locks_them(engine_url: str) -> None:
    run(engine_url, *WARRANTIES)
    look_up = ", while: {state: {in: {table: states, column: name, where: {kind: open}}}}"
    policy = read_policy((HEAD + OF_REPAIRS % look_up).encode(), "policy.yaml")
    engine = connect(engine_url, write=True)
    with engine.connect() as connection:
        assert not Bulk(connection, bind(policy, connection)).work.lists
        connection.rollback()
        policy = read_policy((HEAD + OF_REPAIRS % "").encode(), "policy.yaml")
        assert Bulk(connection, bind(policy, connection)).work.lists
    engine.dispose()


def says(url: str, policy: str, statement: str) -> bool:
    """Whether the recheck lets the first place through, once somebody has done that after the decision."""
    engine = connect(url, write=True)
    with engine.connect() as connection:
        bulk = Bulk(connection, bind(read_policy(policy.encode(), "policy.yaml"), connection))
        connection.commit()
        with begin(connection, lock=False):
            bulk.decide(AS_OF)
            assert bulk.agenda.write().plain == 1
        run(url, statement)
        with begin(connection, lock=True) as transaction:
            plan = Eraser(bulk, listed=True).plan(Chunk(0, 1))
            said = bulk.agenda.still_due(Chunk(0, 1), frozenset(), plan.rows)
            transaction.rollback()
    engine.dispose()
    return said


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_whoever_works_while_everything_is_decided_waits_for_nothing(engine_url: str) -> None:
    with speaking(engine_url) as connection:
        metadata.create_all(connection)
        connection.commit()
    run(engine_url, *ROWS)
    engine = connect(engine_url, write=True)
    at_once = {
        "postgresql": "SET lock_timeout = '50ms'",
        "mysql": "SET SESSION innodb_lock_wait_timeout = 0",
    }[engine.dialect.name]
    with engine.connect() as connection, speaking(engine_url) as operator:
        bulk = Bulk(connection, bind(read_policy(packaged_policy(), "retention.yaml"), connection))
        connection.commit()
        operator.exec_driver_sql(at_once)
        with begin(connection, lock=False):
            bulk.decide(AS_OF)
            assert bulk.agenda.write().plain == 2
            for table in metadata.sorted_tables:
                operator.execute(sa.update(table).values({column: column for column in table.primary_key}))
                operator.execute(sa.select(table).with_for_update()).all()
    engine.dispose()

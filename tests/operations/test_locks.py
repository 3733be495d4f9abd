"""While a batch is under way an operator's change of what it rests on waits; one that came before it is seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.talk import run, speaking
from test_erasure_engines import AS_OF, CUSTOMERS, HEAD, TWO

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import begin, connect, connected
from staffords_gdpr.database.locks import lock_everything, lock_rows
from staffords_gdpr.operations.purge.erasure import Eraser
from staffords_gdpr.policy import load_policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.rows import Scope

POLICY = """  call:
    table: calls
    belongs_to: customer
    on: {customer_id: id}
    keep: {for: 3 years, after: last_contact, or_until: closed}
    orphans: {for: 3 years, after: received_at}
    dates: {closed: {column: value, stored_as: text, through: {table: notes, on: {call_id: id}}}}
  repair: {table: repairs, belongs_to: customer, through: {table: sent_in, on: {repair_id: id}}, on: {customer_id: id}}
  note: {table: notes, belongs_to: call, on: {call_id: id}}
  sending: {table: sent_in, belongs_to: repair, on: {repair_id: id}}
  part: {table: parts, belongs_to: repair, on: {repair_id: id}, refers_to: {part: {replaces: id}}}
"""
TABLES = (
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER, received_at TIMESTAMP NULL {customer})",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, call_id INTEGER, value VARCHAR(30) {call})",
    "CREATE TABLE repairs (id INTEGER PRIMARY KEY)",
    """CREATE TABLE sent_in (repair_id INTEGER, customer_id INTEGER, PRIMARY KEY (repair_id, customer_id)
    {repair} {customer})""",
    "CREATE TABLE parts (id INTEGER PRIMARY KEY, repair_id INTEGER, replaces INTEGER {repair})",
    "CREATE INDEX i1 ON calls (customer_id)",
    "CREATE INDEX i2 ON notes (call_id)",
    "CREATE INDEX i3 ON sent_in (repair_id)",
    "CREATE INDEX i4 ON sent_in (customer_id)",
    "CREATE INDEX i5 ON parts (repair_id)",
    "CREATE INDEX i6 ON parts (replaces)",
    "INSERT INTO calls VALUES (11, 1, '2015-01-01 10:00:00'), (12, 2, '2015-01-01 10:00:00')",
    "INSERT INTO notes VALUES (21, 11, '2015-01-01'), (22, 12, '2015-01-01')",
    "INSERT INTO repairs VALUES (31), (32)",
    "INSERT INTO sent_in VALUES (31, 1), (32, 2)",
    "INSERT INTO parts VALUES (41, 31, NULL), (42, 32, NULL)",
)
LINKS = {
    "customer": ", FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "call": ", FOREIGN KEY (call_id) REFERENCES calls (id)",
    "repair": ", FOREIGN KEY (repair_id) REFERENCES repairs (id)",
}
SENT_IN = f"""CREATE TABLE sent_in (id INTEGER PRIMARY KEY, repair_id INTEGER, customer_id INTEGER
    {LINKS["repair"]} {LINKS["customer"]})"""
FORMS = """  form:
    table: forms
    belongs_to: customer
    through: {table: batches, on: {id: batch}}
    on: {customer_id: id}
    keep: {for: 3 years, after: received_at, or_until: stamped}
    orphans: {for: 3 years, after: received_at}
    dates: {stamped: {column: day, through: [{table: stamps, on: {form_id: id}}, {table: places, on: {id: place}}]}}
  copy: {table: copies, belongs_to: form, on: {form_id: id}, orphans: {for: 3 years, after: made_at}}
"""
FORM_TABLES = (
    f"CREATE TABLE batches (id INTEGER PRIMARY KEY, customer_id INTEGER {LINKS['customer']})",
    "CREATE INDEX f1 ON batches (customer_id)",
    """CREATE TABLE forms (id INTEGER PRIMARY KEY, batch INTEGER, received_at TIMESTAMP NULL,
    FOREIGN KEY (batch) REFERENCES batches (id))""",
    "CREATE INDEX f2 ON forms (batch)",
    "CREATE TABLE places (id INTEGER PRIMARY KEY, day DATE)",
    """CREATE TABLE stamps (id INTEGER PRIMARY KEY, form_id INTEGER, place INTEGER, day DATE,
    FOREIGN KEY (form_id) REFERENCES forms (id), FOREIGN KEY (place) REFERENCES places (id))""",
    "CREATE INDEX f3 ON stamps (form_id)",
    "CREATE INDEX f4 ON stamps (place)",
    """CREATE TABLE copies (id INTEGER PRIMARY KEY, form_id INTEGER, made_at TIMESTAMP NULL,
    FOREIGN KEY (form_id) REFERENCES forms (id))""",
    "CREATE INDEX f5 ON copies (form_id)",
    "INSERT INTO batches VALUES (1, 1), (51, NULL), (52, NULL)",
    "INSERT INTO forms VALUES (61, 51, '2015-01-01 10:00:00'), (62, NULL, '2015-01-01 10:00:00')",
    "INSERT INTO forms VALUES (63, 52, '2015-01-01 10:00:00')",
    "INSERT INTO places VALUES (81, '2030-01-01')",
    "INSERT INTO stamps VALUES (71, 61, NULL, NULL)",
    "INSERT INTO copies VALUES (91, 63, '2015-01-01 10:00:00')",
)
MEDDLING = {
    "a new call": "INSERT INTO calls VALUES (13, 1, '2026-01-01 10:00:00')",
    "a call moved here": "UPDATE calls SET customer_id = 1 WHERE id = 12",
    "a call moved away": "UPDATE calls SET customer_id = 2 WHERE id = 11",
    "a later date": "UPDATE calls SET received_at = '2026-01-01 10:00:00' WHERE id = 11",
    "another registration": "UPDATE customers SET registered_at = '2026-01-01 10:00:00' WHERE id = 1",
    "a new note with a date": "INSERT INTO notes VALUES (23, 11, '2030-01-01')",
    "a later date in a note": "UPDATE notes SET value = '2030-01-01' WHERE id = 21",
    "a repair sent in": "INSERT INTO sent_in VALUES (32, 1)",
    "a repair handed over": "UPDATE sent_in SET customer_id = 2 WHERE repair_id = 31",
    "a new part": "INSERT INTO parts VALUES (43, 31, NULL)",
    "a part that replaces one": "INSERT INTO parts VALUES (44, 32, 41)",
}


@pytest.fixture(params=["declared", "undeclared"])
def url(request: pytest.FixtureRequest, engine_url: str) -> str:
    links = LINKS if request.param == "declared" else dict.fromkeys(LINKS, "")
    run(engine_url, CUSTOMERS, TWO, *(statement.format(**links) for statement in TABLES))
    return engine_url


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "retention.yaml"
    path.write_text(HEAD + POLICY)
    return path


@contextmanager
def ready(url: str, policy: Path) -> Iterator[Bulk]:
    with connected(connect(url, write=True)) as connection:
        catalogue = bind(load_policy(policy), connection)
        connection.rollback()
        bulk = Bulk(connection, catalogue)
        connection.commit()
        yield bulk


def lock_customer_1(bulk: Bulk) -> None:
    bulk.scope_to(subjects=[(1,)])
    lock_rows(bulk.connection, bulk.catalogue, {"customer": bulk.work.scope})


def waits(url: str, statement: str) -> bool:
    """Whether an operator who does not wait for locks is turned away."""
    with speaking(url) as operator:
        if operator.dialect.name == "postgresql":
            operator.exec_driver_sql("SET lock_timeout = '50ms'")
        else:
            operator.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 0")
        try:
            operator.exec_driver_sql(statement)
        except sa.exc.OperationalError:
            return True
        return False


SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)


@SERVERS
def test_changes_of_what_a_batch_rests_on_wait(url: str, policy: Path) -> None:
    with ready(url, policy) as bulk, begin(bulk.connection, lock=True):
        lock_customer_1(bulk)
        assert {name for name, statement in MEDDLING.items() if not waits(url, statement)} == set()
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        everything = {"customer": 1, "call": 1, "note": 1, "repair": 1, "sending": 1, "part": 1}
        assert Eraser(bulk).plan().rows == everything
    # and not because it is what any operator meets
    assert {name for name, statement in MEDDLING.items() if waits(url, statement)} == set()


@SERVERS
def test_other_subjects_are_left_alone(url: str, policy: Path, request: pytest.FixtureRequest) -> None:
    others = {
        "another registration": "UPDATE customers SET registered_at = '2026-01-01 10:00:00' WHERE id = 2",
        "another call": "INSERT INTO calls VALUES (14, 2, '2026-01-01 10:00:00')",
        "another date": "UPDATE calls SET received_at = '2026-01-01 10:00:00' WHERE id = 12",
        "another note": "UPDATE notes SET value = '2030-01-01' WHERE id = 22",
    }
    with ready(url, policy) as bulk, begin(bulk.connection, lock=True):
        lock_customer_1(bulk)
        held_up = {name for name, statement in others.items() if waits(url, statement)}
    # PostgreSQL can keep rows out of an undeclared link by a lock on its whole table only
    by_table = {"another call", "another date", "another note"}
    assert held_up == (by_table if "undeclared-postgresql" in request.node.name else set())


@SERVERS
@pytest.mark.parametrize("change", ["a new call", "a later date"])
def test_a_change_that_is_not_committed_yet_is_waited_for_and_seen(
    url: str, policy: Path, change: str
) -> None:
    def purge_meanwhile() -> None:
        with ready(url, policy) as bulk, begin(bulk.connection, lock=True):
            started.set()
            lock_customer_1(bulk)
            bulk.decide(AS_OF, scope=Scope.SUBJECTS)
            planned.update(Eraser(bulk).plan().rows)

    started = threading.Event()
    planned: dict[str, int] = {}
    batch = threading.Thread(target=purge_meanwhile)
    with speaking(url) as operator:
        operator.exec_driver_sql(MEDDLING[change])
        batch.start()
        started.wait(10)
        batch.join(0.3)
        assert batch.is_alive()
        operator.commit()
    batch.join(10)
    assert "customer" not in planned


@SERVERS
def test_rows_without_a_subject_are_locked_and_their_owner_cannot_appear(
    engine_url: str, policy: Path
) -> None:
    links = dict.fromkeys(LINKS, "")
    run(engine_url, CUSTOMERS, TWO, *(statement.format(**links) for statement in TABLES))
    run(engine_url, "INSERT INTO calls VALUES (15, 99, '2015-01-01 10:00:00')")
    meddling = (
        "INSERT INTO customers VALUES (99, 'Eve', '2026-01-01 10:00:00')",
        "UPDATE calls SET customer_id = 2 WHERE id = 15",
        "INSERT INTO notes VALUES (24, 15, '2030-01-01')",
    )
    with ready(engine_url, policy) as bulk, begin(bulk.connection, lock=True):
        bulk.scope_to(rows={"call": [(15,)]})
        lock_rows(bulk.connection, bulk.catalogue, bulk.work.row_scopes)
        assert [statement for statement in meddling if not waits(engine_url, statement)] == []


@SERVERS
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE forms SET batch = 1 WHERE id = 61",
        "UPDATE batches SET customer_id = 1 WHERE id = 51",
        "UPDATE batches SET customer_id = 1 WHERE id = 52",
        "UPDATE stamps SET day = '2030-01-01', place = 81 WHERE id = 71",
    ],
)
def test_a_way_that_breaks_off_cannot_be_mended_meanwhile(
    engine_url: str, tmp_path: Path, change: str
) -> None:
    """Every link is declared, so no table is locked: what there is of a way has to be."""
    policy = tmp_path / "retention.yaml"
    policy.write_text(HEAD.replace("call.", "form.") + FORMS)
    run(engine_url, CUSTOMERS, TWO, *FORM_TABLES)
    with ready(engine_url, policy) as bulk, begin(bulk.connection, lock=True):
        bulk.scope_to(rows={"form": [(61,), (62,)], "copy": [(91,)]})
        lock_rows(bulk.connection, bulk.catalogue, bulk.work.row_scopes)
        assert waits(engine_url, change)
    assert not waits(engine_url, change)


@SERVERS
def test_a_row_between_a_subject_and_another_cannot_be_handed_to_a_third(
    engine_url: str, policy: Path
) -> None:
    run(engine_url, CUSTOMERS, TWO, *(statement.format(**LINKS) for statement in TABLES))
    between = (
        "DROP TABLE sent_in",
        SENT_IN,
        "INSERT INTO sent_in VALUES (1, 31, 1), (2, 31, NULL), (3, NULL, 1)",
    )
    run(
        engine_url,
        *between,
        "CREATE INDEX i3 ON sent_in (repair_id)",
        "CREATE INDEX i4 ON sent_in (customer_id)",
    )
    for change in ("customer_id = 2 WHERE id = 2", "repair_id = 32 WHERE id = 3"):
        with ready(engine_url, policy) as bulk, begin(bulk.connection, lock=True):
            lock_customer_1(bulk)
            assert waits(engine_url, f"UPDATE sent_in SET {change}"), change
        assert not waits(engine_url, f"UPDATE sent_in SET {change}")


@SERVERS
def test_a_batch_of_everything_lets_nobody_write(url: str, policy: Path) -> None:
    with ready(url, policy) as bulk, begin(bulk.connection, lock=True):
        lock_everything(bulk.connection, bulk.catalogue)
        assert {name for name, statement in MEDDLING.items() if not waits(url, statement)} == set()

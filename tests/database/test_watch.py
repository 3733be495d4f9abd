"""Whether the engine can tell that nobody else has written: never a wrong yes. PostgreSQL and MariaDB with servers of
their own, as on those of the other tests somebody always writes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from engines.talk import as_user, run, speaking

from staffords_gdpr.database.connection import Watch, begin, connect, watch
from staffords_gdpr.database.engines.mariadb_watch import PATIENCE

MADE = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id))",
    "INSERT INTO customers VALUES (1, 'One'), (2, 'Two')",
    "INSERT INTO calls VALUES (11, 1), (12, 2)",
)
CHANGES = (
    "INSERT INTO calls VALUES (13, 2)",
    "UPDATE calls SET customer_id = 2 WHERE id = 11",
    "DELETE FROM calls WHERE id = 11",
)


@contextmanager
def our_own(url: str) -> Iterator[sa.Connection]:
    engine = connect(url, write=True)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def watching(connection: sa.Connection) -> Callable[[], bool] | None:
    """What the only connection of a run is told."""
    told = watch([connection])
    return None if told is None else told[0].unchanged


def tells_of_changes(url: str) -> None:
    for change in CHANGES:
        run(url, "DROP TABLE IF EXISTS calls", "DROP TABLE IF EXISTS customers", *MADE)
        with our_own(url) as connection:
            with begin(connection, lock=False):
                unchanged = watching(connection)
                assert unchanged is not None
                assert connection.exec_driver_sql("SELECT count(*) FROM calls").scalar_one() == 2
            with begin(connection, lock=True):  # our own changes, committed ones, too
                connection.exec_driver_sql("CREATE TEMPORARY TABLE work (id INTEGER PRIMARY KEY)")
                connection.exec_driver_sql("INSERT INTO work SELECT id FROM calls")
                connection.exec_driver_sql("DELETE FROM calls WHERE id = 12")
                assert unchanged()
            with speaking(url) as reader:
                reader.exec_driver_sql("SELECT max(name) FROM customers GROUP BY id ORDER BY 1").all()
            with begin(connection, lock=True):
                assert unchanged()
            run(url, change)
            with begin(connection, lock=True):
                assert not unchanged()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_sqlite_tells(engine_url: str) -> None:
    tells_of_changes(engine_url)


def test_mariadb_tells(alone: str) -> None:
    tells_of_changes(alone)


def test_postgresql_tells(quiet: str) -> None:
    tells_of_changes(quiet)


@contextmanager
def two_that_watch(url: str) -> Iterator[list[tuple[sa.Connection, Watch]]]:
    """Two connections of a run."""
    run(url, *MADE)
    engine = connect(url, write=True)
    with engine.connect() as one, engine.connect() as other:
        told = watch([one, other])
        assert told is not None
        one.commit()
        other.commit()
        yield [(one, told[0]), (other, told[1])]
    engine.dispose()


def test_the_connections_of_a_run_are_not_somebody_else(quiet: str) -> None:
    with two_that_watch(quiet) as [(one, here), (other, there)]:
        with begin(one, lock=True), begin(other, lock=True):
            other.exec_driver_sql("UPDATE customers SET name = 'Due' WHERE id = 2")
            one.exec_driver_sql("UPDATE customers SET name = 'Eins' WHERE id = 1")
            assert here.unchanged()
        with begin(other, lock=True):
            assert there.unchanged()
        with one.engine.connect() as third, begin(third, lock=True):
            third.exec_driver_sql(CHANGES[0])
        for connection, watching_it in ((one, here), (other, there)):
            with begin(connection, lock=True):
                assert not watching_it.unchanged(), "that one does not watch"


@pytest.mark.parametrize("asks", [True, False])
def test_on_mariadb_the_connections_of_a_run_take_turns_to_write(alone: str, asks: bool) -> None:
    with two_that_watch(alone) as [(one, here), (other, there)]:
        seen = []
        with begin(one, lock=True):
            if asks:
                assert here.unchanged()
            else:
                here.writing()
            one.exec_driver_sql("DELETE FROM calls WHERE id = 11")

            def write() -> None:
                with begin(other, lock=True):
                    seen.append(there.unchanged())
                    other.exec_driver_sql("DELETE FROM calls WHERE id = 12")

            writing = threading.Thread(target=write)
            writing.start()
            time.sleep(0.2)
            assert not seen, "it waits until the other has noted what it has written"
        writing.join()
        assert seen == [True]
        with begin(one, lock=True):
            assert here.unchanged()
        with begin(other, lock=True):  # what is rolled back was written, too
            assert there.unchanged()
            other.exec_driver_sql("UPDATE customers SET name = 'Due' WHERE id = 2")
            other.rollback()
        with begin(one, lock=True):
            assert here.unchanged()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("ends", ["commit", "rollback", "not yet"])
def test_on_mariadb_each_connection_of_a_run_is_told_of_changes(alone: str, change: str, ends: str) -> None:
    with two_that_watch(alone) as both, speaking(alone) as operator:
        for connection, here in both:
            with begin(connection, lock=True):
                assert here.unchanged()
                connection.exec_driver_sql("UPDATE customers SET name = concat(name, '.')")
        operator.exec_driver_sql(change)
        if ends != "not yet":
            getattr(operator, ends)()
        for connection, here in both:
            with begin(connection, lock=True):
                assert not here.unchanged()
                connection.exec_driver_sql("CREATE TEMPORARY TABLE work (id INTEGER PRIMARY KEY)")
                assert not here.unchanged()


def test_on_mariadb_nobody_waits_for_another_once_somebody_else_has_written(alone: str) -> None:
    with two_that_watch(alone) as [(one, here), (other, there)]:
        run(alone, CHANGES[1])
        with begin(one, lock=True):
            assert not here.unchanged()
            one.exec_driver_sql("DELETE FROM calls WHERE id = 11")
            before = time.monotonic()
            with begin(other, lock=True):
                assert not there.unchanged()
            assert time.monotonic() - before < PATIENCE / 2


def test_on_mariadb_what_another_connection_of_ours_has_not_noted_is_taken_for_somebody_elses(
    alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffords_gdpr.database.engines.mariadb_watch.PATIENCE", 0.1)
    with two_that_watch(alone) as [(one, here), (other, there)]:
        with begin(one, lock=True):
            one.exec_driver_sql("DELETE FROM calls WHERE id = 11")
            with begin(other, lock=True):
                assert not there.unchanged(), "written without asking"
        with begin(one, lock=True):
            assert here.unchanged(), "itself it knows what it has written"
            one.exec_driver_sql("DELETE FROM calls WHERE id = 12")
            with begin(other, lock=True):
                assert not there.unchanged(), "not ended in time"
        with begin(other, lock=True):
            assert there.unchanged()


def test_a_connection_that_was_lost_is_not_ours_any_more(quiet: str) -> None:
    """The server may give its number to somebody else."""
    run(quiet, *MADE)
    engine = connect(quiet, write=True)
    with engine.connect() as one, engine.connect() as other:
        watch([one, other])
        for connection in (one, other):
            connection.commit()
        known = one.info["gdpr_numbers"].processes
        assert len(known) == 2
        run(quiet, f"SELECT pg_terminate_backend({other.info['gdpr_process']})")
        with pytest.raises(sa.exc.OperationalError):
            other.exec_driver_sql("SELECT 1")
        other.rollback()
        assert known == {one.info["gdpr_process"]}
    engine.dispose()


def test_what_goes_on_elsewhere_is_not_told_before_it_ends(quiet: str) -> None:
    """Until then nobody sees it."""
    run(quiet, *MADE)
    with our_own(quiet) as connection, speaking(quiet) as operator:
        unchanged = watching(connection)
        assert unchanged is not None
        connection.commit()
        operator.exec_driver_sql(CHANGES[0])
        assert watching(connection) is not None, "the next number is not given out for others to see"
        with speaking(quiet) as another:
            another.exec_driver_sql(CHANGES[1])
            another.commit()
        assert not unchanged()
        connection.commit()
        assert watching(connection) is None, "what has begun before could be seen only after the decision"
        connection.commit()
        operator.commit()
        assert watching(connection) is not None
        assert not unchanged()


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE other (id INTEGER)",),
        ("TRUNCATE calls",),
        ("ALTER TABLE calls ADD COLUMN note INTEGER",),
        ("SAVEPOINT a", CHANGES[0], "RELEASE SAVEPOINT a"),
        ("SELECT * FROM customers FOR KEY SHARE",),
    ],
)
def test_whatever_takes_a_number_may_be_a_change(quiet: str, statements: tuple[str, ...]) -> None:
    run(quiet, *MADE)
    with our_own(quiet) as connection:
        unchanged = watching(connection)
        connection.commit()
        run(quiet, *statements)
        assert unchanged is not None
        assert not unchanged()


def test_a_transaction_of_ours_that_failed_is_taken_for_somebody_elses(quiet: str) -> None:
    run(quiet, *MADE)
    with our_own(quiet) as connection:
        unchanged = watching(connection)
        connection.commit()
        failing = begin(connection, lock=True)
        connection.exec_driver_sql("DELETE FROM calls")
        with pytest.raises(sa.exc.IntegrityError):
            connection.exec_driver_sql("INSERT INTO customers VALUES (1, 'One')")
        failing.rollback()
        assert unchanged is not None
        with begin(connection, lock=True):
            assert not unchanged()


def test_nothing_is_told_where_another_server_keeps_a_table(quiet: str) -> None:
    run(
        quiet,
        *MADE,
        "CREATE FOREIGN DATA WRAPPER far",
        "CREATE SERVER away FOREIGN DATA WRAPPER far",
        "CREATE FOREIGN TABLE models (id INTEGER) SERVER away",
    )
    with our_own(quiet) as connection:
        assert watching(connection) is None


@pytest.mark.parametrize(
    "statement",
    [
        "RENAME TABLE calls TO old, other TO calls",
        "TRUNCATE calls",
        "ALTER TABLE calls ADD COLUMN note INTEGER",
    ],
)
def test_a_table_that_was_replaced_is_a_change(alone: str, statement: str) -> None:
    run(alone, *MADE, "CREATE TABLE other AS SELECT 21 AS id, 1 AS customer_id")
    with our_own(alone) as connection:
        unchanged = watching(connection)
        connection.commit()
        run(alone, statement)
        assert unchanged is not None
        assert not unchanged()


def test_what_others_have_begun_and_not_ended_cannot_be_told(alone: str) -> None:
    """They could commit after our decision, and no counter would rise any more."""
    run(alone, *MADE)
    with our_own(alone) as connection:
        with speaking(alone) as operator:
            operator.exec_driver_sql(CHANGES[0])
            assert watching(connection) is None
            operator.commit()
            assert watching(connection) is not None
        with speaking(alone) as operator:
            for statement in ("XA START 'x'", CHANGES[1], "XA END 'x'", "XA PREPARE 'x'"):
                operator.exec_driver_sql(statement)
            assert watching(connection) is None
            operator.exec_driver_sql("XA COMMIT 'x'")
            assert watching(connection) is not None


def test_an_insert_that_waits_for_a_lock_cannot_be_told(alone: str) -> None:
    """It was counted before it began to wait, and writes afterwards."""
    run(alone, *MADE)
    with our_own(alone) as connection, speaking(alone) as holder:
        holder.exec_driver_sql("SELECT * FROM customers WHERE id = 2 FOR UPDATE").all()
        waiting = threading.Thread(target=run, args=(alone, CHANGES[0]))
        waiting.start()
        asked = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
        while not connection.exec_driver_sql(asked).scalar_one():
            time.sleep(0.2)  # asked more often, InnoDB does not look again
        assert watching(connection) is None
        holder.rollback()
        waiting.join()
        assert watching(connection) is not None


def test_nothing_can_be_told_where_events_are_carried_out(alone: str) -> None:
    """What one has written is not counted for a moment when it has ended."""
    run(alone, *MADE, "SET GLOBAL event_scheduler = ON")
    with our_own(alone) as connection:
        try:
            assert watching(connection) is None
        finally:
            run(alone, "SET GLOBAL event_scheduler = OFF")
        assert watching(connection) is not None


def test_who_may_have_one_connection_only_is_not_told(alone: str) -> None:
    run(
        alone,
        *MADE,
        "CREATE OR REPLACE USER clerk@localhost WITH MAX_USER_CONNECTIONS 1",
        "GRANT SELECT, DELETE, CREATE TEMPORARY TABLES ON alone.* TO clerk@localhost",
        "GRANT PROCESS ON *.* TO clerk@localhost",
    )
    engine = sa.create_engine(as_user(alone, "clerk"))
    with engine.connect() as connection:
        assert watching(connection) is None
        assert connection.exec_driver_sql("SELECT count(*) FROM calls").scalar_one() == 2
    engine.dispose()


def test_who_may_not_see_others_is_not_told(alone: str) -> None:
    run(
        alone,
        *MADE,
        "CREATE OR REPLACE USER clerk@localhost",
        "GRANT SELECT, DELETE, CREATE TEMPORARY TABLES ON alone.* TO clerk@localhost",
    )
    with our_own(as_user(alone, "clerk")) as connection:
        assert watching(connection) is None

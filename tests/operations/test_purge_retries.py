"""What others are in the way of is tried again, then put off; the run goes on with the rest, and says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.talk import rows, run, speaking
from purge_office import NOW, Firm, after_the_purge, other_connection
from purge_servers import firm_on, tables_on

from staffords_gdpr.database import connection as connection_module
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import DatabaseError
from staffords_gdpr.operations.purge import retries

SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
WAITING = {
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    "mariadb": "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}


def operator(url: str, name: str, begun: threading.Event) -> None:
    """Somebody who has a call of customer 7 under way, and takes up the customer once the purge waits for the call.

    The server ends one of the two. Who has waited for long (PostgreSQL) or changed much (MariaDB) is spared.
    """
    with speaking(url) as connection:
        if name == "postgresql":
            connection.exec_driver_sql("SET deadlock_timeout = '1h'")
        connection.exec_driver_sql("UPDATE calls SET reason = 'talking' WHERE id = 8")
        for number in range(500 if name == "mariadb" else 0):
            connection.exec_driver_sql(f"INSERT INTO prices VALUES ({number + 100}, 1)")
        begun.set()
        until = time.monotonic() + 60
        while not rows(url, WAITING[name]):
            assert time.monotonic() < until, "the purge never waited for the call"
            time.sleep(
                0.2
            )  # MariaDB shows what it showed before to whoever asks again within a tenth of a second
        connection.exec_driver_sql("UPDATE customers SET name = 'still here' WHERE id = 7")
        connection.rollback()


@SERVERS
def test_a_batch_that_a_deadlock_has_ended_is_tried_again(
    engine_url: str, engine_name: str, tmp_path: Path
) -> None:
    firm = firm_on(engine_url, engine_name, tmp_path)
    nobodys = {"calls": (9, 10), "payments": (4, 5), "consignments": (4,), "repairs": (3,)}
    run(engine_url, *(f"DELETE FROM {name} WHERE id = {key}" for name in nobodys for key in nobodys[name]))
    before = tables_on(engine_url)
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(operator, engine_url, engine_name, begun)
        begun.wait()
        result = firm.purge()
        other.result()  # it was not the one to be ended
    assert (result.result, result.put_off) == ("complete", 0)
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()


@pytest.mark.parametrize(
    "engine_name", ["postgresql"], indirect=True
)  # MariaDB reads tables this small whole
def test_a_batch_whose_rows_somebody_keeps_locked_is_put_off_and_the_others_go(
    engine_url: str, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "PAUSES", ())
    firm = firm_on(engine_url, engine_name, tmp_path)
    before = tables_on(engine_url)
    with speaking(engine_url) as somebody:
        somebody.exec_driver_sql("UPDATE customers SET name = 'still here' WHERE id = 7")
        result = firm.purge(batch_size=1, confirm=30)
        somebody.rollback()
    assert (result.result, result.ended, result.put_off) == ("put-off", "done", 1)
    assert result.needs_person
    assert result.left == 1
    assert set(before["customers"]) - set(tables_on(engine_url)["customers"]) == {1, 3}
    end = firm.the("purge.end").fields
    assert (end["result"], end["rows"]) == ("put-off", result.erased)
    assert end["confirm"] == 30 - result.subjects_affected - 3  # and three rows of nobody
    firm.assert_settled()
    firm.purge(NOW.replace(hour=5))
    assert tables_on(engine_url) == after_the_purge(before)


@pytest.fixture
def firm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    monkeypatch.setattr(connection_module, "BUSY_SECONDS", 0.05)
    firm = Firm.open(tmp_path)
    firm.engine = connect(f"sqlite:///{firm.database}", write=True)
    yield firm
    firm.assert_settled()


def test_what_is_locked_for_a_moment_is_erased_all_the_same(firm: Firm) -> None:
    before = firm.tables()
    with closing(other_connection(firm)) as other:
        other.execute("BEGIN IMMEDIATE")
        asked = count()

        def let_go() -> bool:
            """The run asks this before each batch and each new try."""
            if next(asked) == 2 and other.in_transaction:
                other.execute("ROLLBACK")
            return False

        assert firm.purge(stop=let_go).result == "complete"
    assert firm.tables() == after_the_purge(before)


def test_a_database_in_which_no_batch_goes_through_ends_the_run(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "PAUSES", (0.0,))
    before = firm.tables()
    with closing(other_connection(firm)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked by another program"):
            firm.purge(batch_size=1)
    assert firm.tables() == before
    assert firm.the("purge.end").fields["result"] == "stopped"


def test_an_error_that_will_not_pass_is_not_tried_again(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PAUSES", (3600.0,))
    firm.sql("CREATE TRIGGER t BEFORE DELETE ON customers BEGIN SELECT RAISE(ABORT, 'no'); END")
    firm.approve(NOW)
    with pytest.raises(DatabaseError):
        firm.purge()
    firm.the("purge.aborted")


@SERVERS
def test_a_batch_is_limited_by_the_server_and_what_is_no_batch_is_not(
    engine_url: str, engine_name: str, tmp_path: Path
) -> None:
    """Nobody waits for long for what a batch has locked, also where this machine has died."""
    limits = {
        "postgresql": "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), "
        "current_setting('idle_in_transaction_session_timeout')",
        "mariadb": "SELECT @@innodb_lock_wait_timeout, @@max_statement_time, @@idle_write_transaction_timeout",
    }[engine_name]

    def seen(connection: sa.Connection, *, short: bool) -> tuple[str, ...]:
        with connection_module.begin(connection, lock=True, short=short):
            return tuple(str(each) for each in connection.exec_driver_sql(limits).one())

    engine = connect(engine_url, write=True)
    with engine.connect() as connection:
        usual, short = seen(connection, short=False), seen(connection, short=True)
        assert (
            short
            == {
                "postgresql": ("3s", "1min", "1min"),
                "mariadb": ("3", "60.0", "60"),
            }[engine_name]
        )
        assert usual == seen(connection, short=False) != short
        stricter = {"postgresql": "SET statement_timeout = '7s'", "mariadb": "SET @gdpr_statement = 7"}
        connection.exec_driver_sql(stricter[engine_name])
        connection.commit()
        assert seen(connection, short=True)[1] in ("7s", "7.0")

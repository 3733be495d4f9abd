"""What every engine promises alike: reading changes nothing, errors come in words, values come as they are stored."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from engines.talk import as_user, rows, run, speaking

from staffords_gdpr.database import connection as connection_module
from staffords_gdpr.database.connection import begin, changes_so_far, connect, connected
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.engines.mariadb import MariaDB
from staffords_gdpr.database.engines.postgresql_relatives import refuse_relative
from staffords_gdpr.database.schema import reflect_table
from staffords_gdpr.errors import DatabaseError, UsageError

TABLES = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40))",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER, "  # noqa: ISC004
    "FOREIGN KEY (customer_id) REFERENCES customers (id))",
    "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob')",
    "INSERT INTO calls VALUES (11, 1)",
)
ONLY_SERVERS = pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
ONLY_POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
ONLY_MARIADB = pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)


@pytest.fixture
def url(engine_url: str) -> str:
    run(engine_url, *TABLES)
    return engine_url


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "BUSY_SECONDS", 1)


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM calls", "UPDATE calls SET customer_id = NULL", "CREATE TABLE x (a INTEGER)", "DROP TABLE calls"],
)  # fmt: skip
def test_a_connection_for_reading_cannot_change_anything(url: str, statement: str) -> None:
    refused = pytest.raises(DatabaseError, match="for reading only")
    with refused, connected(connect(url, write=False)) as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE gdpr_work_a (k INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(statement)
    assert rows(url, "SELECT id, customer_id FROM calls") == [(11, 1)]


def test_a_connection_for_reading_works_in_tables_of_its_own(url: str) -> None:
    with connected(connect(url, write=False)) as connection:
        for name in ("gdpr_work_a", "gdpr_work_b"):
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} (k INTEGER PRIMARY KEY)")
            connection.exec_driver_sql(f"INSERT INTO {name} SELECT id FROM customers")
            connection.exec_driver_sql(f"DELETE FROM {name} WHERE k = 2")
            assert connection.exec_driver_sql(f"SELECT k FROM {name}").all() == [(1,)]


@ONLY_SERVERS
def test_a_connection_that_may_write_does_not_while_it_reads(url: str) -> None:
    refused = pytest.raises(DatabaseError, match="for reading only")
    with refused, connected(connect(url, write=True)) as connection:
        with begin(connection, lock=True):
            connection.exec_driver_sql("UPDATE customers SET name = 'Eve' WHERE id = 2")
        with begin(connection, lock=False):
            connection.exec_driver_sql("DELETE FROM calls")
    assert rows(url, "SELECT count(*) FROM calls") == [(1,)]
    assert rows(url, "SELECT name FROM customers WHERE id = 2") == [("Eve",)]


@ONLY_POSTGRESQL
def test_postgresql_reads_rows_as_they_were_at_the_beginning(url: str) -> None:
    with connected(connect(url, write=False)) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM calls").scalar_one() == 1
        run(url, "INSERT INTO calls VALUES (12, 2)")
        connection.exec_driver_sql("CREATE TEMPORARY TABLE gdpr_work_a (k INTEGER)")
        assert connection.exec_driver_sql("SELECT count(*) FROM calls").scalar_one() == 1


@ONLY_MARIADB
def test_reading_mariadb_stops_no_operator(url: str) -> None:
    with connected(connect(url, write=False)) as connection, speaking(url) as operator:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE gdpr_work_a (k INTEGER)")
        connection.exec_driver_sql("INSERT INTO gdpr_work_a SELECT id FROM customers")
        operator.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 1")
        operator.exec_driver_sql("UPDATE customers SET name = 'Eve' WHERE id = 2")
        operator.commit()


# -- many rows -----------------------------------------------------------------------------------------------------


def test_plain_rows_are_what_the_driver_gives(url: str) -> None:
    columns = sa.column("id", sa.Integer), sa.column("name", sa.String)
    table = sa.table("customers", *columns)
    with connected(connect(url, write=False)) as connection:
        backend = backend_of(connection)
        for query in (sa.select(columns[0]), sa.select(columns[1]), sa.select(*columns)):
            rows = backend.plain_rows(connection, query.select_from(table).order_by(columns[0]), {})
            assert rows == tuple(map(tuple, connection.execute(query.select_from(table)).all()))
        assert (
            backend.plain_rows(connection, sa.select(columns[0]).select_from(table).where(columns[0] > 2), {})
            == ()
        )


@ONLY_MARIADB
def test_mariadb_gives_all_numbers_whole_however_short_its_texts_must_be(url: str) -> None:
    run(
        url,
        "DELETE FROM calls",
        "DELETE FROM customers",
        "INSERT INTO customers (id) SELECT seq FROM seq_95_to_105",
    )
    number = sa.column("id", sa.Integer)
    with connected(connect(url, write=False)) as connection:
        for longest in range(4, 60):
            connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {longest}")
            rows = backend_of(connection).plain_rows(
                connection, sa.select(number).select_from(sa.table("customers")), {}
            )
            assert sorted(rows) == [(key,) for key in range(95, 106)]


# -- counting ------------------------------------------------------------------------------------------------------


@pytest.fixture
def writing(url: str) -> Iterator[sa.Connection]:
    with connected(connect(url, write=True)) as connection:
        yield connection


def changed(connection: sa.Connection, *statements: str) -> int:
    """How many rows were changed by statements in a transaction that is rolled back."""
    with begin(connection, lock=True) as transaction:
        before = changes_so_far(connection)
        for statement in statements:
            connection.exec_driver_sql(statement)
        counted = changes_so_far(connection) - before
        transaction.rollback()
    return counted


def test_every_changed_row_is_counted(writing: sa.Connection) -> None:
    assert changed(writing, "DELETE FROM calls", "UPDATE customers SET name = 'x'") == 3
    assert changed(writing, "DELETE FROM calls WHERE id = 0") == 0


@ONLY_POSTGRESQL
def test_postgresql_counts_the_rows_of_cascades_and_triggers(url: str, writing: sa.Connection) -> None:
    run(
        url,
        "CREATE TABLE parts (id INTEGER, call_id INTEGER REFERENCES calls (id) ON DELETE CASCADE)",
        "INSERT INTO parts VALUES (1, 11), (2, 11)",
        "CREATE TABLE history (id INTEGER)",
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO history VALUES (old.id); RETURN old; END'",
        "CREATE TRIGGER keep_call BEFORE DELETE ON calls FOR EACH ROW EXECUTE FUNCTION keep()",
    )
    assert changed(writing, "DELETE FROM calls") == 1 + 2 + 1


@ONLY_POSTGRESQL
def test_postgresql_is_not_written_to_where_it_does_not_count(url: str) -> None:
    name = sa.make_url(url).database
    run(url, f"ALTER DATABASE {name} SET track_counts = off")
    with connected(connect(url, write=True)) as connection:
        with begin(connection, lock=False):
            pass
        with pytest.raises(DatabaseError, match="track_counts is off"):
            begin(connection, lock=True)


@ONLY_MARIADB
def test_mariadb_counts_the_rows_of_triggers(url: str, writing: sa.Connection) -> None:
    run(
        url,
        "CREATE TABLE history (id INTEGER)",
        "CREATE TRIGGER keep_call BEFORE DELETE ON calls FOR EACH ROW INSERT INTO history VALUES (old.id)",
    )
    assert changed(writing, "DELETE FROM calls") == 1 + 1


# -- errors --------------------------------------------------------------------------------------------------------


@ONLY_SERVERS
def test_a_server_that_is_not_there_is_an_answer(engine_url: str) -> None:
    gone = sa.make_url(engine_url).set(host="localhost", port=1, query={})
    with pytest.raises(DatabaseError, match="cannot be reached"):
        connect(gone.render_as_string(hide_password=False), write=False)


@ONLY_SERVERS
def test_an_unknown_database_is_named(engine_url: str) -> None:
    unknown = sa.make_url(engine_url).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(DatabaseError, match=r"nowhere.* is no database"):
        connect(unknown, write=False)


@ONLY_SERVERS
def test_a_url_without_a_database_is_refused(engine_url: str) -> None:
    with pytest.raises(UsageError, match="names no database"):
        connect(sa.make_url(engine_url).set(database="").render_as_string(hide_password=False), write=False)


@ONLY_MARIADB
def test_a_wrong_password_is_said_and_not_shown(engine_url: str) -> None:
    run(engine_url, "CREATE OR REPLACE USER clerk@localhost IDENTIFIED BY 'right'")
    with pytest.raises(DatabaseError, match="refused the user or the password") as refused:
        connect(as_user(engine_url, "clerk", "wr0ng"), write=False)
    assert "wr0ng" not in str(refused.value)


@ONLY_POSTGRESQL
def test_an_unknown_user_is_said_and_no_password_shown(engine_url: str) -> None:
    with pytest.raises(DatabaseError, match="does not let this user in") as refused:
        connect(f"{as_user(engine_url, 'nobody', 'wr0ng')}&password=wr0ng", write=False)
    assert "wr0ng" not in str(refused.value)


@ONLY_SERVERS
def test_what_a_user_may_not_do_is_said(url: str, engine_name: str) -> None:
    if engine_name == "mariadb":
        name = sa.make_url(url).database
        run(url, "CREATE OR REPLACE USER clerk@localhost", f"GRANT SELECT ON {name}.* TO clerk@localhost")
    else:
        run(url, "DROP ROLE IF EXISTS clerk", "CREATE ROLE clerk LOGIN", "GRANT SELECT ON calls TO clerk")
    engine = connect(as_user(url, "clerk"), write=True)
    with pytest.raises(DatabaseError, match="does not permit this user"), connected(engine) as connection:
        connection.exec_driver_sql("DELETE FROM calls")
    if engine_name == "postgresql":
        run(url, "DROP OWNED BY clerk", "DROP ROLE clerk")


@pytest.mark.usefixtures("impatient")
def test_waiting_for_somebody_elses_lock_ends(url: str, engine_name: str) -> None:
    ours = connect(url, write=True)
    with speaking(url) as operator:
        if engine_name == "sqlite":
            operator.exec_driver_sql("BEGIN IMMEDIATE")
        operator.exec_driver_sql("UPDATE calls SET customer_id = 2")
        refused = pytest.raises(DatabaseError, match="is locked by another program")
        with refused, connected(ours) as connection, begin(connection, lock=True):
            connection.exec_driver_sql("DELETE FROM calls")


@ONLY_SERVERS
def test_values_of_rows_are_never_quoted(url: str) -> None:
    run(url, "CREATE UNIQUE INDEX one_name ON customers (name)")
    with pytest.raises(DatabaseError) as refused, connected(connect(url, write=True)) as connection:
        connection.exec_driver_sql("INSERT INTO customers VALUES (3, 'Ada')")
    assert "Ada" not in str(refused.value)


@pytest.mark.parametrize(("scheme", "driver"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
def test_a_missing_driver_is_named_with_what_to_install(
    scheme: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == driver]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DatabaseError, match=r"driver for .* is not installed") as missing:
        connect(f"{scheme}://localhost/calls", write=False)
    assert "pip install 'staffords-gdpr[" in missing.value.hint


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2", "postgres"])
@ONLY_POSTGRESQL
def test_any_spelling_of_postgresql_will_do(engine_url: str, scheme: str) -> None:
    url = engine_url.replace("postgresql+psycopg:", f"{scheme}:")
    assert connect(url, write=False).driver == "psycopg"


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mariadb+mariadbconnector"])
@ONLY_MARIADB
def test_any_spelling_of_mariadb_will_do(engine_url: str, scheme: str) -> None:
    assert connect(engine_url.replace("mysql+pymysql:", f"{scheme}:"), write=False).driver == "pymysql"


@ONLY_MARIADB
def test_mysql_is_refused_by_name(engine_url: str) -> None:
    with connected(connect(engine_url, write=False)) as connection:
        connection.dialect.is_mariadb = False  # as SQLAlchemy has it from the server's version
        with pytest.raises(UsageError, match="MySQL is not supported"):
            MariaDB().probe(connection)


# -- values --------------------------------------------------------------------------------------------------------

ODD_DATES = {
    "postgresql": ("DATE", ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01", "2024-02-29"]),
    "mariadb": ("DATE", ["0000-00-00", "2024-00-00", "2024-02-00", "2024-02-29"]),
}


@ONLY_SERVERS
def test_dates_that_python_does_not_have_come_and_go_as_text(engine_url: str, engine_name: str) -> None:
    kind, values = ODD_DATES[engine_name]
    run(engine_url, f"CREATE TABLE odd (day {kind} PRIMARY KEY)")
    with connected(connect(engine_url, write=True)) as connection:
        table = reflect_table(connection, "odd")
        connection.execute(sa.insert(table), [{"day": value} for value in values])
        stored = [row[0] for row in connection.execute(sa.select(table.c.day))]
        assert sorted(stored) == sorted(values)
        for value in stored:
            assert connection.execute(sa.delete(table).where(table.c.day == value)).rowcount == 1


@pytest.mark.parametrize(
    "version",
    [
        "CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15 21:28:29, go1.22.2)",
        "PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 16.0.6",
        "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.12103",
        "Something 1.0",
    ],
)
def test_what_only_speaks_like_postgresql_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match="is not supported"):
        refuse_relative(version)

"""What is read of a database's schema, in the words of each engine."""

from __future__ import annotations

from engines.servers import Servers
from engines.talk import run
from test_engines import ONLY_MARIADB, ONLY_POSTGRESQL

from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.database.facts import Family, ForeignKey, Outside
from staffords_gdpr.database.schema import Schema, find_name, read_schema, reflect_table

CUSTOMERS = """CREATE TABLE customers (id INTEGER NOT NULL PRIMARY KEY, number VARCHAR(12) NOT NULL UNIQUE,
    name VARCHAR(40) DEFAULT 'x', registered_at TIMESTAMP NULL, born DATE, CHECK (id > 0))"""
CALLS = """CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, received_at TIMESTAMP NULL,
    FOREIGN KEY (customer_id) REFERENCES customers (id))"""


def schema_of(url: str, *statements: str) -> Schema:
    run(url, *statements)
    with connected(connect(url, write=False)) as connection:
        return read_schema(connection)


def test_the_plain_facts_are_the_same_on_every_engine(engine_url: str) -> None:
    schema = schema_of(engine_url, CUSTOMERS, CALLS, "CREATE INDEX by_customer ON calls (customer_id, id)")
    assert set(schema.tables) == {"customers", "calls"}
    customers, calls = schema.tables["customers"], schema.tables["calls"]
    assert customers.key == ("id",)
    assert set(customers.unique) == {frozenset({"id"}), frozenset({"number"})}
    assert list(customers.columns) == ["id", "number", "name", "registered_at", "born"]
    assert set(customers.not_null) == {"id", "number"}
    assert customers.details["number"].length == 12
    assert customers.details["name"].has_default
    assert not customers.details["born"].has_default
    assert [customers.details[c].family for c in ("id", "name", "born")] == [
        Family.NUMBER, Family.TEXT, Family.DAY,
    ]  # fmt: skip
    assert len(customers.checks) == 1
    assert calls.foreign_keys == (ForeignKey("calls", ("customer_id",), "customers", ("id",), "NO ACTION"),)
    assert calls.indexed(frozenset({"customer_id"}))
    assert not calls.indexed(frozenset({"received_at"}))
    assert (schema.triggers, schema.views, schema.outside) == ((), (), ())


def test_an_index_over_some_rows_or_over_expressions_says_nothing_of_a_column(
    engine_url: str, engine_name: str
) -> None:
    statements = {
        "sqlite": ("CREATE UNIQUE INDEX a ON calls (customer_id) WHERE id > 5",
                   "CREATE UNIQUE INDEX b ON calls (id + customer_id)"),
        "postgresql": ("CREATE UNIQUE INDEX a ON calls (customer_id) WHERE id > 5",
                       "CREATE UNIQUE INDEX b ON calls ((id + customer_id))"),
        "mariadb": ("ALTER TABLE calls ADD COLUMN reason VARCHAR(50)", "CREATE UNIQUE INDEX a ON calls (reason(3))"),
    }  # fmt: skip
    no_key = "CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER)"
    calls = schema_of(engine_url, no_key, *statements[engine_name]).tables["calls"]
    assert calls.unique == (frozenset({"id"}),)
    assert calls.indexes == (("id",),)


def test_a_trigger_is_read_with_its_table_and_changes_the_fingerprint(
    engine_url: str, engine_name: str
) -> None:
    before = schema_of(engine_url, CUSTOMERS)
    body = {
        "sqlite": ("CREATE TRIGGER keep AFTER DELETE ON customers BEGIN SELECT 1; END",),
        "postgresql": (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'",
            "CREATE TRIGGER keep BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION f()",
        ),
        "mariadb": ("CREATE TRIGGER keep AFTER DELETE ON customers FOR EACH ROW SET @a = 1",),
    }
    after = schema_of(engine_url, *body[engine_name])
    assert [(trigger.name, trigger.table) for trigger in after.trigger_facts] == [("keep", "customers")]
    assert after.fingerprint != before.fingerprint


def test_the_identity_tells_two_databases_of_one_server_apart_and_is_lasting(
    engine_name: str, servers: Servers
) -> None:
    first, second = servers.fresh(engine_name), servers.fresh(engine_name)
    assert schema_of(first).identity == schema_of(first).identity != schema_of(second).identity


@ONLY_POSTGRESQL
def test_tables_that_hold_rows_in_other_ways_are_told(engine_url: str) -> None:
    schema = schema_of(
        engine_url,
        "CREATE TABLE parts (id INTEGER, day DATE, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE TABLE parts_2020 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
        "CREATE TABLE base (id INTEGER PRIMARY KEY)",
        "CREATE TABLE more (x INTEGER) INHERITS (base)",
        "CREATE TABLE hidden (id INTEGER PRIMARY KEY)",
        "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
        "CREATE VIEW shown AS SELECT id FROM base",
    )
    kinds = {name: (table.stored.kind, table.stored.row_security) for name, table in schema.tables.items()}
    assert kinds == {
        "parts": ("partitioned", False),
        "base": ("inherited", False),
        "more": ("table", False),
        "hidden": ("table", True),
    }
    assert schema.views == ("shown",)


@ONLY_POSTGRESQL
def test_foreign_keys_from_other_schemas_are_seen(engine_url: str) -> None:
    billing = "CREATE TABLE billing.invoices (id INTEGER, customer INTEGER REFERENCES customers (id))"
    schema = schema_of(engine_url, CUSTOMERS, "CREATE SCHEMA billing", billing)
    assert schema.outside == (Outside("billing.invoices", ("customer",), "customers", ("id",)),)
    assert set(schema.tables) == {"customers"}


@ONLY_POSTGRESQL
def test_postgresql_columns_say_what_they_are(engine_url: str) -> None:
    types = schema_of(
        engine_url,
        "CREATE TYPE mood AS ENUM ('a', 'b')",
        "CREATE DOMAIN surname AS VARCHAR(30) NOT NULL",
        # the wheel is built without ICU, which alone has such collations
        "CREATE COLLATION loose (locale = 'C')",
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'loose'",
        """CREATE TABLE t (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, zoned TIMESTAMPTZ(3), naive TIMESTAMP,
           fixed CHAR(3), mood mood, surname surname, twice INTEGER GENERATED ALWAYS AS (2) STORED, flag BOOLEAN,
           loose TEXT COLLATE loose, plain TEXT)""",
    ).tables["t"].details  # fmt: skip
    assert {name: facts.family.value for name, facts in types.items()} == {
        "id": "number", "zoned": "zoned", "naive": "timestamp", "fixed": "text", "mood": "other", "surname": "text",
        "twice": "number", "flag": "boolean", "loose": "text", "plain": "text",
    }  # fmt: skip
    assert {name for name, facts in types.items() if facts.generated} == {"id", "twice"}
    assert {name for name, facts in types.items() if not facts.exact} == {"fixed", "loose"}
    assert types["surname"].length == 30
    assert not types["surname"].nullable
    assert types["zoned"].type == "timestamp(3) with time zone"


@ONLY_MARIADB
def test_mariadb_columns_say_what_they_are(engine_url: str) -> None:
    types = schema_of(
        engine_url,
        """CREATE TABLE t (id INTEGER AUTO_INCREMENT PRIMARY KEY, changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
           ON UPDATE CURRENT_TIMESTAMP, naive DATETIME(6), mood ENUM('a', 'b'), twice INTEGER AS (2) STORED,
           flag BOOLEAN, loose VARCHAR(9), strict VARCHAR(9) COLLATE utf8mb4_nopad_bin,
           padded VARCHAR(9) COLLATE utf8mb4_bin)""",
    ).tables["t"].details  # fmt: skip
    assert {name: facts.family.value for name, facts in types.items()} == {
        "id": "number", "changed": "zoned", "naive": "timestamp", "mood": "other", "twice": "number",
        "flag": "number", "loose": "text", "strict": "text", "padded": "text",
    }  # fmt: skip
    assert {name for name, facts in types.items() if facts.now_on_update} == {"changed"}
    assert {name for name, facts in types.items() if facts.generated} == {"twice"}
    assert {name for name, facts in types.items() if facts.has_default} == {"id", "changed"}
    assert {name for name, facts in types.items() if not facts.exact} == {"mood", "loose", "padded"}


@ONLY_MARIADB
def test_tables_that_cannot_be_rolled_back_or_keep_copies_are_told(engine_url: str) -> None:
    schema = schema_of(
        engine_url,
        "CREATE TABLE old (id INTEGER PRIMARY KEY) ENGINE = MyISAM",
        "CREATE TABLE copied (id INTEGER PRIMARY KEY) WITH SYSTEM VERSIONING",
    )
    kinds = {name: (table.stored.kind, table.stored.storage) for name, table in schema.tables.items()}
    assert kinds == {"old": ("table", "MyISAM"), "copied": ("versioned", "InnoDB")}


def test_tables_with_capitals_spaces_and_reserved_words_are_read_as_they_are_spelled(
    engine_url: str, engine_name: str
) -> None:
    quote = "`" if engine_name == "mariadb" else '"'
    odd = f"CREATE TABLE {quote}Call Log{quote} ({quote}order{quote} INTEGER PRIMARY KEY, {quote}Über{quote} INTEGER)"
    run(engine_url, odd)
    with connected(connect(engine_url, write=False)) as connection:
        schema = read_schema(connection)
        assert find_name("call log", schema.tables) == "Call Log"
        table = reflect_table(connection, "Call Log")
        assert connection.execute(table.select().where(table.c.order == 1, table.c["Über"] == 2)).all() == []


@ONLY_POSTGRESQL
def test_enabling_a_disabled_trigger_is_a_change_of_the_schema(engine_url: str) -> None:
    disabled = schema_of(
        engine_url,
        CUSTOMERS,
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE customers DISABLE TRIGGER keep",
    )
    enabled = schema_of(engine_url, "ALTER TABLE customers ENABLE TRIGGER keep")
    assert disabled.triggers == ()
    assert disabled.fingerprint != enabled.fingerprint

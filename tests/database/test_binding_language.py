"""The full language is bound to real tables, on every engine alike."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from database.bound_office import CUSTOMER, bound, customers, link, refused, run, table, ways

from staffords_gdpr.database.catalogue import DateKind

KEEP = {"for": "3 years", "after": "at"}


@pytest.fixture
def tables() -> sa.MetaData:
    return sa.MetaData()


def test_names_are_found_in_spite_of_capitals_spaces_and_reserved_words(
    engine_url: str, tables: sa.MetaData
) -> None:
    """What the rules are given is the database's own spelling."""
    order = table(
        tables,
        "Customer Order",
        sa.Column("Select", sa.String(9)),
        sa.Column("Ordered At", sa.DateTime),
        sa.Column("State", sa.String(9)),
    )
    customers(tables, sa.Column("E-Mail", sa.String(40)))
    order.append_column(link("Customer No"))
    run(engine_url, tables=tables)
    catalogue = bound(
        engine_url,
        {
            "customer": {**CUSTOMER, "personal": ["e-mail"]},
            "order": {
                "table": "customer order",
                "belongs_to": "customer",
                "on": {"CUSTOMER NO": "ID"},
                "personal": ["select"],
                "keep": {"for": "3 years", "after": "ordered at", "while": {"STATE": "open"}},
                "erase": {"anonymise": {"select": None, "CUSTOMER NO": None}},
            },
        },
    )
    record = catalogue.records["order"].record
    assert catalogue.records["order"].table == "Customer Order"
    assert catalogue.records["order"].owner.columns == (("Customer No", "id"),)  # type: ignore[union-attr]
    assert list(record.anonymise or ()) == ["Select", "Customer No"]
    assert record.keep is not None
    assert str(record.keep.after) == "Ordered At"
    assert record.keep.while_ is not None
    assert list(record.keep.while_.columns) == ["State"]
    assert catalogue.policy.records["customer"].personal == ("E-Mail",)
    assert catalogue.policy.sha256
    assert catalogue.policy.positions.where("records", "order", "table") != "p.yaml:1:1"


def through(unique: bool) -> sa.MetaData:
    tables = sa.MetaData()
    customers(tables)
    table(tables, "calls", sa.Column("at", sa.Date))
    ends = [sa.UniqueConstraint("call_id", "role")] if unique else []
    table(
        tables, "callers", link("call_id", "calls.id"), link("person"), sa.Column("role", sa.String(9)), *ends
    )
    table(tables, "notes", link("call_id", "calls.id"))
    return tables


WAY = {"table": "callers", "on": {"call_id": "id"}, "where": {"role": "caller"}}
CALL = {"table": "calls", "belongs_to": "customer", "through": WAY, "on": {"person": "id"}, "keep": KEEP}


@pytest.mark.parametrize("unique", [True, False])
def test_a_way_over_another_table_leads_to_several_unless_unique_columns_forbid_it(
    engine_url: str, unique: bool
) -> None:
    """And what belongs to such a row belongs to all of its owners."""
    run(engine_url, tables=through(unique))
    records = {"customer": CUSTOMER, "call": CALL, "note": {"table": "notes", "belongs_to": "call"}}
    catalogue = bound(engine_url, records)
    owner = catalogue.records["call"].owner
    assert owner is not None
    assert not owner.direct
    assert owner.columns == (("gdpr_owner_0", "id"),)
    assert owner.ends == ((("person", "id"),),)
    assert owner.own == ("id",)
    assert [catalogue.records[name].several for name in records] == [False, not unique, not unique]
    assert ("callers", None, "customer", "foreign_key", ()) in ways(catalogue)


def test_a_row_may_belong_to_each_of_two_columns(engine_url: str, tables: sa.MetaData) -> None:
    customers(tables)
    table(tables, "calls", sa.Column("at", sa.Date), link("customer_id"), link("reporter_id"))
    run(engine_url, tables=tables)
    call = {
        "table": "calls",
        "belongs_to": "customer",
        "on": [{"customer_id": "id"}, {"reporter_id": "id"}],
        "keep": KEEP,
    }
    records = {"customer": CUSTOMER, "call": call}
    catalogue = bound(engine_url, records)
    assert catalogue.records["call"].several
    assert catalogue.records["call"].owner.own == ("customer_id", "reporter_id")  # type: ignore[union-attr]
    half = {**call, "erase": {"anonymise": {"customer_id": None}}}
    assert "'reporter_id: null'" in refused(engine_url, {"customer": CUSTOMER, "call": half})
    whole = {**call, "erase": {"anonymise": {"customer_id": None, "reporter_id": None}}}
    assert bound(engine_url, {"customer": CUSTOMER, "call": whole})


def test_a_link_in_another_table_cannot_be_undone_by_anonymising(engine_url: str) -> None:
    run(engine_url, "ALTER TABLE calls ADD reason VARCHAR(9)", tables=through(True))
    call = {**CALL, "erase": {"anonymise": {"reason": None}}}
    said = refused(engine_url, {"customer": CUSTOMER, "call": call})
    assert "stands in table callers, where nothing can undo it" in said


def test_several_record_types_share_a_table(engine_url: str, tables: sa.MetaData) -> None:
    """A foreign key stands for each of them, and for the rows that are of none."""
    customers(tables)
    table(tables, "tickets", sa.Column("kind", sa.String(9)), sa.Column("at", sa.Date), link("customer_id"))
    table(tables, "notes", link("ticket_id", "tickets.id"))
    run(engine_url, tables=tables)
    kinds: dict[str, Any] = {
        name: {"table": "tickets", "where": {"kind": name}, "belongs_to": "customer", "keep": KEEP}
        for name in ("call", "repair")
    }
    note = {"table": "notes", "belongs_to": "repair"}
    catalogue = bound(engine_url, {"customer": CUSTOMER, **kinds, "note": note})
    assert catalogue.records["call"].shares == ("repair",)
    assert ways(catalogue) == {
        ("tickets", "call", "customer", "belongs_to", ()),
        ("tickets", "repair", "customer", "belongs_to", ()),
        ("tickets", None, "customer", "foreign_key", ("call", "repair")),
        ("notes", "note", "repair", "belongs_to", ()),
        ("notes", "note", "call", "foreign_key", ()),
        ("notes", None, "call", "foreign_key", ("note",)),
        ("notes", None, "repair", "foreign_key", ("note",)),
    }


def test_a_subject_may_be_known_by_a_value_alone(engine_url: str, tables: sa.MetaData) -> None:
    email = sa.Column("email", sa.String(60))
    table(tables, "calls", sa.Column("at", sa.Date), email)
    run(engine_url, tables=tables)
    records = {
        "caller": {"values_of": ["call.EMAIL"]},
        "call": {"table": "calls", "belongs_to": "caller", "on": {"email": "value"}, "keep": KEEP},
    }
    catalogue = bound(engine_url, records, subject="caller")
    assert catalogue.subject is None
    assert catalogue.subject_key == ("value",)
    assert list(catalogue.records) == ["call"]
    assert catalogue.records["call"].owner.columns == (("email", "value"),)  # type: ignore[union-attr]
    assert catalogue.edges == ()
    assert str(catalogue.policy.records["caller"].values_of[0]) == "call.email"


def test_dates_say_where_and_how_they_are_stored(engine_url: str, tables: sa.MetaData) -> None:
    customers(tables)
    table(
        tables,
        "calls",
        link("customer_id"),
        sa.Column("opened", sa.BigInteger),
        sa.Column("bought", sa.Date),
        sa.Column("term", sa.String(5)),
    )
    table(tables, "fields", sa.Column("call_id", sa.Integer), sa.Column("value", sa.String(30)))
    run(engine_url, tables=tables)
    way = {"table": "fields", "on": {"call_id": "id"}}
    dates = {
        "opened": {"stored_as": "epoch seconds"},
        "local": {"column": "BOUGHT", "timestamps_in": "Europe/Berlin"},
        "until": {"column": "bought", "plus": {"months": "Term"}},
        "closed": {"column": "Value", "through": way},
        "either": {"sql": "coalesce(bought, bought)"},
    }
    until = ["local", "until", "closed", "either"]
    call = {
        "table": "calls",
        "belongs_to": "customer",
        "dates": dates,
        "keep": {"for": "3 years", "after": "opened", "or_until": until},
    }
    found = bound(engine_url, {"customer": CUSTOMER, "call": call}).records["call"].dates
    assert {name: (d.column, d.kind, d.zone) for name, d in found.items()} == {
        "opened": ("opened", DateKind.EPOCH_SECONDS, "UTC"),
        "bought": ("bought", DateKind.DAY, "UTC"),
        "local": ("bought", DateKind.DAY, "Europe/Berlin"),
        "until": ("bought", DateKind.DAY, "UTC"),
        "closed": ("value", DateKind.TEXT, "UTC"),
        # only SQLite does not know what type an expression has
        "either": ("gdpr_sql_0", DateKind.TEXT if engine_url.startswith("sqlite") else DateKind.DAY, "UTC"),
    }
    assert found["until"].plus is not None
    assert found["until"].plus.column == "term"
    assert found["closed"].through[0].table == "fields"


def test_an_expression_is_prepared_by_the_database(engine_url: str, tables: sa.MetaData) -> None:
    customers(tables)
    table(tables, "calls", link("customer_id"), sa.Column("at", sa.Date), sa.Column("state", sa.String(9)))
    run(engine_url, tables=tables)
    call = {
        "table": "calls",
        "belongs_to": "customer",
        "keep": {**KEEP, "while": {"sql": "state || 'x' = 'openx'"}},
    }
    if "mysql" in engine_url or "mariadb" in engine_url:
        call = {**call, "keep": {**KEEP, "while": {"sql": "concat(state, 'x') = 'openx'"}}}
    catalogue = bound(
        engine_url, {"customer": CUSTOMER, "call": {**call, "where": {"sql": "state <> '50%'"}}}
    )
    assert list(catalogue.records["call"].expressions.values()) == ["gdpr_sql_0", "gdpr_sql_1"]
    said = refused(engine_url, {"customer": CUSTOMER, "call": {**call, "where": {"sql": "status = 'x'"}}})
    assert "the database does not understand this" in said
    assert "status" in said


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("state = 'a'; DROP TABLE calls", "no ';'"),
        ("state = 'a' -- or so", "no comment"),
        ("state = 'a') OR (1 = 1", "not closed"),
        ("at < CURRENT_DATE", "reads the clock"),
        ("at < date('now')", "reads the clock"),
        ("at < date( )", "reads the clock"),
        ("random() > 0", "'random' does not tell the same twice"),
        ("id IN (SELECT id FROM customers)", "other rows"),
        ("max(id) > 1", "several rows at once"),
        ("id IN customers", "other rows"),
        ("\"stat\" = 'open'", "no column 'stat'"),
    ],
)
def test_an_expression_is_about_one_row_and_the_same_tomorrow(
    engine_url: str, tables: sa.MetaData, sql: str, said: str
) -> None:
    customers(tables)
    table(tables, "calls", link("customer_id"), sa.Column("at", sa.Date), sa.Column("state", sa.String(9)))
    run(engine_url, tables=tables)
    call = {"table": "calls", "belongs_to": "customer", "keep": KEEP, "where": {"sql": sql}}
    assert said in refused(engine_url, {"customer": CUSTOMER, "call": call})


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_function_of_the_firm_that_may_change_its_mind_is_refused(
    engine_url: str, tables: sa.MetaData
) -> None:
    customers(tables)
    run(
        engine_url,
        "CREATE FUNCTION mood(int) RETURNS int LANGUAGE sql AS 'SELECT $1'",
        "CREATE FUNCTION calm(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
        tables=tables,
    )
    assert "'mood' does not tell" in refused(
        engine_url, {"customer": {**CUSTOMER, "where": {"sql": "mood(id) > 0"}}}
    )
    assert bound(engine_url, {"customer": {**CUSTOMER, "where": {"sql": "calm(id) > 0"}}})


def dated(sql: str) -> dict[str, Any]:
    return {"customer": {**CUSTOMER, "dates": {"registered_at": {"sql": sql}}}}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_function_that_may_read_more_than_its_row_is_refused(engine_url: str, tables: sa.MetaData) -> None:
    """One that depends on the session's settings alone is not: they are the same in every run."""
    customers(tables, sa.Column("at", sa.Date))
    run(
        engine_url,
        "CREATE FUNCTION is_open(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 > 0'",
        "CREATE FUNCTION whole(customers) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1.id > 0'",
        tables=tables,
    )
    for sql, said in (
        (
            "is_open(id)",
            "'is_open' may read more than its row. Use columns of the row only. A function of yours",
        ),
        ("customers.whole", "'whole' may read more"),
        ("pg_postmaster_start_time() IS NULL", "'pg_postmaster_start_time' may read more"),
        ("txid_current() > id", "'txid_current' "),
        ("current_setting('x') = 'y'", "'current_setting' does not tell"),
        ("tableoid = 1", "'tableoid' changes whenever"),
        ("\"xmin\"::text = '1'", "'xmin' changes whenever"),
    ):
        assert said in refused(engine_url, {"customer": {**CUSTOMER, "where": {"sql": sql}}})
    for sql in ("to_char(at, 'YYYY') = '2020'", "extract(year FROM customers.at) > 2000", "at::text > '2'"):
        assert bound(engine_url, {"customer": {**CUSTOMER, "where": {"sql": sql}}})


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_date_cannot_make_rows_vanish_or_come_twice(engine_url: str, tables: sa.MetaData) -> None:
    customers(tables, sa.Column("note", sa.String(40)))
    run(engine_url, tables=tables)
    for sql in (
        "(regexp_matches(note, 'closed (.*)'))[1]",
        "unnest(ARRAY[note, note])",
        "max(note)",
        "generate_series(1, id)::text",
    ):
        said = refused(engine_url, dated(sql))
        assert "set-returning" in said or "several rows at once" in said
    assert bound(engine_url, dated("(regexp_match(note, 'closed (.*)'))[1]"))


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"], indirect=True)
def test_a_date_is_of_one_row(engine_url: str, tables: sa.MetaData) -> None:
    customers(tables, sa.Column("note", sa.String(40)))
    run(engine_url, tables=tables)
    for sql in ("max(note)", "group_concat(note)"):
        assert "several rows at once" in refused(engine_url, dated(sql))


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_stored_function_says_that_it_reads_no_rows(engine_url: str, tables: sa.MetaData) -> None:
    customers(tables)
    run(
        engine_url,
        "CREATE FUNCTION calm(i INT) RETURNS INT DETERMINISTIC NO SQL RETURN i",
        "CREATE FUNCTION seen(i INT) RETURNS INT DETERMINISTIC READS SQL DATA RETURN i",
        "CREATE FUNCTION mood(i INT) RETURNS INT NO SQL RETURN i",
        tables=tables,
    )
    assert bound(engine_url, {"customer": {**CUSTOMER, "where": {"sql": "calm(id) > 0"}}})
    for sql, said in (
        ("seen(id) > 0", "'seen' may read more than its row"),
        ("`Mood` (id) > 0", "'mood' may read more than its row"),
        ("id > @x", "'@' does not tell"),
    ):
        assert said in refused(engine_url, {"customer": {**CUSTOMER, "where": {"sql": sql}}})


ZONED = {"postgresql": ("TIMESTAMPTZ", "TIMESTAMP"), "mariadb": ("TIMESTAMP NULL", "DATETIME")}


def zoned(engine_url: str, engine_name: str) -> None:
    moment, plain = ZONED[engine_name]
    columns = f"id INT PRIMARY KEY, made {moment}, moved {moment}, plain {plain}, day DATE"
    run(engine_url, f"CREATE TABLE customers ({columns})")


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    ("sql", "kind"),
    [("made", DateKind.ZONED), ("coalesce(made, moved)", DateKind.ZONED), ("plain", DateKind.TIMESTAMP)],
)
def test_an_expression_that_gives_a_moment_with_its_zone_is_read_so(
    engine_url: str, engine_name: str, sql: str, kind: DateKind
) -> None:
    """MariaDB shows it in the session's zone, which is UTC, whatever the policy says of other columns."""
    zoned(engine_url, engine_name)
    records = dated(sql)
    if kind is DateKind.TIMESTAMP:
        records["customer"]["dates"]["registered_at"]["timestamps_in"] = "America/New_York"
    found = bound(engine_url, records, database={"timestamps_in": "America/New_York"})
    date = found.records["customer"].dates["registered_at"]
    assert (date.kind, date.zone) == (kind, "UTC" if kind is DateKind.ZONED else "America/New_York")


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_an_expression_says_in_which_zone_it_takes_a_moment_that_has_one(
    engine_url: str, engine_name: str
) -> None:
    """Otherwise it would be the day in UTC, which may be one too early."""
    zoned(engine_url, engine_name)
    for sql in (
        "CAST(made AS DATE)",
        "coalesce(made, plain)",
        "coalesce(made, day)",
        "CAST(made AS CHAR(19))",
    ):
        assert "takes a moment whose zone the database knows" in refused(engine_url, dated(sql))
    there = {
        "postgresql": "made AT TIME ZONE 'Europe/London'",
        "mariadb": "convert_tz(made, '+00:00', '+01:00')",
    }[engine_name]
    assert bound(engine_url, dated(there))
    assert bound(engine_url, dated(f"CAST({there} AS DATE)"))


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    "date",
    [
        {"column": "made", "timestamps_in": "America/New_York"},
        {"column": "made", "stored_as": "day"},
        {"column": "made", "stored_as": "timestamp"},
        {"sql": "made", "stored_as": "day"},
        {"sql": "made", "timestamps_in": "America/New_York"},
    ],
)
def test_nothing_else_is_said_of_a_moment_whose_zone_the_database_knows(
    engine_url: str, engine_name: str, date: dict[str, str]
) -> None:
    zoned(engine_url, engine_name)
    records = {"customer": {**CUSTOMER, "dates": {"registered_at": date}}}
    wrong = next(key for key in date if key not in ("column", "sql"))
    assert f"a moment whose zone the database knows. Remove '{wrong}'" in refused(engine_url, records)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_moment_that_mariadb_keeps_with_its_zone_is_read_as_it_shows_it(engine_url: str) -> None:
    """Whatever the policy says of other columns: the session's zone is UTC."""
    run(engine_url, "CREATE TABLE customers (id INT PRIMARY KEY, registered_at TIMESTAMP NULL)")
    found = bound(engine_url, {"customer": CUSTOMER}, database={"timestamps_in": "America/New_York"})
    assert found.records["customer"].dates["registered_at"].zone == "UTC"

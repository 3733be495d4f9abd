"""`gdpr check` finds what a person must look at, says what to paste, and is content once it was pasted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from database.bound_office import CUSTOMER, customers, link, policy_of, run, table
from engines.talk import rows, run_alone

import staffords_gdpr.database
from staffords_gdpr.database.connection import connect
from staffords_gdpr.database.engines.mariadb import forgetting
from staffords_gdpr.operations.check import CheckResult, check
from staffords_gdpr.operations.check.findings import REFUSALS, Finding

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
CALL: dict[str, Any] = {
    "table": "calls",
    "belongs_to": "customer",
    "personal": ["reason"],
    "keep": {"for": "3 years", "after": "at"},
}
BOTH: dict[str, Any] = {"customer": CUSTOMER, "call": CALL}


def office(url: str, *more: sa.Column[Any] | str) -> None:
    """Customers and their calls, all of it named and indexed; with more columns of calls, or more statements."""
    tables = sa.MetaData()
    customers(tables)
    columns = [column for column in more if isinstance(column, sa.Column)]
    table(
        tables,
        "calls",
        link("customer_id"),
        sa.Column("at", sa.Date, index=True),
        sa.Column("reason", sa.Text),
        *columns,
    )
    run(url, *(each for each in more if isinstance(each, str)), tables=tables)
    run(url, "CREATE INDEX registered ON customers (registered_at)")


def checked(url: str, records: Mapping[str, Any], **more: Any) -> CheckResult:
    """Without the findings that the tests' own user may do everything, on servers that keep nothing in a power cut."""
    result = check(policy_of(records, **more), connect(url, write=False), as_of=NOW)
    usual = {"excessive-privilege", "not-durable"}
    return dataclasses.replace(
        result, findings=tuple(one for one in result.findings if one.code not in usual)
    )


def one(result: CheckResult) -> Finding:
    assert len(result.findings) == 1, result.findings
    return result.findings[0]


def pasted(records: Mapping[str, Any], paste: str) -> dict[str, Any]:
    """The records with a piece of YAML in them, by its indentation: a record type, or keys of one."""
    new = yaml.load(paste, Loader=yaml.BaseLoader)
    if paste.startswith("    "):
        return {**records, "call": {**records["call"], **new}}
    return {**records, **new}


def test_a_policy_that_speaks_of_everything_has_no_findings(engine_url: str) -> None:
    office(engine_url)
    assert checked(engine_url, BOTH).findings == ()


def test_every_misfit_is_a_finding_and_the_rest_is_found_as_well(engine_url: str) -> None:
    office(engine_url, sa.Column("mood", sa.String(20)))
    result = checked(engine_url, {**BOTH, "call": {**CALL, "personal": ["reson"], "key": ["nr"]}})
    assert not result.usable
    assert result.records == ()
    found = {(each.code, each.severity) for each in result.findings}
    assert found == {("unknown-column", "error"), ("undecided-columns", "warning")}
    assert "Did you mean 'reason'?" in {each.advice for each in result.findings}
    assert all(re.match(r"p\.yaml:\d+:\d+$", each.place) for each in result.findings)


def test_texts_that_nobody_has_decided_about_are_found(engine_url: str) -> None:
    """A number, a flag or a date is none of them."""
    office(
        engine_url,
        sa.Column("note", sa.Text),
        sa.Column("voice", sa.LargeBinary),
        sa.Column("seconds", sa.Integer),
        sa.Column("ended", sa.DateTime),
    )
    finding = one(checked(engine_url, BOTH))
    assert finding.code == "undecided-columns"
    assert "note (" in finding.message
    assert "voice (" in finding.message
    assert checked(engine_url, pasted(BOTH, finding.paste)).findings == ()


def test_texts_that_rules_read_are_decided_about(engine_url: str) -> None:
    words = ("kind", "state", "stage", "closed")
    office(
        engine_url, *(sa.Column(name, sa.String(20)) for name in words), "CREATE INDEX c ON calls (closed)"
    )
    keep = {"for": "3 years", "after": "at", "or_until": "closed", "while": {"state": "open"}}
    call = {**CALL, "keep": keep, "where": {"kind": {"not": "x"}}, "erase": {"anonymise": {"reason": None}}}
    call["erase"]["anonymise"]["customer_id"] = None
    steps = {"stage": {"for": "1 year", "after": "at", "anonymise": {"stage": None}}}
    assert checked(engine_url, {**BOTH, "call": {**call, "sooner": steps}}).findings == ()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_whatever_type_may_hold_words_is_asked_about(engine_url: str) -> None:
    asked = (
        'ci "char"',
        "mac macaddr",
        "tags text[]",
        "home place",
        "words tsvector",
        "file uuid",
        "ip inet",
    )
    silent = ("state mood", "stay daterange", "took interval", "cost money")
    types = ("CREATE TYPE place AS (street text, town text)", "CREATE TYPE mood AS ENUM ('a', 'b')")
    office(engine_url, *types, *(f"ALTER TABLE calls ADD COLUMN {each}" for each in (*asked, *silent)))
    finding = one(checked(engine_url, BOTH))
    assert finding.code == "undecided-columns"
    assert set(pasted(BOTH, finding.paste)["call"]["personal"]) == {"reason", *(a.split()[0] for a in asked)}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_materialized_view_keeps_copies_also_by_another_view(engine_url: str) -> None:
    views = (
        "CREATE VIEW late AS SELECT * FROM calls",
        'CREATE MATERIALIZED VIEW "Late" AS SELECT * FROM late',
    )
    office(engine_url)
    run(engine_url, *views)
    finding = one(checked(engine_url, BOTH))
    assert (finding.code, finding.paste) == ("stored-view", 'REFRESH MATERIALIZED VIEW "Late";')


def test_a_table_that_refers_to_ours_and_is_not_named_is_found(engine_url: str) -> None:
    office(engine_url)
    tables = sa.MetaData()
    customers(tables)
    table(tables, "Gift Cards", link("owner"))
    run(engine_url, tables=tables)
    finding = one(checked(engine_url, BOTH))
    assert finding.code == "unnamed-table"
    assert "Gift Cards refers to customers" in finding.message
    named = pasted(BOTH, finding.paste)
    assert named["gift_cards"] == {"table": "Gift Cards", "leave": "WHY ITS ROWS STAY"}
    assert checked(engine_url, named).findings == ()


def test_a_table_that_a_date_passes_through_is_found(engine_url: str) -> None:
    office(engine_url)
    tables = sa.MetaData()
    table(tables, "fields", sa.Column("call_id", sa.Integer, index=True), sa.Column("value", sa.Date))
    run(engine_url, tables=tables)
    way = {"column": "value", "through": {"table": "fields", "on": {"call_id": "id"}}}
    call = {**CALL, "dates": {"closed": way}, "keep": {"for": "3 years", "after": "at", "or_until": "closed"}}
    finding = one(checked(engine_url, {**BOTH, "call": call}))
    assert finding.code == "passed-table"
    assert checked(engine_url, pasted({**BOTH, "call": call}, finding.paste)).findings == ()


def test_a_table_between_a_row_and_its_owner_becomes_a_part_of_the_row(engine_url: str) -> None:
    """Left alone, it would hold both for ever."""
    tables = sa.MetaData()
    customers(tables)
    table(tables, "calls", sa.Column("at", sa.Date, index=True), sa.Column("reason", sa.Text))
    table(tables, "callers", link("call_id", "calls.id"), link("person"))
    run(engine_url, "CREATE INDEX registered ON customers (registered_at)", tables=tables)
    way = {"table": "callers", "on": {"call_id": "id"}}
    records = {"customer": CUSTOMER, "call": {**CALL, "through": way, "on": {"person": "id"}}}
    finding = one(checked(engine_url, records))
    assert finding.code == "unnamed-table"
    assert "belongs_to: call" in finding.paste
    assert checked(engine_url, pasted(records, finding.paste)).findings == ()


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_a_missing_index_is_found_with_the_statement_that_makes_it(engine_url: str) -> None:
    """MariaDB refuses a link without one, and makes one with every foreign key."""
    tables = sa.MetaData()
    customers(tables)
    columns = [sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id")), sa.Column("at", sa.Date)]
    table(tables, "calls", *columns, sa.Column("reason", sa.Text))
    run(engine_url, tables=tables)
    result = checked(engine_url, BOTH)
    assert {finding.code for finding in result.findings} == {"missing-index"}
    assert len(result.findings) == 1  # no index on a date would be used
    run(engine_url, *(finding.paste for finding in result.findings))
    assert checked(engine_url, BOTH).findings == ()


TRIGGERS = {
    "sqlite": ["CREATE TRIGGER copy AFTER {} ON calls BEGIN INSERT INTO history VALUES (OLD.id); END"],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO history VALUES (OLD.id); RETURN OLD; END$$""",
        "CREATE TRIGGER copy AFTER {} ON calls FOR EACH ROW EXECUTE FUNCTION copy()",
    ],
    "mariadb": ["CREATE TRIGGER copy AFTER {} ON calls FOR EACH ROW INSERT INTO history VALUES (OLD.id)"],
}


def test_a_trigger_that_writes_for_every_row_is_found_whatever_the_policy_says(
    engine_url: str, engine_name: str
) -> None:
    office(engine_url, "CREATE TABLE history (id INTEGER)")
    run(engine_url, *(statement.format("DELETE") for statement in TRIGGERS[engine_name]))
    for call in (CALL, {**CALL, "triggers": {"copy": "only numbers"}}):
        finding = one(checked(engine_url, {**BOTH, "call": call}))
        assert (finding.code, finding.paste) == ("writing-trigger", "")
        assert "trigger copy of table calls, which writes to history" in finding.message
        assert "Drop or disable" in finding.advice
    if engine_name == "postgresql":
        run(engine_url, "ALTER TABLE calls DISABLE TRIGGER copy")
        assert checked(engine_url, BOTH).findings == ()


GUARDED = {
    "sqlite": [
        "CREATE TRIGGER copy AFTER DELETE ON calls WHEN OLD.id < 0 BEGIN INSERT INTO history VALUES (OLD.id); END"
    ],
    "postgresql": [
        TRIGGERS["postgresql"][0],
        "CREATE TRIGGER copy AFTER DELETE ON calls FOR EACH ROW WHEN (OLD.id < 0) EXECUTE FUNCTION copy()",
    ],
    "mariadb": [
        """CREATE TRIGGER copy AFTER DELETE ON calls FOR EACH ROW
        BEGIN IF OLD.id < 0 THEN INSERT INTO history VALUES (OLD.id); END IF; END"""
    ],
}


@pytest.mark.parametrize("trigger", ["UPDATE", "guarded", "selecting"])
def test_a_trigger_that_may_keep_a_copy_is_found_until_the_policy_says_why(
    engine_url: str, engine_name: str, trigger: str
) -> None:
    office(engine_url, "CREATE TABLE history (id INTEGER)")
    some = "SELECT id FROM calls WHERE id < 0"
    statements = {
        "UPDATE": [statement.format("UPDATE") for statement in TRIGGERS[engine_name]],
        "guarded": GUARDED[engine_name],
        "selecting": [
            each.replace("VALUES (OLD.id)", some).format("DELETE") for each in TRIGGERS[engine_name]
        ],
    }
    run(engine_url, *statements[trigger])
    finding = one(checked(engine_url, BOTH))
    assert finding.code == "trigger"
    assert "trigger copy of table calls, which writes to history" in finding.message
    assert checked(engine_url, pasted(BOTH, finding.paste)).findings == ()
    by_table = {**BOTH, "call": {**CALL, "triggers": {"history": "it has only numbers"}}}
    assert checked(engine_url, by_table).findings == ()


def test_a_trigger_that_no_erasure_sets_off_is_none_of_our_business(
    engine_url: str, engine_name: str
) -> None:
    office(engine_url, "CREATE TABLE history (id INTEGER)")
    run(engine_url, *(s.format("INSERT").replace("OLD", "NEW") for s in TRIGGERS[engine_name]))
    assert checked(engine_url, BOTH).findings == ()


def test_the_rows_that_each_rule_sees_are_counted(engine_url: str) -> None:
    office(
        engine_url,
        sa.Column("kind", sa.String(9)),
        sa.Column("reporter_id", sa.Integer, index=True),
        "INSERT INTO customers (id, registered_at) VALUES (1, '2020-01-01'), (2, '2021-01-01'), (3, NULL)",
        "INSERT INTO calls (id, customer_id, reporter_id, kind, at) VALUES"
        " (1, 1, 2, 'call', '2019-05-01'), (2, 1, 1, 'call', '2022-05-01'), (3, NULL, 3, 'call', '2023-05-01'),"
        " (4, NULL, NULL, 'call', '1800-01-01'), (5, 2, NULL, 'other', '2024-05-01'), (6, 3, NULL, 'call', NULL)",
    )
    call = {**CALL, "where": {"kind": "call"}, "on": [{"customer_id": "id"}, {"reporter_id": "id"}]}
    customer, calls = checked(engine_url, {**BOTH, "call": call}).records
    assert (customer.rows, customer.members, customer.orphans) == (3, 3, 0)
    assert sum(customer.undecidable.values()) == 1
    assert (calls.rows, calls.members, calls.orphans, calls.several) == (6, 5, 1, 1)
    (at,) = calls.dates
    assert (at.name, at.empty, at.impossible) == ("at", 1, 1)
    assert (at.first, at.last) == (dt.date(2019, 5, 1), dt.date(2023, 5, 1))
    assert sum(calls.undecidable.values()) == 2
    assert sum(calls.states.values()) == 5


def test_every_misfit_has_its_line_in_the_documentation() -> None:
    sources = Path(staffords_gdpr.database.__file__).parent.glob("*.py")
    text = "\n".join(source.read_text() for source in sources)
    calls = r'misfits\.add\(\s*"([a-z-]+)"(?: if .*? else "([a-z-]+)")?|return "([a-z-]+)", what'
    codes = {code for each in re.findall(calls, text) for code in each if code}
    assert codes == {*REFUSALS}


@pytest.mark.parametrize(
    ("server", "fresh", "setting", "forgets", "keeps", "sets"),
    [
        ("quiet_server", "quiet", "fsync", "off", "on", "ALTER SYSTEM SET fsync = {}; SELECT pg_reload_conf()"),
        *(
            (
                "alone_server", "alone", "innodb_flush_log_at_trx_commit", forgets, keeps,
                "SET GLOBAL innodb_flush_log_at_trx_commit = {}",
            )
            for forgets, keeps in (("0", "1"), ("2", "3"))
        ),
    ],
)  # fmt: skip
def test_a_server_that_forgets_commits_in_a_power_cut(
    request: pytest.FixtureRequest, server: str, fresh: str, setting: str, forgets: str, keeps: str, sets: str
) -> None:
    url, whole = str(request.getfixturevalue(fresh)), str(request.getfixturevalue(server))

    def findings(value: str) -> list[Finding]:
        run_alone(whole, *sets.format(value).split("; "))
        until = time.monotonic() + 10
        shown = f"SELECT setting FROM pg_settings WHERE name = '{setting}'"
        # PostgreSQL reads its settings when it comes to it
        while fresh == "quiet" and (value,) not in rows(url, shown):
            assert time.monotonic() < until
            time.sleep(0.02)
        result = check(policy_of(BOTH), connect(url, write=False), as_of=NOW)
        return [each for each in result.findings if each.code == "not-durable"]

    office(url)
    assert findings(keeps) == []
    (found,) = findings(forgets)  # last, as other tests are faster so
    assert (found.severity, f"{setting} = {forgets}" in found.message) == ("warning", True)
    assert f"Have {setting} set to {'on' if fresh == 'quiet' else 1} " in found.advice
    assert found.place.startswith("p.yaml:")


@pytest.mark.parametrize(
    ("flushes", "has_binary_log", "syncs", "forgets"),
    [
        (1, 0, 0, None),
        (1, 1, 1, None),
        (1, 1, 0, "sync_binlog"),
        (1, 1, 100, "sync_binlog"),
        (3, 1, 0, None),
        (2, 1, 1, "innodb_flush_log_at_trx_commit"),
    ],
)
def test_with_a_binary_log_mariadb_leaves_commits_to_it(
    flushes: int, has_binary_log: int, syncs: int, forgets: str | None
) -> None:
    found = forgetting(flushes, has_binary_log, syncs)
    assert (found and found[0]) == forgets

"""What has changed in a schema since the approval, told apart by whether the policy rests on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines.talk import rows, run
from purge_office import DAY, NOW, POLICY, Firm

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.database.drift import Change, Use, changes
from staffords_gdpr.errors import BrakeError
from staffords_gdpr.operations.drift import Drift, drift_since
from staffords_gdpr.operations.review import prepare
from staffords_gdpr.operations.scan import scan
from staffords_gdpr.render import json
from staffords_gdpr.render.scan import page
from staffords_gdpr.render.tables import plain


def drift(firm: Firm) -> Drift:
    with connected(firm.engine) as connection:
        catalogue = bind(firm.policy, connection)
    return drift_since(firm.log.last("policy.approve"), firm.log.home, catalogue)


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm.open(tmp_path)


def test_an_unchanged_schema_has_no_drift(firm: Firm) -> None:
    assert drift(firm) == Drift()
    assert not drift(firm).any


@pytest.mark.parametrize(
    ("change", "said", "used"),
    [
        ("ALTER TABLE calls ADD COLUMN recording TEXT", "column calls.recording is new", False),
        ("ALTER TABLE repairs ADD COLUMN mood TEXT", "column repairs.mood is new", True),
        ("ALTER TABLE prices DROP COLUMN amount", "column prices.amount is gone", False),
        ("DROP TABLE prices", "table prices is gone", False),
        ("CREATE TABLE holidays (day TEXT PRIMARY KEY)", "table holidays is new", False),
        (
            "CREATE TRIGGER t AFTER UPDATE ON payments BEGIN SELECT 1; END",
            "trigger payments.t is new",
            True,
        ),
        ("CREATE TRIGGER t AFTER UPDATE ON prices BEGIN SELECT 1; END", "trigger prices.t is new", False),
    ],
)
def test_every_change_is_named_and_weighed(firm: Firm, change: str, said: str, used: bool) -> None:
    firm.sql(change)
    (found,) = drift(firm).changes
    assert (found.what, found.used) == (said, used)
    assert drift(firm).stops is used


def test_what_a_purge_rests_on_comes_first(firm: Firm) -> None:
    firm.sql("ALTER TABLE calls ADD COLUMN recording TEXT")
    firm.sql("ALTER TABLE repairs ADD COLUMN mood TEXT")
    assert drift(firm).text == "column repairs.mood is new; column calls.recording is new"


def test_a_column_of_another_type_is_told_with_both(firm: Firm) -> None:
    firm.sql("DROP TABLE prices")
    firm.sql("CREATE TABLE prices (id INTEGER PRIMARY KEY, amount TEXT NOT NULL)")
    assert drift(firm).text == "column prices.amount was INTEGER and is TEXT NOT NULL"


def test_scan_and_review_show_it(firm: Firm) -> None:
    firm.sql("ALTER TABLE calls ADD COLUMN recording TEXT")
    seen = scan(firm.policy, firm.engine, as_of=NOW, log=firm.log)
    assert json.scan(seen)["schema_changes"] == [{"what": "column calls.recording is new", "used": False}]
    assert "column calls.recording is new" in " ".join(plain(page(seen, firm.policy)).split())
    (change,) = prepare(firm.policy, firm.engine, firm.log, now=NOW).since_approval
    assert "column calls.recording is new" in change


def test_the_next_approval_is_for_the_schema_as_it_is_then(firm: Firm) -> None:
    firm.sql("ALTER TABLE repairs ADD COLUMN mood TEXT")
    firm.approve(NOW)
    assert not drift(firm).any
    assert len(list(firm.log.home.schemas.iterdir())) == 2


def test_a_name_that_the_policy_could_now_mean_stops_a_purge() -> None:
    """Names are found whatever their capitals: a second one may take the place of the one that was approved."""
    table = {"columns": {"id": ["INT", True], "Closed": ["DATE", False]}, "key": ["id"], "foreign_keys": []}
    wider = {**table, "columns": {**table["columns"], "closed": ["DATE", False]}}  # type: ignore[dict-item]
    use = Use({"Calls": {"id", "Closed"}})
    before = {"tables": {"Calls": table}, "triggers": []}
    assert changes(before, {"tables": {"Calls": wider}, "triggers": []}, use) == (
        Change("column Calls.closed is new", used=True),
    )
    assert changes(before, {"tables": {"Calls": table, "calls": table}, "triggers": []}, use) == (
        Change("table calls is new", used=True),
    )


def test_a_table_that_held_ours_and_is_seen_no_longer_stops_a_purge() -> None:
    """It may still be there, where this user cannot see it."""
    ours = {"columns": {"id": ["INT", True]}, "key": ["id"], "foreign_keys": []}
    bills = {**ours, "foreign_keys": [[["customer_id"], "customers", ["id"]]]}
    before = {"tables": {"customers": ours, "bills": bills}, "triggers": []}
    after = {"tables": {"customers": ours}, "triggers": []}
    (found,) = changes(before, after, Use({"customers": {"id"}}))
    assert found == Change("table bills is gone, and referred to customers", used=True)


CLOSED = (
    POLICY.partition("subject:")[0]
    + """subject: customer
records:
  customer: {table: customer, personal: [name], keep: {for: 3 years, after: closed}}
"""
)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # the others fold the names themselves
@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        (
            'customer (id INTEGER PRIMARY KEY, name VARCHAR(9), "Closed" DATE)',
            ["ALTER TABLE customer ADD closed DATE DEFAULT '2001-01-01'"],
            "column customer.closed is new",
        ),
        (
            'customer (id INTEGER PRIMARY KEY, name VARCHAR(9), "Closed" DATE)',
            [
                "ALTER TABLE customer ADD closed DATE DEFAULT '2001-01-01'",
                'ALTER TABLE customer DROP "Closed"',
            ],
            "column customer.closed is new",
        ),
        (
            '"Customer" (id INTEGER PRIMARY KEY, name VARCHAR(9), closed DATE)',
            [
                "CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(9), closed DATE)",
                "INSERT INTO customer VALUES (1, 'x', '2001-01-01')",
            ],
            "table customer is new",
        ),
    ],
)
def test_nothing_new_takes_over_a_name_that_differs_in_case(
    engine_url: str, tmp_path: Path, table: str, change: list[str], said: str
) -> None:
    name = table.partition(" ")[0]
    run(engine_url, f"CREATE TABLE {table}", f"INSERT INTO {name} VALUES (1, 'x', '2025-01-01')")
    firm = Firm.open(tmp_path, policy=CLOSED, approved=False)
    firm.engine = connect(engine_url, write=True)
    firm.approve(NOW)
    run(engine_url, *change)
    with pytest.raises(BrakeError, match=said) as caught:
        firm.purge(NOW + DAY)
    assert (caught.value.code, caught.value.exit_code) == ("schema-changed", 4)
    assert len(rows(engine_url, "SELECT * FROM customer")) == 1

"""`gdpr check` as a command: the demonstration passes it, its exit codes, its JSON."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from staffords_gdpr.cli.docs import EXAMPLES

if TYPE_CHECKING:
    from command_site import Site

TRIGGER = (
    "CREATE TRIGGER keep AFTER DELETE ON calls BEGIN INSERT INTO operators VALUES (OLD.id, '', '', ''); END"
)


def change(site: Site, statement: str) -> None:
    with closing(sqlite3.connect(site.database)) as connection:
        connection.execute(statement)
        connection.commit()


def test_the_demonstration_passes_and_shows_what_each_rule_sees(finished_site: Site) -> None:
    done = finished_site.gdpr("check")
    assert done.returncode == 0, done.stdout
    assert "There are no findings" in done.stdout
    assert "payment.taken_at" in done.stdout


def test_json_has_the_documented_keys(site: Site) -> None:
    change(site, "ALTER TABLE calls ADD COLUMN recording TEXT")
    told = site.told("check", code=3)
    example = EXAMPLES["gdpr check --format json"]
    assert set(told) == set(example)
    assert set(told["findings"][0]) == set(example["findings"][0])  # type: ignore[index]
    records = example["records"]
    assert isinstance(records, dict)
    assert set(told["records"]["call"]) == set(records["call"])
    assert set(told["records"]["call"]["dates"]["received_at"]) == set(
        records["call"]["dates"]["received_at"]
    )
    assert told["usable"] is True
    assert "recording" in told["findings"][0]["paste"]


def test_a_policy_that_does_not_fit_exits_3_with_every_mistake(site: Site) -> None:
    """Other commands refuse it with exit 2."""
    text = site.policy.read_text().replace("[reason, resolution]", "[reson, resolution]")
    site.policy.write_text(text)
    done = site.gdpr("check")
    assert done.returncode == 3
    assert "unknown column 'reson'" in done.stdout
    assert "reason (VARCHAR(200))" in done.stdout
    assert "cannot be used with this database" in done.stdout
    assert site.gdpr("scan").returncode == 2


def test_it_writes_nothing_anywhere(site: Site) -> None:
    before = site.contents()
    assert site.gdpr("check").returncode == 0
    assert site.contents() == before


def test_nobody_approves_a_policy_that_is_silent_about_a_trigger(site: Site) -> None:
    """What it copies would stay, and the certificate would not know."""
    change(site, TRIGGER.replace("calls BEGIN", "calls WHEN OLD.id < 0 BEGIN"))
    approve = ("approve", "--as", "director", "--key", "keys/director.key")
    done = site.gdpr(*approve)
    assert done.returncode == 2
    assert "sets off trigger keep of table calls, which writes to operators" in done.stderr
    text = site.policy.read_text()
    site.policy.write_text(
        text.replace("    table: calls\n", "    table: calls\n    triggers: {keep: it has only numbers}\n")
    )
    assert site.gdpr(*approve).returncode == 0


def test_nobody_approves_a_trigger_that_every_purge_would_stop_at(site: Site) -> None:
    change(site, TRIGGER)
    text = site.policy.read_text()
    site.policy.write_text(
        text.replace("    table: calls\n", "    table: calls\n    triggers: {keep: it has only numbers}\n")
    )
    done = site.gdpr("approve", "--as", "director", "--key", "keys/director.key")
    assert done.returncode == 2
    assert "trigger keep of table calls, which writes to operators" in done.stderr
    assert "Drop or disable it" in done.stderr
    change(site, "DROP TRIGGER keep")
    assert site.gdpr("approve", "--as", "director", "--key", "keys/director.key").returncode == 0

"""`gdpr reclaim`: what it prints, and with which exit code."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from command_site import Site

from staffords_gdpr.cli.docs import RECLAIM


def test_it_says_in_json_what_was_done_and_what_that_is_good_for(site: Site) -> None:
    told = site.told("reclaim")
    assert told.keys() == RECLAIM.keys()
    assert told["complete"] is True
    (part,) = told["parts"]
    assert part["what"] == "calls.db"
    assert part["after"] == site.database.stat().st_size
    assert "no erased row is in the file" in told["gone"]


def test_what_could_not_be_done_is_named_and_needs_a_person(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffords_gdpr.database.connection.BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as operator:
        operator.execute("PRAGMA journal_mode=WAL")
        operator.execute("BEGIN")
        operator.execute("SELECT count(*) FROM sqlite_master").fetchall()
        operator.execute("SELECT * FROM customers").fetchone()
        done = site.gdpr("reclaim")
    assert done.returncode == 3
    assert "another program is reading" in done.stdout
    assert "write access to the file" in done.stdout

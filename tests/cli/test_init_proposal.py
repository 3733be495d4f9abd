"""`gdpr init` proposes a policy for a database, and keeps what it has seen there to itself."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from command_site import Site

TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, address TEXT, email TEXT, account INTEGER,
                        joined_at DATETIME);
CREATE TABLE calls (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), reason TEXT, status TEXT,
                    received_at TEXT, closed_at DATETIME, code TEXT);
CREATE TABLE operators (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
"""
MARK = "zq7"  # stands in every text; numbers and dates are of their own
NUMBERS = ("98765", "2019-07-0", "2018-06-0")


@pytest.fixture
def place(tmp_path: Path) -> Site:
    folder = tmp_path / "place"
    folder.mkdir()
    with sqlite3.connect(folder / "calls.db") as database:
        database.executescript(TABLES)
        for n in range(1, 9):
            who = (
                n,
                f"{MARK} name",
                f"{n} {MARK} street",
                f"{MARK}.{n}@example.org",
                int(f"98765{n}"),
                f"2019-07-0{n}",
            )
            what = (n, n, f"{MARK} reason", MARK, f"2018-06-0{n}", None, f"{MARK}{n}")
            database.execute("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)", who)
            database.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?)", what)
            database.execute(
                "INSERT INTO operators VALUES (?, ?, ?)", (n, f"{MARK} staff", f"{MARK}@example.com")
            )
    database.close()
    return Site(folder)


def written(place: Site) -> str:
    """Everything that stands in files now, but for the database."""
    return "\n".join(
        content.decode(errors="replace") for name, content in place.contents().items() if name != "calls.db"
    )


def test_no_value_of_a_row_is_printed_or_written(place: Site) -> None:
    shown = place.gdpr("init", "--database", "sqlite:///calls.db")
    assert shown.returncode == 0, shown.stderr
    policy = place.folder / "policies/retention.yaml"
    assert "received_at" in policy.read_text()
    policy.unlink()
    told = place.gdpr("init", "--database", "sqlite:///calls.db", "--format", "json")
    everything = "\n".join((shown.stdout, shown.stderr, told.stdout, told.stderr, written(place)))
    assert MARK not in everything
    assert not any(number in everything for number in NUMBERS)


def test_a_value_that_cannot_be_read_is_not_quoted_and_stops_nothing(place: Site) -> None:
    with sqlite3.connect(place.database) as database:
        database.execute("UPDATE calls SET reason = CAST(x'ff7a7137ff' AS TEXT)")  # no UTF-8
    database.close()
    shown = place.gdpr("init", "--database", "sqlite:///calls.db")
    assert shown.returncode == 0, shown.stderr
    assert "calls" in (place.folder / "policies/retention.yaml").read_text()
    assert MARK not in shown.stdout + shown.stderr + written(place)


def test_the_page_says_what_was_found_how_much_is_open_and_what_comes_next(place: Site) -> None:
    shown = place.gdpr("init", "--database", "sqlite:///calls.db", environ={"GDPR_POLICY": "retention.yaml"})
    left = len(re.findall(r"^[^#]*\bTODO\b", place.policy.read_text(), flags=re.MULTILINE))
    assert f"{left} decisions are left to a person" in shown.stdout
    assert "customer" in shown.stdout
    assert shown.stdout.index("gdpr check") < shown.stdout.index("gdpr approve")
    refused = place.gdpr("scan", "--database", "sqlite:///calls.db", "--policy", "retention.yaml")
    assert refused.returncode == 2
    assert refused.stderr.count("a person must decide here") == left


def test_the_database_of_the_environment_serves_as_well(place: Site) -> None:
    told = place.gdpr("init", "--format", "json", environ={"GDPR_DATABASE_URL": "sqlite:///calls.db"})
    assert '"proposed": {' in told.stdout
    assert (place.folder / "policies/retention.yaml").exists()


def test_a_policy_that_is_there_is_left_as_it_is_and_the_database_is_not_asked(place: Site) -> None:
    place.policy.write_text("mine")
    shown = place.gdpr("init", "--database", "sqlite:///nowhere.db", "--policy", "retention.yaml")
    assert shown.returncode == 0
    assert "is left as it is" in shown.stdout
    assert place.policy.read_text() == "mine"


def test_without_a_database_init_says_how_to_have_a_policy_proposed(place: Site) -> None:
    shown = place.gdpr("init")
    assert shown.returncode == 0
    assert "--database" in shown.stdout


@pytest.mark.parametrize(
    ("url", "code"),
    [("postgresql://gdpr:zq7secret@localhost:1/calls", 6), ("oracle://gdpr:zq7secret@db/calls", 2)],
)
def test_a_database_that_does_not_answer_leaves_home_and_log_and_no_password_is_shown(
    place: Site, url: str, code: int
) -> None:
    shown = place.gdpr("init", "--database", url)
    assert shown.returncode == code
    assert "no policy was proposed" in shown.stderr
    assert place.log.exists()
    assert not (place.folder / "policies").exists()
    assert MARK not in shown.stdout + shown.stderr + written(place)


def test_the_lines_of_the_page_and_the_policy_fit_a_terminal(place: Site) -> None:
    shown = place.gdpr("init", "--database", "sqlite:///calls.db", "--policy", "p.yaml", "--home", ".")
    table = [line for line in shown.stdout.splitlines() if "  " in line]
    assert table
    assert max(map(len, table)) <= 80
    assert max(map(len, (place.folder / "p.yaml").read_text().splitlines())) <= 120

"""`gdpr hold`: what is on hold stays, and the audit log names nobody."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command_site import Site


def due_customer(site: Site) -> int:
    rows = site.told("scan", "--details", "--state", "due")["rows"]
    return min(int(row["key"][0]) for row in rows if row["record"] == "customer")


def would_go(site: Site) -> dict[str, int]:
    told: dict[str, int] = site.told("purge", "--dry-run")["erased"]
    return told


def test_a_subject_on_hold_is_held_until_the_hold_is_released(site: Site) -> None:
    key = due_customer(site)
    before = would_go(site)
    told = site.told(
        "hold", "add", "customer", str(key), "--reason-code", "claim", "--review-on", "2999-05-01"
    )
    assert (told["subject"], told["reason"], told["too_late"], told["gone"]) == ([key], "claim", [], False)
    (listed,) = site.told("hold", "list")["holds"]
    assert listed.items() <= told.items()
    assert key < due_customer(site)
    explained = site.gdpr("explain", "customer", str(key)).stdout
    assert "A legal hold is in force" in explained
    assert f"customer {key}: held" in explained
    assert would_go(site)["customer"] == before["customer"] - 1
    assert site.told("purge", "--confirm", "60")["erased"]["customer"] == before["customer"] - 1
    assert f"customer {key}: held" in site.gdpr("explain", "customer", str(key)).stdout
    site.told("hold", "release", told["hold"])
    assert site.told("hold", "list")["holds"] == []
    assert due_customer(site) == key
    assert site.told("purge")["erased"]["customer"] == 1


def test_where_the_file_of_holds_was_deleted_nothing_runs_and_everybody_is_told(site: Site) -> None:
    key = str(due_customer(site))
    site.told("hold", "add", "customer", key, "--reason-code", "claim", "--review-on", "2999-05-01")
    (site.folder / "secret/holds.json").unlink()
    for command in (
        ("scan",),
        ("explain", "customer", key),
        ("purge", "--dry-run"),
        ("purge", "--confirm", "60"),
        ("hold", "list"),
    ):
        done = site.gdpr(*command)
        assert (done.returncode, "legal hold(s) of the log are not in it" in done.stderr) == (5, True), (
            command
        )
    told = site.told("status", code=3)
    assert "hold-missing" in told["purge_refuses"]
    assert any("secret/holds.json" in problem for problem in told["problems"])
    findings = site.told("audit", code=3)["findings"]
    assert "hold_missing" in {finding["code"] for finding in findings if finding["severity"] == "error"}


def test_the_log_knows_a_hold_by_a_keyed_hash_only(site: Site) -> None:
    key = due_customer(site)
    site.told(
        "hold", "add", "customer", str(key), "--reason-code", "secret-claim", "--review-on", "2999-01-01"
    )
    line = site.log.read_text(encoding="utf-8").splitlines()[-1]
    assert '"type":"hold.add"' in line
    assert "secret-claim" not in line
    assert f"[{key}]" not in line


def test_bad_holds_are_refused_in_words(site: Site) -> None:
    day = ("--review-on", "2999-01-01")
    for arguments, said in (
        (("add", "custmer", "1", "--reason-code", "claim", *day), "'custmer' is not the subject"),
        (("add", "customer", "999999999", "--reason-code", "claim", *day), "there is no customer 999999999"),
        (("add", "customer", "x", "--reason-code", "claim", *day), "'x' is no id"),
        (("add", "customer", "1", "--reason-code", "Mr Smith", *day), "is no reason code"),
        (("add", "customer", "1", "--reason-code", "claim", "--review-on", "soon"), "'soon' is no day"),
        (
            ("add", "customer", "1", "--reason-code", "claim", "--review-on", "2001-01-01"),
            "not in the future",
        ),
        (("release", "none"), "there is no hold none"),
    ):
        done = site.gdpr("hold", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_holds_that_come_while_a_purge_runs_are_respected_or_told_that_they_come_too_late(site: Site) -> None:
    rows = site.told("scan", "--details", "--state", "due")["rows"]
    due = sorted(row["key"][0] for row in rows if row["record"] == "customer")
    words = ("purge", "--confirm", "60", "--batch-size", "1", "--pause", "60ms")
    purge = subprocess.Popen([sys.executable, "-m", "staffords_gdpr.cli.main", *words], cwd=site.folder)
    while b"purge.done" not in site.log.read_bytes():
        assert purge.poll() is None
        time.sleep(0.02)
    left_at_the_hold = {}
    reason = ("--reason-code", "claim", "--review-on", "2999-05-01")
    for key in (due[-1], due[len(due) // 4], due[len(due) // 2]):  # what it does last, and what it may be at
        done = site.gdpr("hold", "add", "customer", str(key), *reason, "--format", "json")
        if done.returncode == 0:
            left_at_the_hold[key] = site.told("explain", "customer", str(key))["rows"]
        else:  # erased before the hold, or just as it came
            assert "there is no customer" in done.stderr or json.loads(done.stdout)["too_late"]
    assert purge.wait() == 0
    assert left_at_the_hold, "every hold came too late: nothing was tested"
    for key, left in left_at_the_hold.items():
        assert site.told("explain", "customer", str(key))["rows"] == left
    assert site.gdpr("log", "verify").returncode == 0

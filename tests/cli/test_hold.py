"""`gdpr hold`: what is on hold stays, and the audit log names nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command_site import Site


def due_customer(site: Site) -> int:
    rows = site.told("scan", "--details", "--state", "due")["rows"]
    return min(int(row["key"][0]) for row in rows if row["record"] == "customer")


def test_a_subject_on_hold_is_held_until_the_hold_is_released(site: Site) -> None:
    key = due_customer(site)
    told = site.told("hold", "add", "customer", str(key), "--reason", "claim", "--look-again", "2999-01-01")
    assert (told["subject"], told["reason"]) == ([key], "claim")
    assert site.told("hold", "list")["holds"] == [told]
    assert key < due_customer(site)
    explained = site.gdpr("explain", "customer", str(key)).stdout
    assert "A legal hold is in force" in explained
    assert f"customer {key}: held" in explained
    site.told("hold", "release", told["hold"])
    assert site.told("hold", "list")["holds"] == []
    assert due_customer(site) == key


def test_the_log_knows_a_hold_by_a_keyed_hash_only(site: Site) -> None:
    key = due_customer(site)
    site.told("hold", "add", "customer", str(key), "--reason", "secret-claim", "--look-again", "2999-01-01")
    line = site.log.read_text(encoding="utf-8").splitlines()[-1]
    assert '"type":"hold.add"' in line
    assert "secret-claim" not in line
    assert f"[{key}]" not in line


def test_bad_holds_are_refused_in_words(site: Site) -> None:
    day = ("--look-again", "2999-01-01")
    for arguments, said in (
        (("add", "custmer", "1", "--reason", "claim", *day), "'custmer' is not the subject"),
        (("add", "customer", "999999999", "--reason", "claim", *day), "there is no customer 999999999"),
        (("add", "customer", "x", "--reason", "claim", *day), "'x' is no id"),
        (("add", "customer", "1", "--reason", "Mr Smith", *day), "is no reason code"),
        (("add", "customer", "1", "--reason", "claim", "--look-again", "soon"), "'soon' is no day"),
        (("add", "customer", "1", "--reason", "claim", "--look-again", "2001-01-01"), "not in the future"),
        (("release", "none"), "there is no hold none"),
    ):
        done = site.gdpr("hold", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr

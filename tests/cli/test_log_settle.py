"""`gdpr log settle`, as a person types it."""

from __future__ import annotations

import datetime as dt

from command_site import Site

from staffords_gdpr.auditlog import Home, open_log, rows
from staffords_gdpr.operations.purge.erasure import Erasure, Plan
from staffords_gdpr.operations.purge.pending import pending_of

SIGNED = ("--as", "director", "--key", "keys/director.key")


def unclear_batch(site: Site) -> str:
    """A batch of two customers, one of whom is not in the database, as if somebody had deleted it by hand."""
    log, now = open_log(Home(site.folder)), dt.datetime.now(dt.UTC)
    plan = Plan((Erasure("customer", None, ((1,), (999_999,))),), ((1,), (999_999,)))
    secret, batch = rows.new_batch_key(), rows.new_batch_id(now)
    fields = {"run": "r1", "batch": batch, "root": rows.root(plan.leaves(secret)), "rows": plan.rows}
    rows.write_batch_key(log.home, batch, secret)
    rows.write_pending(log.home, batch, pending_of(plan, "r1"))
    log.append("purge.intent", {**fields, "subjects": 2}, now=now)
    log.append("purge.recovered", {**fields, "outcome": "unclear"}, now=now)
    log.write_checkpoint(now)
    return batch


def test_it_shows_first_and_closes_the_batch_when_signed(site: Site) -> None:
    batch = unclear_batch(site)
    assert batch in site.gdpr("log", "verify").stdout
    assert f"gdpr log settle {batch}" in " ".join(site.told("status")["problems"])
    before = site.contents()
    looked = site.gdpr("log", "settle", batch)
    assert looked.returncode == 3
    assert "Nothing was written" in looked.stdout
    assert "999999" not in looked.stdout
    assert "999999" in site.gdpr("log", "settle", batch, "--details").stdout
    assert site.contents() == before
    told = site.told("log", "settle", batch, *SIGNED)
    assert (told["gone"], told["left"]) == ({"customer": 1}, {"customer": 1})
    assert told["settled"] == site.told("log", "show", "--last", "1")["entries"][0]["seq"]
    assert site.told("status")["unclear"] == []
    assert site.told("log", "verify")["notes"] == []


def test_it_needs_both_or_neither_of_role_and_key_and_a_batch_that_is_unclear(site: Site) -> None:
    batch = unclear_batch(site)
    assert "go together" in site.gdpr("log", "settle", batch, "--as", "director").stderr
    done = site.gdpr("log", "settle", "01M832YB0GQ7Z7XJ3V3R8D8T4N", *SIGNED)
    assert done.returncode == 2
    assert f"Batches with an unclear outcome: {batch}" in " ".join(done.stderr.split())

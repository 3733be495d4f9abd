"""A hold that comes while a purge is at work: respected, or told that it came too late, and never lost."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines.talk import rows, run
from purge_office import NOW, Firm

from staffords_gdpr.auditlog import AuditLog, Entry, open_log
from staffords_gdpr.auditlog.rows import write_pending
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations import holds
from staffords_gdpr.operations.holding import Held, hold_subject
from staffords_gdpr.policy import load_policy
from staffords_gdpr.render.hold import added
from staffords_gdpr.render.tables import plain

POLICY = """
version: 1
title: Holds that come late
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [call-centre-manager, director], review: [director]}
erase_at_most: 100 %
subject: customer
records:
  customer: {table: customers, personal: [name], keep: {for: 3 years, after: registered}}
"""
LATER = dt.date(2027, 6, 1)


@pytest.fixture
def firm(engine_url: str, tmp_path: Path) -> Firm:
    run(
        engine_url,
        "CREATE TABLE customers (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20), registered DATE)",
        "INSERT INTO customers VALUES (1, 'One', '2010-01-01'), (2, 'Two', '2010-01-01')",
    )
    firm = Firm.build(tmp_path, now=NOW - dt.timedelta(hours=1), approved=False)
    assert isinstance(firm, Firm)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    firm.policy, firm.engine = load_policy(tmp_path / "policy.yaml"), connect(engine_url, write=True)
    firm.approve(NOW - dt.timedelta(hours=1))
    return firm


class Somebody:
    """Adds a hold on customer 1 over connection and log of their own, when told; `held` is what they are told."""

    def __init__(self, firm: Firm, url: str) -> None:
        self.firm, self.url = firm, url
        self.worker = ThreadPoolExecutor(1)
        self.held: Future[Held] | None = None

    def hold(self) -> None:
        """Go on as soon as the hold is in the log, whatever it waits for then."""
        if self.held is None:
            self.held = self.worker.submit(self._hold)
            while not (self.held.done() or self.firm.of_type("hold.add")):
                time.sleep(0.01)

    def _hold(self) -> Held:
        return hold_subject(
            self.firm.policy,
            connect(self.url, write=False),
            open_log(self.firm.log.home),
            words=("1",),
            reason="claim",
            look_again=LATER,
            now=NOW,
        )

    def told(self) -> Held:
        assert self.held is not None, "the moment for the hold never came"
        return self.held.result(60)


class Interrupted(AuditLog):
    """A log in which something happens just after an intent was written."""

    happens: Callable[[], None]

    def append(self, type: str, *arguments: Any, **more: Any) -> Entry:
        entry = super().append(type, *arguments, **more)
        if type == "purge.intent":
            self.happens()
        return entry


def test_a_hold_that_comes_just_after_the_intent_is_respected(firm: Firm, engine_url: str) -> None:
    somebody, log = Somebody(firm, engine_url), Interrupted(firm.log.home)
    firm.log, log.happens = log, somebody.hold
    firm.purge()
    told = somebody.told()
    assert (told.too_late, told.gone, told.exit_code) == ((), False, 0)
    assert len(told.hold.late) == 1
    assert firm.the("purge.aborted").fields["code"] == "hold"
    assert rows(engine_url, "SELECT id FROM customers") == [(1,)]
    firm.assert_settled()


def test_a_hold_that_comes_at_the_commit_is_told_the_batch_for_which_it_came_too_late(
    firm: Firm, engine_url: str
) -> None:
    somebody = Somebody(firm, engine_url)

    def committing(_connection: object) -> None:
        if firm.of_type("purge.intent"):
            somebody.hold()

    sa.event.listen(firm.engine, "commit", committing)
    firm.purge()
    told = somebody.told()
    (batch,) = told.too_late
    assert (batch.batch, batch.outcome) == (firm.the("purge.done").fields["batch"], "committed")
    assert (told.gone, told.exit_code) == (True, 3)
    assert rows(engine_url, "SELECT id FROM customers") == []
    assert holds.current_holds(firm.log) == frozenset({(1,)})
    firm.assert_settled()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_batch_that_is_under_way_concerns_its_own_subjects_only(firm: Firm, engine_url: str) -> None:
    batch = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    fields = {"run": "r", "batch": batch, "root": "0" * 64, "rows": {"customer": 1}, "subjects": 1}
    write_pending(firm.log.home, batch, {"run": "r", "subjects": [[2]], "erasures": []})
    firm.log.append("purge.intent", fields, now=NOW)
    for subject, late, said in (
        ("1", (), "Nothing of it is erased"),
        (
            "2",
            (batch,),
            f"Perhaps too late for batch {batch}",
        ),  # nobody carries it out: its end stays unknown
    ):
        found = hold_subject(
            firm.policy, firm.engine, firm.log,
            words=(subject,), reason="claim", look_again=LATER, now=NOW, patience=0,
        )  # fmt: skip
        assert (found.hold.late, found.exit_code) == (late, 3 if late else 0)
        assert said in plain(added(found))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_of_holds_that_are_added_and_released_at_once_none_is_lost(firm: Firm) -> None:
    def put(subject: int) -> str:
        log = open_log(firm.log.home)
        found = holds.add(
            log, subject=(subject,), reason="claim", look_again=LATER, now=NOW, today=NOW.date()
        )
        if subject % 2:
            holds.release(log, hold=found.hold, now=NOW)
        holds.current(log)
        return found.hold

    with ThreadPoolExecutor(8) as people:
        list(people.map(put, range(12)))
    assert holds.current_holds(firm.log) == {(0,), (2,), (4,), (6,), (8,), (10,)}

"""A batch whose end is unclear: what a person sees, what closing it leaves behind, and what it does not allow."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from engines.talk import run
from office import DIRECTOR, MANAGER
from purge_office import DAY, NOW, Firm, after_the_purge
from purge_servers import firm_on, tables_on

from staffords_gdpr.auditlog import open_log
from staffords_gdpr.auditlog.rows import leaf, list_pending, read_batch_key, read_leaves, read_pending, root
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.auditlog.writer import line
from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import BrakeError, LockedError, UsageError
from staffords_gdpr.operations.audit.examination import examine
from staffords_gdpr.operations.history import read_history
from staffords_gdpr.operations.purge import settle as purge_settle
from staffords_gdpr.operations.purge import settlement
from staffords_gdpr.operations.purge.pending import plan_in
from staffords_gdpr.operations.purge.settlement import UnclearBatch
from staffords_gdpr.operations.status import status
from staffords_gdpr.render import settlement as view

ROWS = """
INSERT INTO customers VALUES (1, 'One', '2014-05-01'), (2, 'Two', '2014-05-01'), (3, 'Three', '2026-05-01');
INSERT INTO calls VALUES (1, 1, '2015-01-01', 'noise', NULL), (2, 1, '2015-01-02', 'x', NULL),
    (3, 2, '2015-01-01', 'x', NULL);
INSERT INTO repairs VALUES (1, 1, NULL, '2015-02-01', 'lamp'), (2, 2, NULL, '2015-02-01', 'belt');
"""


class _CutOffError(BaseException):
    """What stands for a kill: nothing on the way may handle it."""


@pytest.fixture
def firm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """Cut off before it erased anything; then somebody deleted a call and emptied a repair by hand."""
    firm = Firm.open(tmp_path, rows=ROWS)
    cut_off_in_a_batch(firm, monkeypatch)
    firm.sql("DELETE FROM calls WHERE id = 1")
    firm.sql("UPDATE repairs SET fault = NULL, customer_id = NULL, product_id = NULL WHERE id = 2")
    assert firm.purge(NOW + DAY / 24).result == "unclear"
    return firm


def cut_off_in_a_batch(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("staffords_gdpr.operations.purge.erasure.Eraser.erase", _cut_off)
        patched.setattr("staffords_gdpr.operations.purge.announcements.Announcements.outcome", _cut_off)
        with pytest.raises(_CutOffError):
            firm.purge()
    firm.log = open_log(firm.log.home)


def _cut_off(*_: object, **__: object) -> None:
    raise _CutOffError


def batch_of(firm: Firm) -> str:
    return str(firm.the("purge.recovered").fields["batch"])


def looked(firm: Firm) -> UnclearBatch:
    return settlement.look(firm.policy, firm.engine, firm.log, batch=batch_of(firm))


def settled(firm: Firm, role: str = DIRECTOR, now: dt.datetime = NOW + DAY) -> UnclearBatch:
    return settlement.settle_unclear(
        firm.policy, firm.engine, firm.log, batch=batch_of(firm), key=firm.key(role), role=role, now=now
    )


def test_a_person_sees_how_much_is_gone_before_deciding_and_keys_only_when_asked_for(firm: Firm) -> None:
    before = firm.files()
    found = looked(firm)
    assert firm.files() == before
    assert found.rows == {"customer": 2, "call": 3, "repair": 2}
    assert {name: keys for name, keys in found.gone.items() if keys} == {"call": ((1,),), "repair": ((2,),)}
    assert found.left == {"customer": ((1,), (2,)), "call": ((2,), (3,)), "repair": ((1,),)}
    assert "keys" not in view.data(found, details=False)
    assert view.data(found, details=True)["keys"] == {
        "gone": {"customer": [], "call": [[1]], "repair": [[2]]},
        "left": {"customer": [[1], [2]], "call": [[2], [3]], "repair": [[1]]},
    }


@pytest.mark.parametrize("role", [DIRECTOR, MANAGER])
def test_settling_closes_it_with_a_persons_signature_and_the_next_purge_erases_the_rest(
    firm: Firm, role: str
) -> None:
    found = settled(firm, role)
    assert found.entry is not None
    assert found.entry.fields["gone"] == {"call": 1, "repair": 1}
    assert found.entry.fields["left"] == {"customer": 2, "call": 2, "repair": 1}
    assert (found.entry.fields["role"], found.entry.fields["person"]) == (role, firm.key(role).fingerprint)
    assert len(json.loads(firm.log.home.log.read_bytes().splitlines()[-1])["sigs"]) == 2
    firm.assert_settled()
    (batch,) = [b for b in read_history(firm.log.entries()).batches if b.batch == found.batch]
    assert (batch.outcome, batch.committed, batch.rows) == ("settled", True, {"call": 1, "repair": 1})
    assert "unclear_batch" not in findings(firm)
    now = status(firm.policy, None, firm.log, now=NOW + DAY)
    assert now.unclear == ()
    assert firm.purge(NOW + DAY).erased == {"customer": 2, "call": 2, "repair": 1}
    assert set(firm.tables()["customers"]) == {3}
    firm.assert_settled()


def findings(firm: Firm) -> set[str]:
    found = examine(firm.policy, firm.engine, firm.log, now=NOW + DAY, as_of=NOW + DAY)
    return {finding.code for finding in found.findings}


def test_only_rows_that_are_gone_can_be_proved_afterwards(firm: Firm) -> None:
    batch = batch_of(firm)
    plan = plan_in(read_pending(firm.log.home, batch) or {})
    secret, found = read_batch_key(firm.log.home, batch), settled(firm)
    path = firm.log.home.leaves(batch)
    assert secret is not None
    assert path is not None
    assert found.entry is not None
    assert set(read_leaves(path)) == {leaf(secret, "call", (1,)), leaf(secret, "repair", (2,))}
    assert root(read_leaves(path)) == found.entry.fields["gone_root"]
    everything = plan.leaves(secret)
    assert root(everything) == found.entry.fields["root"] != found.entry.fields["gone_root"]
    path.write_bytes(b"".join(sorted(everything)))
    assert "does not have the root" in verify(firm.log.home).problem


def test_a_row_that_was_gone_and_is_back_is_found_by_the_audit(firm: Firm) -> None:
    assert "erased_row_reappeared" not in findings(firm)
    settled(firm)
    assert "erased_row_reappeared" not in findings(firm)  # what is still there was never said to be gone
    firm.sql("INSERT INTO calls VALUES (1, 1, '2015-01-01', 'noise', NULL)")
    assert "erased_row_reappeared" in findings(firm)


def test_it_is_settled_once_and_after_it_was_unclear_only(firm: Firm) -> None:
    found = settled(firm)
    assert found.entry is not None
    with pytest.raises(UsageError, match="not a batch whose outcome is unclear"):
        settled(firm)
    with pytest.raises(UsageError, match="cannot be appended"):
        firm.log.append("purge.settled", found.entry.fields, now=NOW + DAY, signers=(firm.key(DIRECTOR),))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"left": {"customer": 1, "call": 2, "repair": 1}}, "are not the rows of the intent"),
        ({"gone": {}}, "are not the rows of the intent"),
        ({"root": "ab" * 32}, "root is not the one of its intent"),
        ({"rows": {"call": 1}}, "rows is not the one of its intent"),
        ({"gone_root": "ab" * 32}, "leaves file"),
        ({"role": MANAGER}, "is not enrolled as"),
    ],
)
def test_the_verifier_refuses_an_entry_that_does_not_fit_its_intent(
    firm: Firm, change: dict[str, object], problem: str
) -> None:
    intent = firm.the("purge.intent").fields
    fields = {
        **{name: intent[name] for name in ("batch", "root", "rows")},
        "gone": {"call": 1, "repair": 1},
        "gone_root": root([]),
        "left": {"customer": 2, "call": 2, "repair": 1},
        "role": DIRECTOR,
        "person": firm.key(DIRECTOR).fingerprint,
    }
    write_unseen(firm, {**fields, **change})
    result = verify(firm.log.home)
    assert (result.ok, result.line) == (False, len(firm.types()))
    assert problem in result.problem


def write_unseen(firm: Firm, fields: dict[str, object]) -> None:
    """A line that is signed as it should be, written by somebody who does not use the writer."""
    state = firm.log._caught_up(firm.log.public_key)
    body = {
        "v": 1, "log": state.name, "seq": state.size, "time": "2026-11-24T02:00:00Z", "prev": state.last_hash,
        "type": "purge.settled", **fields,
    }  # fmt: skip
    with firm.log.home.log.open("ab") as stream:
        stream.write(line(body, [firm.log._private, firm.key(DIRECTOR).private]) + b"\n")


def test_a_lost_pending_file_is_settled_with_nothing_proved(firm: Firm) -> None:
    for file in firm.log.home.pending.iterdir():
        file.unlink()
    assert looked(firm).known is False
    found = settled(firm)
    assert found.entry is not None
    assert (found.entry.fields["gone"], found.entry.fields["left"]) == ({}, {})
    assert firm.log.home.leaves(found.batch) is None
    firm.assert_settled()


def test_another_database_in_which_every_row_looks_gone_is_refused(firm: Firm) -> None:
    shutil.copy(firm.database, firm.folder / "other.db")
    firm.engine = connect(f"sqlite:///{firm.folder / 'other.db'}", write=True)
    with pytest.raises(BrakeError, match="not settled"):
        settled(firm)
    assert len(list_pending(firm.log.home)) == 1


def test_it_waits_for_no_purge(firm: Firm) -> None:
    with firm.log.run_lock(), pytest.raises(LockedError):
        settled(firm)


def test_a_role_that_the_policy_does_not_name_may_not_settle(firm: Firm) -> None:
    firm.change_policy("audit: [call-centre-manager, director]", "audit: [director]")
    with pytest.raises(UsageError, match="may not settle a batch"):
        settled(firm, MANAGER)


def test_cut_off_between_entry_and_pending_file_the_next_purge_tidies_up(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(settlement, "remove_pending", _cut_off)
        with pytest.raises(_CutOffError):
            settled(firm)
    assert len(list_pending(firm.log.home)) == 1
    assert firm.purge(NOW + DAY).erased == {"customer": 2, "call": 2, "repair": 1}
    firm.assert_settled()
    assert purge_settle.unclear_rows(firm.log) == frozenset()


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"], indirect=True)
def test_on_every_engine_it_is_found_out_row_by_row_and_the_next_purge_erases_the_rest(
    engine_url: str, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = firm_on(engine_url, engine_name, tmp_path)
    nobodys = {"calls": (9, 10), "payments": (4, 5), "consignments": (4,), "repairs": (3,)}
    run(engine_url, *(f"DELETE FROM {name} WHERE id = {key}" for name in nobodys for key in nobodys[name]))
    before = tables_on(engine_url)
    cut_off_in_a_batch(firm, monkeypatch)
    run(engine_url, "DELETE FROM calls WHERE id = 2", "UPDATE payments SET card = NULL WHERE id = 2")
    assert firm.purge(NOW + DAY / 24).result == "unclear"
    writing, firm.engine = firm.engine, connect(engine_url, write=False)
    found = settled(firm, now=NOW + DAY / 12)
    assert {name: keys for name, keys in found.gone.items() if keys} == {
        "call": ((2,),),
        "payment.card": ((2,),),
    }
    assert len(found.left["call"]) == found.rows["call"] - 1
    firm.engine = writing
    firm.purge(NOW + DAY / 8)
    assert tables_on(engine_url) == after_the_purge(before)
    firm.assert_settled()

"""docs/brakes.md: a section for each brake, with what it really says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from purge_office import DAY, NOW, Firm
from test_purge_brakes import backlog

from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import BrakeError, GdprError, LogBrokenError
from staffords_gdpr.operations.purge.brakes import Code

PAGE = (Path(__file__).parents[2] / "docs" / "brakes.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `?(.*?)`?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
CODES = get_args(Code)


def test_every_brake_has_its_section_and_every_section_its_brake() -> None:
    assert set(re.findall(r"^## `(.*?)`$", PAGE, re.MULTILINE)) == set(CODES)
    assert set(re.findall(r"^\| \[`(.*?)`\]\(#\1\)", PAGE, re.MULTILINE)) == set(CODES)
    for code in CODES:
        assert re.search(r"^Why: .*^How to go on: ", SECTIONS[code], re.MULTILINE | re.DOTALL), code


def not_approved(folder: Path) -> Firm:
    return Firm.open(folder, approved=False)


def policy_changed(folder: Path) -> Firm:
    firm = Firm.open(folder)
    firm.change_policy("The policy of a test", "X")
    return firm


def wrong_database(folder: Path) -> Firm:
    firm = Firm.open(folder)
    shutil.copy(firm.database, folder / "copy.db")
    firm.engine = connect(f"sqlite:///{folder / 'copy.db'}", write=True)
    return firm


def schema_changed(folder: Path) -> Firm:
    firm = Firm.open(folder)
    firm.sql("ALTER TABLE payments ADD COLUMN iban TEXT")
    return firm


def policy_does_not_fit(folder: Path) -> Firm:
    firm = Firm.open(folder)
    firm.sql("ALTER TABLE consignments RENAME TO parcels")
    return firm


def too_many(folder: Path) -> Firm:
    return backlog(folder, due=30, kept=10, orphans=3)


@pytest.mark.parametrize(
    ("code", "make", "now"),
    [
        ("not-approved", not_approved, NOW),
        ("policy-changed", policy_changed, NOW),
        ("wrong-database", wrong_database, NOW),
        ("schema-changed", schema_changed, NOW),
        ("policy-does-not-fit", policy_does_not_fit, NOW),
        ("clock-behind", Firm.open, NOW - DAY),
        ("clock-ahead", Firm.open, NOW + DAY * 9),
        ("too-many", too_many, NOW),
    ],
    ids=[
        code for code in CODES if code != "clocks-differ"
    ],  # for that one it takes a server: test_purge_engines
)
def test_a_brake_says_what_its_section_shows_and_names_it(
    tmp_path: Path, code: str, make: Callable[[Path], Firm], now: object
) -> None:
    firm = make(tmp_path)
    with pytest.raises(BrakeError) as caught:
        firm.purge(now)  # type: ignore[arg-type]
    assert caught.value.code == code
    *hint, more = caught.value.hint.splitlines()
    assert more == f"docs/brakes.md#{code} says why, and how to go on."
    assert shown(caught.value, "\n".join(hint), tmp_path) in without_hashes(SECTIONS[code])


def test_what_stops_a_purge_over_the_log_is_shown_too(tmp_path: Path) -> None:
    firm = Firm.open(tmp_path)
    firm.hold(1)
    (firm.log.home.secret / "holds.json").write_text("{}", encoding="utf-8")
    with pytest.raises(LogBrokenError) as caught:
        firm.purge()
    section = re.sub(r"[0-9A-Z]{26}", "HOLD", without_hashes(SECTIONS["When a legal hold is missing"]))
    assert re.sub(r"[0-9A-Z]{26}", "HOLD", shown(caught.value, caught.value.hint, tmp_path)) in section
    firm.log.home.log.write_bytes(
        firm.log.home.log.read_bytes().replace(b"policy.approve", b"policy.appruve")
    )
    with pytest.raises(LogBrokenError) as caught:
        firm.purge()
    said = shown(caught.value, caught.value.hint, tmp_path)
    section = without_hashes(SECTIONS["When the log does not verify"])
    assert re.sub(r"line \d|'.*?'", "", said) in re.sub(r"line \d|'.*?'", "", section)


def shown(error: GdprError, hint: str, folder: Path) -> str:
    message = error.message.replace(f"{folder}/home/", "").replace(f"{folder}/", "")
    return without_hashes(f"```text\n{message}\n{hint}\n```")


def without_hashes(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{12,16}\b", "HASH", text)

"""A result that cannot be written: what was done is said to be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_main import ENVIRONMENT

if TYPE_CHECKING:
    from command_site import Site

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="no device here that is always full")


def into_a_full_disk(site: Site, *arguments: str) -> tuple[int, str]:
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "staffords_gdpr.cli.main", *arguments],
            cwd=site.folder,
            env={**ENVIRONMENT, "XDG_CONFIG_HOME": str(site.folder)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    return done.returncode, done.stderr


def test_a_purge_that_cannot_print_says_that_it_is_done(site: Site) -> None:
    code, told = into_a_full_disk(site, "purge", "--confirm", "60", "--format", "json")
    assert code == 1
    error = json.loads(told)
    assert error["error"] == (
        f"the command did its work, but the output could not be written: {os.strerror(28)}"
    )
    assert "gdpr log show" in error["hint"]
    assert site.told("scan")["records"]["customer"]["due"] == 0


@pytest.mark.parametrize("arguments", [("--help",), ("log", "show", "--format", "jsonl"), ("scan",)])
def test_a_full_disk_is_named_by_every_command(finished_site: Site, arguments: tuple[str, ...]) -> None:
    code, told = into_a_full_disk(finished_site, *arguments)
    assert code == 1
    assert f"the output could not be written: {os.strerror(28)}" in told
    assert len(told.splitlines()) <= 2
    assert "fault of gdpr" not in told

"""`[notify]` in gdpr.toml: a real script hears how a purge ended, and cannot change it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staffords_gdpr.cli import notify

if TYPE_CHECKING:
    from command_site import Site

SCRIPT = """
import json, os, sys
told = {name: value for name, value in os.environ.items() if name.startswith("GDPR_")}
with open(sys.argv[2], "a") as heard:
    heard.write(json.dumps([sys.argv[1], told]) + "\\n")
"""


@pytest.fixture
def heard(site: Site) -> Path:
    """Where the script writes what it was told."""
    (site.folder / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(site.folder / "script.py")]
    configure(
        site,
        success=[*command, "went well", str(site.folder / "heard")],
        failure=[*command, "did not", str(site.folder / "heard")],
    )
    return site.folder / "heard"


def configure(site: Site, **commands: object) -> None:
    lines = [f"{name} = {json.dumps(command)}" for name, command in commands.items()]
    with (site.folder / "gdpr.toml").open("a") as settings:
        settings.write("\n".join(["\n[notify]", *lines, ""]))


def what(heard: Path) -> list[tuple[str, dict[str, str]]]:
    return [tuple(json.loads(line)) for line in heard.read_text().splitlines()]


def test_a_purge_that_went_well_and_one_that_was_refused_are_told_apart(site: Site, heard: Path) -> None:
    refused = site.gdpr("purge", environ={"GDPR_DATABASE_PASSWORD": "secret"})
    assert refused.returncode == 4
    assert what(heard) == [("did not", {"GDPR_EXIT_CODE": "4", "GDPR_RUN": ""})]
    run = site.told("purge", "--confirm", "60")["run"]
    assert what(heard)[1:] == [("went well", {"GDPR_EXIT_CODE": "0", "GDPR_RUN": run})]


def test_a_rehearsal_is_no_purge_that_went_well(site: Site, heard: Path) -> None:
    rehearsing = {"GDPR_MODE": "rehearsal"}
    assert site.gdpr("purge", environ=rehearsing).returncode == 4
    assert what(heard) == [("did not", {"GDPR_EXIT_CODE": "4", "GDPR_RUN": ""})]
    assert site.gdpr("purge", "--confirm", "60", environ=rehearsing).returncode == 0
    assert len(what(heard)) == 1


def test_every_way_to_fail_is_told_and_a_dry_run_is_not(site: Site, heard: Path) -> None:
    site.gdpr("purge", "--dry-run")
    assert not heard.exists()
    site.gdpr("purge", "--database", "sqlite:////nowhere/calls.db")
    site.policy.write_text("version: 2\n")
    site.gdpr("purge")
    assert [told["GDPR_EXIT_CODE"] for _, told in what(heard)] == ["6", "2"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/nowhere/beat"], "'/nowhere/beat' cannot be run: No such file or directory"),
        (["sh", "-c", "echo first >&2; echo no route >&2; exit 7"], "exited with 7: no route"),
        ("sh -c 'echo \"$HOME; rm\" >&2; exit 1'", "exited with 1: "),
        (["sh", "-c", "sleep 60 & wait"], "was stopped: it took longer than 1 seconds"),
    ],
)
def test_a_command_that_fails_is_said_on_stderr_and_the_exit_code_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: object, said: str
) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 1.0)
    configure(site, success=command)
    done = site.gdpr("purge", "--confirm", "60")
    assert (done.returncode, done.stdout) == (0, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_command_that_cannot_be_one_is_refused_by_file_and_key(site: Site) -> None:
    configure(site, sucess=["true"], failure=[])
    done = site.gdpr("purge")
    assert done.returncode == 2
    assert "gdpr.toml: 'notify.sucess' is unknown. Did you mean 'success'?" in done.stderr
    assert "gdpr.toml: 'notify.failure' is no command" in done.stderr

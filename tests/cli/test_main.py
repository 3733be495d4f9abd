"""The command line as a shell sees it: exit codes, what goes where, and what is said of bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staffords_gdpr import __version__
from staffords_gdpr.cli import main as cli
from staffords_gdpr.cli.docs import commands
from staffords_gdpr.errors import DatabaseError

if TYPE_CHECKING:
    from command_site import Site

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GDPR_")},
    "COLUMNS": "80",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def gdpr(
    *arguments: str, folder: Path, environ: dict[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "staffords_gdpr.cli.main", *arguments],
        cwd=folder,
        env={**ENVIRONMENT, "XDG_CONFIG_HOME": str(folder), **(environ or {})},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_printed(tmp_path: Path) -> None:
    done = gdpr("--version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"gdpr {__version__}\n", "")


def test_without_arguments_it_helps(tmp_path: Path) -> None:
    done = gdpr(folder=tmp_path)
    assert done.returncode == 0
    assert "scan" in done.stdout
    assert done.stderr == ""


LOADED = """
import sys
from staffords_gdpr.cli.main import run
code = run(sys.argv[1:])
print("loaded:", *(name for name in sys.modules if "." not in name), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"sqlalchemy", "cryptography", "pendulum", "yaml", "jinja2", "tabulate", "filelock", "rfc8785"}


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_help_loads_nothing_heavy(path: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *path, "--help"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    loaded = set(done.stderr.partition("loaded:")[2].split())
    assert done.returncode == 0
    assert "typer" in loaded
    # typer reads the options of a command with pydantic; nothing else may load it
    assert loaded & (HEAVY if path else HEAVY | {"pydantic"}) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scna"], "Did you mean 'scan'?"),
        (["scan", "--detials"], "--details"),
        (["scan", "--format", "xml"], "'xml' is not one of 'table', 'json', 'jsonl'"),
        (["scan", "extra"], "extra"),
        (["scan", "--state", "dead", "--database", "sqlite:///x.db"], "'dead' is no state"),
        (["purge", "--confirm", "0"], "--confirm"),
        (["purge", "--confirm", "many"], "--confirm"),
        (["purge", "--as-of", "2026-01-01"], "--as-of goes with --dry-run only"),
        (["purge", "--batch-size", "0"], "--batch-size"),
        (["explain", "customer"], "KEY"),
        (["keys"], "Missing command"),
        (["keys", "new", "--as", "director"], "--out"),
        (["approve", "--key", "x.key"], "--as"),
        (["sign", "--as", "director", "--key", "x.key", "--of", "-1"], "--of"),
        (["init", "--name", "Not A Name"], "'Not A Name' is no name for a log"),
        (["init", "--home", "nowhere/at/all"], "nowhere"),
        (["log", "verify", "--trust", "abc"], "--trust"),
        (["log", "verify", "--trust", "AAAA"], "32 bytes"),
        (["log", "verify", "--checkpoint", "nofile"], "nofile"),
        (["log", "show"], "gdpr init"),
        (["log", "show", "--type", "purge.ended"], "Did you mean 'purge.end'?"),
        (["demo", "."], "not empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(
    arguments: list[str], words: str, tmp_path: Path, empty: Site
) -> None:
    (tmp_path / "something").touch()
    done = empty.gdpr(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["something"]


def test_a_wrong_usage_names_the_help_of_that_command(empty: Site) -> None:
    assert "'gdpr log verify --help'" in empty.gdpr("log", "verify", "--turst", "x").stderr


@pytest.mark.parametrize("style", ["--format=json", "--format json", "--format=jsonl"])
def test_where_json_is_chosen_an_error_is_one_json_object(style: str, empty: Site) -> None:
    done = empty.gdpr("scan", *style.split())
    told = json.loads(done.stderr)
    assert set(told) == {"error", "hint", "exit_code"}
    assert told["exit_code"] == done.returncode == 2
    assert "retention.yaml" in told["error"]
    assert done.stdout == ""


def test_an_error_of_typing_is_json_too(empty: Site) -> None:
    told = json.loads(empty.gdpr("scan", "--format", "json", "--nonsense").stderr)
    assert told["exit_code"] == 2


def test_a_mistake_in_gdpr_toml_is_named_by_file_and_key(tmp_path: Path, empty: Site) -> None:
    (tmp_path / "gdpr.toml").write_text('polcy = "x"')
    done = empty.gdpr("scan")
    assert done.returncode == 2
    assert "gdpr.toml: unknown key 'polcy'. Did you mean 'policy'?" in done.stderr


def test_nothing_is_coloured_where_the_output_is_piped(tmp_path: Path) -> None:
    for arguments in (["--help"], ["scan"], ["init"], ["log", "show"]):
        done = gdpr(*arguments, folder=tmp_path)
        assert "\x1b" not in done.stdout + done.stderr


class TestErrorsOfTheProgram:
    """What becomes of an exception that a command raises."""

    @pytest.fixture
    def failing(self, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
        monkeypatch.delenv("GDPR_DEBUG", raising=False)
        return monkeypatch

    @staticmethod
    def raising(error: BaseException):  # type: ignore[no-untyped-def]
        def invoke(arguments: list[str]) -> int:
            raise error

        return invoke

    def test_an_error_for_people_exits_with_its_own_code(
        self, failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failing.setattr(cli, "_invoke", self.raising(DatabaseError("calls.db is locked", "try later")))
        assert cli.run(["scan"]) == 6
        assert capsys.readouterr().err == "gdpr: calls.db is locked\ntry later\n"

    def test_how_far_the_work_had_got_is_told_with_what_ended_it(
        self, failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lost = OSError("of the driver, which nobody sees")
        lost.add_note("Before that 3 of 7.")
        answer = DatabaseError("calls.db is locked", "try later")
        answer.__cause__ = lost
        for error in (answer, KeyboardInterrupt()):
            if error is not answer:
                error.add_note("Before that 3 of 7.")
            failing.setattr(cli, "_invoke", self.raising(error))
            assert cli.run(["purge"]) in (6, 130)
            assert capsys.readouterr().err.endswith("\nBefore that 3 of 7.\n")

    def test_an_unexpected_error_is_one_clear_line(
        self, failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failing.setattr(cli, "_invoke", self.raising(KeyError("lost\nand more")))
        assert cli.run(["scan"]) == 1
        told = capsys.readouterr().err
        assert "unexpected KeyError" in told
        assert "This is a fault of gdpr; run again with GDPR_DEBUG=1 to see where." in told
        assert "Traceback" not in told

    def test_an_unexpected_error_without_words_is_still_named(
        self, failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failing.setattr(cli, "_invoke", self.raising(RuntimeError()))
        assert cli.run(["scan"]) == 1
        assert "unexpected RuntimeError" in capsys.readouterr().err

    def test_with_gdpr_debug_the_traceback_is_shown(self, failing: pytest.MonkeyPatch) -> None:
        failing.setenv("GDPR_DEBUG", "1")
        failing.setattr(cli, "_invoke", self.raising(KeyError("lost")))
        with pytest.raises(KeyError):
            cli.run(["scan"])

    def test_an_interrupt_exits_130_and_says_that_nothing_is_half_done(
        self, failing: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failing.setattr(cli, "_invoke", self.raising(KeyboardInterrupt()))
        assert cli.run(["purge"]) == 130
        assert "Nothing is half done" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    assert gdpr("init", folder=tmp_path).returncode == 0
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "staffords_gdpr.cli.main", "log", "show", "--format", "jsonl"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (cli.PIPE_CLOSED, b"")

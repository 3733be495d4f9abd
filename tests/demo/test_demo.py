"""The demonstration's folder: complete, in nobody's way, and its tour made of commands that exist."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from staffords_gdpr.cli.main import run
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.demo import (
    ANSWERS,
    DATABASE,
    POLICY,
    PREPARATION,
    Demo,
    packaged_policy,
    tour,
    write_demo,
)
from staffords_gdpr.operations.review.answers import read_answers, replies
from staffords_gdpr.policy import load_policy
from staffords_gdpr.settings import load_settings

TODAY = dt.date(2026, 11, 23)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path: Path) -> Demo:
    return write_demo(tmp_path / "demo", customers=20, seed=1, today=TODAY)


def test_the_policy_that_is_installed_is_the_firms() -> None:
    assert packaged_policy() == (ROOT / "policies" / "retention.yaml").read_bytes()


def test_the_settings_find_everything_in_the_folder(made: Demo) -> None:
    settings = load_settings({}, {}, made.directory)
    assert settings.connection_url() == f"sqlite:///{made.directory / DATABASE}"
    assert settings.policy == made.directory / POLICY
    assert settings.home.resolve() == made.directory.resolve()


def test_every_question_of_the_review_has_an_answer(made: Demo) -> None:
    questions = load_policy(made.directory / POLICY).review_questions
    given = read_answers(made.directory / ANSWERS)
    assert questions
    assert len(replies(questions, given.answers)) == len(questions)
    assert [change.due > TODAY for change in given.changes] == [True]


def test_a_folder_with_anything_in_it_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        write_demo(tmp_path, customers=20, seed=1, today=TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file"):
        write_demo(tmp_path / "file" / "demo", customers=20, seed=1, today=TODAY)


def test_nobody_else_can_read_the_keys_folder(made: Demo) -> None:
    assert (made.directory / "keys").stat().st_mode & 0o077 == 0


def test_the_tour_goes_through_to_its_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"

    assert run(["demo", str(folder), "--customers", "120"]) == 0

    shown = capfd.readouterr().out
    for step in (*PREPARATION, *tour(confirm=1)):
        assert step.title in shown
    settings = ["--database", f"sqlite:///{folder / DATABASE}", "--policy", str(folder / POLICY)]
    assert run(["scan", "--format", "json", *settings, "--home", str(folder)]) in (0, 3)
    left = json.loads(capfd.readouterr().out)["records"]
    assert sum(counts["due"] for counts in left.values()) == 0
    assert left["customer"]["kept"] > 0

"""README and getting-started: what they tell people to type works, and what they show is what is printed."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from doc_pages import (
    ROOT,
    Line,
    blocks,
    commands,
    install,
    moved,
    shown_but_not_printed,
    type_in,
)

from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.demo import write_demo
from staffords_gdpr.operations.scan import scan
from staffords_gdpr.policy import load_policy

GUIDE = "docs/getting-started.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TOO_SLOW = ("python3 -m venv /opt/gdpr", "/opt/gdpr/bin/pip install .")  # they ask a package index
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a terminal of 80 columns would break a long one in the middle."""
    with tempfile.TemporaryDirectory(prefix="g") as made:
        yield Path(made)


def recipe(target: str) -> list[str]:
    """What `make` would run for this target once everything is installed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-n", target], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def gdpr_command(target: str) -> str:
    """The gdpr command in the recipe of a target."""
    (found,) = re.findall(r"^\S*/(gdpr .*)$", "\n".join(recipe(target)), re.MULTILINE)
    return str(found)


def typed(page: str) -> list[Line]:
    """Every command of the page's blocks `sh`, in order."""
    return [line for _, text in blocks(page, "sh") for line in commands(text)]


def test_the_commands_of_the_readme_work_and_print_what_it_shows(tmp_path: Path) -> None:
    install(tmp_path / ".venv")
    lines = []
    for line in typed("README.md"):
        if line.command == "make demo":
            lines.append(Line(f".venv/bin/{gdpr_command('demo')}", 0))
        elif line.command == "make test":
            assert any("-m pytest" in step for step in recipe("test"))
        else:
            lines.append(line)
    printed = type_in(lines, tmp_path)
    shown = [text for _, text in blocks("README.md", "text")]
    assert len(lines) > 3
    assert len(shown) > 3
    assert shown_but_not_printed(shown, printed) == []


def test_the_commands_of_getting_started_work_and_print_what_it_shows(folder: Path) -> None:
    for name in ("opt", "srv", "mnt/office", "mnt/backup", "mnt/safe", "clone"):
        (folder / name).mkdir(parents=True)
    install(folder / "opt/gdpr")
    shutil.copytree(ROOT / "policies", folder / "clone/policies")
    lines = []
    for kind, text in blocks(GUIDE, "sh", "toml"):
        if kind == "toml":
            (folder / "settings").write_text(moved(text, folder))
            lines.append(Line(f"cp {folder}/settings /srv/gdpr/gdpr.toml", 0))
        else:
            lines += commands(text)
    assert set(TOO_SLOW) < {line.command for line in lines}
    lines = [line for line in lines if line.command not in TOO_SLOW]

    printed = type_in(lines, folder / "clone", stand_in=folder)

    assert shown_but_not_printed([text for _, text in blocks(GUIDE, "text")], printed) == []
    cron_is_content(folder)


def cron_is_content(folder: Path) -> None:
    """The crontab's lines work with next to no environment, and print nothing that would be mailed."""
    entries = [line for _, text in blocks(GUIDE, "crontab") for line in text.splitlines()]
    assert len(entries) == 2
    before = set((folder / "mnt/office").iterdir())
    for entry in entries:
        command = moved(entry.split(maxsplit=5)[5].replace(r"\%", "%"), folder)
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), command
    (copied,) = set((folder / "mnt/office").iterdir()) - before
    assert copied.read_bytes() == (folder / "srv/gdpr/audit/checkpoint").read_bytes()


def test_the_policy_in_the_readme_is_part_of_the_firms_and_works_by_itself(tmp_path: Path) -> None:
    ((_, text),) = blocks("README.md", "yaml")
    excerpt = tmp_path / "excerpt.yaml"
    excerpt.write_text(text, encoding="utf-8")
    firms = yaml.safe_load((ROOT / "policies/retention.yaml").read_text(encoding="utf-8"))
    assert_part_of(yaml.safe_load(text), firms)

    site = tmp_path / "site"
    write_demo(site, customers=40, seed=1, today=dt.date(2026, 11, 23))
    engine = connect(f"sqlite:///{site}/calls.db", write=False)
    result = scan(load_policy(excerpt), engine, as_of=dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    engine.dispose()
    assert result.subjects == 40
    assert sum(counts.due for counts in result.records.values()) > 0


def assert_part_of(part: Any, whole: Any, place: str = "") -> None:
    """Everything that `part` says, `whole` says, too."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert key in whole, f"{place}.{key}"
            assert_part_of(value, whole[key], f"{place}.{key}")
    else:
        assert part == whole, place


def links(page: Path) -> list[tuple[Path, str]]:
    """The links of a page to files of the repository: the file, and the heading in it."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    inside = [link for link in LINK.findall(prose) if not re.match(r"[a-z]+:", link)]
    return [
        ((page.parent / path).resolve() if path else page, heading)
        for path, _, heading in (link.partition("#") for link in inside)
    ]


def headings(page: Path) -> set[str]:
    """A page's headings, as the links to them spell them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target, heading in links(page):
        assert target.exists(), f"{page.name} links to {target}"
        assert not heading or heading in headings(target), f"{page.name} links to #{heading} of {target.name}"


def test_every_file_of_the_documentation_is_linked_from_another_page() -> None:
    linked = {target for page in PAGES for target, _ in links(page) if target != page}
    files = {path.resolve() for path in (ROOT / "docs").rglob("*") if path.is_file()}
    assert sorted(path.name for path in files - linked) == []

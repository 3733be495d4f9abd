"""A demonstration, made once, and commands run in a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_site import Site


@pytest.fixture(scope="session")
def finished_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A demonstration, approved and not purged yet. Not to be written to."""
    folder = tmp_path_factory.mktemp("demo") / "site"
    done = Site(folder).parent.gdpr("demo", "site", "--customers", "60", "--seed", "7", "--format", "json")
    assert done.returncode == 0, done.stderr
    return Site(folder)


@pytest.fixture
def empty(tmp_path: Path) -> Site:
    """A folder without anything: for what a command says before it finds something, or of a mistake in its line."""
    return Site(tmp_path)


@pytest.fixture
def site(finished_site: Site, tmp_path: Path) -> Site:
    """A copy of the demonstration to do with as one likes."""
    folder = tmp_path / "site"
    shutil.copytree(finished_site.folder, folder)
    copied = Site(folder)
    # the copy is another database: it has to be approved again
    assert copied.gdpr("approve", "--as", "director", "--key", "keys/director.key").returncode == 0
    return copied

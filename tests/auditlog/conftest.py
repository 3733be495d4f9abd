from __future__ import annotations

from pathlib import Path

import pytest
from log_samples import Sample, build


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Never written to."""
    return build(tmp_path_factory.mktemp("auditlog") / "home")


@pytest.fixture
def sample(original: Sample, tmp_path: Path) -> Sample:
    return original.copy(tmp_path / "home")

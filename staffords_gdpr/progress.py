"""Progress of long work: a reporter that does nothing, which `cli` replaces by one that draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Planned:
    """What a purge has decided, told before the first row goes. Rows are counted by record type, and by step.

    `held` has for each record type the reasons, and how many rows each keeps. `subjects` of `total` have something to
    be erased; `alone` rows belong to none. `allowed` is up to how many a person has said, 0 where nobody had to.
    `stops_at` is when the run ends by itself, None for never.
    """

    rows: Mapping[str, int]
    subjects: int
    total: int
    alone: int
    held: Mapping[str, Mapping[str, int]]
    undecidable: Mapping[str, int]
    allowed: int = 0
    stops_at: dt.datetime | None = None


class Progress(Protocol):
    """Told of long work as it goes. `total` is None where the amount is not known beforehand."""

    def plan(self, planned: Planned) -> None: ...
    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, amount: int = 1) -> None: ...
    def finish(self) -> None: ...


class NoProgress:
    """Says nothing."""

    def plan(self, planned: Planned) -> None:
        pass

    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass


SILENT: Progress = NoProgress()

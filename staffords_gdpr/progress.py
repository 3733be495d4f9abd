"""Progress of long work: a reporter that does nothing, which `cli` replaces by one that draws."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of long work as it goes. `total` is None where the amount is not known beforehand."""

    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, amount: int = 1) -> None: ...
    def finish(self) -> None: ...


class NoProgress:
    """Says nothing."""

    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass


SILENT: Progress = NoProgress()

"""Progress of long work, drawn on stderr. Nothing is drawn for work that is done in a moment."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from staffords_gdpr.progress import SILENT, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE = 1.0  # seconds of work before a bar appears


class DrawnProgress:
    """A rich progress bar that waits until the work has taken a while, and leaves nothing behind."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._label = ""
        self._total: int | None = None
        self._done = 0
        self._since = 0.0

    def start(self, label: str, total: int | None) -> None:
        self.finish()
        self._label, self._total, self._done = label, total, 0
        self._since = time.monotonic()

    def advance(self, amount: int = 1) -> None:
        self._done += amount
        if self._bar is None and time.monotonic() - self._since >= PATIENCE:
            self._draw()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done)

    def finish(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._label, total=self._total)
        self._bar.start()


def reporter() -> Progress:
    """A reporter that draws where somebody looks at stderr, and one that says nothing elsewhere."""
    return DrawnProgress() if sys.stderr.isatty() else SILENT

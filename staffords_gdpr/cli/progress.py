"""Progress of long work, drawn on stderr. Nothing is drawn for work that is done in a moment."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from staffords_gdpr.progress import SILENT, Planned, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from staffords_gdpr.render.page import Page

PATIENCE = 1.0  # seconds of work before a bar appears


class DrawnProgress:
    """A rich progress bar that waits until the work has taken a while, and leaves nothing behind.

    `page` makes what is said of a purge's plan.
    """

    def __init__(self, page: Callable[[Planned], Page] | None = None) -> None:
        self._page = page
        self._drawing = threading.Lock()  # the bar appears by a timer: some work never tells how far it is
        self._timer: threading.Timer | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._label = ""
        self._total: int | None = None
        self._done = 0
        self._since = 0.0

    def plan(self, planned: Planned) -> None:
        self.finish()
        if self._page is None or not (page := self._page(planned)):
            return
        from rich.console import Console

        from staffords_gdpr.render.terminal import draw

        Console(stderr=True, highlight=False).print(draw(page), end="\n\n")

    def start(self, label: str, total: int | None) -> None:
        self.finish()
        self._label, self._total, self._done = label, total, 0
        self._since = time.monotonic()
        self._timer = threading.Timer(PATIENCE, self._draw)
        self._timer.daemon = True
        self._timer.start()

    def advance(self, amount: int = 1) -> None:
        with self._drawing:
            self._done += amount
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._done, rate=self._rate())

    def finish(self) -> None:
        with self._drawing:
            if self._timer is not None:
                self._timer.cancel()
            if self._bar is not None:
                self._bar.stop()
            self._timer = self._bar = self._task = None

    def _rate(self) -> str:
        seconds = time.monotonic() - self._since
        return f"{self._done / seconds:,.0f}/s" if self._done and seconds else ""

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            ProgressColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        label, rate = TextColumn("{task.description}"), TextColumn("{task.fields[rate]}")
        columns: list[ProgressColumn] = [SpinnerColumn(), label, TimeElapsedColumn()]
        if self._total is not None:
            columns = [
                label,
                BarColumn(),
                MofNCompleteColumn(),
                rate,
                TimeRemainingColumn(),
                TextColumn("left"),
            ]
        with self._drawing:
            if self._timer is None:
                return  # the work was over just now
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(
                self._label, total=self._total, completed=self._done, rate=self._rate()
            )
            self._bar.start()


@contextmanager
def reporter(page: Callable[[Planned], Page] | None = None) -> Iterator[Progress]:
    """A reporter that draws where somebody looks at stderr, and one that says nothing elsewhere.

    At the end the bar goes, and the cursor is back, whatever happened.
    """
    progress = DrawnProgress(page) if sys.stderr.isatty() else SILENT
    try:
        yield progress
    finally:
        progress.finish()

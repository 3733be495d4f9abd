"""Signals that end a purge after the batch that it is at."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT  # as shells have it
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_NOTED = (
    b"\nStopping after this batch. Ctrl-C once more stops at once; what is not done then is rolled back.\n"
)


class Stopping:
    """Called, it says whether to stop. `signal` is what asked for it, None while nothing did."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler. A second Ctrl-C is one that does not want to wait."""
        if number == signal.SIGINT:
            if self.signal == number:
                signal.default_int_handler(number, frame)
            if sys.stderr.isatty():
                os.write(
                    sys.stderr.fileno(), _NOTED
                )  # not through the stream: it may be in the middle of a line
        self.signal = number


@contextmanager
def stopping() -> Iterator[Stopping]:
    """Within it the signals are only noted. One that is ignored stays ignored (nohup)."""
    asked = Stopping()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(each, asked.note)
    try:
        yield asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

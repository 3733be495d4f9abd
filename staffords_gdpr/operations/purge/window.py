"""When a run ends before its work is done, and where it waits: between two batches, never within one."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from staffords_gdpr.operations.purge.announcements import Clock

_SLICE = 0.05  # seconds between two looks at whether to stop


@dataclass(frozen=True)
class Limits:
    """What a run keeps to for the sake of others; durations in seconds.

    `batch_size`: subjects in one transaction; None for as many as keep its locks for `hold_locks_for`, which depends on
    the engine where it is None. `until`: a time of the clock in the policy's zone, today or tomorrow.
    `connections`: how many erase at once; None for as many as are worth it.
    """

    batch_size: int | None = None
    hold_locks_for: float | None = None
    max_runtime: float | None = None
    until: dt.time | None = None
    pause: float = 0.0
    connections: int | None = None


NO_LIMITS = Limits()


class Window:
    """The time that one run has. `ends_at` is None where nothing but its work ends it."""

    def __init__(
        self, limits: Limits, clock: Clock, zone: ZoneInfo, stop: Callable[[], bool] = lambda: False
    ) -> None:
        self._clock = clock
        self._stop = stop
        now = clock()
        ends: list[tuple[dt.datetime, str]] = []
        if limits.max_runtime is not None:
            ends.append((now + dt.timedelta(seconds=limits.max_runtime), "max-runtime"))
        if limits.until is not None:
            ends.append((next_at(limits.until, now, zone), "until"))
        self.ends_at: dt.datetime | None = None
        self._why = ""
        self._closed = False
        if ends:
            self.ends_at, self._why = min(ends)

    def over(self) -> str:
        """What ends the run now: `error`, `signal`, `max-runtime` or `until`; empty while it may go on."""
        if self._closed:
            return "error"
        if self._stop():
            return "signal"
        return self._why if self.ends_at is not None and self._clock() >= self.ends_at else ""

    def close(self) -> None:
        """End the run: something went wrong."""
        self._closed = True

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the run ends."""
        last = time.monotonic() + seconds
        while (rest := last - time.monotonic()) > 0 and not self.over():
            time.sleep(min(rest, _SLICE))


def next_at(when: dt.time, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The next moment after `now` at which clocks in `zone` show this time.

    A time that the change to summer time leaves out comes as much later as the clock jumps.
    """
    today = now.astimezone(zone).date()
    moments = (
        dt.datetime.combine(today + dt.timedelta(days=n), when, zone).astimezone(dt.UTC) for n in range(3)
    )
    return next(moment for moment in moments if moment > now)

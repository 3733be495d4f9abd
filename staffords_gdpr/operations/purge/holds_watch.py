"""Which subjects are under a legal hold, while a purge runs."""

from __future__ import annotations

from staffords_gdpr.operations.holds import current_holds
from staffords_gdpr.operations.purge.announcements import Announcements
from staffords_gdpr.retention.states import Key


class HoldsWatch:
    """The subjects under legal hold, read again whenever the file of holds has changed.

    A hold is written to that file before it goes to the log, so a file that has not changed means no new hold.
    """

    def __init__(self, announcements: Announcements, skipped: frozenset[Key]) -> None:
        self._announcements = announcements
        self._skipped = skipped  # subjects of a batch whose end is unclear: left alone like held ones
        self._seen: tuple[int, int, int] | None = None
        self._held: frozenset[Key] = frozenset()

    def current(self) -> frozenset[Key]:
        """The keys of the subjects that must not be touched now."""
        if self._stamp() != self._seen:
            with self._announcements.turn():
                seen = self._stamp()
                self._held = current_holds(self._announcements.log) | self._skipped
                self._seen = seen
        return self._held

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = (self._announcements.log.home.secret / "holds.json").stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (found.st_ino, found.st_mtime_ns, found.st_size)

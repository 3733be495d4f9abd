"""How many subjects a batch takes: as many as keep its locks for about as long as others can bear."""

from __future__ import annotations

from collections import deque
from statistics import fmean, linear_regression

from staffords_gdpr.operations.purge.window import Limits

LEAST, FIRST, MOST = 50, 500, 4_000

OTHERS_WAIT = 0.1
"""Seconds for which a batch holds its locks where others may want the same rows."""

NOBODY_WAITS = 0.3
"""The same as long as nobody else has written since the decision: whoever comes first waits so long, once."""

ALONE_ANYWAY = 0.5
"""The same on SQLite: one writer at a time, however small its transactions are, and each has a price."""

_REMEMBERED = 12
_APART = 1.4
"""Every other batch is larger, every other smaller by this: only so it shows what a subject costs."""


class Pace:
    """The size of the next batch, `size`, from how long those before it held their locks.

    `target` in seconds, and `undisturbed` the one that holds while nobody else writes. A `fixed` size stays what it is.
    What a batch costs is told from what each of its subjects costs: where the batch alone takes more than half of the
    target, it may take twice that. Smaller still, it would let others wait hardly less, and a night would not do.
    """

    def __init__(self, target: float, fixed: int | None = None, *, undisturbed: float | None = None) -> None:
        self._target = self._usual = target
        self._undisturbed = undisturbed or target
        self._fixed = fixed
        self._took: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._batch = self._subject = 0.0  # what each costs, in seconds
        self._middle: float = FIRST
        self._larger = self._begun = False

    @classmethod
    def within(cls, limits: Limits, *, writes_at_once: bool) -> Pace:
        """What a run keeps to. Who says how long locks may be held means always, also while nobody else writes."""
        if limits.hold_locks_for is not None:
            return cls(limits.hold_locks_for, limits.batch_size)
        if not writes_at_once:
            return cls(ALONE_ANYWAY, limits.batch_size)
        return cls(OTHERS_WAIT, limits.batch_size, undisturbed=NOBODY_WAITS)

    @property
    def size(self) -> int:
        if self._fixed is not None:
            return self._fixed
        size = self._middle * _APART if self._larger else self._middle / _APART
        return min(max(round(size), LEAST), MOST)

    def took(self, amount: int, seconds: float, *, undisturbed: bool = False) -> None:
        """A batch of `amount` held its locks for so many seconds; `undisturbed`: nobody else has written so far."""
        self._aim(self._undisturbed if undisturbed else self._usual)
        if not self._begun:
            # the first one pays for what later ones find done, so it says only what is far too much
            self._begun = True
            self._go_to(min(self._middle, self._middle * self._target / max(seconds, self._target)))
            return
        expected = self._batch + self._subject * amount
        # somebody else's lock, or a slow disk, is no measure
        self._took.append((amount, min(seconds, 4 * expected) if expected else seconds))
        self._learn()
        self._larger = not self._larger
        if self._subject:
            self._go_to((max(self._target, 2 * self._batch) - self._batch) / self._subject)
        else:
            self._go_to(2 * self._middle)

    def _aim(self, target: float) -> None:
        if target < self._target:  # somebody has come: at once, and not in steps
            self._middle = max(self._middle * target / self._target, LEAST)
        self._target = target

    def failed(self) -> None:
        """A batch did not get through: fewer rows are in fewer people's way."""
        self._resize(self._middle / 2)

    def _learn(self) -> None:
        amounts, seconds = zip(*self._took, strict=True)
        if max(amounts) < _APART * min(amounts):
            self._batch, self._subject = 0.0, fmean(seconds) / fmean(amounts)
            return
        slope, intercept = linear_regression(amounts, seconds)
        self._subject = max(slope, 0.0)
        self._batch = min(max(intercept, 0.0), fmean(seconds))

    def _go_to(self, wanted: float) -> None:
        """Half of the way there, in proportion, so that one batch does not upset it."""
        self._resize((self._middle * max(wanted, 1)) ** 0.5)

    def _resize(self, size: float) -> None:
        within = min(max(size, self._middle / 2), self._middle * 2)
        self._middle = min(max(within, LEAST), MOST)

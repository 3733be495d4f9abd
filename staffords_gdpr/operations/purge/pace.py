"""How many subjects a batch takes: as many as keep its locks for about as long as others can bear."""

from __future__ import annotations

LEAST, FIRST, MOST = 50, 500, 20_000

OTHERS_WAIT = 0.1
"""Seconds for which a batch holds its locks where others may want the same rows."""

ALONE_ANYWAY = 1.0
"""The same on SQLite: one writer at a time, however small its transactions are, and each has a price."""


class Pace:
    """The size of the next batch, `size`, from how long those before it held their locks.

    `target` in seconds. A `fixed` size stays what it is. A change is the square root of what the last batch suggests,
    so that one slow fsync does not upset it, and at most a doubling or halving.
    """

    def __init__(self, target: float, fixed: int | None = None) -> None:
        self._target = target
        self._fixed = fixed is not None
        self.size = FIRST if fixed is None else fixed

    def took(self, amount: int, seconds: float) -> None:
        """A batch of `amount` held its locks for so many seconds."""
        if self._fixed:
            return
        factor = self._target / max(seconds, self._target / 4)
        if factor > 1 and amount < self.size:
            return  # the rest of a list: that it was quick says nothing
        self._scale(max(factor, 0.25) ** 0.5)

    def failed(self) -> None:
        """A batch did not get through: fewer rows are in fewer people's way."""
        if not self._fixed:
            self._scale(0.5)

    def _scale(self, factor: float) -> None:
        self.size = min(max(round(self.size * factor), LEAST), MOST)

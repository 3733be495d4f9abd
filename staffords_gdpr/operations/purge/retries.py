"""Batches that others are in the way of: tried again a few times, then put off."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from staffords_gdpr.database.connection import may_pass
from staffords_gdpr.operations.purge.batches import Done
from staffords_gdpr.operations.purge.window import Window
from staffords_gdpr.retention.bulk import Bulk

PAUSES = (0.1, 0.5, 2.0, 10.0)
"""Seconds before a batch is tried again. Where it waited for a lock, it has waited before each of them, too."""

MOST_IN_A_ROW = 3
"""When so many batches one after the other cannot be carried out, none can: the run ends with the database's error."""


class Retries:
    """Tries batches. `put_off` counts those that were given up."""

    def __init__(self, bulk: Bulk, window: Window) -> None:
        self._bulk = bulk
        self._window = window
        self._in_a_row = 0
        self.put_off = 0

    def attempt(self, batch: Callable[[], Done]) -> Done | None:
        """What `batch` returns; None where it was put off. It is rolled back whenever it raises.

        Raises the database's error where to try again is of no use.
        """
        for pause in (*PAUSES, None):
            try:
                done = batch()
            except sa.exc.DBAPIError as error:
                if not may_pass(self._bulk.connection, error):
                    raise
                failed = error
                self._bulk.forget()
            else:
                self._in_a_row = 0
                return done
            if pause is None or self._window.over():
                break
            self._window.wait(pause)
        self.put_off += 1
        self._in_a_row += 1
        if self._in_a_row == MOST_IN_A_ROW:
            raise failed
        return None

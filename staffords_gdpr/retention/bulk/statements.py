"""The statements of one kind of decision. The last are built while the database is at work on the first."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.retention.bulk.blocks import Block, blocks, staying
from staffords_gdpr.retention.bulk.listing import listing
from staffords_gdpr.retention.bulk.rows import Rows

Shift = tuple[str, str, str, int]
"""A row of the table of shifts."""


@dataclass(frozen=True)
class Statements:
    """`inserts` list the candidates, `staying` note whose rows stay, `blocks` hold candidates. `first_shifts` is what
    the former two look up.
    """

    rows: Rows
    inserts: Sequence[sa.Insert]
    staying: Sequence[sa.Insert]
    first_shifts: frozenset[Shift]
    _blocks: Future[list[Block]]

    @classmethod
    def of(cls, rows: Rows, connection: sa.Connection) -> Statements:
        """Build them for decisions over this connection."""
        backend = backend_of(connection)
        joins = backend.joins_updates(connection)
        inserts, stay = listing(rows), staying(rows)
        shifts = _shifts(rows)
        beside = ThreadPoolExecutor(1)
        building = beside.submit(blocks, rows, joins=joins, joins_few=joins and backend.reads_lists_anew)
        beside.shutdown(wait=False)
        return cls(rows, inserts, stay, shifts, building)

    def wait(self) -> None:
        """Until all of them are built, or could not be."""
        wait([self._blocks])

    @property
    def blocks(self) -> list[Block]:
        """Waits until they are built."""
        return self._blocks.result()

    @property
    def shifts(self) -> frozenset[Shift]:
        """What all of them look up."""
        self._blocks.result()
        return _shifts(self.rows)


def _shifts(rows: Rows) -> frozenset[Shift]:
    return frozenset((*rows.days.rows(), *rows.work.views.days.rows()))

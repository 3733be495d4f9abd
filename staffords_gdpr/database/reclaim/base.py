"""What clearing erased rows out of the files comes to, on any engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from staffords_gdpr.policy.models import Reclaim

Words = Callable[[sa.exc.DBAPIError], str]
"""What a driver's error says about a table or file: "is locked by another program for too long"."""


@dataclass(frozen=True)
class Reclaimed:
    """One table, or file, and what was done to it. Sizes are bytes on the disk; None where the engine tells none.

    `failure` says why erased rows may still be read out of it, "is locked by …"; it is empty where all was done.
    """

    what: str
    how: str
    before: int | None
    after: int | None
    failure: str = ""


@dataclass(frozen=True)
class Guarantee:
    """What holds when everything was done at a level, and where erased rows may be found all the same."""

    gone: str
    remains: str


class Engine(Protocol):
    """What the module of each engine has."""

    GUARANTEES: dict[Reclaim, Guarantee]
    TAKES: str

    def reclaim(
        self, connection: sa.Connection, tables: Sequence[str], level: Reclaim, patience: float, words: Words
    ) -> Iterator[Reclaimed]:
        """Do it, table by table. `connection` is fresh, and nobody else uses it. A table that cannot be done is
        yielded with its failure; the others are done nonetheless. `patience` is in seconds.
        """

"""Clearing erased rows out of the database's files. How far each engine goes stands in the module of its name.

docs/erasure.md says the same for people, with what was found in the files when it was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import sqlalchemy as sa

from staffords_gdpr.database.connection import BUSY_SECONDS
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.reclaim import mariadb, postgresql, sqlite
from staffords_gdpr.database.reclaim.base import Engine, Guarantee, Reclaimed
from staffords_gdpr.policy.models import Reclaim

__all__ = ["Guarantee", "Reclaimed", "guarantee", "reclaim", "takes"]

_ENGINES = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mariadb}


def reclaim(engine: sa.Engine, tables: Sequence[str], level: Reclaim) -> Iterator[Reclaimed]:
    """Clear what was erased from these tables out of the files, over a connection of its own.

    What cannot be done is yielded with its failure, in words, and raises nothing: the rows are erased whatever
    becomes of their traces. It waits BUSY_SECONDS for locks, and for the server's own clearing up.
    """

    def words(error: sa.exc.DBAPIError) -> str:
        return backend_of(engine).meaning(error, BUSY_SECONDS)[0]

    try:
        with engine.connect() as connection:
            yield from _of(engine).reclaim(connection, tables, level, BUSY_SECONDS, words)
    except sa.exc.DBAPIError as error:
        # the connection is gone: what has not been yielded has not been done
        yield Reclaimed(engine.url.database or "the database", "", None, None, words(error))


def guarantee(engine: sa.Engine, level: Reclaim) -> Guarantee:
    """What holds when everything was done at this level, and what does not."""
    return _of(engine).GUARANTEES[level]


def takes(engine: sa.Engine) -> str:
    """What the database's user must be allowed."""
    return _of(engine).TAKES


def _of(engine: sa.Engine) -> Engine:
    return cast(Engine, _ENGINES[engine.dialect.name])

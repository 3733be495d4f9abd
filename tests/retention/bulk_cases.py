"""Small databases made by hand, and what the bulk way decides for each of their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import prepare
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import Key, State, Verdict

AS_OF = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
OLD, NEW = "2010-05-02", "2026-05-02"

HEAD = """
version: 1
title: Test
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [manager, director], review: [director]}
database: {timestamps_in: UTC, empty_dates: ["1970-01-01 00:00:00", "0000-00-00"]}
"""


@dataclass(frozen=True)
class Decided:
    """A database, and every verdict over it."""

    bulk: Bulk  # its connection is closed
    verdicts: list[Verdict]

    def states(self, record: str) -> dict[object, State]:
        """Of each row of a record type, by its key (the value itself where it has one part)."""
        return {v.key[0] if len(v.key) == 1 else v.key: v.state for v in self.verdicts if v.record == record}

    def verdict(self, record: str, *key: object) -> Verdict:
        (found,) = (v for v in self.verdicts if v.record == record and v.key == key)
        return found


@contextmanager
def opened(database: str, policy: str) -> Iterator[Bulk]:
    """The bulk way over a SQLite database made by these statements."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    prepare(engine)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.executescript(database)
        yield Bulk(connection, bind(read_policy((HEAD + policy).encode(), "policy.yaml"), connection))


def decided(database: str, policy: str, holds: Collection[Key] = ()) -> Decided:
    """Every row of a database decided at AS_OF: each has one verdict, and the counts and the pure function agree."""
    with opened(database, policy) as bulk:
        bulk.decide(AS_OF, holds=holds)
        verdicts = list(bulk.verdicts())
        rows = [(v.record, v.key) for v in verdicts]
        assert len(rows) == len(set(rows))
        for name, counted in bulk.counts().items():
            states = [v.state for v in verdicts if v.record == name]
            assert {s: n for s, n in counted.items() if n} == {s: states.count(s) for s in set(states)}
        rows_in_memory = load_everything(bulk.connection, bulk.catalogue)
        again = judge(bulk.catalogue, rows_in_memory, AS_OF, frozenset(holds))
        assert plain(verdicts) == plain(again)
        return Decided(bulk, verdicts)


def plain(verdicts: Iterable[Verdict]) -> dict[tuple[str, Key], tuple[State, dt.date | None, Key | None]]:
    """What both ways must agree on."""
    return {(v.record, v.key): (v.state, v.last_day, v.subject) for v in verdicts}

"""The floor: the firm's policy as a skilled hand would write it, for this one schema, in one transaction.

It counts what `gdpr scan` finds due and does the same erasure as `gdpr purge`, without brakes, without a log,
without batches, and without being able to do it for any other policy. Each engine has its own, as it likes it best.
`benchmarks/check.py` proves them right, row by row.

What is due goes into temporary tables. Moments are in UTC: `< years_3` means that the day in London lies at or before
the cut-off of a period of three years; `>= tomorrow` lies in the future.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from benchmarks.floor import mariadb, postgresql, sqlite
from staffords_gdpr.policy.periods import Period, start_of_day

LONDON = ZoneInfo("Europe/London")


# each has BEGIN; FIND, which fills the temporary tables; KEYS, what is due by record type and step; and ERASE, in an
# order in which no row is ever without what it refers to
ENGINES: Mapping[str, Any] = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mariadb}


def find(url: str, as_of: dt.datetime) -> dict[str, set[int]]:
    """The keys of what is due, for comparisons."""
    with _found(url, as_of) as (cursor, engine, parameters):
        found = {}
        for record, query in engine.KEYS.items():
            cursor.execute(query, parameters)
            found[record] = {row[0] for row in cursor.fetchall()}
        return found


def erase(url: str, as_of: dt.datetime) -> dict[str, int]:
    """Erase what is due in one transaction. Returns rows per record type and step."""
    with _found(url, as_of) as (cursor, engine, parameters):
        erased = {}
        for record, statement in engine.ERASE.items():
            cursor.execute(statement, parameters)
            erased[record] = cursor.rowcount
        cursor.execute("COMMIT")
        return erased


def count(url: str, as_of: dt.datetime) -> dict[str, int]:
    """How much is due, one count a record type: what a scan is measured against."""
    with _found(url, as_of) as (cursor, engine, parameters):
        counts = {}
        for record, query in engine.KEYS.items():
            cursor.execute(f"SELECT count(*) FROM ({query}) AS found", parameters)
            counts[record] = cursor.fetchone()[0]
        return counts


def year(url: str, as_of: dt.datetime) -> dict[str, int]:
    """The same, after counting what will be due in each of the next twelve months, which a scan tells too."""
    for months in range(1, 13):
        count(url, as_of + dt.timedelta(days=round(months * 30.44)))
    return count(url, as_of)


@contextmanager
def _found(url: str, as_of: dt.datetime) -> Iterator[tuple[Any, Any, Mapping[str, str]]]:
    """A cursor within a transaction whose temporary tables hold what is due, and its engine's statements."""
    parsed = sa.make_url(url)
    engine = ENGINES[parsed.get_backend_name()]
    connection = engine.connect(parsed)
    try:
        cursor, parameters = connection.cursor(), moments(as_of)
        run(cursor, engine.BEGIN, parameters)
        run(cursor, engine.FIND, parameters)
        yield cursor, engine, parameters
    finally:
        connection.close()


def run(cursor: Any, text: str, parameters: Mapping[str, str]) -> None:
    """Execute the statements of a text, one after the other."""
    for statement in text.split(";\n"):
        if statement.strip():
            cursor.execute(statement, parameters)


def moments(as_of: dt.datetime) -> dict[str, str]:
    """The limits of the policy's periods at `as_of`, as the statements name them."""
    today = as_of.astimezone(LONDON).date()

    def before(period: str) -> str:
        return _text(start_of_day(Period.parse(period).cutoff(today) + dt.timedelta(days=1), LONDON))

    return {
        "empty": "1970-01-01 00:00:00",
        "today": today.isoformat(),
        "tomorrow": _text(start_of_day(today + dt.timedelta(days=1), LONDON)),
        "years_2": before("2 years"),
        "years_3": before("3 years"),
        "years_6": before("6 years"),
        "months_13": before("13 months"),
    }


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")

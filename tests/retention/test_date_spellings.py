"""Every kind of date column with every odd value means the same day in each engine's SQL as to the pure reader (R9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pure_cases import Case

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.database.schema import reflect_table
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE, Days
from staffords_gdpr.retention.bulk.engines import day_type, days_on
from staffords_gdpr.retention.pure.dates import DateReader, Trouble, later

AS_OF = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
EMPTY = (
    "1970-01-01 00:00:00", "0000-00-00", "-1", "infinity", "never", "1980-01-01 00:00:00Z", "1981-02-03 04:05:06.7",
    "1982-02-03 04:05:06.70+02:00", "9999-12-31",
)  # fmt: skip
CLOCKS = [
    f"{day} {clock}"
    for day in ("2024-01-31", "2024-07-31", "1969-12-31", "2024-03-31", "2024-10-27", "2024-12-31", "2024-02-29")
    for clock in (
        "00:00", "00:29:59", "00:59:59.999999", "04:30:00", "05:00:00", "13:00:00", "14:00:00.5", "22:59:59", "23:00",
        "23:30:00", "23:59:59.999",
    )
]  # fmt: skip
OFFSETS = [
    f"{day}T{clock}{offset}"
    for day in ("2024-01-31", "2024-07-31", "2024-03-01")
    for clock in ("00:15", "00:15:30", "23:59:59.9999999", "12:00:00.5")
    for offset in ("Z", "+00:00", "+01:00", "-05:00", "+14:59", "-14:00")
]
ODD = [
    "", " ", "soon", "never", "2024-02-30", "2023-02-29", "1900-02-29", "2000-02-29", "1899-12-31", "1900-01-01",
    "1899-12-31 23:30:00", "1899-12-31T23:59:59-05:00", "2024-00-10", "2024-10-00", "2024-13-01", "2024-5-2",
    " 2024-05-02", "2024-05-02 ", "2024-05-02\n", "2024-05-02 10:30\n", "2024-05-02 24:00", "2024-05-02 10:60",
    "2024-05-02 10:30:60", "2024-05-02 10", "2024-05-02 10:30:59.", "2024-05-02 10:30:59.1234567890",
    "2024-05-02 10:30:59.123456789", "2024-05-02 10:30 Z", "2024-05-02 10:30\tZ", "2024-05-02 10:30+1",
    "2024-05-02 10:30+01", "2024-05-02 10:30+01:75", "2024-05-02 10:30+15:00", "2024-05-02Z", "2024-05-02+01:00",
    "２０２４-05-02", "02/05/2024", "now", "20240502", "0001-01-01", "0001-01-01 00:00+05:00", "0000-12-31",
    "9999-12-31", "9999-12-31 23:59:59", "9999-12-31 23:59:59-05:00", "10000-01-01", "99999-01-01", "infinity",
    "-infinity", "0044-03-15 BC", "'; DROP TABLE odd; --", "%s", "2024-05-02T10:30:00z", "2024-05-02 10.30",
    "1970-01-01", "1970-01-01 00:00", "1970-01-01T00:00:00", "1970-01-01 00:00:00.000000", "1970-01-01T00:00:00Z",
    "1970-01-01 00:00:00+05:00", "1970-01-01 00:00:01", "1970-01-01 00:00:00.001", "1970-01-01 00:00:00.",
    "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00.0Z", "1980-01-01", "1980-01-01 00:00",
    "1980-01-01 01:00+01:00", "1979-12-31 23:00:00-01:00", "1980-01-01 00:00:00+01:00", "1981-02-03 04:05:06.7",
    "1981-02-03T04:05:06.700", "1981-02-03 04:05:06", "1982-02-03 02:05:06.7Z", "1982-02-03 04:05:06.7",
    "1982-02-03 04:05:06.7Z", "0", "-1", "-0", "00", "1.0", "1.5", "-86400", "1714600000", "1714600000123",
    "253402300799", "253402300800", "-2208988800", "-2208988801", "-2208992400000", "999999999999999999",
    "9999999999999999999", "1e9", "+5", "٣",
]  # fmt: skip
TEXTS = [*CLOCKS, *OFFSETS, *ODD]
SPACED = [
    "2024-05-02 10:30:00",
    "2024-05-02 10:30:00 ",
    "2024-05-02 00:10:00  ",
    "never ",
    "NEVER",
    "1970-01-01  ",
]
DAYS_ALONE = ["2024-02-29", "1899-12-31", "1900-01-01", "9999-12-31", "1970-01-01", "2024-07-31"]
NUMBERS = [
    "0", "-1", "1", "5", "1714600000", "1714600000000", "1706659200", "1706745599", "1722380400", "1722383999",
    "-2208988800", "-2208988801", "253402300799", "253402300800", "99999999999999",
]  # fmt: skip
FRACTIONS = [*NUMBERS, "0.5", "-0.5", "1706659199.999", "1706745599.5"]
NUMERIC = ("INT", "BIG", "REA", "NUM", "DEC", "DOU", "BOO")
TEXT_KINDS = tuple(DateKind)
EPOCHS = (DateKind.EPOCH_SECONDS, DateKind.EPOCH_MILLISECONDS, DateKind.TEXT)

# engine -> for each column its type, its values as the engine's own literals, and the kinds that it is read as
COLUMNS: dict[str, list[tuple[str, list[str], tuple[DateKind, ...]]]] = {
    "sqlite": [
        ("TEXT", TEXTS, TEXT_KINDS),
        ("TIMESTAMP", [*TEXTS, "x'323032342d30312d3031'"], (DateKind.TIMESTAMP, DateKind.DAY)),
        ("TEXT COLLATE RTRIM", SPACED, (DateKind.TIMESTAMP, DateKind.DAY)),
        ("TEXT COLLATE NOCASE", SPACED, (DateKind.TEXT,)),
        ("INTEGER", NUMBERS, EPOCHS),
        ("REAL", FRACTIONS, EPOCHS),
    ],
    "postgresql": [
        ("TEXT", TEXTS, TEXT_KINDS),
        ("VARCHAR(80)", TEXTS, (DateKind.TEXT,)),
        ("DATE", [*DAYS_ALONE, "infinity", "-infinity", "10000-01-01", "0044-03-15 BC"], (DateKind.DAY,)),
        (
            "TIMESTAMP",
            [*CLOCKS, *DAYS_ALONE, "infinity", "10000-01-01 00:00:00", "0044-03-15 00:00:00 BC", "9999-12-31 23:59:59",
             "1981-02-03 04:05:06.7"],
            (DateKind.TIMESTAMP, DateKind.DAY, DateKind.TEXT),
        ),
        (
            "TIMESTAMPTZ",
            [*CLOCKS, *(text for text in OFFSETS if "99" not in text), "infinity", "1970-01-01 00:00:00Z",
             "1980-01-01 01:00:00+01:00", "1982-02-03 02:05:06.7Z", "9999-12-31 23:59:59-05:00"],
            (DateKind.ZONED, DateKind.TIMESTAMP),
        ),
        ("BIGINT", NUMBERS, EPOCHS),
        ("NUMERIC(20,3)", FRACTIONS, EPOCHS),
        ("DOUBLE PRECISION", [*FRACTIONS, "'NaN'", "'Infinity'"], EPOCHS),
        ("BYTEA", ["2024-01-01"], (DateKind.TEXT,)),
        ("BOOLEAN", ["true"], (DateKind.TEXT,)),
    ],
    "mariadb": [
        ("VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", TEXTS, TEXT_KINDS),
        ("TEXT", TEXTS, (DateKind.TEXT,)),
        ("DATE", [*DAYS_ALONE, "0000-00-00", "2024-00-15", "2024-05-00"], (DateKind.DAY,)),
        (
            "DATETIME",
            [*(text for text in CLOCKS if "99" not in text), "0000-00-00 00:00:00", "2024-00-15 10:00:00",
             "9999-12-31 23:59:59"],
            (DateKind.TIMESTAMP, DateKind.DAY, DateKind.TEXT),
        ),
        ("DATETIME(6)", [*CLOCKS, "0000-00-00 00:00:00", "1981-02-03 04:05:06.7"], (DateKind.TIMESTAMP,)),
        ("TIMESTAMP(6) NULL", [c for c in CLOCKS if c > "1971"] + ["0000-00-00 00:00:00"], (DateKind.ZONED,)),
        ("BIGINT", NUMBERS, EPOCHS),
        ("DECIMAL(20,3)", FRACTIONS, EPOCHS),
        ("DOUBLE", FRACTIONS, EPOCHS),
        ("VARBINARY(40)", ["2024-01-01"], (DateKind.TEXT,)),
    ],
}  # fmt: skip


@pytest.fixture
def connection(engine_url: str, engine_name: str) -> Iterator[sa.Connection]:
    with connect(engine_url, write=True).connect() as connection:
        yield connection


def policy(zone: str) -> Policy:
    found = Case(zone=zone).catalogue.policy
    return found.model_copy(update={"database": found.database.model_copy(update={"empty_dates": EMPTY})})


def days_of(connection: sa.Connection, rules: Policy) -> tuple[Days, sa.Table]:
    shifts = sa.Table(
        "shifts",
        sa.MetaData(),
        sa.Column("zone", day_type(), primary_key=True),
        sa.Column("since", day_type(), primary_key=True),
        sa.Column("year", day_type()),
        sa.Column("seconds", sa.Integer),
    )
    return days_on(connection.dialect, rules, AS_OF, shifts), shifts


def literal(value: str) -> str:
    plain = value[:1] in "'x" and value.endswith("'")
    return value if plain else "'" + value.replace("'", "''") + "'"


def make(connection: sa.Connection, columns: list[tuple[str, list[str]]]) -> sa.Table:
    """A table with a column for each of these types, and a row for each value."""
    named = ", ".join(f"c{place} {kind}" for place, (kind, _) in enumerate(columns))
    connection.exec_driver_sql(f"CREATE TABLE odd (id INTEGER PRIMARY KEY, {named})")
    number = 0
    for place, (kind, values) in enumerate(columns):
        for value in values:
            number += 1
            said = value if kind[:3] in NUMERIC else literal(value)
            connection.execute(
                sa.text(
                    f"INSERT INTO odd (id, c{place}) VALUES ({number}, {said.replace(':', chr(92) + ':')})"
                )
            )
    return reflect_table(connection, "odd")


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York"])
def test_sql_reads_every_spelling_as_the_pure_reader_does(
    connection: sa.Connection, engine_name: str, zone: str
) -> None:
    columns = COLUMNS[engine_name]
    table = make(connection, [(kind, values) for kind, values, _ in columns])
    rules = policy(zone)
    days, shifts = days_of(connection, rules)
    reader = DateReader(rules)
    questions = [
        (table.c[f"c{place}"], kind, stored, days.day(table.c[f"c{place}"], kind, event=False, zone=stored))
        for place, (_, _, kinds) in enumerate(columns)
        for kind in kinds
        for stored in ("UTC", "Australia/Sydney")
    ]
    shifts.create(connection)
    connection.execute(
        sa.insert(shifts), [dict(zip(shifts.c.keys(), row, strict=True)) for row in days.rows()]
    )
    wrong = []
    for column, kind, stored, day in questions:
        empty = days.is_empty(column, kind)
        # the value as the loader has it: without a type of SQLAlchemy's
        raw_column = sa.literal_column(f"odd.{column.name}")
        query = sa.select(raw_column, day, sa.case((empty, 1), else_=0)).where(column.is_not(None))
        for raw, found, said_empty in connection.execute(query.order_by(table.c.id)):
            expected = reader.read(raw, kind, stored)
            wanted = IMPOSSIBLE if isinstance(expected, Trouble) else expected and expected.isoformat()
            if (found, bool(said_empty)) != (wanted, reader.is_empty(raw, kind)):
                wrong.append((str(column.type), kind.value, stored, raw, found, wanted, said_empty))
    assert not wrong, "\n".join(map(str, wrong))


AMOUNTS = [
    "0", "1", "12", "24", "1200", "-1", "007", "two", "", " 3", "3 ", "2.5", "3.0", "1e3", "99999", "999999",
    "99999999", "999999999999999999", "9999999999999999999999", "٣", "+3", "-0",
]  # fmt: skip
STARTS = ["2024-01-31", "2024-02-29", "2023-02-28", "1900-01-01", "9998-12-31", "2024-12-31"]
AMOUNT_COLUMNS = {
    "sqlite": [
        ("TEXT", AMOUNTS),
        ("INTEGER", ["0", "1", "25", "-1"]),
        ("REAL", ["1.0", "2.5", "-1.0", "1e300"]),
    ],
    "postgresql": [
        ("TEXT", AMOUNTS),
        ("BIGINT", ["0", "1", "25", "-1", "99999999999"]),
        ("NUMERIC(12,2)", ["1.00", "2.50", "-1", "99999999"]),
        ("DOUBLE PRECISION", ["1", "2.5", "1e300", "'NaN'", "'Infinity'"]),
        ("BOOLEAN", ["true"]),
    ],
    "mariadb": [
        ("VARCHAR(40)", AMOUNTS),
        ("BIGINT UNSIGNED", ["0", "1", "25", "18446744073709551615"]),
        ("DECIMAL(12,2)", ["1.00", "2.50", "-1", "99999999"]),
        ("DOUBLE", ["1", "2.5", "1e300"]),
    ],
}


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "type known only to the engine"])
def test_time_is_added_as_the_pure_function_does(
    connection: sa.Connection, engine_name: str, typed: bool
) -> None:
    columns = AMOUNT_COLUMNS[engine_name]
    table = make(connection, columns)
    days, _ = days_of(connection, policy("UTC"))
    wrong = []
    starts = sa.union_all(
        *(sa.select(sa.literal(start, sa.String).label("start")) for start in STARTS)
    ).subquery()
    for place in range(len(columns)):
        column = table.c[f"c{place}"]
        amount: sa.ColumnElement[object] = column if typed else sa.literal_column(f"odd.{column.name}")
        for unit in ("day", "week", "month", "year"):
            start = (
                starts.c.start
                if connection.dialect.name != "mysql"
                else sa.collate(starts.c.start, "utf8mb4_bin")
            )
            later_day = days.plus(start, unit, amount, event=False)
            query = sa.select(starts.c.start, sa.literal_column(f"odd.{column.name}"), later_day).select_from(
                starts.join(table, column.is_not(None))
            )
            for first, raw, found in connection.execute(query):
                expected = later(dt.date.fromisoformat(first), unit, raw)
                wanted = IMPOSSIBLE if isinstance(expected, Trouble) else expected and expected.isoformat()
                if found != wanted:
                    wrong.append((str(column.type), unit, first, raw, found, wanted))
    assert not wrong, "\n".join(map(str, wrong))

"""What a stored value means as a date, in every spelling and type."""

# ruff: noqa: DTZ001 -- drivers give naive moments
from __future__ import annotations

import datetime as dt

import pytest
from pure_cases import Case

from staffords_gdpr.database.catalogue import DateKind
from staffords_gdpr.retention.pure.dates import IMPOSSIBLE, TOO_EARLY, DateReader

UTC = DateReader(Case().catalogue.policy)
LONDON = DateReader(Case(zone="Europe/London").catalogue.policy)
PLUS_ONE = dt.timezone(dt.timedelta(hours=1))


@pytest.mark.parametrize(
    "raw",
    [
        "2024-05-02",
        "2024-05-02 10:30",
        "2024-05-02T10:30:59",
        "2024-05-02 10:30:59.123456789",
        "2024-05-02T00:30+01:00",
        "2024-05-02 10:30:59Z",
        dt.date(2024, 5, 2),
        dt.datetime(2024, 5, 2, 10, 30),
        dt.datetime(2024, 5, 2, 0, 30, tzinfo=PLUS_ONE),
    ],
)
def test_every_accepted_spelling_is_read(raw: object) -> None:
    assert LONDON.read(raw, DateKind.TIMESTAMP) == dt.date(2024, 5, 2)


@pytest.mark.parametrize(
    "raw",
    [
        "", "2024-02-30", "2023-02-29", "2024-13-01", "2024-5-2", " 2024-05-02", "2024-05-02 ",
        "2024-05-02 24:00", "2024-05-02 10:60", "2024-05-02 10:30:60", "2024-05-02 10",
        "2024-05-02 10:30:59.", "2024-05-02 10:30:59.1234567890", "2024-05-02 10:30 Z",
        "2024-05-02 10:30+1", "2024-05-02 10:30+01:75", "2024-05-02 10:30+15:00", "2024-05-02Z",
        "２０２４-05-02", "02/05/2024", "now", 20240502, 1714600000.0, b"2024-05-02", True,
        "0001-01-01 00:00+05:00",
    ],
)  # fmt: skip
def test_everything_else_is_an_impossible_date(raw: object) -> None:
    assert LONDON.read(raw, DateKind.TIMESTAMP) == IMPOSSIBLE


def test_an_offset_and_a_naive_moment_are_turned_into_the_day_of_the_policy() -> None:
    assert UTC.read("2024-05-02T00:30+01:00", DateKind.ZONED) == dt.date(2024, 5, 1)
    assert LONDON.read("2024-05-01 23:30", DateKind.TEXT) == dt.date(2024, 5, 2)
    assert LONDON.read("2024-12-01 23:30", DateKind.TEXT) == dt.date(2024, 12, 1)


@pytest.mark.parametrize(
    "raw",
    ["2024-05-01 23:30:00", "2024-05-01", "2024-05-01T23:30:00-09:00", dt.datetime(2024, 5, 1, 23, 30)],
)
def test_of_a_column_of_days_only_the_day_counts(raw: object) -> None:
    assert LONDON.read(raw, DateKind.DAY) == dt.date(2024, 5, 1)


@pytest.mark.parametrize(
    "raw",
    [
        "1970-01-01", "1970-01-01 00:00", "1970-01-01T00:00:00", "1970-01-01 00:00:00.000000",
        "1970-01-01T00:00:00Z",
        dt.date(1970, 1, 1), dt.datetime(1970, 1, 1), dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        "0000-00-00", "0000-00-00 00:00:00", None,
    ],
)  # fmt: skip
def test_a_sentinel_is_no_date_in_every_spelling_and_type(raw: object) -> None:
    assert UTC.read(raw, DateKind.TIMESTAMP) is None
    assert UTC.read(raw, DateKind.DAY) is None


@pytest.mark.parametrize(("raw", "kind"), [
    ("1970-01-01 00:00:01", DateKind.TIMESTAMP), ("1970-01-02", DateKind.DAY),
    (dt.datetime(1970, 1, 1, 0, 0, 0, 1), DateKind.TEXT),
])  # fmt: skip
def test_what_is_only_near_a_sentinel_is_a_date(raw: object, kind: DateKind) -> None:
    assert isinstance(UTC.read(raw, kind), dt.date)


def test_sentinels_with_an_offset_are_compared_as_moments() -> None:
    policy = Case().catalogue.policy
    options = policy.database.model_copy(update={"empty_dates": ("1970-01-01 01:00:00+01:00",)})
    reader = DateReader(policy.model_copy(update={"database": options}))
    assert reader.read("1970-01-01T00:00:00Z", DateKind.ZONED) is None
    assert reader.read("1970-01-01T01:00:00Z", DateKind.ZONED) == dt.date(1970, 1, 1)


@pytest.mark.parametrize(("raw", "day"), [("1899-12-31", TOO_EARLY), ("1900-01-01", dt.date(1900, 1, 1))])
def test_dates_before_1900_are_impossible(raw: str, day: object) -> None:
    assert UTC.read(raw, DateKind.DAY) == day

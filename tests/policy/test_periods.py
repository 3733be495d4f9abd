"""Calendar arithmetic (R1): last days, their exact inverse, and the day of a moment."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffords_gdpr.policy.periods import Period, Unit, day_of, start_of_day

LONDON = ZoneInfo("Europe/London")
DAY = dt.timedelta(days=1)
EVERY_DAY = [dt.date(2019, 1, 1) + DAY * n for n in range((dt.date(2033, 1, 1) - dt.date(2019, 1, 1)).days)]
COUNTS: dict[Unit, tuple[int, ...]] = {
    "day": (1, 28, 30, 31, 365, 366, 1000),
    "week": (1, 4, 52, 104),
    "month": (1, 2, 6, 11, 12, 13, 24, 25, 36),
    "year": (1, 2, 3, 4, 6, 10),
}
PERIODS = [Period(count, unit) for unit, counts in COUNTS.items() for count in counts]


def by_hand(day: dt.date, period: Period) -> dt.date:
    """The same rule, in arithmetic of its own: the day of that number, or the month's last."""
    if period.unit in ("day", "week"):
        return day + DAY * period.count * (7 if period.unit == "week" else 1)
    months = day.year * 12 + day.month - 1 + period.count * (12 if period.unit == "year" else 1)
    first = dt.date(months // 12, months % 12 + 1, 1)
    last = (dt.date((months + 1) // 12, (months + 1) % 12 + 1, 1) - DAY).day
    return first.replace(day=min(day.day, last))


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_the_cut_off_of_every_day_of_2019_to_2032_is_the_exact_inverse_of_the_last_day(
    period: Period,
) -> None:
    for today in EVERY_DAY:
        cutoff = period.cutoff(today)
        assert period.after(cutoff) < today, (cutoff, today)
        assert period.after(cutoff + DAY) >= today, (cutoff, today)


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_the_last_day_of_every_day_of_2019_to_2032_is_that_of_the_corresponding_date_rule(
    period: Period,
) -> None:
    for day in EVERY_DAY:
        assert period.after(day) == by_hand(day, period), day


@given(
    st.dates(dt.date(2019, 1, 1), dt.date(2032, 12, 31)),
    st.dates(dt.date(1990, 1, 1), dt.date(2040, 12, 31)),
    st.integers(1, 200),
    st.sampled_from(["day", "week", "month", "year"]),
)
@settings(max_examples=500, deadline=None)
def test_a_row_has_passed_if_and_only_if_it_is_dated_on_the_cut_off_or_before(
    today: dt.date, dated: dt.date, count: int, unit: Unit
) -> None:
    period = Period(count, unit)
    assert (period.after(dated) < today) == (dated <= period.cutoff(today))


@given(st.dates(), st.dates(), st.integers(1, 999), st.sampled_from(["day", "week", "month", "year"]))
@settings(max_examples=300, deadline=None)
def test_a_later_row_never_has_an_earlier_last_day(a: dt.date, b: dt.date, count: int, unit: Unit) -> None:
    period = Period(count, unit)
    assert period.after(min(a, b)) <= period.after(max(a, b))


@pytest.mark.parametrize(
    ("dated", "period", "last_day"),
    [
        ("2024-02-29", "3 years", "2027-02-28"),
        ("2024-02-29", "4 years", "2028-02-29"),
        ("2024-02-29", "1 year", "2025-02-28"),
        ("2023-02-28", "1 year", "2024-02-28"),
        ("2024-02-28", "3 years", "2027-02-28"),
        ("2023-10-30", "4 months", "2024-02-29"),
        ("2023-10-31", "4 months", "2024-02-29"),
        ("2022-10-31", "4 months", "2023-02-28"),
        ("2024-01-31", "1 month", "2024-02-29"),
        ("2024-03-31", "1 month", "2024-04-30"),
        ("2024-08-31", "13 months", "2025-09-30"),
        (
            "2024-09-30",
            "1 month",
            "2024-10-30",
        ),  # Dodds v Walker: from 30 September to 30 January, not the 31st
        ("1978-09-30", "4 months", "1979-01-30"),
        ("2024-02-28", "1 day", "2024-02-29"),
        ("2024-02-28", "1 week", "2024-03-06"),
        ("2100-01-31", "1 month", "2100-02-28"),
    ],
)
def test_the_last_day_is_kept_and_the_day_after_is_due(dated: str, period: str, last_day: str) -> None:
    day, last, kept_for = dt.date.fromisoformat(dated), dt.date.fromisoformat(last_day), Period.parse(period)
    assert kept_for.after(day) == last
    assert kept_for.cutoff(last) < day
    assert kept_for.cutoff(last + DAY) >= day


def test_after_a_short_february_three_days_become_due_together() -> None:
    three = Period.parse("3 years")
    assert [three.after(dt.date(2024, 2, d)) for d in (27, 28, 29)] == [
        dt.date(2027, 2, 27), dt.date(2027, 2, 28), dt.date(2027, 2, 28),
    ]  # fmt: skip
    assert three.cutoff(dt.date(2027, 2, 28)) == dt.date(2024, 2, 27)
    assert three.cutoff(dt.date(2027, 3, 1)) == dt.date(2024, 2, 29)


def test_a_period_beyond_the_calendar_never_ends() -> None:
    assert Period(200, "year").after(dt.date(9900, 1, 1)) == dt.date.max


@pytest.mark.parametrize("text", ["3 years", "1 day", "13 months", "104 weeks", "1 year"])
def test_a_period_is_spelt_as_it_was_read(text: str) -> None:
    assert str(Period.parse(text)) == text


def test_a_year_is_not_made_into_months_or_days() -> None:
    assert Period.parse("12 months") != Period.parse("1 year")
    assert Period.parse(" 1  years ") == Period(1, "year")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("3 yeers", "Did you mean '3 years'?"),
        ("3years", "Did you mean '3 years'?"),
        ("3 YEARS", "Did you mean '3 years'?"),
        ("-1 days", "cannot be negative"),
        ("0 days", "at least '1 day'"),
        ("1.5 years", "'18 months', not '1.5 years'"),
        ("three years", "as in '3 years'"),
        ("3 years and a day", "as in '3 years'"),
        ("٣ years", "as in '3 years'"),
        ("", "as in '3 years'"),
        ("201 years", "longer than 200 years"),
        ("9999999999999 days", "longer than 200 years"),
    ],
)
def test_what_is_no_period_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(ValueError) as caught:
        Period.parse(text)
    assert advice in str(caught.value)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-07-01 22:59:59", "2024-07-01"),
        ("2024-07-01 23:00:00", "2024-07-02"),
        ("2024-07-01 23:30:00", "2024-07-02"),
        ("2024-01-01 23:30:00", "2024-01-01"),
        ("2024-03-30 23:59:59", "2024-03-30"),  # the night the clocks go forward begins in winter time
        ("2024-03-31 00:00:00", "2024-03-31"),
        ("2024-03-31 22:59:59", "2024-03-31"),  # and ends in summer time: that day has 23 hours
        ("2024-03-31 23:00:00", "2024-04-01"),
        ("2024-10-26 23:00:00", "2024-10-27"),  # the day the clocks go back has 25
        ("2024-10-27 23:59:59", "2024-10-27"),
        ("2024-10-28 00:00:00", "2024-10-28"),
    ],
)
def test_a_moment_falls_on_the_day_that_people_in_london_have(moment: str, day: str) -> None:
    assert day_of(utc(moment), LONDON) == dt.date.fromisoformat(day)


def test_a_moment_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        day_of(dt.datetime(2024, 1, 1), LONDON)  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Europe/London", "2024-03-31", "2024-03-31 00:00:00"),
        ("Europe/London", "2024-04-01", "2024-03-31 23:00:00"),
        ("Europe/London", "2024-10-27", "2024-10-26 23:00:00"),
        ("Europe/London", "2024-10-28", "2024-10-28 00:00:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00"),  # midnight is skipped
        ("Africa/Cairo", "2024-04-26", "2024-04-25 22:00:00"),  # midnight is skipped
        ("Asia/Beirut", "2024-03-31", "2024-03-30 22:00:00"),  # midnight is skipped
        ("America/Havana", "2024-11-03", "2024-11-03 04:00:00"),  # midnight comes twice: the first
        ("Africa/Cairo", "2024-11-01", "2024-10-31 22:00:00"),  # 23:00 comes twice, on the day before
        ("Pacific/Apia", "2011-12-30", "2011-12-30 10:00:00"),  # the whole day is skipped
        ("Pacific/Kiritimati", "2024-01-01", "2023-12-31 10:00:00"),
    ],
)
def test_a_day_starts_with_its_first_moment_also_where_midnight_is_not_one(
    zone: str, day: str, start: str
) -> None:
    assert start_of_day(dt.date.fromisoformat(day), ZoneInfo(zone)) == utc(start)


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/Sao_Paulo", "Africa/Cairo", "America/Havana", "UTC"]
)
def test_the_second_before_a_day_starts_lies_on_the_day_before_through_all_of_2015_to_2026(zone: str) -> None:
    place = ZoneInfo(zone)
    day = dt.date(2015, 1, 1)
    while day < dt.date(2027, 1, 1):
        start = start_of_day(day, place)
        assert day_of(start, place) == day
        assert day_of(start - dt.timedelta(seconds=1), place) == day - DAY
        day += DAY


def test_the_ends_of_the_calendar_have_a_start_too() -> None:
    assert start_of_day(dt.date.min, ZoneInfo("Asia/Tokyo")).date() == dt.date.min
    assert start_of_day(dt.date.max, ZoneInfo("America/New_York")).date() == dt.date.max

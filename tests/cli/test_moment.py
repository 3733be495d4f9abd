"""--as-of: days and moments, in the policy's zone where they name none."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from staffords_gdpr.cli.opening import read_moment
from staffords_gdpr.errors import UsageError

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-15", "2026-01-15T00:00:00+00:00"),
        ("2026-07-15", "2026-07-14T23:00:00+00:00"),  # summer time
        ("2026-03-29", "2026-03-29T00:00:00+00:00"),  # the clocks go forward at 01:00
        ("2026-10-25", "2026-10-24T23:00:00+00:00"),  # the clocks go back at 02:00
        ("2026-07-15T09:30", "2026-07-15T08:30:00+00:00"),
        ("2026-07-15 09:30", "2026-07-15T08:30:00+00:00"),
        ("2026-07-15T09:30Z", "2026-07-15T09:30:00+00:00"),
        ("2026-07-15T09:30+02:00", "2026-07-15T07:30:00+00:00"),
        (" 2026-01-15 ", "2026-01-15T00:00:00+00:00"),
    ],
)
def test_a_day_is_its_start_and_a_moment_is_in_the_policys_zone_unless_it_names_one(
    text: str, moment: str
) -> None:
    assert read_moment(text, LONDON).astimezone(dt.UTC) == dt.datetime.fromisoformat(moment)
    assert read_moment(text, LONDON).tzinfo is not None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "1066-10-14", "9999-12-31", "2026-11", "", " "])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="--as-of") as caught:
        read_moment(text, LONDON)
    assert "Write" in caught.value.hint


def test_without_one_it_is_now() -> None:
    before = dt.datetime.now(dt.UTC)
    assert before <= read_moment(None, LONDON) <= dt.datetime.now(dt.UTC)

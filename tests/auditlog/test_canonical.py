"""One value has one spelling, and nothing else is read."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffords_gdpr.auditlog.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    NotCanonicalError,
    encode,
    moment,
    parse,
    parse_moment,
    plain,
)

letters = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Cn"])
texts = st.text(letters, max_size=20).map(lambda text: unicodedata.normalize("NFC", text))
numbers = st.integers(-MAX_INTEGER, MAX_INTEGER)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_encoded_is_read_back_the_same(value: object) -> None:
    assert parse(encode(value)) == value


@given(values)
def test_any_json_reader_reads_the_same(value: object) -> None:
    assert json.loads(encode(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_what_they_are_or_refused(data: bytes) -> None:
    try:
        value = parse(data)
    except NotCanonicalError:
        return
    assert encode(value) == data


@given(values, st.integers(0, 5000), st.binary(min_size=1, max_size=3))
def test_an_insertion_never_gives_the_same_value(value: object, place: int, noise: bytes) -> None:
    data = encode(value)
    place %= len(data) + 1
    changed = data[:place] + noise + data[place:]
    try:
        found = parse(changed)
    except NotCanonicalError:
        return
    assert repr(found) != repr(value)


def test_keys_are_sorted_by_utf_16_as_rfc_8785_says() -> None:
    """The emoji's first UTF-16 unit, D83D, comes before FFFD, though its code point comes after."""
    keys = {"\ufffd": 1, "\U0001f600": 2, "b": 3, "a": 4}
    assert encode(keys) == '{"a":4,"b":3,"\U0001f600":2,"\ufffd":1}'.encode()


def test_numbers_are_read_on_both_sides_of_the_limit() -> None:
    assert parse(b"9007199254740991") == MAX_INTEGER
    assert parse(b"-9007199254740991") == -MAX_INTEGER
    for beyond in (b"9007199254740992", b"-9007199254740992"):
        with pytest.raises(NotCanonicalError, match="2\\^53"):
            parse(beyond)
    with pytest.raises(NotCanonicalError, match="2\\^53"):
        encode(MAX_INTEGER + 1)


def test_nesting_is_read_on_both_sides_of_the_limit() -> None:
    deep: object = 0
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert parse(encode(deep)) == deep
    with pytest.raises(NotCanonicalError, match="deep"):
        encode([deep])
    with pytest.raises(NotCanonicalError, match="deep"):
        parse(b"[" * (MAX_DEPTH + 1) + b"0" + b"]" * (MAX_DEPTH + 1))


def test_brackets_inside_texts_are_no_nesting() -> None:
    assert parse(encode("[" * 100)) == "[" * 100


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), b"x", {1: 2}, {"a": object()}, "\ud800", "a\x07", "a\u200bb", "e\u0301"]
)
def test_what_has_no_place_in_the_log_is_refused(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        encode(value)


def test_moments_are_utc_to_the_second() -> None:
    zone = dt.timezone(dt.timedelta(hours=1))
    when = dt.datetime(2026, 7, 1, 0, 30, 5, 999, tzinfo=zone)
    assert moment(when) == "2026-06-30T23:30:05Z"
    assert parse_moment("2026-06-30T23:30:05Z") == when.replace(microsecond=0)
    assert plain({"a": (when, when.date())}) == {"a": ["2026-06-30T23:30:05Z", "2026-07-01"]}
    with pytest.raises(ValueError, match="zone"):
        moment(dt.datetime(2026, 7, 1))  # noqa: DTZ001
    for wrong in ("2026-6-30T23:30:05Z", "2026-06-30 23:30:05Z", "2026-06-30T23:30:05+00:00"):
        with pytest.raises(ValueError, match=r"moment|match"):
            parse_moment(wrong)

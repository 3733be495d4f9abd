"""`explain` in the full language: several owners, values, keys of several words, and where computed dates come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from pure_office import Given, Office

from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.explain import Explanation, RowExplained, explain
from staffords_gdpr.operations.subjects import find_subject
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.render.explain import data, page

OLD, NEW = "2015-01-01", "2023-12-01"
NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
OFFICE = Office()
GIVEN: Mapping[str, Given] = {
    "people": [
        {"kind": "customer", "since": OLD},
        {"kind": "customer", "since": NEW},
        {"kind": "staff", "since": OLD},
    ],
    "tickets": [
        {"kind": "visit", "person_id": 1},
        {"kind": "call", "person_id": 1, "opened_at": 1420070400, "state_id": 1},
    ],
    "fields": [{"ticket_id": 1, "field": "closed", "value": OLD}],
    "devices": [{"person_id": 1, "bought_on": "2023-11-30", "months": "3"}],
    "meetings": [{"held_on": OLD}],
    "guests": [{"meeting_id": 1, "person_id": n, "role": "guest"} for n in (1, 2)],
}
KEYED = Office(
    """
records:
  customer: {table: people, keep: {for: 1 year, after: since}}
""",
    "CREATE TABLE people (area TEXT, nr INTEGER, since DATE, PRIMARY KEY (area, nr))",
)
UNTYPED = Office(
    "records: {customer: {table: people, key: [nr], keep: {for: 1 year, after: since}}}",
    "CREATE TABLE people (nr NOT NULL UNIQUE, since DATE)",
)
CALLERS = Office(
    """
records:
  caller: {values_of: [call.email]}
  call: {table: calls, belongs_to: caller, keep: {for: 1 year, after: at}, orphans: {for: 1 year, after: at}}
""",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, email TEXT, at DATE)",
    "caller",
)


def policy_of(office: Office) -> Policy:
    return read_policy(office.policy.encode(), "policy.yaml")


def explained(*words: object, office: Office = OFFICE, given: Mapping[str, Given] = GIVEN) -> Explanation:
    return explain(policy_of(office), office.engine(given), subject=words, as_of=NOON, holds=frozenset())


@pytest.fixture(scope="module")
def rows() -> dict[str, RowExplained]:
    return {row.verdict.record: row for row in explained("1").rows}


def source(row: RowExplained) -> str:
    return row.clauses[0].source


def test_a_date_over_another_table_names_that_table(rows: dict[str, RowExplained]) -> None:
    assert source(rows["visit"]) == "visit 1 closed (value in fields)"


def test_a_date_with_time_added_shows_what_is_added_to_what(rows: dict[str, RowExplained]) -> None:
    assert source(rows["device"]) == "device 1 covered (bought_on 2023-11-30 plus 3 months)"
    assert rows["device"].clauses[0].day == dt.date(2024, 2, 29)


def test_open_work_says_what_the_look_up_table_says(rows: dict[str, RowExplained]) -> None:
    assert rows["call"].open_work == "state_id is 1, for which closed is 0 in states"


def test_a_row_of_several_owners_names_the_others_and_what_holds_it_there(
    rows: dict[str, RowExplained],
) -> None:
    meeting = rows["meeting"]
    assert meeting.others == ((2,),)
    shown = page(explained("1"), policy_of(OFFICE))
    assert "  belongs to 2 as well, and goes when it may go for each" in [
        getattr(b, "text", "") for b in shown
    ]


def test_every_row_of_the_subject_is_there_also_where_another_comes_first() -> None:
    assert [row.verdict.record for row in explained("2").rows] == ["customer", "meeting"]


def test_a_row_of_another_kind_is_no_subject() -> None:
    with pytest.raises(UsageError, match="there is no customer 3") as raised:
        explained("3")
    assert "where" in raised.value.hint


@pytest.mark.parametrize("words", [("A-17", "2"), ("A-17/2",), ("A-17", 2)])
def test_a_key_of_several_columns_is_several_words_or_one_with_a_slash(words: tuple[object, ...]) -> None:
    given = {"people": [{"area": "A-17", "nr": 2, "since": OLD}]}
    assert explained(*words, office=KEYED, given=given).subject == ("A-17", 2)


@pytest.mark.parametrize("words", [("A-17",), ("A/17/2",), ("A-17", "two"), ("A-17", "3"), ("a-17", "2")])
def test_words_that_are_no_key_are_refused(words: tuple[object, ...]) -> None:
    with pytest.raises(UsageError):
        explained(*words, office=KEYED, given={"people": [{"area": "A-17", "nr": 2, "since": OLD}]})


@pytest.mark.parametrize(("word", "key"), [("7", 7), ("007", "007")])
def test_a_column_without_a_type_holds_numbers_and_texts(word: str, key: object) -> None:
    given = {"people": [{"nr": 7, "since": OLD}, {"nr": "007", "since": OLD}]}
    assert find_subject(policy_of(UNTYPED), UNTYPED.engine(given), (word,)) == (key,)


def test_a_subject_without_a_table_is_named_by_its_value() -> None:
    given = {"calls": [{"email": "a@x", "at": OLD}, {"email": "b@x", "at": OLD}, {"email": "a@x", "at": NEW}]}
    found = explained("a@x", office=CALLERS, given=given)
    assert [row.verdict.key for row in found.rows] == [(1,), (3,)]
    assert data(found)["key"] == ["a@x"]


def test_a_value_that_is_spelt_otherwise_is_no_subject() -> None:
    engine: sa.Engine = CALLERS.engine({"calls": [{"email": "a@x", "at": OLD}]})
    with pytest.raises(UsageError, match="there is no caller A@x"):
        find_subject(policy_of(CALLERS), engine, ("A@x",))

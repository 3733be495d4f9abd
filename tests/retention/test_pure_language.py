"""The full language as the pure function reads it: rows written by hand, with the verdict that they must have."""

from __future__ import annotations

import datetime as dt

import pytest
from pure_office import POLICY, Office

OLD, NEW, TODAY = "2015-01-01", "2023-12-01", "2024-01-01"
LONG_AGO = 1420070400  # 2015-01-01 00:00 UTC
MEETING = {"held_on": OLD}
CUSTOMER = {"kind": "customer", "since": OLD}
STAFF = {"kind": "staff", "since": OLD}
OFFICE = Office()


def call(**more: object) -> dict[str, object]:
    return {"kind": "call", "person_id": 1, "opened_at": LONG_AGO, "state_id": 2, **more}


def visit(**more: object) -> dict[str, object]:
    return {"kind": "visit", "person_id": 1, **more}


def closed(value: object, ticket: int = 1) -> dict[str, object]:
    return {"ticket_id": ticket, "field": "closed", "value": value}


def guest(meeting: int, person: object, role: str = "guest") -> dict[str, object]:
    return {"meeting_id": meeting, "person_id": person, "role": role}


class TestMembership:
    def test_a_row_for_which_where_is_not_true_is_of_no_record_type(self) -> None:
        judged = OFFICE.judge(TODAY, people=[CUSTOMER, STAFF, {"kind": None, "since": OLD}])
        assert [(v.record, v.key) for v in judged.verdicts] == [("customer", (1,))]

    def test_each_row_of_a_shared_table_is_judged_by_its_own_record_type(self) -> None:
        judged = OFFICE.judge(TODAY, people=[CUSTOMER], tickets=[call(), visit()], fields=[closed(NEW, 2)])
        assert (judged.state("call", 1), judged.state("visit", 2)) == ("due", "kept")

    def test_what_hangs_below_a_row_of_another_kind_is_of_no_record_type_all_the_way_down(self) -> None:
        judged = OFFICE.judge(TODAY, people=[STAFF], tickets=[call()], notes=[{"ticket_id": 1}])
        assert judged.verdicts == []

    def test_a_note_of_a_visit_is_no_note_of_a_call(self) -> None:
        judged = OFFICE.judge(TODAY, people=[CUSTOMER], tickets=[visit()], notes=[{"ticket_id": 1}])
        assert [v.record for v in judged.verdicts] == ["customer", "visit"]

    def test_a_row_that_leads_to_nobody_is_an_orphan_of_its_record_type(self) -> None:
        judged = OFFICE.judge(TODAY, tickets=[call(person_id=9), call(person_id=None)])
        assert (judged.state("call", 1), judged.state("call", 2)) == ("due", "due")
        assert judged("call", 1).subject is None

    def test_a_row_of_no_record_type_holds_what_it_refers_to(self) -> None:
        other = {"kind": "memo", "person_id": 1}
        judged = OFFICE.judge(TODAY, people=[CUSTOMER, CUSTOMER], tickets=[other])
        assert (judged.state("customer", 1), judged.state("customer", 2)) == ("held", "due")
        assert judged("customer", 1).reason == "held: a row of tickets refers to it"

    def test_a_row_that_two_record_types_claim_is_undecidable_in_both(self) -> None:
        office = Office(POLICY.replace("{kind: call}", "{kind: [call, both]}"))
        judged = office.judge(TODAY, people=[CUSTOMER], tickets=[call(kind="both")], fields=[closed(OLD)])
        assert (judged.state("call"), judged.state("visit")) == ("undecidable", "undecidable")
        assert "also a visit" in judged("call").reason
        assert judged.state("customer") == "held"


class TestSeveralOwners:
    def test_a_row_is_due_only_if_it_is_due_under_each_owner(self) -> None:
        people = [CUSTOMER, {"kind": "customer", "since": NEW}]
        both = OFFICE.judge(
            "2023-12-01", people=people, meetings=[MEETING], guests=[guest(1, 1), guest(1, 2)]
        )
        assert (both.state("meeting"), both("meeting").last_day) == ("kept", dt.date(2023, 12, 1))
        assert both("customer", 1).reason.startswith("held: meeting 1")
        after = OFFICE.judge(
            "2023-12-02", people=people, meetings=[MEETING], guests=[guest(1, 1), guest(1, 2)]
        )
        assert after.state("meeting") == "due"

    def test_it_has_one_verdict_under_the_least_subject_by_text(self) -> None:
        people = [CUSTOMER] * 10
        judged = OFFICE.judge(TODAY, people=people, meetings=[MEETING], guests=[guest(1, 9), guest(1, 10)])
        assert [v.subject for v in judged.verdicts if v.record == "meeting"] == [(10,)]

    def test_rows_below_it_have_its_owners(self) -> None:
        people = [CUSTOMER, {"kind": "customer", "since": NEW}]
        judged = OFFICE.judge(
            "2023-12-01", people=people, meetings=[MEETING], guests=[guest(1, 1), guest(1, 2)],
            slides=[{"meeting_id": 1}],
        )  # fmt: skip
        assert [(v.state, v.subject) for v in judged.verdicts if v.record == "slide"] == [("kept", (1,))]

    def test_a_legal_hold_on_one_owner_holds_the_row_for_all(self) -> None:
        judged = OFFICE.judge(
            TODAY, frozenset({(2,)}), people=[CUSTOMER, CUSTOMER], meetings=[MEETING],
            guests=[guest(1, 1), guest(1, 2)],
        )  # fmt: skip
        assert [judged.state(*of) for of in (("meeting", 1), ("customer", 1), ("customer", 2))] == [
            "held"
        ] * 3
        assert judged("meeting").reason == "held: legal hold on customer 2"

    def test_the_rows_of_the_way_count_only_where_they_lead_and_pass(self) -> None:
        guests = [guest(1, None), guest(1, 2, "waiter"), guest(1, 1)]
        judged = OFFICE.judge(TODAY, people=[CUSTOMER, CUSTOMER], meetings=[MEETING], guests=guests)
        assert judged("meeting").subject == (1,)

    def test_an_owner_of_another_kind_is_none(self) -> None:
        guests = [guest(1, 1), guest(1, 2), guest(2, 2)]
        judged = OFFICE.judge(TODAY, people=[CUSTOMER, STAFF], meetings=[MEETING] * 2, guests=guests)
        assert [(v.key, v.subject) for v in judged.verdicts if v.record == "meeting"] == [((1,), (1,))]

    def test_a_row_that_leads_nowhere_is_an_orphan(self) -> None:
        judged = OFFICE.judge(TODAY, meetings=[MEETING, {"held_on": NEW}], guests=[guest(2, 9)])
        assert (judged.state("meeting", 1), judged.state("meeting", 2)) == ("due", "kept")

    def test_of_two_ways_in_the_row_itself_each_leads_to_an_owner(self) -> None:
        office = Office(
            """
records:
  customer: {table: people, keep: {for: 1 year, after: since}}
  deal:
    table: deals
    belongs_to: customer
    on: [{seller: id}, {buyer: id}]
    keep: {for: 1 year, after: customer.since}
""",
            """CREATE TABLE people (id INTEGER PRIMARY KEY, since DATE);
               CREATE TABLE deals (id INTEGER PRIMARY KEY, seller INTEGER, buyer INTEGER)""",
        )
        people = [{"since": OLD}, {"since": NEW}]
        deals = [{"seller": 1, "buyer": 2}, {"seller": 1, "buyer": 1}, {"seller": None, "buyer": 1}]
        judged = office.judge(TODAY, people=people, deals=deals)
        assert [judged.state("deal", n) for n in (1, 2, 3)] == ["kept", "due", "due"]
        assert judged.state("customer", 1) == "held"


class TestConditions:
    @pytest.mark.parametrize(
        ("state_id", "state"), [(1, "held"), (2, "due"), (3, "held"), (9, "held"), (None, "held")]
    )
    def test_work_is_open_unless_a_look_up_table_says_that_it_is_not(
        self, state_id: object, state: str
    ) -> None:
        judged = OFFICE.judge(TODAY, people=[CUSTOMER], tickets=[call(state_id=state_id)])
        assert judged.state("call") == state

    def test_the_reason_says_what_was_looked_up(self) -> None:
        judged = OFFICE.judge(TODAY, people=[CUSTOMER], tickets=[call(state_id=1)])
        assert judged("call").reason == "held: open work: state_id is 1, for which closed is 0 in states"

    @pytest.mark.parametrize(
        ("condition", "held"),
        [
            ("{not: done}", ["new", None]),
            ("{not: [done, null]}", ["new"]),
            ("[new, null]", ["new", None]),
            ("done", ["done", None]),
            ("{not: null}", ["new", "done"]),
        ],
    )
    def test_a_condition_that_is_not_false_keeps_the_row(self, condition: str, held: list[object]) -> None:
        office = Office(
            f"""
records:
  customer: {{table: people, keep: {{for: 1 year, after: since, while: {{state: {condition}}}}}}}
""",
            "CREATE TABLE people (id INTEGER PRIMARY KEY, since DATE, state TEXT)",
        )
        values = ["new", "done", None]
        judged = office.judge(TODAY, people=[{"since": OLD, "state": value} for value in values])
        assert [v for n, v in enumerate(values, 1) if judged.state("customer", n) == "held"] == held

    def test_the_databases_own_words_decide_in_where_while_and_dates(self) -> None:
        office = Office(
            """
records:
  customer:
    table: people
    where: {sql: "coalesce(kind, 'x') <> 'staff'"}
    dates: {gone: {sql: "coalesce(left_on, since)"}}
    keep: {for: 1 year, after: gone, while: {sql: "debt > 0"}}
""",
            "CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, since TEXT, left_on TEXT, debt INTEGER)",
        )
        people = [
            {"kind": "staff", "since": OLD},
            {"since": OLD, "debt": 0},
            {"since": OLD, "left_on": NEW, "debt": 0},
            {"since": OLD, "debt": 5},
            {"since": OLD, "debt": None},
        ]
        judged = office.judge(TODAY, people=people)
        assert {v.key[0]: str(v.state) for v in judged.verdicts} == {
            2: "due",
            3: "kept",
            4: "held",
            5: "held",
        }


class TestDates:
    @pytest.mark.parametrize(
        ("values", "state", "last_day"),
        [
            ([], "undecidable", None),
            ([None, "0000-00-00"], "undecidable", None),
            (["2020-05-01", "2023-05-01", "2021-05-01"], "kept", dt.date(2024, 5, 1)),
            (["2023-05-01", "soon"], "undecidable", None),
            (["2020-05-01", None], "due", dt.date(2021, 5, 1)),
            (["2024-01-02"], "undecidable", None),
        ],
    )
    def test_of_a_name_value_table_the_latest_counts_and_one_impossible_value_spoils_it(
        self, values: list[object], state: str, last_day: dt.date | None
    ) -> None:
        fields = [*map(closed, values), {"ticket_id": 1, "field": "other", "value": "x"}, closed("x", 2)]
        judged = OFFICE.judge(TODAY, people=[CUSTOMER], tickets=[visit()], fields=fields)
        assert (judged.state("visit"), judged("visit").last_day) == (state, last_day)

    @pytest.mark.parametrize(
        ("bought_on", "months", "last_day"),
        [
            ("2023-11-30", 3, dt.date(2024, 3, 29)),  # 29 February, then a month
            ("2023-01-31", "1", dt.date(2023, 3, 28)),
            ("2023-01-31", 0, dt.date(2023, 2, 28)),
            ("0000-00-00", 3, None),
            ("2023-01-31", None, None),
            ("2023-01-31", "two", None),
            ("2023-01-31", 2.5, None),
            ("2023-01-31", -1, None),
            ("2023-01-31", "", None),
            ("2023-01-31", 12 * 8000, None),
        ],
    )
    def test_months_that_a_column_says_are_added(
        self, bought_on: str, months: object, last_day: dt.date | None
    ) -> None:
        judged = OFFICE.judge(
            TODAY, people=[CUSTOMER], devices=[{"person_id": 1, "bought_on": bought_on, "months": months}]
        )
        assert judged("device").last_day == last_day
        assert (judged.state("device") == "undecidable") is (last_day is None)

    @pytest.mark.parametrize("opened", [LONG_AGO, str(LONG_AGO), float(LONG_AGO), LONG_AGO + 0.9])
    def test_an_epoch_is_read_in_every_type(self, opened: object) -> None:
        judged = OFFICE.judge("2016-01-01", people=[CUSTOMER], tickets=[call(opened_at=opened)])
        assert judged("call").last_day == dt.date(2017, 1, 1)

    @pytest.mark.parametrize(
        ("opened", "why"),
        [
            (0, "no date in opened"),
            ("0", "no date in opened"),
            (-3_000_000_000, "before 1900"),
            ("x", "no possible date"),
            (10**15, "no possible date"),
        ],
    )
    def test_an_epoch_that_is_no_date_decides_nothing(self, opened: object, why: str) -> None:
        judged = OFFICE.judge("2016-01-01", people=[CUSTOMER], tickets=[call(opened_at=opened)])
        assert judged.state("call") == "undecidable"
        assert why in judged("call").reason

    def test_a_date_may_have_a_zone_of_its_own(self) -> None:
        office = Office(
            """
records:
  customer:
    table: people
    dates: {since: {timestamps_in: America/New_York}}
    keep: {for: 1 year, after: since}
""",
            "CREATE TABLE people (id INTEGER PRIMARY KEY, since TIMESTAMP)",
        )
        judged = office.judge(TODAY, people=[{"since": "2023-05-01 20:00:00"}])
        assert judged("customer").last_day == dt.date(2024, 5, 2)


class TestValues:
    OFFICE = Office(
        """
dates: {last: {latest_of: [call.at]}}
records:
  caller: {values_of: [call.email, repair.contact]}
  call: {table: calls, key: [nr], belongs_to: caller, keep: {for: 1 year, after: last},
         orphans: {for: 1 year, after: at}}
  repair: {table: repairs, belongs_to: caller, keep: {for: 2 years, after: done}, orphans: {for: 1 year, after: done}}
""",
        """CREATE TABLE calls (nr TEXT NOT NULL, email TEXT, at DATE);
           CREATE TABLE repairs (id INTEGER PRIMARY KEY, contact TEXT, done DATE)""",
        "caller",
    )  # fmt: skip

    def test_rows_with_one_value_belong_to_one_subject(self) -> None:
        calls = [
            {"nr": "A-1", "email": "a@x", "at": OLD},
            {"nr": "A-2", "email": "a@x", "at": NEW},
            {"nr": "B", "email": "A@x", "at": OLD},
        ]
        judged = self.OFFICE.judge(TODAY, calls=calls)
        assert [judged.state("call", nr) for nr in ("A-1", "A-2", "B")] == ["kept", "kept", "due"]
        assert judged("call", "A-1").subject == ("a@x",)

    def test_a_value_may_stand_in_several_tables_and_its_hold_covers_them_all(self) -> None:
        given = {
            "calls": [{"nr": "A", "email": "a@x", "at": OLD}],
            "repairs": [{"contact": "a@x", "done": OLD}, {"contact": "b@x", "done": OLD}],
        }
        judged = self.OFFICE.judge(TODAY, frozenset({("a@x",)}), **given)
        assert [judged.state(*of) for of in (("call", "A"), ("repair", 1), ("repair", 2))] == [
            "held",
            "held",
            "due",
        ]

    def test_a_row_without_a_value_is_an_orphan(self) -> None:
        judged = self.OFFICE.judge(TODAY, calls=[{"nr": "A", "email": None, "at": OLD}])
        assert (judged.state("call", "A"), judged("call", "A").subject) == ("due", None)

    def test_the_subject_itself_has_no_verdict(self) -> None:
        judged = self.OFFICE.judge(TODAY, calls=[{"nr": "A", "email": "a@x", "at": OLD}])
        assert [v.record for v in judged.verdicts] == ["call"]


class TestReplacements:
    OFFICE = Office(
        """
records:
  customer:
    table: people
    personal: [email]
    keep: {for: 1 year, after: since}
    erase: {anonymise: {email: "erased-{key}@{key}"}}
""",
        "CREATE TABLE people (area TEXT, nr INTEGER, email TEXT UNIQUE, since DATE, PRIMARY KEY (area, nr))",
    )

    @pytest.mark.parametrize(
        ("email", "state"),
        [("erased-A-7@A-7", "anonymised"), ("erased-A-8@A-8", "due"), ("erased-{key}@{key}", "due")],
    )
    def test_a_replacement_holds_the_key_of_its_own_row(self, email: str, state: str) -> None:
        judged = self.OFFICE.judge(TODAY, people=[{"area": "A", "nr": 7, "email": email, "since": OLD}])
        assert judged.state("customer", "A", 7) == state

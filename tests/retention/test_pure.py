"""R1 to R10 as the pure function keeps them, each on both sides of its limit."""

from __future__ import annotations

import datetime as dt

import pytest
from pure_cases import POLICY, SCHEMA, Case, Judged, changed

from staffords_gdpr.retention.pure.loader import judge_in_chunks

OLD = {"registered_at": "2010-01-01 09:00:00"}
ONE = {"customer_id": 1}


def call(received: object, **more: object) -> dict[str, object]:
    return {**ONE, "received_at": received, **more}


def london(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


@pytest.fixture(scope="module")
def in_london() -> Case:
    return Case(zone="Europe/London")


class TestR1Calendar:
    def test_a_row_is_kept_on_its_last_day_and_due_on_the_day_after(self, case: Case) -> None:
        rows = {"customer": [{"registered_at": "2020-05-02 10:00:00"}]}
        last = case.judge("2023-05-02", **rows)("customer")
        assert (str(last.state), last.last_day) == ("kept", dt.date(2023, 5, 2))
        assert case.judge("2023-05-03", **rows).state("customer") == "due"

    def test_29_february_plus_3_years_is_28_february(self, case: Case) -> None:
        rows = {"customer": [{"registered_at": "2024-02-29 10:00:00"}]}
        assert case.judge("2027-02-28", **rows).state("customer") == "kept"
        assert case.judge("2027-03-01", **rows).state("customer") == "due"

    def test_28_and_29_february_of_a_leap_year_end_on_the_same_day(self, case: Case) -> None:
        rows = {"customer": [{"registered_at": f"2024-02-{day} 10:00:00"} for day in (28, 29)]}
        days = [v.last_day for v in case.judge("2026-01-01", **rows).verdicts]
        assert days == [dt.date(2027, 2, 28)] * 2

    def test_a_moment_before_midnight_utc_is_the_next_day_in_a_london_summer(self, in_london: Case) -> None:
        rows = {"customer": [{"registered_at": "2020-06-30 23:30:00"}]}
        assert in_london.judge("2023-06-01", **rows)("customer").last_day == dt.date(2023, 7, 1)

    def test_a_moment_before_midnight_utc_is_the_same_day_in_a_london_winter(self, in_london: Case) -> None:
        rows = {"customer": [{"registered_at": "2020-12-31 23:30:00"}]}
        assert in_london.judge("2023-06-01", **rows)("customer").last_day == dt.date(2023, 12, 31)

    def test_a_row_is_due_from_midnight_in_london_not_in_utc(self, in_london: Case) -> None:
        rows = {"customer": [{"registered_at": "2020-07-01"}]}
        before = london("2023-07-01T23:59:59+01:00")
        after = london("2023-07-01T23:00:00+00:00")
        assert in_london.judge(before, **rows).state("customer") == "kept"
        assert in_london.judge(after, **rows).state("customer") == "due"

    def test_naive_moments_are_in_the_zone_that_the_policy_names(self) -> None:
        case = Case(zone="Europe/London", naive="America/New_York")
        rows = {"customer": [{"registered_at": "2020-12-31 20:00:00"}]}
        assert case.judge("2021-06-01", **rows)("customer").last_day == dt.date(2024, 1, 1)


class TestR2LatestWins:
    def test_the_latest_clause_decides(self, case: Case) -> None:
        rows = {
            "customer": [{"registered_at": "2020-05-02"}],
            "product": [{**ONE, "warranty_until": "2024-01-31"}],
        }
        verdict = case.judge("2024-01-31", **rows)("customer")
        assert (verdict.last_day, verdict.reason) == (dt.date(2024, 1, 31), "warranty until 31 January 2024")
        assert case.judge("2024-02-01", **rows).state("customer") == "due"

    def test_the_reason_names_the_winning_clause_and_its_date(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], call=[call("2021-05-02")])
        assert judged("call").reason == "3 years after last contact on 2 May 2021"

    def test_an_empty_until_counts_for_nothing(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], product=[{**ONE, "warranty_until": None}])
        assert judged.state("customer") == "due"

    def test_an_empty_after_is_undecidable(self, case: Case) -> None:
        verdict = case.judge("2024-01-01", customer=[{}])("customer")
        assert (str(verdict.state), verdict.last_day) == ("undecidable", None)

    def test_an_empty_after_is_undecidable_even_while_an_until_lies_ahead(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[{}], product=[{**ONE, "warranty_until": "2030-01-01"}])
        assert judged.state("customer") == "undecidable"

    def test_or_else_stands_in_for_an_empty_after_whatever_until_says(self) -> None:
        case = Case(changed("records.customer.keep", {
            "for": "3 years", "after": "last_contact", "or_else": "registered_at",
            "or_until": "warranty_end"}))  # fmt: skip
        rows = {
            "customer": [{"registered_at": "2020-01-10"}],
            "product": [{**ONE, "warranty_until": "2021-01-01"}],
        }
        assert case.judge("2023-01-10", **rows)("customer").last_day == dt.date(2023, 1, 10)

    def test_an_impossible_or_else_counts_only_where_it_is_used(self) -> None:
        case = Case(changed("records.call.keep", {
            "for": "3 years", "after": "received_at", "or_else": "customer.registered_at"}))  # fmt: skip
        bad = {"registered_at": "2020-02-30"}
        assert case.judge("2024-01-01", customer=[bad], call=[call("2023-01-01")]).state("call") == "kept"
        assert case.judge("2024-01-01", customer=[bad], call=[call(None)]).state("call") == "undecidable"

    def test_or_else_of_a_subject_date_is_used_where_no_row_contributes(self) -> None:
        rule = {"latest_of": ["call.received_at"], "or_else": "customer.registered_at"}
        case = Case(
            changed("records.customer.keep.after", "last_contact", changed("dates.last_contact", rule))
        )
        customer = [{"registered_at": "2022-03-01"}]
        assert case.judge("2023-01-01", customer=customer)("customer").last_day == dt.date(2025, 3, 1)
        early = case.judge("2023-01-01", customer=customer, call=[call("2021-03-01")])
        assert early("customer").last_day == dt.date(2024, 3, 1)

    @pytest.mark.parametrize(("day", "state"), [("2024-01-01", "kept"), ("2024-01-02", "undecidable")])
    def test_an_event_may_be_today_but_not_tomorrow(self, case: Case, day: str, state: str) -> None:
        assert case.judge("2024-01-01", customer=[{"registered_at": day}]).state("customer") == state

    def test_tomorrow_is_told_by_the_calendar_of_the_policy(self, in_london: Case) -> None:
        rows = {"customer": [{"registered_at": "2024-07-01 23:30:00"}]}
        assert in_london.judge(london("2024-07-01T22:59:59+00:00"), **rows).state("customer") == "undecidable"
        assert in_london.judge(london("2024-07-01T23:00:00+00:00"), **rows).state("customer") == "kept"

    @pytest.mark.parametrize(("day", "state"), [("1900-01-01", "due"), ("1899-12-31", "undecidable")])
    def test_nothing_happened_before_1900(self, case: Case, day: str, state: str) -> None:
        assert case.judge("2024-01-01", customer=[{"registered_at": day}]).state("customer") == state

    def test_an_until_before_1900_is_impossible_too(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], product=[{**ONE, "warranty_until": "1899-12-31"}])
        assert judged.state("customer") == "undecidable"

    def test_one_impossible_source_makes_the_subject_date_impossible(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], call=[call("2019-01-01"), call("2024-01-02")])
        assert [judged.state("call", n) for n in (1, 2)] == ["undecidable"] * 2

    def test_a_reference_to_a_missing_row_is_undecidable_and_an_absent_reference_is_empty(
        self, case: Case
    ) -> None:
        rows = {"customer": [OLD], "repair": [
            {**ONE, "completed_at": "2020-01-01", "product_id": 9},
            {**ONE, "completed_at": "2020-01-01"}]}  # fmt: skip
        judged = case.judge("2024-01-01", **rows)
        assert [judged.state("repair", n) for n in (1, 2)] == ["undecidable", "due"]


class TestR3OpenWorkAndHolds:
    def test_open_work_is_held_whatever_its_dates(self, case: Case) -> None:
        verdict = case.judge("2024-01-01", customer=[OLD], repair=[ONE])("repair")
        assert (str(verdict.state), verdict.reason) == ("held", "held: open work: completed_at is empty")

    @pytest.mark.parametrize(
        "empty", ["1970-01-01", "0000-00-00", "0000-00-00 00:00:00", "1970-01-01T00:00:00.000"]
    )
    def test_a_date_that_stands_for_no_date_is_null_in_while_too(self, case: Case, empty: str) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], repair=[{**ONE, "completed_at": empty}])
        assert judged.state("repair") == "held"

    @pytest.mark.parametrize(
        ("status", "state"), [("open", "held"), ("new", "held"), (None, "held"), ("closed", "due")]
    )
    def test_neither_true_nor_false_counts_as_open(self, status: str | None, state: str) -> None:
        case = Case(changed("records.call.keep.while", {"status": ["open", "new"]}))
        judged = case.judge("2024-01-01", customer=[OLD], call=[call("2020-01-01", status=status)])
        assert judged.state("call") == state

    def test_a_legal_hold_holds_everything_of_the_subject_that_would_be_due(self, case: Case) -> None:
        rows = {"customer": [OLD, OLD], "product": [ONE, {"customer_id": 2}],
                "payment": [{**ONE, "taken_at": "2023-01-01", "card": "4"}]}  # fmt: skip
        free = case.judge("2024-06-01", **rows)
        assert [free.state(r) for r in ("customer", "product", "payment.card", "payment.identity")] == [
            "due"
        ] * 4
        held = case.judge("2024-06-01", frozenset({(1,)}), **rows)
        assert [held.state(r) for r in ("customer", "product", "payment.card", "payment.identity")] == [
            "held"
        ] * 4
        assert [held.state(r, 2) for r in ("customer", "product")] == ["due", "due"]


class TestR4Children:
    def test_a_row_without_a_rule_goes_with_its_owner(self, case: Case) -> None:
        rows = {"customer": [{"registered_at": "2020-05-02"}], "product": [ONE]}
        kept = case.judge("2023-05-02", **rows)
        assert kept.state("product") == "kept"
        assert kept("product").last_day == kept("customer").last_day
        assert kept("product").reason == "goes with customer 1: 3 years after registered on 2 May 2020"
        assert case.judge("2023-05-03", **rows).state("product") == "due"

    def test_a_row_with_a_rule_keeps_its_owner(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], call=[call("2021-01-01")])
        assert judged("customer").reason == "held: call 1 stays until 2024-01-01 and belongs to it"
        free = case.judge("2024-01-02", customer=[OLD], call=[call("2021-01-01")])
        assert [free.state("customer"), free.state("call")] == ["due", "due"]

    def test_a_step_that_nulls_the_link_lets_the_owner_go(self, case: Case) -> None:
        rows = {"customer": [OLD], "payment": [{**ONE, "taken_at": "2023-01-01", "holder": "x"}]}
        judged = case.judge("2024-01-01", **rows)
        states = [judged.state(r) for r in ("customer", "payment.identity", "payment")]
        assert states == ["due", "due", "kept"]
        without = Case(changed("records.payment.sooner.identity", None))
        assert without.judge("2024-01-01", **rows).state("customer") == "held"

    def test_a_child_that_cannot_go_holds_its_owner(self, case: Case) -> None:
        rows = {"customer": [OLD, OLD], "product": [ONE],
                "repair": [{"customer_id": 2, "product_id": 1, "completed_at": "2023-01-01"}]}  # fmt: skip
        judged = case.judge("2024-01-01", **rows)
        assert judged("product").reason == "held: repair 1 stays until 2025-01-01 and refers to it"
        assert judged("customer").reason == "held: product 1 goes with it and stays"


class TestR5References:
    def test_a_surviving_row_holds_what_it_refers_to(self, case: Case) -> None:
        rows = {"customer": [OLD, OLD], "call": [call("2020-01-01"),
                {"customer_id": 2, "received_at": "2023-01-01", "follows_call": 1}]}  # fmt: skip
        judged = case.judge("2024-01-01", **rows)
        assert judged("call", 1).reason == "held: call 2 stays until 2026-01-01 and refers to it"
        assert judged.state("customer", 1) == "held"

    def test_rows_that_are_due_only_together_go_together(self, case: Case) -> None:
        rows = {"customer": [OLD, OLD], "call": [call("2020-01-01", follows_call=2),
                {"customer_id": 2, "received_at": "2020-01-01", "follows_call": 1}]}  # fmt: skip
        judged = case.judge("2024-01-01", **rows)
        assert {str(v.state) for v in judged.verdicts} == {"due"}

    def test_a_table_that_the_policy_does_not_name_holds_what_it_refers_to(self, case: Case) -> None:
        rows = {"customer": [OLD], "call": [call("2020-01-01")], "survey": [{"call_id": 1}]}
        judged = case.judge("2024-01-01", **rows)
        assert judged("call").reason == "held: a row of survey refers to it"
        assert case.judge("2024-01-01", **{**rows, "survey": [{"call_id": None}]}).state("call") == "due"

    def test_a_row_that_refers_to_itself_holds_nothing(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], call=[call("2020-01-01", follows_call=1)])
        assert judged.state("call") == "due"

    def test_a_due_anonymisation_that_nulls_a_reference_lets_its_target_go(self, case: Case) -> None:
        rows = {"customer": [OLD], "product": [ONE],
                "repair": [{**ONE, "product_id": 1, "completed_at": "2020-01-01", "fault": "x"}]}  # fmt: skip
        judged = case.judge("2024-01-01", **rows)
        assert [judged.state(r) for r in ("repair", "product", "customer")] == ["due"] * 3


class TestR6Evidence:
    def policy(self) -> Case:
        return Case(changed("records.repair.keep", {"for": "1 month", "after": "completed_at"}))

    def test_the_latest_contact_stays_while_a_row_counts_from_it(self) -> None:
        rows = {"customer": [OLD], "call": [call("2020-01-01"), call("2020-02-01")],
                "repair": [{**ONE, "completed_at": "2022-05-01 08:00:00"},
                           {**ONE, "completed_at": "2022-05-01 17:00:00"},
                           {**ONE, "completed_at": "2022-04-30"}]}  # fmt: skip
        judged = self.policy().judge("2025-05-01", **rows)
        assert [judged.state("repair", n) for n in (1, 2, 3)] == ["held", "held", "due"]
        assert judged("repair").reason == "held: latest contact of 2 calls"
        free = self.policy().judge("2025-05-02", **rows)
        assert {str(v.state) for v in free.verdicts} == {"due"}

    def test_every_contribution_to_an_impossible_date_stays(self) -> None:
        rows = {
            "customer": [OLD],
            "repair": [{**ONE, "completed_at": "2020-01-01"}, {**ONE, "completed_at": "tomorrow"}],
        }
        judged = self.policy().judge("2024-01-01", **rows)
        assert [judged.state("repair", n) for n in (1, 2)] == ["held", "undecidable"]

    def test_a_step_that_would_take_the_latest_day_from_the_subject_is_held(self) -> None:
        policy = changed("dates.last_contact.latest_of", ["call.received_at", "payment.taken_at"])
        policy = changed("records.payment.sooner.identity",
                         {"for": "1 year", "after": "taken_at",
                          "anonymise": {"holder": None, "customer_id": None}}, policy)  # fmt: skip
        rows = {"customer": [OLD], "call": [call("2020-01-01")],
                "payment": [{**ONE, "taken_at": "2022-01-01", "holder": "x"},
                            {**ONE, "taken_at": "2021-01-01", "holder": "x"}]}  # fmt: skip
        judged = Case(policy).judge("2024-01-01", **rows)
        assert [judged.state("payment.identity", n) for n in (1, 2)] == ["held", "due"]


class TestR7OneState:
    def test_an_impossible_date_comes_before_a_last_day_that_lies_ahead(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[{"registered_at": "2023-01-01"}],
                            product=[{**ONE, "warranty_until": "soon"}])  # fmt: skip
        assert judged.state("customer") == "undecidable"

    def test_a_last_day_ahead_comes_before_open_work_and_open_work_before_a_missing_date(self) -> None:
        case = Case(changed("records.call.keep.while", {"status": "open"}))
        ahead = case.judge("2024-01-01", customer=[OLD], call=[call("2023-01-01", status="open")])
        assert ahead.state("call") == "kept"
        passed = case.judge("2027-01-01", customer=[OLD], call=[call("2023-01-01", status="open")])
        assert (passed.state("call"), passed("call").last_day) == ("held", dt.date(2026, 1, 1))
        missing = case.judge("2027-01-01", customer=[OLD], call=[call(None, status="open")])
        assert (missing.state("call"), missing("call").last_day) == ("held", None)
        assert (
            case.judge("2027-01-01", customer=[OLD], call=[call(None, status="x")]).state("call")
            == "undecidable"
        )


class TestR8Orphans:
    def test_an_orphan_follows_the_rule_for_orphans(self, case: Case) -> None:
        rows = {"call": [{"customer_id": 9, "received_at": "2022-05-02"}]}
        assert case.judge("2023-05-02", **rows).state("call") == "kept"
        verdict = case.judge("2023-05-03", **rows)("call")
        assert (str(verdict.state), verdict.subject) == ("due", None)

    def test_without_a_rule_for_orphans_row_and_steps_are_undecidable(self, case: Case) -> None:
        judged = case.judge("2024-01-01", payment=[{"customer_id": 9, "taken_at": "2010-01-01"}])
        assert {str(v.state) for v in judged.verdicts} == {"undecidable"}

    def test_a_null_link_that_the_policy_does_not_write_makes_an_orphan(self, case: Case) -> None:
        judged = case.judge("2024-01-01", product=[{}], call=[{"received_at": "2010-01-01"}])
        assert [judged.state("product"), judged.state("call")] == ["undecidable", "due"]

    def test_a_child_of_an_orphan_goes_with_it(self) -> None:
        case = Case(changed("records.repair.orphans", {"for": "1 year", "after": "completed_at"}))
        rows = {
            "repair": [{"customer_id": 9, "completed_at": "2022-05-02"}],
            "consignment": [{"repair_id": 1}],
        }
        assert case.judge("2023-05-02", **rows).state("consignment") == "kept"
        assert case.judge("2023-05-03", **rows).state("consignment") == "due"

    def test_steps_of_an_orphan_are_timed_by_themselves_or_go_with_the_row(self) -> None:
        case = Case(changed("records.payment.orphans", {"for": "2 years", "after": "taken_at"}))
        rows = {"payment": [{"customer_id": 9, "taken_at": "2022-01-01", "card": "4", "holder": "x"}]}
        judged = case.judge("2023-06-01", **rows)
        assert [judged.state(r) for r in ("payment", "payment.card", "payment.identity")] == [
            "kept",
            "due",
            "kept",
        ]
        late = case.judge("2024-01-02", **rows)
        assert [late.state(r) for r in ("payment", "payment.identity")] == ["due", "due"]


class TestR10Anonymising:
    def repair(self, case: Case, **values: object) -> Judged:
        return case.judge("2024-01-01", customer=[OLD], repair=[{"completed_at": "2020-01-01", **values}])

    def test_a_row_with_its_replacements_and_its_link_undone_is_anonymised(self, case: Case) -> None:
        assert self.repair(case).state("repair") == "anonymised"

    def test_a_leftover_makes_an_unlinked_row_follow_its_rule_again(self, case: Case) -> None:
        assert self.repair(case, fault="x").state("repair") == "due"
        assert self.repair(case, fault="x", completed_at="2023-01-01").state("repair") == "kept"

    def test_replacements_alone_do_not_make_a_row_anonymised_before_it_would_be_due(self, case: Case) -> None:
        rows = {"customer": [OLD], "payment": [{**ONE, "taken_at": "2022-12-01"}]}
        assert case.judge("2024-01-01", **rows).state("payment.card") == "kept"
        assert case.judge("2024-01-02", **rows).state("payment.card") == "anonymised"

    def test_an_anonymised_row_keeps_nothing(self, case: Case) -> None:
        judged = case.judge("2024-01-01", customer=[OLD], payment=[{"taken_at": "2023-01-01"}])
        assert [judged.state(r) for r in ("customer", "payment.identity", "payment")] == [
            "due",
            "anonymised",
            "kept",
        ]

    def test_a_leftover_of_a_step_whose_owner_is_gone_is_due(self, case: Case) -> None:
        judged = case.judge("2024-01-01", payment=[{"taken_at": "2023-01-01", "holder": "x"}])
        assert [judged.state(r) for r in ("payment.identity", "payment")] == ["due", "kept"]

    def test_children_without_a_rule_go_with_the_step_and_a_child_left_behind_makes_both_due(
        self, case: Case
    ) -> None:
        judged = case.judge(
            "2024-01-01", repair=[{"completed_at": "2020-01-01"}], consignment=[{"repair_id": 1}]
        )
        assert [judged.state(r) for r in ("repair", "consignment")] == ["due", "due"]

    def test_a_subject_can_be_anonymised_in_place(self) -> None:
        case = Case(changed("records.customer.erase", {"anonymise": {"name": "gone"}}))
        assert case.judge("2024-01-01", customer=[{**OLD, "name": "x"}]).state("customer") == "due"
        assert case.judge("2024-01-01", customer=[{**OLD, "name": "gone"}]).state("customer") == "anonymised"

    def test_a_due_row_whose_list_leaves_a_reference_goes_together_with_its_target(
        self,
    ) -> None:
        policy = changed("records.customer.erase", {"anonymise": {"name": "gone"}})
        case = Case(
            changed("records.repair.erase", {"anonymise": {"fault": None, "product_id": None}}, policy)
        )
        rows = {
            "customer": [{**OLD, "name": "x"}],
            "repair": [{**ONE, "completed_at": "2020-01-01", "fault": "x"}],
        }
        judged = case.judge("2024-01-01", **rows)
        assert [judged.state(r) for r in ("repair", "customer")] == ["due", "due"]
        rows["repair"][0]["fault"] = None
        judged = case.judge("2024-01-01", **rows)
        assert [judged.state(r) for r in ("repair", "customer")] == ["anonymised", "due"]


class TestDecisions:
    """What the rules' words leave open, as docs/rules.md decides it."""

    def test_dates_of_the_customer_are_empty_for_an_unlinked_row(self) -> None:
        case = Case(changed("records.payment.keep.after", "last_contact"))
        judged = case.judge("2024-01-01", customer=[OLD], call=[call("2010-01-01")], payment=[{}])
        assert [judged.state(r) for r in ("payment", "payment.identity")] == ["undecidable", "anonymised"]

    def test_a_row_with_a_rule_of_an_unlinked_row_is_an_orphan(self) -> None:
        case = Case(changed("records.consignment.keep", {"for": "1 year", "after": "customer.registered_at"}))
        judged = case.judge(
            "2024-01-01", repair=[{"completed_at": "2020-01-01"}], consignment=[{"repair_id": 1}]
        )
        assert [judged.state(r) for r in ("repair", "consignment")] == ["anonymised", "undecidable"]

    def test_a_row_without_a_rule_that_its_own_list_unlinked_is_due_while_something_is_left(self) -> None:
        erase = {"anonymise": {"address": None, "repair_id": None}}
        case = Case(changed("records.consignment.erase", erase))
        judged = case.judge("2024-01-01", consignment=[{"address": "x"}, {}])
        assert [judged.state("consignment", n) for n in (1, 2)] == ["due", "anonymised"]

    def test_a_row_with_its_replacements_under_a_legal_hold_is_held(self, case: Case) -> None:
        rows = {"customer": [OLD], "payment": [{**ONE, "taken_at": "2020-01-01"}]}
        assert case.judge("2024-01-01", **rows).state("payment.card") == "anonymised"
        assert case.judge("2024-01-01", frozenset({(1,)}), **rows).state("payment.card") == "held"

    def test_a_hold_given_as_text_is_the_same_hold(self, case: Case) -> None:
        judged = case.judge("2024-01-01", frozenset({("1",)}), customer=[OLD])
        assert judged.state("customer") == "held"

    def test_a_customer_whose_date_others_count_from_stays(self) -> None:
        rule = {"latest_of": ["call.received_at"], "or_else": "customer.registered_at"}
        policy = changed("records.payment.keep.after", "last_contact", changed("dates.last_contact", rule))
        case = Case(policy)
        rows = {"customer": [{"registered_at": "2020-01-01"}], "payment": [{**ONE, "holder": "x"}]}
        judged = case.judge("2024-01-01", **rows)
        assert judged("payment").last_day == dt.date(2026, 1, 1)
        assert judged("customer").reason == "held: latest contact of 1 payment"
        assert judged.state("payment.identity") == "held"

    def test_no_step_undoes_a_link_between_the_latest_day_and_its_customer(self) -> None:
        schema = (
            SCHEMA
            + """CREATE TABLE notes (id INTEGER PRIMARY KEY,
            payment_id INTEGER REFERENCES payments(id), written_at DATE);"""
        )
        policy = (
            POLICY
            + """
  note:
    {table: notes, belongs_to: payment, keep: {for: 1 day, after: written_at}}
"""
        )
        policy = changed("dates.last_contact.latest_of", ["call.received_at", "note.written_at"], policy)
        step = {"for": "1 year", "after": "taken_at", "anonymise": {"customer_id": None}}
        case = Case(changed("records.payment.sooner.identity", step, policy), schema)
        rows = {"customer": [OLD], "call": [call("2020-01-01")],
                "payment": [{**ONE, "taken_at": "2020-01-01"}],
                "notes": [{"payment_id": 1, "written_at": "2022-01-01"}]}  # fmt: skip
        judged = case.judge("2024-01-01", **rows)
        assert [judged.state(r) for r in ("call", "note", "payment.identity")] == ["kept", "held", "held"]
        rows["notes"][0]["written_at"] = "2019-01-01"
        assert case.judge("2024-01-01", **rows).state("payment.identity") == "due"

    def test_an_until_may_lie_ahead_and_a_future_date_may_stand_after(self) -> None:
        case = Case(changed("records.customer.keep", {"for": "1 day", "after": "warranty_end"}))
        judged = case.judge("2024-01-01", customer=[OLD], product=[{**ONE, "warranty_until": "2030-01-01"}])
        assert judged("customer").last_day == dt.date(2030, 1, 2)

    def test_keys_may_be_text_composite_and_oddly_named(self) -> None:
        schema = """
            CREATE TABLE "Order" ("Branch No" TEXT, "select" TEXT, at DATE,
                PRIMARY KEY ("Branch No", "select"));
            CREATE TABLE lines (id INTEGER PRIMARY KEY, b TEXT, s TEXT, at DATE,
                FOREIGN KEY (b, s) REFERENCES "Order" ("Branch No", "select"))"""
        policy = """
records:
  customer: {table: Order, keep: {for: 1 year, after: at}}
  line: {table: lines, belongs_to: customer, keep: {for: 1 year, after: at}}
"""
        case = Case(policy, schema)
        with case.engine.begin() as connection:
            connection.exec_driver_sql(
                """INSERT INTO "Order" VALUES ('a', '1', '2010-01-01'), ('a', '2', '2010-01-01')"""
            )
            connection.exec_driver_sql(
                """INSERT INTO lines VALUES (1, 'a', '2', '2023-06-01'), (2, 'a', NULL, '2010-01-01')"""
            )
            noon = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
            parts = judge_in_chunks(connection, case.catalogue, noon, frozenset(), 1)
            judged = Judged([verdict for part in parts for verdict in part])
        assert [judged.state("customer", "a", n) for n in ("1", "2")] == ["due", "held"]
        assert [judged.state("line", n) for n in (1, 2)] == ["kept", "undecidable"]

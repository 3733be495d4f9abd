"""The firm's own policy says everything about the database of the demonstration."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from staffords_gdpr.operations.demo.schema import metadata
from staffords_gdpr.policy import Policy, load_policy
from staffords_gdpr.policy.models import OwnColumn
from staffords_gdpr.policy.periods import Period

PATH = Path(__file__).parents[2] / "policies/retention.yaml"
SEVEN_KINDS = {
    "name": [("customer", "name"), ("consignment", "name")],
    "address": [("customer", "address"), ("consignment", "address")],
    "telephone": [("customer", "telephone"), ("consignment", "telephone")],
    "e-mail": [("customer", "email"), ("consignment", "email")],
    "reason for call": [("call", "reason"), ("repair", "fault")],
    "call resolution": [("call", "resolution"), ("repair", "work_done")],
    "card details": [("payment", "card_holder"), ("payment", "card_number"), ("payment", "card_expiry")],
}


def firm() -> Policy:
    return load_policy(PATH)


def test_each_of_the_seven_kinds_of_data_is_accounted_for_as_personal_and_in_the_comment() -> None:
    policy = firm()
    comment = PATH.read_text().split("version: 1")[0]
    named = {(record.name, column) for record in policy.ours.values() for column in record.personal}
    assert named == {place for places in SEVEN_KINDS.values() for place in places}
    for number, kind in enumerate(SEVEN_KINDS, 1):
        assert f"{number} {kind}" in comment


def test_every_table_is_named_and_every_text_column_is_called_personal_or_not() -> None:
    records = {record.table: record for record in firm().records.values()}
    assert set(records) == set(metadata.tables)
    for name, table in metadata.tables.items():
        record = records[name]
        if record.leave is not None:
            continue
        texts = {column.name for column in table.columns if isinstance(column.type, sa.String)}
        assert texts == {*record.personal, *record.not_personal}, name


def test_every_column_that_the_policy_names_is_in_the_database() -> None:
    policy = firm()
    for record in policy.ours.values():
        named = {*record.personal, *record.not_personal}
        for keep in filter(None, [record.keep, record.orphans, *(step.keep for step in record.sooner)]):
            named |= {ref.column for ref in (keep.after, keep.or_else) if isinstance(ref, OwnColumn)}
            named |= set(keep.while_.columns if keep.while_ else ())
        for step in record.sooner:
            named |= set(step.anonymise)
        assert named <= set(metadata.tables[record.table].columns.keys()), record.name
    for rule in policy.dates.values():
        for source in rule.latest_of:
            assert source.column in metadata.tables[policy.records[source.record].table].columns


def test_the_periods_are_those_that_the_firm_decided() -> None:
    policy = firm()
    periods = {name: str(record.keep.for_) for name, record in policy.ours.items() if record.keep}
    assert periods == {"customer": "3 years", "call": "3 years", "repair": "2 years", "payment": "6 years"}
    card, identity = policy.records["payment"].sooner
    assert card.keep is not None
    assert card.keep.for_ == Period(13, "month")
    assert identity.with_ == "repair"
    assert [str(period) for _, period in policy.schedule] == ["1 day", "6 months", "12 months"]
    assert policy.erase_at_most == 0.05
    assert policy.backups_kept == Period(35, "day")
    assert len(policy.review_questions) == 5


def test_once_both_steps_are_done_a_payment_holds_nothing_personal_and_no_link() -> None:
    payment = firm().records["payment"]
    assert payment.belongs_to is not None
    replaced = {column for step in payment.sooner for column in step.anonymise}
    assert {*payment.personal, "repair_id"} == replaced
    assert payment.orphans == payment.keep  # it has lost its owner by then, and still stays for 6 years


def test_a_comment_stands_by_every_choice_that_the_firms_text_leaves_open() -> None:
    text = PATH.read_text()
    assert text.count("# Choice:") >= 7
    assert "whichever is greater" in text

"""What a person has not decided yet is marked TODO, and keeps the policy from loading."""

from __future__ import annotations

import pytest
from mistakes import SOUND

from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy import read_policy
from staffords_gdpr.policy.models import Values


def said(*changes: tuple[str, str]) -> list[str]:
    text = SOUND
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode(), "p.yaml")
    return caught.value.message.split("\n")


def test_every_todo_is_named_at_once_with_its_place_and_nothing_else_is_complained_of() -> None:
    assert said(
        ("timezone: Europe/London", "timezone: TODO"),
        ("keep: {for: 3 years, after: last_contact}", "keep: {for: TODO, after: TODO last_contact}"),
        ("personal: [fault]", "personal: [TODO fault]"),
        ("leave: the", "leave: TODO the"),
        ("belongs_to: repair", "belongs_to: TODO"),
    ) == [
        "p.yaml:3:11: 'timezone': a person must decide here. Write it instead of TODO, as in 'Europe/London'.",
        "p.yaml:22:17: 'call.keep.for': a person must decide here. Write it instead of TODO, as in '3 years'.",
        (
            "p.yaml:22:30: 'call.keep.after': a person must decide here. If 'last_contact' is right, take the word "
            "TODO away; if not, correct the line or remove it."
        ),
        (
            "p.yaml:28:16: 'repair.personal': a person must decide here. If 'fault' is right, take the word TODO "
            "away; if not, correct the line or remove it."
        ),
        (
            "p.yaml:33:17: 'payment.belongs_to': a person must decide here. Write it instead of TODO, as in "
            "'<record type>'."
        ),
        (
            "p.yaml:38:43: 'newsletter.leave': a person must decide here. If 'the mailing system deletes these' is "
            "right, take the word TODO away; if not, correct the line or remove it."
        ),
    ]


def test_a_value_that_is_spelt_todo_can_be_written_in_quotes() -> None:
    text = SOUND.replace("while: {completed_at: null}", 'while: {status: ["TODO"]}')
    keep = read_policy(text.encode(), "p.yaml").records["repair"].keep
    assert keep is not None
    assert keep.while_ is not None
    assert keep.while_.columns == {"status": Values(values=("TODO",))}

"""What values look like, on both sides of each limit, and what names say."""

from __future__ import annotations

import datetime as dt

import pytest
from strangers import with_check_digit

from staffords_gdpr.database.facts import ColumnFacts, Family, TableFacts
from staffords_gdpr.operations.propose import shapes
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.columns import columns_of, dates_of
from staffords_gdpr.operations.propose.sample import Sample
from staffords_gdpr.operations.propose.shapes import shape_of
from staffords_gdpr.operations.propose.tree import Kind, kind_of

TODAY = dt.date(2026, 11, 23)


def looks_like(text: str) -> set[str]:
    return set(shape_of([text], TODAY).counts)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (shapes.EMAIL, "jane.doe+x@mail.example.org"),
        (shapes.PHONE, "01632 960123"),
        (shapes.PHONE, "+49 (0)30 1234-567"),
        (shapes.PHONE, "(020) 7946 0018"),
        (shapes.PHONE, "555-123-4567"),
        (shapes.POSTCODE, "SW1A 1AA"),
        (shapes.POSTCODE, "m11ae"),
        (shapes.POSTCODE, "1012 AB"),
        (shapes.DIGITS_POSTCODE, "10115"),
        (shapes.DIGITS_POSTCODE, "20500-0003"),
        (shapes.CARD, "4539 1488 0343 6467"),
        (shapes.CARD, "378282246310005"),
        (shapes.CARD, "************1234"),
        (shapes.IBAN, "GB82 WEST 1234 5698 7654 32"),
        (shapes.IBAN, "DE89370400440532013000"),
        (shapes.UUID, "123e4567-e89b-12d3-a456-426614174000"),
        (shapes.ISO, "2024-02-29"),
        (shapes.ISO, "2024-02-29T23:30:00Z"),
        (shapes.EPOCH_SECONDS, "1704880000"),
        (shapes.EPOCH_MILLISECONDS, "1704880000000"),
        (shapes.FUTURE, "2026-11-24"),
    ],
)
def test_a_value_is_known_by_its_shape(kind: str, text: str) -> None:
    assert kind in looks_like(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (shapes.EMAIL, "jane at example.org"),
        (shapes.PHONE, "2024-01-10"),  # a day
        (shapes.PHONE, "20231123001"),  # a number of some file
        (shapes.PHONE, "4539 1488 0343 6467"),
        (shapes.POSTCODE, "ABC 123"),
        (shapes.DIGITS_POSTCODE, "101155"),
        (shapes.CARD, "4539 1488 0343 6468"),  # the check digit is wrong
        (shapes.CARD, "0000000000000000"),
        (shapes.IBAN, "GB82 WEST 1234 5698 7654 33"),
        (shapes.ISO, "2023-02-29"),
        (shapes.ISO, "20240229"),
        (shapes.EPOCH_SECONDS, "4539148803"),
        (shapes.EPOCH_MILLISECONDS, "1704880000"),
        (shapes.FUTURE, "2026-11-23"),
    ],
)
def test_a_value_of_another_shape_is_not_taken_for_it(kind: str, text: str) -> None:
    assert kind not in looks_like(text)


def test_luhn_finds_every_single_wrong_digit() -> None:
    number = with_check_digit("453914880343646")
    assert shapes.luhn(number)
    for place, digit in enumerate(number):
        for other in set("0123456789") - {digit}:
            assert not shapes.luhn(number[:place] + other + number[place + 1 :])


def test_empty_dates_and_blanks_are_no_values() -> None:
    shape = shape_of([None, " ", "0000-00-00 00:00:00", "1970-01-01 00:00:00", "1970-01-01 09:00:00"], TODAY)
    assert (shape.rows, shape.filled) == (5, 1)
    assert shape.empty_dates == {"0000-00-00", "1970-01-01"}


def table(**columns: ColumnFacts) -> TableFacts:
    types = {name: facts.type for name, facts in columns.items()}
    return TableFacts("things", types, (), ("id",), (), details=columns)


TEXT = ColumnFacts("VARCHAR(80)", Family.TEXT, length=80)
WHOLE = ColumnFacts("INTEGER", Family.NUMBER)


@pytest.mark.parametrize(
    ("column", "values", "personal"),
    [
        ("x1", [f"p{n}@example.org" for n in range(40)], True),  # by the values alone
        ("x1", [f"p{n}@example.org" for n in range(31)] + ["none"] * 9, True),  # 77 %: some hold an address
        ("x1", ["red", "green", "blue"] * 20, False),  # few different ones
        ("x1", [f"{n} is a text of rather many words" for n in range(40)], True),  # free text
        ("telephone", [], True),  # by the name alone
        ("model", [f"M{n}" for n in range(40)], False),
        ("model", [f"of p{n}@example.org" for n in range(40)], True),  # the values say more than the name
        ("address_type", ["home", "work"] * 20, False),
        ("postal_code", [f"{10000 + n}" for n in range(40)], True),
        ("Kundentelefon", [], True),
        ("Rechnungsanschrift", [], True),
        ("Seriennummer", [], False),
    ],
)
def test_a_column_is_personal_by_its_name_or_by_its_values(
    column: str, values: list[str], *, personal: bool
) -> None:
    sample = Sample(len(values), {column: shape_of(values, TODAY)})
    found = columns_of(table(**{column: TEXT}), sample, ())
    assert [guess.value for guess in (found.personal if personal else found.not_personal)] == [column]
    assert not any(guess.open for guess in (*found.personal, *found.not_personal))


def test_a_column_of_which_nothing_is_known_is_for_a_person_to_judge() -> None:
    values = [f"q{n}" for n in range(40)]
    found = columns_of(table(x1=TEXT), Sample(40, {"x1": shape_of(values, TODAY)}), ())
    assert [(guess.value, guess.open) for guess in found.personal] == [("x1", True)]


def test_a_number_is_a_date_only_where_name_and_values_agree() -> None:
    values = shape_of([str(1_704_880_000 + n) for n in range(40)], TODAY)
    sample = Sample(40, {"created": values, "part": values, "closed_at": shape_of(["12"] * 40, TODAY)})
    found = dates_of(table(created=WHOLE, part=WHOLE, closed_at=WHOLE), sample)
    assert [(date.column, date.stored_as) for date in found] == [("created", "epoch seconds")]


def test_dates_ahead_are_no_events_and_birthdays_no_dates_of_the_work() -> None:
    day = ColumnFacts("DATE", Family.DAY)
    past = shape_of([f"2020-01-{n:02}" for n in range(1, 29)], TODAY)
    ahead = shape_of([f"2030-01-{n:02}" for n in range(1, 29)], TODAY)
    columns = {
        "opened": past,
        "closed": ahead,
        "warranty_until": ahead,
        "date_of_birth": past,
        "updated": past,
    }
    found = dates_of(table(**dict.fromkeys(columns, day)), Sample(28, columns))
    assert {date.column: date.role for date in found} == {
        "opened": "began",
        "closed": "moving",
        "warranty_until": "until",
        "updated": "moving",
    }


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("customers", "customer"), ("Kunden", "kunde"), ("companies", "company"), ("addresses", "address"),
        ("boxes", "box"), ("CustomerNotes", "customer_note"), ("Reparaturaufträge", "reparaturauftrag"),
        ("status", "status"), ("2024 calls", "table_2024_call"),
    ],
)  # fmt: skip
def test_a_record_type_is_named_for_one_of_the_things_in_its_table(name: str, one: str) -> None:
    assert names.singular(name) == one


@pytest.mark.parametrize(
    ("table_name", "kind"),
    [
        ("helpline_calls", Kind.CALL), ("call_log", Kind.CALL), ("Störungsmeldungen", Kind.CALL),
        ("work_orders", Kind.REPAIR), ("Reparaturen", Kind.REPAIR), ("order_items", Kind.DETAIL),
        ("repair_invoices", Kind.PAYMENT), ("Rechnungen", Kind.PAYMENT), ("customer_devices", Kind.PRODUCT),
        ("weather", Kind.OTHER),
    ],
)  # fmt: skip
def test_a_table_says_by_its_name_what_it_holds(table_name: str, kind: Kind) -> None:
    assert kind_of(table_name) is kind


@pytest.mark.parametrize(
    ("column", "table_name"),
    [
        ("customer_id", "customers"), ("CustomerID", "Customer"), ("KundenNr", "Kunden"), ("kunde", "Kunden"),
        ("auftrag_nr", "Aufträge"), ("company_id", "companies"), ("address_no", "addresses"),
    ],
)  # fmt: skip
def test_a_column_points_to_the_table_that_it_is_named_for(column: str, table_name: str) -> None:
    assert names.link_stem(column) == names.stem(table_name)


def test_a_bare_id_points_nowhere() -> None:
    assert names.link_stem("id") is None

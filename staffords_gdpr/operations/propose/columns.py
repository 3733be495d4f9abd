"""Which columns hold personal data, and which hold dates: by their names, and by the shape of their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from staffords_gdpr.database.facts import ColumnFacts, Family, TableFacts
from staffords_gdpr.operations.propose import shapes
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.guesses import DateGuess, Guess, Sure
from staffords_gdpr.operations.propose.sample import Sample
from staffords_gdpr.operations.propose.shapes import Shape

_TEXTS = {Family.TEXT, Family.NONE}
_MOMENTS = {Family.DAY, Family.TIMESTAMP, Family.ZONED}
_CONTACTS = ("an e-mail address", "a telephone number", "a postcode", "an address", "a person's name")
_BY_NUMBER = ("a telephone number", "a postcode", "a card or a bank account", "who somebody is")
_BY_SHAPE = {
    shapes.EMAIL: ("an e-mail address", "e-mail addresses"),
    shapes.CARD: ("a card or a bank account", "card numbers (by their check digit, or masked)"),
    shapes.IBAN: ("a card or a bank account", "IBANs (by their check digits)"),
    shapes.PHONE: ("a telephone number", "telephone numbers"),
    shapes.POSTCODE: ("a postcode", "postcodes"),
}
_FREE_TEXT = "free text, which may tell of people"
_ANYTHING = re.compile(r"json|xml|hstore|array|\[\]|point|geo", re.IGNORECASE)
_UNITS = {
    **dict.fromkeys(("month", "months", "monate", "monat"), "months"),
    **dict.fromkeys(("year", "years", "jahre", "jahr"), "years"),
    **dict.fromkeys(("day", "days", "tage"), "days"),
}
_MANY = 30  # values from which few different ones say something
_FEW = 12


@dataclass(frozen=True)
class Columns:
    personal: tuple[Guess, ...]
    not_personal: tuple[Guess, ...]


def contact_kinds(table: TableFacts, sample: Sample) -> set[str]:
    """Of name, address, postcode, telephone and e-mail: what this table seems to hold of a person."""
    found: set[str] = set()
    for column, facts in table.details.items():
        if facts.family in _TEXTS:
            kind = _shape_says(sample.shape(column)) or _name_says(column)
            if kind is not None and kind in _CONTACTS:
                found.add(kind)
            if names.words(column)[-1:] == ("name",):
                found.add("a person's name")
    return found


def columns_of(table: TableFacts, sample: Sample, taken: Collection[str], *, people: bool = False) -> Columns:
    """Every column that may hold personal data, and every text-like one that seems not to. `taken`: links and dates.

    `people`: the table is known to hold people, as the subject's does.
    """
    people = (
        people
        or len(contact_kinds(table, sample) - {"a person's name"}) >= 2
        or names.SUBJECTS.in_name(table.name)
    )
    personal: list[Guess] = []
    other: list[Guess] = []
    for column, facts in table.details.items():
        if column in taken or facts.generated:
            continue
        shape = sample.shape(column)
        if facts.family in _TEXTS:
            yes, guess = _text(column, facts, shape, people=people)
            (personal if yes else other).append(guess)
        elif guess_ := _not_text(column, facts, shape):
            personal.append(guess_)
    return Columns(tuple(personal), tuple(other))


def _text(column: str, facts: ColumnFacts, shape: Shape, *, people: bool) -> tuple[bool, Guess]:
    """Whether a text-like column is personal, and why."""
    by_shape, by_name = _shape_says(shape), _name_says(column)
    if by_shape:
        kind = next(k for k, (what, _) in _BY_SHAPE.items() if what == by_shape and shape.mostly(k))
        seen = f"{shape.percent(kind)} % of {shape.filled} values look like {_BY_SHAPE[kind][1]}"
        agreed = by_name == by_shape
        return True, Guess(
            column, Sure.CERTAIN if agreed else Sure.LIKELY, seen + (", as its name says" if agreed else "")
        )
    if held := shape.counts.get(shapes.HOLDS_EMAIL, 0):
        return True, Guess(column, Sure.LIKELY, f"{held} of {shape.filled} values hold an e-mail address")
    if by_name == "a postcode" and shape.mostly(shapes.DIGITS_POSTCODE):
        share = shape.percent(shapes.DIGITS_POSTCODE)
        seen = f"{share} % of {shape.filled} values look like postcodes, as its name says"
        return True, Guess(column, Sure.CERTAIN, seen)
    if names.REGIONS.at_end(column) and people:
        return True, Guess(column, Sure.LIKELY, "stands beside other contact details, as part of an address")
    specific = by_name is not None and by_name != _FREE_TEXT
    if (
        by_name
        and (specific or not names.NOT_PERSONAL.at_end(column))
        and not _kind_of_something(column, by_name)
    ):
        return True, Guess(column, Sure.LIKELY, f"its name says {by_name}")
    if names.NAME.at_end(column) and people:
        return True, Guess(column, Sure.LIKELY, "a name, beside other contact details")
    if names.NOT_PERSONAL.in_name(column):
        return False, Guess(column, Sure.LIKELY, "its name says that it tells of a thing, not of a person")
    if shape.mostly(shapes.UUID, 0.95):
        return False, Guess(column, Sure.LIKELY, "its values are UUIDs")
    if shape.filled >= _MANY and shape.distinct <= _FEW:
        return False, Guess(
            column, Sure.LIKELY, f"few different values: {shape.distinct} in {shape.filled} rows"
        )
    if shape.share(shapes.WORDY) > 0.3 or shape.longest > 80:
        return True, Guess(column, Sure.LIKELY, "long texts, which may tell of people")
    if (
        facts.length is None
        and facts.type.lower() not in ("varchar", "character varying")
        and facts.family is Family.TEXT
    ):
        return True, Guess(column, Sure.UNSURE, "text of any length; whether it tells of people is not clear")
    return True, Guess(column, Sure.UNSURE, "neither its name nor its values say whether it is personal")


def _not_text(column: str, facts: ColumnFacts, shape: Shape) -> Guess | None:
    """Why a column of another type is personal; None where nothing says so."""
    if facts.family is Family.NUMBER:
        if shape.mostly(shapes.CARD, 0.95):
            return Guess(
                column,
                Sure.LIKELY,
                f"{shape.percent(shapes.CARD)} % of {shape.filled} values pass as card numbers",
            )
        by_name = _name_says(column)
        if by_name in _BY_NUMBER and not names.looks_like_link(column):
            return Guess(column, Sure.LIKELY, f"its name says {by_name}")
    if facts.family in _MOMENTS and (names.BORN.in_name(column) or names.CARDS.in_name(column)):
        return Guess(column, Sure.LIKELY, "a date that tells of the person or their card, not of the work")
    if facts.family is Family.BINARY:
        said = _name_says(column)
        return Guess(
            column,
            Sure.LIKELY if said else Sure.UNSURE,
            f"its name says {said}" if said else "bytes: a picture?",
        )
    if facts.family is Family.OTHER and facts.type.lower() in ("inet", "cidr", "macaddr"):
        return Guess(column, Sure.LIKELY, "the address of a computer, and so of whoever uses it")
    if facts.family is Family.OTHER and _ANYTHING.search(facts.type):
        return Guess(column, Sure.UNSURE, f"{facts.type}, in which anything may stand")
    return None


def _shape_says(shape: Shape) -> str | None:
    return next((what for kind, (what, _) in _BY_SHAPE.items() if shape.mostly(kind)), None)


def _name_says(column: str) -> str | None:
    return next((kind for kind, vocabulary in names.PERSONAL.items() if vocabulary.in_name(column)), None)


def _kind_of_something(column: str, by_name: str) -> bool:
    """`address_type` is no address, `postal_code` is a postcode."""
    exact = by_name in ("a postcode", "a card or a bank account", "who somebody is", "a telephone number")
    return names.NOT_PERSONAL.at_end(column) and len(names.words(column)) > 1 and not exact


# -- dates -------------------------------------------------------------------------------------------------------


def dates_of(table: TableFacts, sample: Sample) -> tuple[DateGuess, ...]:
    """The columns that hold dates of the work, the best of each role first. Birthdays and card dates are none."""
    found = []
    for column, facts in table.details.items():
        if names.BORN.in_name(column) or names.CARDS.in_name(column):
            continue
        shape = sample.shape(column)
        for stored_as, seen in _stored(column, facts, shape):
            role, rank, said = _role(column, shape)
            found.append(
                DateGuess(
                    column, role, f"{seen}; {said}", stored_as, facts.nullable or stored_as is not None,
                    naive=facts.family is Family.TIMESTAMP or stored_as == "text", rank=rank,
                )
            )  # fmt: skip
    found += _computed(table, found)
    return tuple(sorted(found, key=lambda date: date.rank))


def _computed(table: TableFacts, dates: list[DateGuess]) -> list[DateGuess]:
    """The end of a warranty, where only its beginning and its length are stored."""
    bought = sorted((date for date in dates if date.role == "began"), key=lambda date: date.rank)
    if not bought or any(date.role == "until" and names.WARRANTY.in_name(date.column) for date in dates):
        return []
    for column in table.details:
        unit = next((unit for word, unit in _UNITS.items() if word in names.words(column)), None)
        if unit and names.WARRANTY.in_name(column):
            said = f"{bought[0].column} and the {unit} of {column}"
            return [replace(bought[0], role="until", reason=said, plus=(unit, column))]
    return []


def _stored(column: str, facts: ColumnFacts, shape: Shape) -> Iterator[tuple[str | None, str]]:
    """How a date is stored in this column, and what says so; nothing where it holds none."""
    if facts.family in _MOMENTS:
        yield None, f"its type is {facts.type}"
    elif facts.family in _TEXTS and shape.mostly(shapes.ISO, 0.95):
        yield "text", f"{shape.percent(shapes.ISO)} % of {shape.filled} values read as dates"
    elif facts.family in (Family.NUMBER, Family.NONE) and _named_as_date(column):
        values = shape.filled - shape.counts.get(shapes.ZERO, 0)
        for kind, said in (
            (shapes.EPOCH_SECONDS, "epoch seconds"),
            (shapes.EPOCH_MILLISECONDS, "epoch milliseconds"),
        ):
            if values >= 1 and shape.counts.get(kind, 0) >= values * 0.95:
                yield (
                    said,
                    f"{shape.counts[kind] * 100 // values} % of {values} numbers are {said} of 1990 to 2099",
                )
                return


def _named_as_date(column: str) -> bool:
    return any(
        each.in_name(column) for each in (names.DATED, names.ENDED, names.BEGAN, names.UNTIL, names.MOVING)
    )


def _role(column: str, shape: Shape) -> tuple[str, int, str]:
    """began, ended, until, moving or plain; how good a date of that role it is; and what says so."""
    starts = {"from", "start", "von", "ab", "begin"} & set(names.words(column))
    if names.UNTIL.in_name(column) and not starts:
        return "until", 0, "its name says how long something lasts"
    for role, vocabulary, said in (
        ("moving", names.MOVING, "its name says that it changes with the work, or lies ahead"),
        ("ended", names.ENDED, "its name says that the work is done"),
        ("began", names.BEGAN, "its name says when it began"),
    ):
        if vocabulary.in_name(column):
            if role != "moving" and shape.mostly(shapes.FUTURE, 0.05):
                return "moving", 50, f"{shape.percent(shapes.FUTURE)} % of its values lie in the future"
            return role, vocabulary.rank(column), said
    return "plain", 99, "its name does not say of what"

"""How long a record type is kept, as far as its name and its dates say: the firm's periods, or a TODO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from staffords_gdpr.database.facts import TableFacts
from staffords_gdpr.operations.propose import shapes
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.guesses import DateGuess, Guess, KeepGuess, StepGuess, Sure
from staffords_gdpr.operations.propose.sample import Sample
from staffords_gdpr.operations.propose.tree import Kind

LAST_CONTACT = "last_contact"
WARRANTY_END = "warranty_end"

PERIODS = {
    Kind.CALL: Guess(
        "3 years", Sure.LIKELY, "helpline calls, by the table's name: 3 years, as the firm promises"
    ),
    Kind.REPAIR: Guess("2 years", Sure.LIKELY, "repairs, by the table's name: 2 years, as the firm promises"),
    Kind.PAYMENT: Guess(
        "6 years", Sure.UNSURE, "payments, by the table's name: how long does tax law want them?"
    ),
}
SUBJECT_PERIOD = Guess(
    "3 years", Sure.LIKELY, "and as long as any record below with a 'keep' of its own stays (R4)"
)
CARD_PERIOD = Guess("13 months", Sure.LIKELY, "a card payment can be disputed for about so long")
_UNKNOWN = Guess("", Sure.UNSURE, "the name does not say what this is: decide how long, or remove this rule")
_FILLED = 0.2  # the share of rows from which an end seems to be recorded


@dataclass(frozen=True)
class Known:
    """What rules can refer to beside a table's own columns."""

    contact: bool  # there is a date `last_contact`
    warranty: bool  # there is a date `warranty_end`
    product_warranty: str = ""  # `product.warranty_until` of a record type that this one refers to


def best(dates: tuple[DateGuess, ...], *roles: str) -> DateGuess | None:
    """The best date of the first of these roles that has one."""
    return next((date for role in roles for date in dates if date.role == role), None)


def events(dates: tuple[DateGuess, ...]) -> tuple[DateGuess, ...]:
    """The dates of a table on which there was contact: when it began and when it was done."""
    return tuple(date for date in (best(dates, "began"), best(dates, "ended")) if date)


def subject_rule(dates: tuple[DateGuess, ...], known: Known) -> KeepGuess:
    """How long the subject is kept."""
    began = best(dates, "began")
    if began:
        after = Guess(began.name, Sure.LIKELY, began.reason)
    elif known.contact:
        after = Guess(LAST_CONTACT, Sure.LIKELY, "there is no date of its own")
    else:
        after = Guess("", Sure.UNSURE, "no date was found from which to count")
    return KeepGuess(SUBJECT_PERIOD, after, _warranty(known))


def rule_of(
    kind: Kind, table: TableFacts, sample: Sample, dates: tuple[DateGuess, ...], known: Known, *, direct: bool
) -> KeepGuess | None:
    """A rule for a record type below the subject; None where it goes with its owner. `direct`: that is the subject."""
    if kind is Kind.CALL:
        after = (
            Guess(LAST_CONTACT, Sure.LIKELY, "so that the helpline sees the whole story")
            if known.contact
            else _first(dates)
        )
        open_ = _open_work(table, sample, dates)
        return KeepGuess(PERIODS[kind], after, _warranty(known), *open_)
    if kind is Kind.REPAIR:
        ended = best(dates, "ended")
        after = (
            Guess(ended.name, Sure.LIKELY, ended.reason)
            if ended
            else _first(dates, doubt="is it the end of the work?")
        )
        return KeepGuess(PERIODS[kind], after, _product(known), *_open_work(table, sample, dates))
    if kind is Kind.PAYMENT:
        return KeepGuess(PERIODS[kind], _first(dates))
    until = best(dates, "until")
    if direct and kind is not Kind.PRODUCT and best(dates, "began", "ended", "until"):
        untils = (Guess(until.name, Sure.LIKELY, until.reason),) if until else ()
        return KeepGuess(_UNKNOWN, _first(dates, doubt="decide from when"), untils)
    return None


def orphans_of(keep: KeepGuess, dates: tuple[DateGuess, ...]) -> KeepGuess | None:
    """The same for rows whose subject is gone: from a date of their own (R8)."""
    own = {date.name for date in dates}
    if keep.after.value in own:
        return KeepGuess(keep.for_, keep.after)
    date = best(dates, "began", "ended")
    return KeepGuess(keep.for_, Guess(date.name, Sure.LIKELY, date.reason)) if date else None


def steps_of(
    table: TableFacts,
    sample: Sample,
    dates: tuple[DateGuess, ...],
    personal: tuple[Guess, ...],
    links: Mapping[str, bool],
    owner: str,
    keep: KeepGuess | None,
) -> tuple[StepGuess, ...]:
    """Steps that come sooner than the row: card details, and who paid. `links`: columns, and which may be null."""
    columns = [guess.value for guess in personal]
    cards = [column for column in columns if _is_card(column, sample)]
    steps = []
    if cards:
        after = _first(dates)
        nullable = {column: table.details[column].nullable for column in cards}
        steps.append(StepGuess("card", nullable, "card details serve nobody after that", CARD_PERIOD, after))
    who = {column: table.details[column].nullable for column in columns if column not in cards}
    if keep and keep.for_ == PERIODS[Kind.PAYMENT] and owner and links and all(links.values()):
        said = f"lets the {owner} go before the payment (R4)"
        steps.append(StepGuess("identity", {**who, **links}, said, with_=owner))
    return tuple(steps)


def _is_card(column: str, sample: Sample) -> bool:
    if sample.shape(column).mostly(shapes.CARD):
        return True
    return names.CARDS.in_name(column) and not names.CARD_HOLDERS.in_name(column)


def _first(dates: tuple[DateGuess, ...], doubt: str = "") -> Guess:
    date = best(dates, "began", "ended", "plain")
    if date is None:
        return Guess("", Sure.UNSURE, "no date was found from which to count")
    if date.role == "plain":
        doubt = doubt or "is it the date to count from?"
    return Guess(
        date.name, Sure.UNSURE if doubt else Sure.LIKELY, f"{date.reason}; {doubt}" if doubt else date.reason
    )


def _open_work(
    table: TableFacts, sample: Sample, dates: tuple[DateGuess, ...]
) -> tuple[Guess | None, Guess | None]:
    """What tells work that is not done: a date of its end that is empty, a status."""
    ended = best(dates, "ended")
    empty = status = None
    if ended and ended.nullable:
        shape = sample.shape(ended.column)
        filled = shape.filled - (shape.counts.get(shapes.ZERO, 0) if ended.stored_as else 0)
        share = filled * 100 // shape.rows if shape.rows else 0
        sure = Sure.LIKELY if share >= _FILLED * 100 else Sure.UNSURE
        empty = Guess(
            ended.name, sure, f"open as long as this is empty; {share} % of {shape.rows} rows have it"
        )
    found = next((column for column in table.details if names.STATUSES.at_end(_without_id(column))), None)
    if found:
        said = "may tell open work as well, by its values" if empty else "which of its values mean open work?"
        status = Guess(found, Sure.LIKELY if empty else Sure.UNSURE, said)
    return empty, status


def _without_id(column: str) -> str:
    own = names.words(column)
    return " ".join(own[:-1] if own[-1:] == ("id",) else own)


def _warranty(known: Known) -> tuple[Guess, ...]:
    if not known.warranty:
        return ()
    return (
        Guess(
            WARRANTY_END, Sure.LIKELY, "the last of the subject's warranties; whichever is later counts (R2)"
        ),
    )


def _product(known: Known) -> tuple[Guess, ...]:
    if not known.product_warranty:
        return _warranty(known)
    return (
        Guess(
            known.product_warranty,
            Sure.LIKELY,
            "the warranty of what was repaired; whichever is later counts",
        ),
    )

"""What a proposal is made of: guesses, each with its reason and how sure it is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from staffords_gdpr.operations.propose.words import words

_NAME = re.compile(r"[^\W\d][\w-]*\Z")


class Sure(StrEnum):
    """How sure a guess is. What is unsure is marked TODO, for a person to decide."""

    CERTAIN = "certain"  # declared in the database, or name and values agree
    LIKELY = "likely"  # the name says it, or the values do
    UNSURE = "unsure"


@dataclass(frozen=True)
class Guess:
    """A name or a period, why, and how sure. `value` is empty where there is no guess at all."""

    value: str
    sure: Sure
    reason: str

    @property
    def open(self) -> bool:
        return self.sure is Sure.UNSURE


@dataclass(frozen=True)
class DateGuess:
    """A column that holds a date. `role`: began, ended, until, moving (changes with the work), or plain."""

    column: str
    role: str
    reason: str
    stored_as: str | None = None  # as the policy language says it; None: as its type says
    nullable: bool = True
    naive: bool = False  # a moment without its zone
    rank: int = 0  # of several of one role, the lowest is the best
    plus: tuple[str, str] | None = None  # a unit, and the column that says how many of it to add

    @property
    def name(self) -> str:
        """What rules call it: the column, or where that cannot be written in a rule a name like it."""
        if self.plus:
            return "warranty_until"
        fits = _NAME.match(self.column) if self.stored_as else "." not in self.column
        return self.column if fits else "_".join(words(self.column))

    @property
    def described(self) -> bool:
        """Whether the policy has to say more of it than its name."""
        return self.stored_as is not None or self.plus is not None or self.name != self.column


@dataclass(frozen=True)
class Link:
    """Columns of a table that lead to another's."""

    table: str
    target: str
    columns: tuple[tuple[str, str], ...]  # own, other
    sure: Sure
    reason: str
    declared: bool = False
    nullable: bool = True


@dataclass(frozen=True)
class Way:
    """How a record type finds its owner: nothing to say (a single foreign key), own columns, or over a link table."""

    on: tuple[Mapping[str, str], ...] = ()
    through: str = ""
    through_on: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KeepGuess:
    for_: Guess
    after: Guess
    or_until: tuple[Guess, ...] = ()
    while_empty: Guess | None = None  # a date that is empty as long as there is work to do
    status: Guess | None = None  # a column whose values tell open work; which of them is for a person to say


@dataclass(frozen=True)
class StepGuess:
    """A `sooner` step: timed by `for_` and `after`, or taken `with_` an owner's erasure."""

    name: str
    anonymise: Mapping[str, bool]  # column: whether it may be null
    reason: str
    for_: Guess | None = None
    after: Guess | None = None
    with_: str = ""


@dataclass(frozen=True)
class RecordGuess:
    """A record type as it is proposed. With `leave` the rest is only told, not proposed."""

    name: str
    table: str
    note: str = ""
    key: tuple[Guess, ...] = ()
    dates: tuple[DateGuess, ...] = ()  # those that are stored in an unusual way
    owner: Guess | None = None
    way: Way = Way()
    where: Guess | None = None  # a column that tells record types of one table apart
    refers_to: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    personal: tuple[Guess, ...] = ()
    not_personal: tuple[Guess, ...] = ()
    keep: KeepGuess | None = None
    orphans: KeepGuess | None = None
    steps: tuple[StepGuess, ...] = ()
    triggers: tuple[str, ...] = ()
    leave: Guess | None = None


@dataclass(frozen=True)
class Proposal:
    """A policy as it is proposed for one database. No value of a row stands in it."""

    database: str  # the engine and the name, no password, no path
    made_on: dt.date
    rows: int  # the most rows of a table that were looked at
    subject: Guess
    latest: tuple[str, ...]  # last_contact: `record.column`
    warranties: tuple[str, ...]  # warranty_end: `record.column`
    records: tuple[RecordGuess, ...]
    naive: bool  # some date that is used stores no zone
    empty_dates: tuple[str, ...]
    unnamed: tuple[str, ...]  # tables that the policy need not name
    unread: tuple[str, ...]  # tables that could not be looked at

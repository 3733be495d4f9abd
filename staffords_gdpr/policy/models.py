"""The policy as frozen models: what a policy file says, after `loader` has read it and resolved its names.

Nothing here knows a database: tables and columns are names still, which `database.catalogue` binds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, PrivateAttr

from staffords_gdpr.policy.periods import Period
from staffords_gdpr.policy.positions import Positions

Scalar = None | bool | int | float | str
PeriodField = Annotated[
    Period, BeforeValidator(lambda v: Period.parse(v) if isinstance(v, str) else v), PlainSerializer(str)
]


Reclaim = Literal["no", "vacuum", "full"]
"""What is done about the traces of erased rows in the database's files. docs/erasure.md says what each is good for."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class OwnColumn(Model):
    """A column of the record's own table."""

    kind: Literal["own"] = "own"
    column: str

    def __str__(self) -> str:
        return self.column


class OtherColumn(Model):
    """A column of another record type.

    In a keep rule: of the row that this one belongs or refers to (`product.warranty_until`).
    In `dates`: of every row of that record type that belongs to the subject (`call.received_at`).
    """

    kind: Literal["other"] = "other"
    record: str
    column: str

    def __str__(self) -> str:
        return f"{self.record}.{self.column}"


class SubjectDate(Model):
    """One of the policy's `dates`, one value per subject. It wins over a column of the same name."""

    kind: Literal["date"] = "date"
    date: str

    def __str__(self) -> str:
        return self.date


Ref = OwnColumn | OtherColumn | SubjectDate


class Values(Model):
    """The column holds one of these values, or with `negated` none of them; None stands for NULL."""

    kind: Literal["values"] = "values"
    values: tuple[Scalar, ...]
    negated: bool = False


class LookUp(Model):
    """The column's value stands in `column` of a row of a look-up table for which `where` is true.

    Unknown where the value is NULL, where no row has it, or where `where` is unknown for the rows that do.
    """

    kind: Literal["look_up"] = "look_up"
    table: str
    column: str
    where: Condition


class Condition(Model):
    """All of these columns pass their test. Three-valued, as in SQL: true, false, or unknown.

    Or `sql`, an expression in the database's own words over the row's own columns; then `columns` is empty.
    """

    columns: Mapping[str, Values | LookUp] = {}
    sql: str | None = None


class Keep(Model):
    """`{for: 3 years, after: X, or_until: Y, or_else: Z, while: {...}}` (R1 to R3).

    The last day is the latest of `after + for_` and every `or_until`. `or_else` stands in for an
    empty `after`.
    """

    for_: PeriodField
    after: Ref
    or_until: tuple[Ref, ...] = ()
    or_else: Ref | None = None
    while_: Condition | None = None
    future: bool = False  # `after` may lie in the future


class Hop(Model):
    """A table on the way from a row to another: `on` maps its columns to those of the table before it.

    Only rows for which `where` is true are on the way.
    """

    table: str
    on: Mapping[str, str]
    where: Condition | None = None


class Link(Model):
    """How a record type belongs or refers to another, over the tables of `through`, if any.

    Each of `on` maps columns of the last table on the way (without `through`: own columns) to the other's. With
    several the row belongs to each that it leads to. Empty: use the foreign key, which only a direct link can.
    """

    record: str
    on: tuple[Mapping[str, str], ...] = ()
    through: tuple[Hop, ...] = ()


class Plus(Model):
    """Calendar time added to a date: so many units as a column of the same table says, or always the same number."""

    unit: Literal["day", "week", "month", "year"]
    column: str = ""
    number: int = 0  # used where `column` is empty


StoredAs = Literal["day", "timestamp", "timestamp with zone", "text", "epoch seconds", "epoch milliseconds"]


class RowDate(Model):
    """A date of a row that is more than a plain column, or a column that stores its date in an unusual way.

    It wins over a column of the same name. `column` is one of the record's own table, or of the last table of
    `through`; where the way leads to several rows, the latest day counts.
    """

    name: str
    column: str = ""  # empty with `sql`
    stored_as: StoredAs | None = None  # None: as the column's declared type says
    timestamps_in: str | None = None  # None: as the whole database
    plus: Plus | None = None
    through: tuple[Hop, ...] = ()
    sql: str | None = None  # an expression over the row's own columns


class Step(Model):
    """A `sooner` step: it comes before the row goes.

    Either timed by `keep`, or taken together with `with_`'s erasure. In a replacement text `{key}` stands for the
    row's key (its parts joined by '-'). For the columns of `generated` the tool chooses a replacement; binding the
    policy to a database moves them into `anonymise` (empty until then where only columns are listed).
    """

    name: str
    anonymise: Mapping[str, Scalar]
    generated: tuple[str, ...] = ()
    keep: Keep | None = None
    with_: str | None = None


class Record(Model):
    """A record type: one kind of data, bound to one table, or to those of its rows for which `where` is true.

    A subject that has no table of its own is known by `values_of`: each distinct value of these columns is one. Its
    only column, which is its key, is called `value`.
    """

    name: str
    table: str  # empty with `values_of`
    title: str = ""
    where: Condition | None = None
    values_of: tuple[OtherColumn, ...] = ()
    key: tuple[str, ...] = ()  # empty: the table's primary key
    dates: Mapping[str, RowDate] = {}
    belongs_to: Link | None = None
    refers_to: tuple[Link, ...] = ()
    personal: tuple[str, ...] = ()
    not_personal: tuple[str, ...] = ()
    keep: Keep | None = None
    orphans: Keep | None = None  # refs are own columns only; no `while`
    anonymise: Mapping[str, Scalar] | None = None  # None: erase deletes the row
    generated: tuple[str, ...] = ()  # as in a step
    sooner: tuple[Step, ...] = ()
    triggers: Mapping[
        str, str
    ] = {}  # triggers that may keep a copy of what is erased, each with why that is right
    leave: str | None = None  # why the tool does not touch these rows; then only `where` is given besides


class DateRule(Model):
    """One of `dates`: the latest of these columns over all rows of the subject."""

    name: str
    latest_of: tuple[OtherColumn, ...]
    or_else: OtherColumn | None = None  # a column of the subject record
    future: bool = False


class Schedule(Model):
    purge: PeriodField
    audit: PeriodField
    review: PeriodField


class Roles(Model):
    audit: tuple[str, ...]
    review: tuple[str, ...]


class DatabaseOptions(Model):
    timestamps_in: str = "UTC"
    empty_dates: tuple[str, ...] = ()


class Policy(Model):
    """A whole policy. `sha256` is over the bytes of the file: what `approve` signs and the brakes compare."""

    version: Literal[1] = 1
    title: str
    timezone: str
    schedule: Schedule
    roles: Roles
    database: DatabaseOptions = DatabaseOptions()
    subject: str
    dates: Mapping[str, DateRule] = {}
    records: Mapping[str, Record]
    review_questions: tuple[str, ...] = ()  # key `questions:`; asked by `gdpr review`
    backups_kept: PeriodField | None = None
    erase_at_most: float = 0.05  # share of all subjects in one run, key `erase_at_most: 5 %`
    reclaim: Reclaim = "no"
    path: str = ""
    sha256: str = ""
    _positions: Positions = PrivateAttr(default_factory=lambda: Positions(""))

    def placed(self, positions: Positions) -> Policy:
        """The same policy, knowing where everything in it stands: for mistakes that only a database can show."""
        self._positions = positions
        return self

    @property
    def positions(self) -> Positions:
        """Where everything stands in the policy file."""
        return self._positions

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def today(self, as_of: dt.datetime) -> dt.date:
        """The calendar day of `as_of` in the policy's zone."""
        return as_of.astimezone(self.zone).date()

    @property
    def ours(self) -> dict[str, Record]:
        """The record types that the tool keeps and erases: all but those to `leave`, and subjects without a table."""
        return {
            name: record
            for name, record in self.records.items()
            if record.leave is None and not record.values_of
        }

    def owner(self, record: str) -> str | None:
        """The record type that `record` belongs to; None for the subject and for tables left alone."""
        link = self.records[record].belongs_to
        return link.record if link else None

    def carrier(self, record: str) -> str:
        """The record type whose rule decides for `record`: itself, or the nearest owner with one (R4)."""
        while self.records[record].keep is None:
            owner = self.owner(record)
            if owner is None:
                raise ValueError(f"{record} has no keep rule and belongs to nothing")
            record = owner
        return record

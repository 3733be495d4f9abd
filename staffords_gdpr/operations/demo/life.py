"""Eight years of a repair firm's helpline, told customer by customer: the rows of the demonstration.

The same seed, number of customers and day give the same rows on every machine: only `Random.random` is drawn
from, which Python keeps stable. Moments are text in UTC, 'YYYY-MM-DD HH:MM:SS'.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from staffords_gdpr.operations.demo import words

T = TypeVar("T")
Model = tuple[str, str, str]  # its name, what fails on it, what a repair does about it
Rows = Mapping[str, list[tuple[Any, ...]]]

EMPTY_DATE = "1970-01-01 00:00:00"  # what the firm's old system wrote where it knew no date
_AHEAD = 6 * 366  # warranties and slips of the pen reach beyond today

# The dirty rows: of every so many rows of a table, the one with this number has this fault.
_EVERY = 800
_DIRTY: Mapping[str, Mapping[int, str]] = {
    "customers": {11: "no date", 37: "1970", 59: "future"},
    "calls": {7: "no date", 29: "1970", 43: "future", 61: "customer gone", 83: "no customer"},
    "repairs": {9: "product gone", 21: "future", 33: "1970"},
    "payments": {5: "no date", 13: "1970"},
}
GONE = 90_000_000  # no customer or product has a number this high: rows that refer to one are orphans


@dataclass(frozen=True)
class Trade:
    """What a firm's history is like; the demonstration's by default.

    `troubles` are the chances that a product breaks 0, 1, 2, ... times. The higher `ageing`, the more of the customers
    came in the early years.
    """

    years: int = 8
    ageing: float = 1.35
    troubles: Sequence[float] = (0.35, 0.40, 0.17, 0.08)


def lives(
    *, customers: int, seed: int, today: dt.date, chunk: int = 2000, trade: Trade | None = None
) -> Iterator[Rows]:
    """Every row of the database: table -> rows, in chunks of customers, so that memory stays flat.

    A row never refers to a row of a later chunk, nor to a table that comes later in the schema.
    """
    firm = _Firm(customers, seed, today, trade or Trade())
    firm.hire(8 + customers // 4000)
    for number in range(1, customers + 1):
        firm.live(number)
        if number % chunk == 0:
            yield firm.hand_over()
    yield firm.hand_over()


class _Firm:
    """The firm while its history is being told. Days are counted from the first day of the history."""

    def __init__(self, customers: int, seed: int, today: dt.date, trade: Trade) -> None:
        self.random = Random(seed).random
        self.customers = customers
        self.trade = trade
        self.history = trade.years * 365 + 2
        first = today - dt.timedelta(days=self.history)
        span = [first + dt.timedelta(days=n) for n in range(self.history + _AHEAD)]
        self.days = [day.isoformat() for day in span]
        self.summer = [4 <= day.month <= 9 for day in span]
        self.month_and_year = [f"{day:%m/%y}" for day in span]
        self.warranty_ends = {years: [_warranty_end(day, years) for day in span] for years in (1, 2, 3, 5)}
        self.office = self._times(8, 18)
        self.any_hour = self._times(0, 24)
        self.ids: Counter[str] = Counter()
        self.rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)

    def _times(self, start: int, end: int) -> list[str]:
        seconds = (start * 3600 + int(self.random() * (end - start) * 3600) for _ in range(2000))
        return [f" {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in seconds]

    def hand_over(self) -> Rows:
        rows, self.rows = self.rows, defaultdict(list)
        return rows

    # -- draws ---------------------------------------------------------------------------------

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.random() * len(choices))]

    def within(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def at(self, day: int, *, office: bool = True) -> str:
        """A moment on a day. Some e-mails come at 23:30 in summer, when it is the next day in London."""
        if office:
            return self.days[day] + self.pick(self.office)
        if self.summer[day] and self.random() < 0.05:
            return self.days[day] + " 23:30:00"
        return self.days[day] + self.pick(self.any_hour)

    def add(self, table: str, *values: object) -> int:
        """Append a row and return its number."""
        self.ids[table] = number = self.ids[table] + 1
        self.rows[table].append((number, *values))
        return number

    def fault_of_next(self, table: str) -> str | None:
        """The dirt that the next row of a table is to carry, if any."""
        return _DIRTY[table].get((self.ids[table] + 1) % _EVERY)

    def dirty(self, fault: str | None, moment: str | None) -> str | None:
        """The moment as the dirty row has it."""
        if fault == "no date":
            return None
        if fault == "1970":
            return EMPTY_DATE
        if fault == "future":
            return self.at(self.history + 30 + int(self.random() * 700))
        return moment

    # -- the history ---------------------------------------------------------------------------

    def hire(self, count: int) -> None:
        for number in range(1, count + 1):
            name, email = self._person(number)
            self.add("operators", name, email, self.days[self.within(0, self.history - 200)])
        self.operators = count

    def _person(self, number: int) -> tuple[str, str]:
        """A name and an e-mail address."""
        first, last = self.pick(words.FIRST_NAMES), self.pick(words.SURNAMES)
        mailbox = f"{first}.{last}{number}".lower().replace("'", "")
        return f"{first} {last}", f"{mailbox}@{self.pick(words.EMAIL_DOMAINS)}"

    def live(self, number: int) -> None:
        """One customer: registers, buys, calls about what breaks, has it repaired."""
        # The firm registered more customers in its early years than now.
        registered = int(self.history * ((number - self.random()) / self.customers) ** self.trade.ageing)
        name, email = self._person(number)
        postcode = f"ZZ{self.within(1, 99)} {self.within(1, 9)}{self.pick('ABDEFGHJ')}{self.pick('LNPQRSTU')}"
        street = f"{self.within(1, 180)} {self.pick(words.STREETS)}"
        telephone = f"{self.pick(words.TELEPHONE_PREFIXES)}{self.within(0, 999):03}"
        contact = (name, f"{street}, {self.pick(words.TOWNS)}, {postcode}", telephone, email)
        fault = self.fault_of_next("customers")
        customer = self.add("customers", *contact, self.dirty(fault, self.at(registered)))
        self.customer, self.contact = customer, contact

        # Most are with us for a year or so, some to this day.
        active = self.history - registered
        if self.random() < 0.85:
            active = min(active, self.within(30, 800))
        bought = registered
        for _ in range(self._how_many((0.70, 0.25, 0.05)) + 1):
            product, kind, warranty_end = self._buy(min(bought, registered + active - 1))
            for _ in range(self._how_many(self.trade.troubles)):
                self._trouble(product, kind, warranty_end, self.within(bought, registered + active))
            bought = self.within(bought, registered + active)

    def _how_many(self, chances: Sequence[float]) -> int:
        """0, 1, 2, ... with these chances."""
        drawn = self.random()
        for number, chance in enumerate(chances):
            drawn -= chance
            if drawn < 0:
                return number
        return len(chances) - 1

    def _buy(self, registered: int) -> tuple[int, Model, str | None]:
        day = max(0, registered - self.within(0, 40))
        kind = self.pick(words.MODELS)
        years = (1, 2, 3, 5, None)[self._how_many((0.42, 0.34, 0.12, 0.06, 0.06))]
        warranty_end = self.warranty_ends[years][day] if years else None
        serial = f"SN{self.within(10_000_000, 99_999_999)}"
        product = self.add("products", self.customer, kind[0], serial, self.days[day], warranty_end)
        return product, kind, warranty_end

    def _trouble(self, product: int, kind: Model, warranty_end: str | None, day: int) -> None:
        """Something breaks: a few contacts close together, and often a repair."""
        repaired = self.random() < 0.35
        contacts = 1 + self._how_many((0.50, 0.30, 0.15, 0.05))
        for contact in range(contacts):
            if day >= self.history:
                return
            self._call(kind, follow_up=contact > 0, day=day)
            if repaired and contact == 0:
                self._repair(product, kind, warranty_end, day + self.within(1, 6))
            day += self.within(0, 9)

    def _call(self, kind: Model, *, follow_up: bool, day: int) -> None:
        fault = self.fault_of_next("calls")
        customer: int | None = self.customer
        if fault == "customer gone":
            customer = GONE + self.customer
        elif fault == "no customer":
            customer = None
        by_phone = self.random() < 0.7
        reason = self.pick(words.FOLLOW_UPS if follow_up else words.REASONS)
        self.add(
            "calls",
            customer,
            self.within(1, self.operators),
            "phone" if by_phone else "email",
            self.dirty(fault, self.at(day, office=by_phone)),
            reason.format(model=kind[0], fault=kind[1]),
            self.pick(words.RESOLUTIONS),
        )

    def _repair(self, product: int, kind: Model, warranty_end: str | None, booked: int) -> None:
        if booked >= self.history:
            return
        completed = booked + self.within(2, 35)
        forgotten = self.random() < 0.004  # open for years
        is_open = completed >= self.history or forgotten
        fault = self.fault_of_next("repairs")
        done_at = None if is_open else self.at(completed)
        repair = self.add(
            "repairs",
            self.customer,
            GONE + product if fault == "product gone" else product,
            self.within(1, self.operators),
            EMPTY_DATE if fault == "1970" else self.at(booked),
            self.dirty(fault, done_at) if fault == "future" and not is_open else done_at,
            self.pick(words.OPEN_STATES) if is_open else "completed",
            f"{kind[0]} {kind[1]}",
            None if is_open else kind[2],
        )
        by_courier = self.random() < 0.7
        if by_courier:
            self._consign(repair, "in", booked)
        if is_open:
            return
        if by_courier:
            self._consign(repair, "out", completed)
        in_warranty = warranty_end is not None and warranty_end >= self.days[booked]
        if not in_warranty or self.random() < 0.3:  # a warranty does not cover everything
            self._pay(repair, completed)
            if self.random() < 0.1:
                self._pay(repair, booked)

    def _consign(self, repair: int, direction: str, day: int) -> None:
        arrives = day + self.within(1, 4)
        collected = self.at(day)
        delivered = self.at(arrives) if arrives < self.history else None
        courier = self.pick(words.COURIERS)
        self.add("consignments", repair, courier, direction, *self.contact, collected, delivered)

    def _pay(self, repair: int, day: int) -> None:
        taken_at = self.dirty(self.fault_of_next("payments"), self.at(day))
        self.add(
            "payments",
            repair,
            taken_at,
            self.within(25, 280) * 100 - 5,
            self.contact[0],
            self.pick(words.CARD_NUMBERS),
            self.month_and_year[day + self.within(60, 1200)],
        )


def _warranty_end(bought: dt.date, years: int) -> str:
    """The last day of a warranty of so many years."""
    day_before = bought - dt.timedelta(days=1)
    leap_day = (day_before.month, day_before.day) == (2, 29)
    day = 28 if leap_day else day_before.day
    return day_before.replace(year=day_before.year + years, day=day).isoformat()

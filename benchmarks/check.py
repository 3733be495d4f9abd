"""The firm's policy once more, in slow and plain Python, to prove that the floor erases the right rows.

Follows docs/rules.md word by word: every row's own rule first (R1 to R3), then rows are taken out of the due
set as long as R4, R5 or R6 takes one out.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from staffords_gdpr.operations.demo.schema import metadata

Row = dict[str, Any]
LONDON = ZoneInfo("Europe/London")
EMPTY = dt.datetime(1970, 1, 1)  # noqa: DTZ001  as the database has it


class UndecidableError(Exception):
    """A date that a rule needs is missing or impossible."""


def due(url: str, as_of: dt.datetime) -> dict[str, set[int]]:
    """The keys of every row and step that is due."""
    return _Firm(url, as_of.astimezone(LONDON).date()).due()


class _Firm:
    def __init__(self, url: str, today: dt.date) -> None:
        self.today = today
        with sa.create_engine(url, poolclass=sa.pool.NullPool).connect() as connection:
            self.tables: dict[str, dict[int, Row]] = {
                table.name: {row.id: dict(row._mapping) for row in connection.execute(sa.select(table))}
                for table in metadata.sorted_tables
            }
        self.of: dict[str, defaultdict[Any, list[Row]]] = {}
        for table in ("products", "calls", "repairs"):
            self.of[table] = defaultdict(list)
            for row in self.tables[table].values():
                self.of[table][row["customer_id"]].append(row)

    # -- dates ---------------------------------------------------------------------------------

    def event(self, moment: dt.datetime | None) -> dt.date | None:
        """The day of a moment in London. None where there is none; UndecidableError where it cannot be."""
        if moment is None or moment == EMPTY:
            return None
        day = moment.replace(tzinfo=dt.UTC).astimezone(LONDON).date()
        if day > self.today or day.year < 1900:
            raise UndecidableError
        return day

    def contacts(self, customer: object) -> list[dt.date]:
        moments = [row["received_at"] for row in self.of["calls"][customer]]
        for row in self.of["repairs"][customer]:
            moments += [row["booked_in_at"], row["completed_at"]]
        return [day for day in map(self.event, moments) if day is not None]

    def last_contact(self, customer: object) -> dt.date:
        days = self.contacts(customer)
        if not days:
            raise UndecidableError
        return max(days)

    def warranties(self, customer: object) -> list[dt.date]:
        ends = [row["warranty_until"] for row in self.of["products"][customer]]
        return [end for end in ends if end is not None]

    # -- every row's own rule (R1 to R3, R8) -----------------------------------------------------

    def passed(self, months: int, after: dt.date | None, until: list[dt.date]) -> bool:
        if after is None:
            raise UndecidableError
        return max([add_months(after, months), *until]) < self.today

    def customer_passed(self, row: Row) -> bool:
        return self.passed(36, self.event(row["registered_at"]), self.warranties(row["id"]))

    def call_passed(self, row: Row) -> bool:
        customer = row["customer_id"]
        if customer not in self.tables["customers"]:
            return self.passed(36, self.event(row["received_at"]), [])
        return self.passed(36, self.last_contact(customer), self.warranties(customer))

    def repair_passed(self, row: Row) -> bool:
        product = self.tables["products"].get(row["product_id"])
        if row["product_id"] is not None and product is None:
            raise UndecidableError
        if row["completed_at"] is None:
            return False  # open work
        end = product and product["warranty_until"]
        return self.passed(24, self.event(row["completed_at"]), [end] if end else [])

    def payment_passed(self, row: Row, months: int) -> bool:
        return self.passed(months, self.event(row["taken_at"]), [])

    # -- the due set (R4 to R6) ------------------------------------------------------------------

    def due(self) -> dict[str, set[int]]:
        calls = self.those("calls", self.call_passed)
        repairs = self.those("repairs", self.repair_passed)
        customers = self.those("customers", self.customer_passed)
        while True:
            before = len(calls), len(repairs), len(customers)
            for customer in self.tables["customers"]:
                own_calls = {row["id"] for row in self.of["calls"][customer]}
                own_repairs = {row["id"] for row in self.of["repairs"][customer]}
                if own_calls - calls:  # R6: calls count from the latest contact
                    calls -= own_calls & self.evidence("calls", customer, ["received_at"])
                    repairs -= own_repairs & self.evidence(
                        "repairs", customer, ["booked_in_at", "completed_at"]
                    )
                if own_calls - calls or own_repairs - repairs:  # R4
                    customers.discard(customer)
            if before == (len(calls), len(repairs), len(customers)):
                break
        payments = self.tables["payments"].values()
        return {
            "customer": customers,
            "product": {
                row["id"] for row in self.tables["products"].values() if row["customer_id"] in customers
            },
            "call": calls,
            "repair": repairs,
            "consignment": {
                row["id"] for row in self.tables["consignments"].values() if row["repair_id"] in repairs
            },
            "payment": self.those("payments", lambda row: self.payment_passed(row, 72)),
            "payment.card": self.those(
                "payments",
                lambda row: (
                    (row["card_number"], row["card_expiry"]) != (None, None) and self.payment_passed(row, 13)
                ),
            ),
            "payment.identity": {row["id"] for row in payments if row["repair_id"] in repairs},
        }

    def those(self, table: str, passed: Any) -> set[int]:
        chosen = set()
        for number, row in self.tables[table].items():
            try:
                if passed(row):
                    chosen.add(number)
            except UndecidableError:
                continue
        return chosen

    def evidence(self, table: str, customer: int, columns: list[str]) -> set[int]:
        """Rows that carry the day of the latest contact; all that contribute where it is undecidable."""
        try:
            latest = self.last_contact(customer)
        except UndecidableError:
            return {row["id"] for row in self.of[table][customer]}
        return {
            row["id"]
            for row in self.of[table][customer]
            if latest in [self.event(row[column]) for column in columns]
        }


def add_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

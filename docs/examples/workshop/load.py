"""Rows for the repair shop: the same for the same seed, on every engine."""

from __future__ import annotations

import datetime as dt
import random

import sqlalchemy as sa

Rows = list[tuple[object, ...]]
TABLES = ("Customer", "Device", "order", "order line", "Call", "Payment")
EDGES = {"2 years": ("2024-11-22", "2024-11-23"), "3 years": ("2023-11-22", "2023-11-23")}


def load(connection: sa.Connection, *, customers: int = 45, seed: int = 3) -> None:
    """Fill the tables of `schema.sql`. The dates lie on both sides of those from which periods run out."""
    chance = random.Random(seed)
    tables: dict[str, Rows] = {name: [] for name in TABLES}
    for number in range(1, customers + 1):
        customer = f"A-{number}/{number % 7}"
        kind = (
            "staff" if number % 15 == 0 else None if number % 22 == 0 else chance.choice(("private", "firm"))
        )
        since = None if number % 14 == 0 else _day(chance, 2012, 2020)
        tables["Customer"].append((customer, kind, f"Name {number}", f"mail{number}@example.org", since))
        if number % 6 == 0:
            continue  # nobody who ever called or brought anything
        recent = number % 3 == 0
        devices = [_device(chance, tables["Device"], customer, number, index) for index in range(number % 4)]
        for _ in range(chance.randint(1, 3)):
            serial = chance.choice([*devices, None])
            _order(chance, tables, customer, serial, 2026 if recent else 2023)
        for _ in range(chance.randint(0, 2)):
            call = len(tables["Call"]) + 1
            tables["Call"].append(
                (call, customer, _moment(chance, "3 years", 2026 if recent else 2023), f"Note {call}")
            )
    for name in TABLES:  # in the order in which they refer to each other
        _many(connection, name, tables[name])


def _device(chance: random.Random, rows: Rows, customer: str, number: int, index: int) -> str:
    serial = f"S{number}.{index}"
    years = chance.choice((1, 2, 3, 5, 10))
    bought = dt.date.fromisoformat(_day(chance, 2014, 2021))
    odd = chance.randint(0, 19)
    months = "n/a" if odd == 0 else None if odd == 1 else str(12 * years)
    until = bought.replace(year=bought.year + years) if odd > 1 else None
    rows.append((customer, serial, f"Model {years}", bought.isoformat(), months, until and until.isoformat()))
    return serial


def _order(
    chance: random.Random, tables: dict[str, Rows], customer: str, serial: str | None, last: int
) -> None:
    number = len(tables["order"]) + 1
    branch = chance.choice(("LO", "YO"))
    accepted = _moment(chance, "3 years", last)
    status = "open" if number % 17 == 0 else "cancelled" if number % 9 == 0 else "done"
    done = accepted if status == "done" else None
    if done and chance.random() < 0.2:
        done = max(done, _moment(chance, "2 years", last))
    tables["order"].append((branch, number, customer, serial, status, accepted, done, f"Fault {number}"))
    tables["order line"] += [(branch, number, line, f"Part {line}") for line in range(1, 1 + number % 3)]
    payment = len(tables["Payment"]) + 1
    paid = (
        accepted[:10]
        if number % 5
        else chance.choice(("2020-11-22", "2020-11-23", "2025-10-22", "2025-10-23"))
    )
    card = "0000" if number % 10 == 0 else f"4929 {number:04d}"
    link = (None, None) if number % 10 == 0 else (branch, number)
    holder = None if number % 10 == 0 else f"Holder {number}"
    tables["Payment"].append((payment, *link, paid, 100 * number, holder, card))


def _day(chance: random.Random, first: int, last: int) -> str:
    return dt.date(chance.randint(first, last - 1), chance.randint(1, 12), chance.randint(1, 28)).isoformat()


def _moment(chance: random.Random, edge: str, last: int) -> str:
    """Noon of some day, now and then the last day of a period or the day after it."""
    before, after = EDGES[edge]
    if chance.random() < 0.15:
        return f"{chance.choice((before, after)) if last > 2023 else before} 12:00:00"
    return f"{_day(chance, 2015, last)} 12:00:00"


def _many(connection: sa.Connection, table: str, rows: Rows) -> None:
    names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    target = sa.table(table, *(sa.column(name) for name in names))
    connection.execute(
        sa.insert(target).values({name: sa.bindparam(f"p{i}") for i, name in enumerate(names)}),
        [{f"p{i}": value for i, value in enumerate(row)} for row in rows],
    )

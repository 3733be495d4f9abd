"""Rows for the help desk: the same for the same seed, on every engine."""

from __future__ import annotations

import datetime as dt
import random
from zoneinfo import ZoneInfo

import sqlalchemy as sa

ZONE = ZoneInfo("Europe/Berlin")
STATE_TYPES = ((1, "new"), (2, "open"), (3, "closed"), (4, "pending"), (5, "removed"))
STATES = (
    (1, "new", 1),
    (2, "open", 2),
    (3, "closed successful", 3),
    (4, "pending reminder", 4),
    (5, "removed", 5),
)
FIELDS = ((1, "WarrantyUntil", "Ticket"), (2, "SerialNumber", "Ticket"), (3, "Nickname", "CustomerUser"))


def load(connection: sa.Connection, *, customers: int = 40, seed: int = 1) -> None:
    """Fill the tables of `schema.sql`. The dates lie on both sides of 23 November 2023."""
    chance = random.Random(seed)
    _many(connection, "ticket_state_type", STATE_TYPES)
    _many(connection, "ticket_state", STATES)
    _many(connection, "dynamic_field", FIELDS)
    people: list[tuple[object, ...]] = [
        (1, "root@localhost", "root@localhost", "Admin", "System", None, None, None, None, "2012-01-01"),
        (2, "spam", "spam@example.org", "Spam", "Bin", None, None, None, None, None),
    ]
    tickets: list[tuple[object, ...]] = []
    articles: list[tuple[object, ...]] = []
    messages: list[tuple[object, ...]] = []
    history: list[tuple[object, ...]] = []
    values: list[tuple[object, ...]] = []
    for number in range(3, customers + 3):
        login = f"C{number:04d}"
        made = _day(chance, 2014, 2026)
        created = None if number % 13 == 0 else made.isoformat()
        people.append(
            (number, login, f"{login}@example.org", f"First{number}", f"Last{number}", f"+49 30 {number}",
             f"Street {number}", "10115", "Berlin", created)
        )  # fmt: skip
        if number % 5 == 0:
            values.append((len(values) + 1, 3, number, f"Nick{number}", None))
    owners = [str(person[1]) for person in people] + ["gone-1", "gone-2"]
    for ticket in range(1, customers * 3):
        opened = _moment(chance, 2019, 2026)
        state = chance.choice((1, 2, 3, 3, 3, 3, 3, 4, 5, 99 if ticket % 17 == 0 else 3))
        login = chance.choice(owners) if ticket % 29 else None
        tickets.append((ticket, f"2026{ticket:06d}", f"Ticket {ticket}", state, login, opened))
        history.append((ticket, ticket, f"Ticket {ticket} opened"))
        for _ in range(chance.randint(0, 2)):
            article = len(articles) + 1
            articles.append((article, ticket, chance.choice(("customer", "agent"))))
            days = chance.randint(0, 125) if opened % 3600 == 0 else 0
            later = min(opened + 86_400 * days, _epoch(dt.datetime(2026, 11, 20, 12, tzinfo=ZONE)))
            received = 0 if article % 19 == 0 else later
            messages.append(
                (article, article, f"{login}@example.org", "Subject", f"Body {article}", received)
            )
        if ticket % 4 == 0:
            until = _day(chance, 2020, 2030)
            values.append(
                (len(values) + 1, 1, ticket, None, "soon" if ticket % 32 == 0 else f"{until} 00:00:00")
            )
        if ticket % 6 == 0:
            values.append((len(values) + 1, 2, ticket, f"SN-{ticket}", None))
    _many(connection, "customer_user", people)
    _many(connection, "ticket", tickets)
    _many(connection, "article", articles)
    _many(connection, "article_data_mime", messages)
    _many(connection, "ticket_history", history)
    _many(connection, "dynamic_field_value", values)


def _day(chance: random.Random, first: int, last: int) -> dt.date:
    return dt.date(chance.randint(first, last - 1), chance.randint(1, 12), chance.randint(1, 28))


def _moment(chance: random.Random, first: int, last: int) -> int:
    """Noon in Berlin of some day, in epoch seconds; now and then a quarter of an hour before or after the cut-off."""
    if chance.random() < 0.2:
        edge = dt.datetime(2023, 11, 23, tzinfo=ZONE)
        return _epoch(edge + dt.timedelta(minutes=chance.choice((-15, 15))))
    return _epoch(dt.datetime.combine(_day(chance, first, last), dt.time(12), ZONE))


def _epoch(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def _many(
    connection: sa.Connection, table: str, rows: list[tuple[object, ...]] | tuple[tuple[object, ...], ...]
) -> None:
    names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    target = sa.table(table, *(sa.column(name) for name in names))
    if rows:
        connection.execute(sa.insert(target), [dict(zip(names, row, strict=True)) for row in rows])

"""Rows for the support desk: the same for the same seed, on every engine."""

from __future__ import annotations

import datetime as dt
import random

import sqlalchemy as sa

Rows = list[tuple[object, ...]]


def load(connection: sa.Connection, *, users: int = 40, seed: int = 2) -> None:
    """Fill the tables of `schema.sql`. The dates lie on both sides of 23 November 2023."""
    chance = random.Random(seed)
    tables: dict[str, Rows] = {name: [] for name in sa.inspect(connection).get_table_names()}
    tables["st_ticket_status"] = [(1, "open"), (2, "closed"), (3, "archived")]
    for user in range(1, users + 1):
        created = None if user % 11 == 0 else _moment(chance, 2015, 2026)
        tables["st_user"].append((user, f"User {user}", created))
        tables["st_user_email"].append((user, user, f"user{user}@example.org"))
        if user % 3 == 0:
            tables["st_form_value"].append(("U", user, "phone", f"+44 1632 {user}"))
    old = {user: user % 2 == 0 for user in range(1, users + 5)}  # nobody heard of them for years
    for ticket in range(1, users * 2):
        user = chance.randint(1, users) if ticket % 19 else users + 1  # a user who is not there
        opened = _moment(chance, 2016, 2023 if old[user] else 2026)
        status = 7 if ticket % 31 == 0 else 1 if ticket % 13 == 0 else chance.choice((2, 3))
        tables["st_ticket"].append((ticket, f"{ticket:06d}", user, status, opened))
        tables["st_form_value"].append(("T", ticket, "subject", f"Subject {ticket}"))
        thread = _add(tables["st_thread"], "T", ticket)
        for _ in range(chance.randint(0, 2)):
            _message(chance, tables, thread, f"User {user}", opened)
        if ticket % 9 == 0:
            _add(tables["st_collaborator"], thread, chance.randint(1, users))
    for task in range(1, 8):
        thread = _add(tables["st_thread"], "A", task)
        _message(chance, tables, thread, "Agent", _moment(chance, 2016, 2020))
    for table, rows in tables.items():
        _many(connection, table, rows)


def _message(
    chance: random.Random, tables: dict[str, Rows], thread: int, poster: str, opened: str | None
) -> None:
    posted = opened or _moment(chance, 2016, 2020)
    entry = _add(tables["st_thread_entry"], thread, poster, f"Body of thread {thread}", posted)
    if entry % 2:
        return
    if entry % 10 or not tables["st_file"]:
        file = _add(tables["st_file"], f"file-{entry}.pdf", 100 * entry)
    else:
        file = chance.randint(1, len(tables["st_file"]))  # a file that somebody has sent before
    _add(tables["st_attachment"], "H", entry, file)


def _add(rows: Rows, *values: object) -> int:
    rows.append((len(rows) + 1, *values))
    return len(rows)


def _moment(chance: random.Random, first: int, last: int) -> str:
    """Noon of some day; now and then a quarter of an hour before or after the cut-off."""
    if chance.random() < 0.1:
        return chance.choice(
            ("2023-11-22 23:45:00", "2023-11-23 00:15:00" if last > 2023 else "2023-11-22 23:45:00")
        )
    day = dt.date(chance.randint(first, last - 1), chance.randint(1, 12), chance.randint(1, 28))
    return f"{day} 12:00:00"


def _many(connection: sa.Connection, table: str, rows: Rows) -> None:
    names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    target = sa.table(table, *(sa.column(name) for name in names))
    if rows:
        connection.execute(sa.insert(target), [dict(zip(names, row, strict=True)) for row in rows])

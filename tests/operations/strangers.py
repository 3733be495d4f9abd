"""Databases that nobody has described, in other people's style: made on any engine, with a few dozen rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.operations.demo import schema as demo_schema

ROWS = 40
_DAY = dt.date(2024, 1, 10)
_MOMENT = dt.datetime(2024, 1, 10, 9, 30)  # noqa: DTZ001, these columns store no zone
_EPOCH = 1_704_880_000


def engine_of(url: str) -> sa.Engine:
    return sa.create_engine(url, poolclass=sa.pool.NullPool)


def with_check_digit(digits: str) -> str:
    """A card number: the digits and the one that makes them pass Luhn's test."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 - place % 2)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


def _fill(engine: sa.Engine, table: sa.Table, row: Callable[[int], dict[str, object]]) -> None:
    with engine.begin() as connection:
        connection.execute(table.insert(), [row(n) for n in range(1, ROWS + 1)])


def demo(url: str, *, foreign_keys: bool = True) -> None:
    """The firm's own tables, with or without their foreign keys."""
    metadata = sa.MetaData()
    tables = {}
    for table in demo_schema.metadata.sorted_tables:
        columns = [
            sa.Column(
                column.name,
                column.type,
                *(sa.ForeignKey(key.target_fullname) for key in column.foreign_keys if foreign_keys),
                primary_key=column.primary_key,
                nullable=column.nullable,
                index=bool(column.foreign_keys),
            )
            for column in table.columns
        ]
        tables[table.name] = sa.Table(table.name, metadata, *columns)
    engine = engine_of(url)
    metadata.create_all(engine)
    for name in ("operators", "customers", "products", "calls", "repairs", "payments", "consignments"):
        _fill(engine, tables[name], partial(_demo_row, tables[name]))


def _demo_row(table: sa.Table, n: int) -> dict[str, object]:
    return {column.name: _demo_value(column.name, n) for column in table.columns}


def _demo_value(column: str, n: int) -> object:
    if column == "id" or column.endswith("_id"):
        return n
    if column.endswith(("_on", "_until")):
        return _DAY + dt.timedelta(days=n)
    if column.endswith("_at"):
        return None if column == "completed_at" and n % 4 == 0 else _MOMENT + dt.timedelta(hours=n)
    known = {
        "telephone": f"01632 960{n:03}",
        "email": f"person.{n}@example.org",
        "card_number": with_check_digit(f"4539{n:011}"),
        "channel": "phone",
        "direction": "in",
        "amount_pence": n,
        "card_expiry": "12/27",
    }
    return known.get(column, f"{column} {n}"[:20])


def workshop(url: str) -> None:
    """A German workshop: capitals, spaces, umlauts and no foreign key."""
    metadata = sa.MetaData()
    number = sa.Integer
    customers = sa.Table(
        "Kunden",
        metadata,
        sa.Column("KundenNr", number, primary_key=True, autoincrement=False),
        sa.Column("Vorname", sa.String(40)),
        sa.Column("Nachname", sa.String(40)),
        sa.Column("Straße", sa.String(80)),
        sa.Column("PLZ", sa.String(5)),
        sa.Column("Ort", sa.String(40)),
        sa.Column("Telefon", sa.String(30)),
        sa.Column("Angelegt am", sa.DateTime),
    )
    devices = sa.Table(
        "Geräte",
        metadata,
        sa.Column("GeräteNr", number, primary_key=True, autoincrement=False),
        sa.Column("KundenNr", number, index=True),
        sa.Column("Modell", sa.String(40)),
        sa.Column("SerienNr", sa.String(30)),
        sa.Column("Garantie bis", sa.Date),
    )
    calls = sa.Table(
        "Anrufe",
        metadata,
        sa.Column("Nr", number, primary_key=True, autoincrement=False),
        sa.Column("KundenNr", number, index=True),
        sa.Column("Eingegangen am", sa.DateTime),
        sa.Column("Betreff", sa.String(200)),
        sa.Column("Lösung", sa.Text),
    )
    repairs = sa.Table(
        "Reparaturaufträge",
        metadata,
        sa.Column("Nr", number, primary_key=True, autoincrement=False),
        sa.Column("Kunden Nr", number, index=True),
        sa.Column("GeräteNr", number, index=True),
        sa.Column("Angenommen am", sa.Date),
        sa.Column("Fertig am", sa.Date),
        sa.Column("Status", sa.String(20)),
        sa.Column("Fehlerbeschreibung", sa.Text),
    )
    order = sa.Table(
        "order",  # a reserved word
        metadata,
        sa.Column("key", number, primary_key=True, autoincrement=False),
        sa.Column("Kunden_Nr", number, index=True),
        sa.Column("date", sa.DateTime),
        sa.Column("select", sa.String(30)),
    )
    engine = engine_of(url)
    metadata.create_all(engine)
    _fill(
        engine,
        customers,
        lambda n: {
            "KundenNr": n, "Vorname": f"Vorname {n}", "Nachname": f"Nachname {n}", "Straße": f"Weg {n}",
            "PLZ": f"{10115 + n}", "Ort": f"Ort {n}", "Telefon": f"+49 30 1234{n:03}", "Angelegt am": _MOMENT,
        },
    )  # fmt: skip
    _fill(
        engine,
        devices,
        lambda n: {
            "GeräteNr": n, "KundenNr": n, "Modell": f"M {n}", "SerienNr": f"S{n}",
            "Garantie bis": dt.date(2027, 1, 1),
        },
    )  # fmt: skip
    _fill(
        engine,
        calls,
        lambda n: {
            "Nr": n, "KundenNr": n, "Eingegangen am": _MOMENT, "Betreff": f"Frage {n}", "Lösung": f"Antwort {n}",
        },
    )  # fmt: skip
    _fill(
        engine,
        repairs,
        lambda n: {
            "Nr": n, "Kunden Nr": n, "GeräteNr": n, "Angenommen am": _DAY, "Fertig am": _DAY if n % 2 else None,
            "Status": "offen", "Fehlerbeschreibung": f"Fehler {n}",
        },
    )  # fmt: skip
    _fill(engine, order, lambda n: {"key": n, "Kunden_Nr": n, "date": _MOMENT, "select": f"x{n}"})


def help_desk(url: str) -> None:
    """A help desk: one prefix before all names, epoch seconds, dates as text, a link table, links of several kinds."""
    metadata = sa.MetaData()

    def table(name: str, *columns: tuple[str, Any]) -> sa.Table:
        made = []
        for column, kind in columns:
            key, link = column == "id", column.endswith("_id")
            made.append(sa.Column(column, kind, primary_key=key, index=link, autoincrement=False))
        return sa.Table(f"hd_{name}", metadata, *made)

    whole, words = sa.Integer, sa.String
    users = table(
        "user",
        ("id", whole),
        ("name", words(64)),
        ("email", words(100)),
        ("phone", words(30)),
        ("created", whole),
    )
    staff = table(
        "staff", ("id", whole), ("username", words(30)), ("firstname", words(30)), ("email", words(90))
    )
    tickets = table(
        "ticket", ("id", whole), ("number", words(20)), ("user_id", whole), ("staff_id", whole), ("status_id", whole),
        ("ip_address", words(64)), ("create_time", whole), ("closed_time", whole), ("born_on", sa.Date),
    )  # fmt: skip
    statuses = table("ticket_status", ("id", whole), ("name", words(30)))
    entries = table(
        "thread_entry", ("id", whole), ("object_type", words(1)), ("object_id", whole), ("body", sa.Text)
    )
    orders = table(
        "order", ("id", whole), ("total", whole), ("ordered_at", words(20)), ("completed_at", words(20))
    )
    buyers = table("order_users", ("id", whole), ("order_id", whole), ("user_id", whole))
    payments = table(
        "payment", ("id", whole), ("user_id", whole), ("memo1", words(40)), ("paid_on", words(20))
    )
    engine = engine_of(url)
    metadata.create_all(engine)
    _fill(
        engine, users,
        lambda n: {
            "id": n, "name": f"n{n}", "email": f"c{n}@example.org", "phone": f"01632 960{n:03}", "created": _EPOCH + n,
        },
    )  # fmt: skip
    _fill(
        engine, staff,
        lambda n: {"id": n, "username": f"s{n}", "firstname": f"f{n}", "email": f"s{n}@example.org"},
    )  # fmt: skip
    _fill(
        engine, tickets,
        lambda n: {
            "id": n, "number": f"T{n:06}", "user_id": n, "staff_id": n, "status_id": n, "ip_address": f"192.0.2.{n}",
            "create_time": _EPOCH + n, "closed_time": _EPOCH + n if n % 2 else 0, "born_on": _DAY,
        },
    )  # fmt: skip
    _fill(engine, statuses, lambda n: {"id": n, "name": f"status {n}"})
    _fill(
        engine,
        entries,
        lambda n: {"id": n, "object_type": "T", "object_id": n, "body": f"ask c{n}@example.org"},
    )
    _fill(
        engine, orders,
        lambda n: {"id": n, "total": n, "ordered_at": f"2024-01-{n % 28 + 1:02}", "completed_at": "2024-02-01 10:00"},
    )  # fmt: skip
    _fill(engine, buyers, lambda n: {"id": n, "order_id": n, "user_id": n})
    _fill(
        engine, payments,
        lambda n: {"id": n, "user_id": n, "memo1": with_check_digit(f"4539{n:011}"), "paid_on": "2024-02-01T10:00:00"},
    )  # fmt: skip

"""A call centre's tables in several shapes, the same on every engine: for random worlds of the full language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

Row = dict[str, object]
Rows = Mapping[str, Sequence[Row]]

_TYPES = {
    "sqlite": {"text": "TEXT", "moment": "TIMESTAMP", "zoned": "TIMESTAMP WITH TIME ZONE"},
    "postgresql": {"text": "TEXT", "moment": "TIMESTAMP", "zoned": "TIMESTAMPTZ"},
    "mariadb": {"text": "VARCHAR(90)", "moment": "DATETIME(6)", "zoned": "TIMESTAMP(6) NULL"},
}
_KEYS = {
    "int": {"id": "int"},
    "text": {"code": "word"},
    "composite": {"branch": "int", "nr": "word"},
}
FORMS = {
    "text": "text",
    "day": "day",
    "moment": "moment",
    "zoned": "zoned",
    "seconds": "big",
    "millis": "big",
    "spelled": "text",  # seconds as text
}
"""How a column may store a date, and its type."""


@dataclass(frozen=True)
class Shape:
    """How the tables are made. `key`: what names a person, int, text or composite.

    `mode`: with "declared" there are foreign keys, and a row of a link table at most once; with "loose" primary keys
    alone; with "bare" not even these.
    """

    key: str
    mode: str

    @property
    def person(self) -> dict[str, str]:
        """The columns that name a person, with their types."""
        return _KEYS[self.key]

    def link(self, prefix: str) -> dict[str, str]:
        """The columns of a link to a person: own column to the person's."""
        return {f"{prefix}_{column}": column for column in self.person}

    def person_key(self, number: int) -> tuple[object, ...]:
        """The key of the person with this number."""
        return {
            "int": (number,),
            "text": (f"K{number}",),
            "composite": (1 + number % 2, f"n{number}"),
        }[self.key]

    def columns(self) -> dict[str, dict[str, str]]:
        """By table, every column and its type."""
        person, rep = (
            dict(zip(self.link(prefix), self.person.values(), strict=True)) for prefix in ("person", "rep")
        )

        def dates(base: str, *forms: str) -> dict[str, str]:
            return {f"{base}_{form}": FORMS[form] for form in forms}

        return {
            "people": {
                **self.person,
                "kind": "text",
                "name": "text",
                "email": "text",
                **dates("since", "text", "day", "moment", "zoned"),
            },
            "devices": {
                "id": "int",
                **person,
                "serial": "text",
                **dates("bought", "text", "day"),
                "months_int": "int",
                "months_text": "text",
            },
            "tickets": {
                "id": "int",
                "kind": "text",
                **person,
                **rep,
                "contact": "text",
                "contact2": "text",
                "subject": "filled",
                "state_id": "int",
                "follows": "int",
                "device_id": "int",
                **dates("opened", *FORMS),
                **dates("closed", "text", "day", "moment"),
                "months_int": "int",
                "months_text": "text",
            },
            "guests": {"ticket_id": "int", **person, "role": "text"},
            "phone_lines": {"ticket_id": "int", "line_no": "int"},
            "contracts": {"line_no": "int", **person, "kind": "text", "signed_day": "day"},
            "field_values": {"object_id": "int", "field": "text", "value": "text"},
            "states": {"id": "int", "type": "text"},
            "types": {"name": "text", "open": "int"},
            "notes": {"id": "int", "ticket_id": "int", "body": "text", **dates("written", "text", "moment")},
            "payments": {
                "id": "int",
                **person,
                "ticket_id": "int",
                "holder": "text",
                "card": "text",
                **dates("taken", "text", "day", "seconds"),
            },
            "surveys": {"id": "int", "ticket_id": "int"},
        }

    def references(self) -> Iterator[tuple[str, dict[str, str], str]]:
        """What foreign keys would say: table, its columns to the other's, the other."""
        person, rep = self.link("person"), self.link("rep")
        yield "devices", person, "people"
        yield "tickets", person, "people"
        yield "tickets", rep, "people"
        yield "tickets", {"follows": "id"}, "tickets"
        yield "tickets", {"device_id": "id"}, "devices"
        yield "notes", {"ticket_id": "id"}, "tickets"
        yield "payments", person, "people"
        yield "payments", {"ticket_id": "id"}, "tickets"
        yield "surveys", {"ticket_id": "id"}, "tickets"

    def keys(self) -> dict[str, tuple[str, ...]]:
        """By table of a record type, the columns that name a row."""
        own = dict.fromkeys(("devices", "tickets", "notes", "payments", "surveys"), ("id",))
        return {"people": tuple(self.person), **own}

    def unique(self) -> dict[str, tuple[str, ...]]:
        """Columns of link tables that are unique in a "declared" database."""
        return {"guests": ("ticket_id", "role"), "phone_lines": ("ticket_id",), "contracts": ("line_no",)}

    def statements(self, engine: str) -> Iterator[str]:
        """What makes the tables."""
        types = {"int": "INTEGER", "big": "BIGINT", "day": "DATE", **_TYPES[engine]}
        types["word"] = "VARCHAR(20)" if engine == "mariadb" else types["text"]
        types["filled"] = types["text"] + " NOT NULL"
        for table, columns in self.columns().items():
            parts = [f"{name} {types[kind]}" for name, kind in columns.items()]
            if table == "people":
                parts.append("UNIQUE (email)")
            key = self.keys().get(table)
            if key and self.mode != "bare":
                parts.append(f"PRIMARY KEY ({', '.join(key)})")
            if self.mode == "declared":
                if table in self.unique():
                    parts.append(f"UNIQUE ({', '.join(self.unique()[table])})")
                parts += [
                    f"FOREIGN KEY ({', '.join(on)}) REFERENCES {target} ({', '.join(on.values())})"
                    for source, on, target in self.references()
                    if source == table
                ]
            yield f"CREATE TABLE {table} ({', '.join(parts)})"
        indexed = [(table, tuple(on)) for table, on, _ in self.references()]
        indexed += self.keys().items() if self.mode == "bare" else []
        indexed += [(table, ("ticket_id",)) for table in ("guests", "phone_lines")]
        indexed += [("contracts", ("line_no",)), ("tickets", ("contact",)), ("tickets", ("contact2",))]
        indexed += [(table, tuple(self.link("person"))) for table in ("guests", "contracts")]
        indexed += [
            ("phone_lines", ("line_no",)),
            ("payments", ("holder",)),
            ("field_values", ("object_id",)),
        ]
        for table, names in indexed:
            yield f"CREATE INDEX {table}_{'_'.join(names)} ON {table} ({', '.join(names)})"


def fill(connection: sa.Connection, engine: str, shape: Shape, rows: Rows) -> None:
    """Put these rows in the tables, and no others."""
    for table, columns in shape.columns().items():
        connection.exec_driver_sql(f"DELETE FROM {table}")
        if rows.get(table):
            insert = sa.insert(sa.table(table, *(sa.column(column) for column in columns)))
            found = [
                {name: _stored(engine, columns[name], row.get(name)) for name in columns}
                for row in rows[table]
            ]
            connection.execute(insert, found)
    connection.commit()


def _stored(engine: str, kind: str, value: object) -> object:
    if engine == "mariadb" and kind == "zoned" and isinstance(value, str):
        return value.removesuffix("+00:00")  # in UTC, which the session is in
    return value


def in_form(moment: object, form: str) -> object:
    """A date as worlds.moments() gives it, in the way that a column of this form stores it on every engine."""
    if moment is None:
        return None
    if form == "text":
        return str(moment)
    try:
        found = dt.datetime.fromisoformat(str(moment))
    except ValueError:
        return None if form != "spelled" else str(moment)
    if form == "day":
        return str(found.date())
    if form == "moment":
        return str(found.replace(tzinfo=None))
    found = found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)
    if form == "zoned":
        return str(found) if found.year > 1970 else None  # what MariaDB's TIMESTAMP can hold
    seconds = int(found.timestamp())
    return {"seconds": seconds, "millis": seconds * 1000 + 999, "spelled": str(seconds)}[form]

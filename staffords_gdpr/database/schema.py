"""What a database's schema is: read once by reflection, compared by its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class ForeignKey:
    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class TableFacts:
    """A table as the engine describes it. Types are the engine's own spelling."""

    name: str
    columns: Mapping[str, str]
    not_null: tuple[str, ...]
    key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    unique: tuple[
        frozenset[str], ...
    ] = ()  # sets of columns of which no two rows hold the same, the key included


@dataclass(frozen=True)
class Schema:
    tables: Mapping[str, TableFacts]
    triggers: tuple[str, ...]
    identity: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over tables, columns, types, keys and triggers, in an order of its own."""
        return hashlib.sha256(json.dumps(self.described(), sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, object]:
        """The schema in plain JSON values: what the fingerprint covers, and what a difference is shown from."""
        return {
            "tables": {
                table.name: {
                    "columns": {name: [kind, name in table.not_null] for name, kind in table.columns.items()},
                    "key": list(table.key),
                    "foreign_keys": sorted(
                        [list(fk.columns), fk.target, list(fk.target_columns)] for fk in table.foreign_keys
                    ),
                }
                for table in self.tables.values()
            },
            "triggers": sorted(self.triggers),
        }


def read_schema(connection: sa.Connection) -> Schema:
    """Reflect every table of the connection's schema: columns, keys, foreign keys, triggers."""
    inspector = sa.inspect(connection)
    keys = inspector.get_multi_pk_constraint()
    foreign = inspector.get_multi_foreign_keys()
    constraints = inspector.get_multi_unique_constraints()
    indexes = inspector.get_multi_indexes()
    columns = inspector.get_multi_columns()
    spelled = {name: [c["name"] for c in described] for (_, name), described in columns.items()}
    tables = {}
    for place, described in columns.items():
        found = keys.get(place)
        key = tuple(found["constrained_columns"]) if found else ()
        unique = [frozenset(c["column_names"]) for c in constraints.get(place, ())]
        unique += [
            frozenset(name for name in index["column_names"] if name)
            for index in indexes.get(place, ())
            if index["unique"] and "sqlite_where" not in index.get("dialect_options", {})
        ]
        tables[place[1]] = TableFacts(
            name=place[1],
            columns={c["name"]: str(c["type"]) for c in described},
            not_null=tuple(c["name"] for c in described if not c["nullable"]),
            key=key,
            foreign_keys=tuple(_foreign_key(place[1], fk, spelled, keys) for fk in foreign.get(place, ())),
            unique=tuple({*unique, *([frozenset(key)] if key else [])}),
        )
    return Schema(tables=tables, triggers=_triggers(connection), identity=_identity(connection))


def find_name(name: str, known: Iterable[str]) -> str | None:
    """`name` as the database spells it: exactly, or else the only one that differs in case alone."""
    known = list(known)
    if name in known:
        return name
    folded = [k for k in known if k.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _foreign_key(
    table: str, fk: Any, spelled: Mapping[str, Sequence[str]], keys: Mapping[Any, Any]
) -> ForeignKey:
    """A foreign key in the spelling of the tables: a declaration may differ from them in case."""
    target = find_name(fk["referred_table"], spelled) or fk["referred_table"]
    # SQLite lets a foreign key name no columns: it means the primary key
    primary = next((pk["constrained_columns"] for (_, name), pk in keys.items() if name == target), ())
    columns = fk["referred_columns"] or primary
    return ForeignKey(
        table=table,
        columns=tuple(find_name(c, spelled[table]) or c for c in fk["constrained_columns"]),
        target=target,
        target_columns=tuple(find_name(c, spelled.get(target, ())) or c for c in columns),
    )


class Stored(sa.types.UserDefinedType[Any]):
    """A column type of SQLite by its own name, read and written as the driver has it.

    SQLite keeps any value in any column, and SQLAlchemy's own types would write a date key in another spelling than
    it has, or refuse to read one that is none.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


def reflect_table(connection: sa.Connection, name: str) -> sa.Table:
    """One table of the connection's schema, whose values come and go as they are stored."""

    def as_stored(_inspector: object, _table: object, column: dict[str, Any]) -> None:
        if not isinstance(column["type"], (sa.Integer, sa.String)):
            column["type"] = Stored(str(column["type"]))

    return sa.Table(
        name,
        sa.MetaData(),
        autoload_with=connection,
        resolve_fks=False,
        listeners=[("column_reflect", as_stored)],
    )


def _triggers(connection: sa.Connection) -> tuple[str, ...]:
    found = connection.exec_driver_sql(
        "SELECT tbl_name || '.' || name, coalesce(sql, '') FROM sqlite_master WHERE type = 'trigger'"
    )
    return tuple(f"{name} {hashlib.sha256(text.encode()).hexdigest()[:16]}" for name, text in found)


def _identity(connection: sa.Connection) -> str:
    """Which database this is, as far as the engine tells: for SQLite its file, with the folder as a hash."""
    path = Path(connection.engine.url.database or "").resolve()
    return f"sqlite:{path.name}:{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"

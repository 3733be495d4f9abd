"""What a database's schema is: read once by reflection, compared by its fingerprint."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope

from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.facts import (
    Check,
    ColumnFacts,
    ForeignKey,
    Outside,
    StoredTable,
    TableFacts,
    Trigger,
)

__all__ = ["ForeignKey", "Schema", "Stored", "TableFacts", "find_name", "read_schema", "reflect_table"]


@dataclass(frozen=True)
class Schema:
    tables: Mapping[str, TableFacts]
    triggers: tuple[str, ...]
    identity: str
    trigger_facts: tuple[Trigger, ...] = ()
    views: tuple[str, ...] = ()
    outside: tuple[Outside, ...] = ()  # foreign keys on our tables from other schemas

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
    """Reflect every table of the connection's own schema: columns, keys, foreign keys, indexes, checks, triggers."""
    backend = backend_of(connection)
    stored, columns = backend.tables(connection), backend.columns(connection)
    triggers = tuple(
        Trigger(name, table, hashlib.sha256(text.encode()).hexdigest()[:16])
        for name, table, text in backend.triggers(connection)
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", sa.exc.SAWarning
        )  # of types and indexes that SQLAlchemy does not know
        tables = _tables(connection, stored, columns) if stored else {}
    return Schema(
        tables=tables,
        triggers=tuple(f"{each.table}.{each.name} {each.source}" for each in triggers),
        identity=backend.identity(connection),
        trigger_facts=triggers,
        views=backend.views(connection),
        outside=backend.references_from_outside(connection),
    )


def _tables(
    connection: sa.Connection,
    stored: Mapping[str, StoredTable],
    columns: Mapping[str, Mapping[str, ColumnFacts]],
) -> dict[str, TableFacts]:
    inspector = sa.inspect(connection)
    # any kind: MariaDB's versioned tables are no plain ones to SQLAlchemy
    which: Any = {"filter_names": list(stored), "kind": ObjectKind.ANY, "scope": ObjectScope.ANY}
    keys: dict[str, Any] = {
        name: found for (_, name), found in inspector.get_multi_pk_constraint(**which).items()
    }
    foreign = {name: found for (_, name), found in inspector.get_multi_foreign_keys(**which).items()}
    # every unique constraint has its index, and an index tells whether it covers all of the column
    own_too: Any = {"include_auto_indexes": True} if connection.dialect.name == "sqlite" else {}
    indexes = {name: found for (_, name), found in inspector.get_multi_indexes(**which, **own_too).items()}
    checks = {name: found for (_, name), found in inspector.get_multi_check_constraints(**which).items()}
    backend = backend_of(connection)
    actions, more_checks = backend.references(connection), backend.more_checks(connection)
    tables = {}
    for name, kept in stored.items():
        key = tuple((keys.get(name) or {}).get("constrained_columns") or ())
        whole = [index for index in indexes.get(name, ()) if _covers_all(index)]
        unique: list[Any] = [each["column_names"] for each in whole if each["unique"]]
        own = columns.get(name, {})
        ordered = [*([key] if key else []), *(tuple(each["column_names"]) for each in whole)]
        tables[name] = TableFacts(
            name=name,
            columns={column: facts.type for column, facts in own.items()},
            not_null=tuple(column for column, facts in own.items() if not facts.nullable),
            key=key,
            foreign_keys=tuple(
                _foreign_key(name, fk, columns, keys, actions) for fk in foreign.get(name, ())
            ),
            unique=tuple({*map(frozenset, unique), *([frozenset(key)] if key else [])}),
            details=own,
            indexes=tuple(dict.fromkeys(ordered)),
            checks=(
                *(Check(each["name"], each["sqltext"]) for each in checks.get(name, ())),
                *more_checks.get(name, ()),
            ),
            stored=kept,
        )
    return tables


def _covers_all(index: Any) -> bool:
    """Whether an index is over plain columns, whole ones, and every row, and finds values by being equal."""
    for option, said in index.get("dialect_options", {}).items():
        told = isinstance(said, sa.ClauseElement) or bool(said)
        if option.endswith(("_where", "_length", "_prefix")) and told:
            return False
        if option.endswith("_using") and str(said).lower() not in ("btree", "hash"):
            return False
    return None not in index["column_names"]


def find_name(name: str, known: Iterable[str]) -> str | None:
    """`name` as the database spells it: exactly, or else the only one that differs in case alone."""
    known = list(known)
    if name in known:
        return name
    folded = [k for k in known if k.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _foreign_key(
    table: str,
    fk: Any,
    spelled: Mapping[str, Iterable[str]],
    keys: Mapping[str, Any],
    actions: Mapping[tuple[str, tuple[str, ...]], str],
) -> ForeignKey:
    """A foreign key in the spelling of the tables: a declaration may differ from them in case."""
    target = find_name(fk["referred_table"], spelled) or fk["referred_table"]
    if fk.get("referred_schema"):
        target = f"{fk['referred_schema']}.{fk['referred_table']}"  # no table of ours, whatever its name
    # SQLite lets a foreign key name no columns: it means the primary key
    primary = (keys.get(target) or {}).get("constrained_columns") or ()
    columns = fk["referred_columns"] or primary
    own = tuple(fk["constrained_columns"])
    action = (fk.get("options") or {}).get("ondelete") or actions.get((table, own)) or "NO ACTION"
    return ForeignKey(
        table=table,
        columns=tuple(find_name(c, spelled[table]) or c for c in own),
        target=target,
        target_columns=tuple(find_name(c, spelled.get(target, ())) or c for c in columns),
        on_delete=action.upper(),
        deferrable=bool((fk.get("options") or {}).get("deferrable")),
    )


class Stored(sa.types.UserDefinedType[Any]):
    """A column type by its own name, read and written as the driver has it.

    SQLite keeps any value in any column, and SQLAlchemy's own types would write a date key in another spelling than
    it has, or refuse to read one that is none. PostgreSQL and MariaDB give dates as text, and take text for them.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


def reflect_table(connection: sa.Connection, name: str) -> sa.Table:
    """One table of the connection's schema, whose values come and go as they are stored."""
    backend = backend_of(connection)
    facts = backend.columns(connection)[name]

    def as_stored(_inspector: object, _table: object, column: dict[str, Any]) -> None:
        plain = backend.plain_type(column["type"], facts[column["name"]])
        column["type"] = plain if plain is not None else Stored(backend.type_name(facts[column["name"]]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        return sa.Table(
            name,
            sa.MetaData(),
            autoload_with=connection,
            resolve_fks=False,
            listeners=[("column_reflect", as_stored)],
        )

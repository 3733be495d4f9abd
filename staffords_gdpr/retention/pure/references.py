"""The declared foreign keys, read once more: the second opinion must not rest on the first one's list of them (R9)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from staffords_gdpr.database.catalogue import Catalogue, Edge


def with_declared(connection: sa.Connection, catalogue: Catalogue) -> Catalogue:
    """The catalogue with every declared foreign key to a table of ours that it lacks.

    Rows that refer by it hold what they refer to.
    """
    known: dict[object, set[str | None]] = {}
    for edge in catalogue.edges:
        if edge.direct:
            known.setdefault(_name(edge), set()).add(edge.source)
    missing = [
        edge for edge in _declared(connection, catalogue) if edge.source not in known.get(_name(edge), ())
    ]
    return replace(catalogue, edges=(*catalogue.edges, *missing)) if missing else catalogue


def _declared(connection: sa.Connection, catalogue: Catalogue) -> Iterator[Edge]:
    inspector: Any = sa.inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # of what SQLAlchemy does not know
        found = inspector.get_multi_foreign_keys(kind=ObjectKind.ANY)
    for (_, table), keys in found.items():
        for key in keys:
            if not key.get("referred_schema"):
                yield from _edges(inspector, catalogue, table, key)


def _edges(inspector: Any, catalogue: Catalogue, table: str, key: Any) -> Iterator[Edge]:
    """One for each record type on either side, and one for rows that are of none."""
    referring = [name for name, bound in catalogue.records.items() if _alike(bound.table, table)]
    sources: list[str | None] = [*referring]
    if all(_divided(catalogue, name) for name in referring):
        sources.append(None)
    for target, bound in catalogue.records.items():
        if not _alike(bound.table, key["referred_table"]):
            continue
        others = key["referred_columns"] or inspector.get_pk_constraint(bound.table)["constrained_columns"]
        pairs = zip(key["constrained_columns"], others, strict=True)
        spelt = {column.casefold(): column for column in bound.columns}
        own = {column.casefold(): column for name in referring for column in catalogue.records[name].columns}
        columns = tuple((own.get(a.casefold(), a), spelt.get(b.casefold(), b)) for a, b in pairs)
        for source in sources:
            named = catalogue.records[referring[0]].table if referring else table
            beyond = tuple(referring) if source is None else ()
            yield Edge(named, source, target, columns, "foreign_key", beyond=beyond)


def _divided(catalogue: Catalogue, record: str) -> bool:
    """Whether a row of the table may be of no record type."""
    bound = catalogue.records.get(record)
    while bound is not None:
        if bound.record.where is not None:
            return True
        bound = catalogue.records.get(bound.owner.target) if bound.owner else None
    return False


def _alike(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _name(edge: Edge) -> object:
    return (
        edge.source_table.casefold(),
        edge.target,
        frozenset((own.casefold(), other.casefold()) for own, other in edge.columns),
    )

"""The order in which rows are erased so that the engine's own foreign keys let them go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.engines.base import Backend
from staffords_gdpr.database.facts import ForeignKey


@dataclass(frozen=True)
class Opening:
    """A column that is nulled in rows of a record type, which go themselves, before the rows that they refer to."""

    record: str
    column: str


@dataclass(frozen=True)
class Order:
    """Record types, what refers to others first, and the references that have to be undone before. `closed`: foreign
    keys that stand in the way, in a circle, and cannot be undone.
    """

    records: tuple[str, ...]
    openings: tuple[Opening, ...]
    closed: tuple[ForeignKey, ...]


def erasing_order(catalogue: Catalogue, backend: Backend) -> Order:
    """Referring rows before the rows that they refer to, as far as there is such an order.

    Where references form a circle, one of them is undone first, within the same transaction; and so is a reference
    between rows of one table, where the engine does not wait for the end of the statement.
    """
    strict = {pair: keys for pair, keys in _strict(catalogue, backend).items() if pair[0] != pair[1]}
    waiting = list(catalogue.records)
    placed: list[str] = []
    openings: dict[Opening, None] = {}
    closed: list[ForeignKey] = []
    while waiting:
        refers = {(e.source, e.target) for e in catalogue.edges if e.source and e.source != e.target} | {
            *strict
        }
        refers = {(source, target) for source, target in refers if source in waiting and target in waiting}
        free = [name for name in waiting if name not in {target for _, target in refers}]
        if not free:
            circles = [name for name in waiting if _referrers(name, refers) <= _reached(name, refers)]
            name = min(circles, key=lambda one: _cost(catalogue, strict, waiting, one))
            for (source, target), keys in strict.items():
                if target == name and source in waiting:
                    for key in keys:
                        _open(catalogue, source, key, openings, closed)
            free = [name]
        placed += free
        waiting = [name for name in waiting if name not in free]
    for (source, target), keys in _strict(catalogue, backend).items():
        if source == target:
            for key in keys:
                if backend.trips_over(key.on_delete):
                    _open(catalogue, source, key, openings, closed)
    return Order(tuple(placed), tuple(openings), tuple(closed))


def references_to(catalogue: Catalogue, table: str) -> Iterator[ForeignKey]:
    """The declared foreign keys on a table, from any table of the schema."""
    for facts in catalogue.tables.values():
        yield from (key for key in facts.foreign_keys if key.target == table)


def _strict(catalogue: Catalogue, backend: Backend) -> Mapping[tuple[str, str], list[ForeignKey]]:
    """The foreign keys that the engine looks at as rows go, by the record types of both ends."""
    found: dict[tuple[str, str], list[ForeignKey]] = {}
    for target, bound in catalogue.records.items():
        if bound.record.anonymise is not None:
            continue  # its rows stay, and so does what refers to them
        for key in references_to(catalogue, bound.table):
            if key.on_delete == "NO ACTION" and (backend.defers_foreign_keys or key.deferrable):
                continue
            for source, other in catalogue.records.items():
                if other.table == key.table:
                    found.setdefault((source, target), []).append(key)
    return found


def _referrers(name: str, refers: Iterable[tuple[str, str]]) -> set[str]:
    return {source for source, target in refers if target == name}


def _reached(name: str, refers: Iterable[tuple[str, str]]) -> set[str]:
    """The record types that a way over references leads to; with its referrers among them, a type is in a circle to
    which nothing outside of it refers.
    """
    found: set[str] = set()
    new = {name}
    while new:
        new = {target for source, target in refers if source in new} - found
        found |= new
    return found


def _cost(
    catalogue: Catalogue,
    strict: Mapping[tuple[str, str], list[ForeignKey]],
    waiting: list[str],
    name: str,
) -> tuple[int, int]:
    """How many references would have to be undone for this record type to be next, those that cannot first."""
    keys = [
        (source, key)
        for (source, target), keys in strict.items()
        if target == name and source in waiting
        for key in keys
    ]
    shut = sum(
        1
        for source, key in keys
        if catalogue.records[source].record.anonymise is not None or opening(catalogue, source, key) is None
    )
    return shut, len(keys)


def _open(
    catalogue: Catalogue,
    source: str,
    key: ForeignKey,
    openings: dict[Opening, None],
    closed: list[ForeignKey],
) -> None:
    column = opening(catalogue, source, key)
    if column is None:
        closed.append(key)
    else:
        openings[Opening(source, column)] = None


def opening(catalogue: Catalogue, source: str, key: ForeignKey) -> str | None:
    """A column of a foreign key that can be set to NULL, so that the row refers to nothing; None where none can."""
    facts, own = catalogue.tables[key.table], catalogue.records[source].key
    return next(
        (
            column
            for column in key.columns
            if column not in facts.not_null and column not in own and not facts.details[column].generated
        ),
        None,
    )

"""From a row up to its subject, as joins. Every query of the bulk way that needs an owner takes it from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


def key_of(table: sa.FromClause, bound: Bound) -> list[Column]:
    """The key columns of a record type's table, or of an alias of it."""
    return [table.c[name] for name in bound.key]


def numbered(table: sa.FromClause, letter: str) -> list[Column]:
    """The columns `s0`, `s1`, … of a work table, for letter `s`."""
    return [table.c[name] for i in range(len(table.c)) if (name := f"{letter}{i}") in table.c]


def same(left: Sequence[Column], right: Sequence[Column]) -> Condition:
    """That two keys are equal."""
    return sa.and_(*(a == b for a, b in zip(left, right, strict=True)))


def joined(source: sa.FromClause, edge: Edge, target: sa.FromClause) -> Condition:
    """That a row of `source` refers to a row of `target` over this edge."""
    return sa.and_(*(source.c[own] == target.c[other] for own, other in edge.columns))


def owner_edges(catalogue: Catalogue, record: str) -> Iterable[Edge]:
    """The links from a record type to its owner, to the owner's owner, and so on to the subject."""
    bound = catalogue.records[record]
    while bound.owner is not None:
        yield bound.owner
        bound = catalogue.records[bound.owner.target]


def holds_key(catalogue: Catalogue, edge: Edge) -> bool:
    """The link's own columns are the whole key of the row that it refers to."""
    return {other for _, other in edge.columns} == set(catalogue.records[edge.target].key)


def key_in_link(catalogue: Catalogue, edge: Edge, table: sa.FromClause) -> list[Column]:
    """The key of the row that `table` refers to over an edge, taken from the link itself."""
    order = catalogue.records[edge.target].key
    return [table.c[own] for own, _ in sorted(edge.columns, key=lambda pair: order.index(pair[1]))]


def with_subject(
    catalogue: Catalogue, record: str, table: sa.FromClause
) -> tuple[sa.FromClause, list[Column]]:
    """`table`, which holds rows of `record`, joined inwards as far as needed, and the key of the subject.

    The last link is not joined where it holds the subject's key: whether that subject is there is not asked.
    """
    source, here = table, table
    bound = catalogue.records[record]
    for edge in owner_edges(catalogue, record):
        bound = catalogue.records[edge.target]
        if bound.owner is None and holds_key(catalogue, edge):
            return source, key_in_link(catalogue, edge, here)
        above = bound.sa_table.alias()
        source = source.join(above, joined(here, edge, above))
        here = above
    return source, key_of(here, bound)

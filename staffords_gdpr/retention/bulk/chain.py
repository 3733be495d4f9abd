"""From a row up to its subject, as joins. Every query of the bulk way that needs an owner takes it from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge
from staffords_gdpr.retention.bulk.view import Views

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
    bound = catalogue.records.get(record)
    while bound is not None and bound.owner is not None:
        yield bound.owner
        bound = catalogue.records.get(bound.owner.target)


def key_names(catalogue: Catalogue, record: str) -> tuple[str, ...]:
    """The key columns of a record type, or of the subject, which may have no table."""
    return catalogue.subject_key if record == catalogue.policy.subject else catalogue.records[record].key


def holds_key(catalogue: Catalogue, edge: Edge) -> bool:
    """The link's own columns are the whole key of the row that it refers to."""
    return {other for _, other in edge.columns} == set(key_names(catalogue, edge.target))


def key_in_link(catalogue: Catalogue, edge: Edge, table: sa.FromClause) -> list[Column]:
    """The key of the row that `table` refers to over an edge, taken from the link itself."""
    order = key_names(catalogue, edge.target)
    return [table.c[own] for own, _ in sorted(edge.columns, key=lambda pair: order.index(pair[1]))]


def with_subject(views: Views, record: str, table: sa.FromClause) -> tuple[sa.FromClause, list[Column]]:
    """`table`, which holds rows of `record`, joined inwards as far as needed, and the key of the subject.

    The last link is not joined where it holds the subject's key: whether that subject is there is not asked.
    """
    source, here = table, table
    catalogue = views.catalogue
    for edge in owner_edges(catalogue, record):
        if edge.target == catalogue.policy.subject and holds_key(catalogue, edge):
            return source, key_in_link(catalogue, edge, here)
        above = views.appearances(edge.target).alias()
        source = source.join(above, joined(here, edge, above))
        here = above
    return source, [here.c[name] for name in catalogue.subject_key]

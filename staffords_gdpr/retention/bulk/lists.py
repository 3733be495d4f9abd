"""What is due, row by row, in the order in which it is worked off.

Each subject with anything due has a place on a list. Its rows stand beside it, in a table for each record type and step
whose key begins with the place: a batch is a stretch of places, read in one piece, and nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.retention.bulk.chain import Column, Condition, key_of, numbered, same
from staffords_gdpr.retention.bulk.todo import Chunk
from staffords_gdpr.retention.bulk.work import Candidates, Work, nulls

AFTER, LAST = (sa.bindparam(name, 0, type_=sa.Integer) for name in ("after", "last"))
"""Between which places a statement reads: those after the one, up to the other. Who forgets to say gets none."""


def places(chunk: Chunk | None) -> dict[str, int]:
    """What such a statement is told."""
    return {} if chunk is None else {"after": chunk.after, "last": chunk.last}


@dataclass(frozen=True)
class Due:
    """Rows of one record type, or steps of them, that are to be erased: the rows of a work table of which all `tests`
    are true, each once, by their `key`.
    """

    found: Candidates
    table: sa.FromClause
    key: list[Column]
    tests: list[Condition]

    def keys(self) -> sa.Select[tuple[object, ...]]:
        query = sa.select(*self.key).where(*self.tests)
        return query.distinct() if self.found.bound.several else query


def due_by_decision(work: Work) -> dict[str, Due]:
    """What the last decision found. Steps are left out for rows that are deleted as well."""
    due = {}
    for name, found in work.candidates.items():
        tests: list[Condition] = [found.to_erase]
        if found.step is not None and found.bound.record.anonymise is None:
            row = work.candidates[found.bound.record.name].table.alias()
            going = sa.exists().where(same(numbered(row, "k"), found.key), row.c.why.is_(None))
            tests.append(sa.not_(going.correlate(found.table)))
        due[name] = Due(found, found.table, found.key, tests)
    return due


def due_by_list(work: Work) -> dict[str, Due]:
    """What stands on the lists at the places `after` to `last`."""
    return {
        name: Due(work.candidates[name], table, numbered(table, "k"), [within(table)])
        for name, table in work.lists.items()
    }


def within(table: sa.FromClause) -> Condition:
    """The row of a list is at one of the places `after` to `last`."""
    return sa.and_(table.c.place > AFTER, table.c.place <= LAST)


def apart(work: Work) -> list[sa.Insert]:
    """The statements that note whose rows are due only together with somebody else's: a row of the one refers to one of
    the other. A link from a row to its owner never does that.
    """
    if not work.lists:
        return []
    both = [end for edge in work.catalogue.edges for end in _crossings(work, edge)]
    if not both:
        return []
    union = sa.union(*both).subquery()
    return [sa.insert(work.apart).from_select(list(work.apart.c.keys()), sa.select(*union.c))]


def _crossings(work: Work, edge: Edge) -> Iterator[sa.Select[tuple[object, ...]]]:
    if edge.source is None or edge.target not in work.candidates or edge.kind == "belongs_to":
        return
    for going in goings(work, edge):
        source, target = going.table.alias(), work.candidates[edge.target].table.alias()
        row = work.views.appearances(edge.source).alias()
        joined = source.join(row, same(numbered(source, "k"), key_of(row, going.bound))).join(
            target, referred(work.candidates[edge.target], target, edge, row)
        )
        ours, theirs = numbered(source, "s"), numbered(target, "s")
        differ = sa.or_(*(one.is_distinct_from(other) for one, other in zip(ours, theirs, strict=True)))
        for subject in (ours, theirs):
            yield (
                sa.select(*subject)
                .select_from(joined)
                .where(source.c.why.is_(None), target.c.why.is_(None), differ, subject[0].is_not(None))
            )


def goings(work: Work, edge: Edge) -> list[Candidates]:
    """The ways in which a row that refers over this edge can go, or let go: itself, or a step that nulls the link."""
    assert edge.source is not None
    source = work.candidates[edge.source]
    steps = (step for step in source.bound.record.sooner if nulls(step.anonymise, edge))
    return [source, *(work.candidates[f"{edge.source}.{step.name}"] for step in steps)]


def clings_to_owner(work: Work, edge: Edge) -> bool:
    """Over this edge rows refer to their owner, and let go of it only by going themselves."""
    if edge.source is None:
        return False
    owner = work.candidates[edge.source].bound.owner
    return (
        owner is not None
        and (edge.target, edge.columns) == (owner.target, owner.columns)
        and len(goings(work, edge)) == 1
    )


def referred(target: Candidates, table: sa.FromClause, edge: Edge, row: sa.FromClause) -> Condition:
    """The row refers over this edge to the candidate in `table`, an alias of the target's."""
    return sa.and_(*(row.c[own] == table.c[target.column(other).name] for own, other in edge.columns))


def listings(work: Work, plain: int) -> Iterator[sa.Insert]:
    """The statements that write the rows of the first `plain` places onto the lists."""
    for name, due in due_by_decision(work).items():
        if name not in work.lists:
            continue
        found, table, todo = due.found, work.lists[name], work.todo
        rows = (
            sa.select(todo.c.place, *due.key)
            .select_from(due.table.join(todo, same(found.subject, numbered(todo, "s"))))
            .where(*due.tests, todo.c.place <= plain)
            .order_by(todo.c.place, *due.key)
        )
        yield sa.insert(table).from_select(list(table.c.keys()), rows)


def at_places(todo: sa.Table) -> sa.Select[tuple[object, ...]]:
    """The keys of the subjects at the places `after` to `last`."""
    return sa.select(*numbered(todo, "s")).where(within(todo))

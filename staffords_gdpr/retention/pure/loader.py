"""Loads what the pure function needs, with queries of its own (R9): everything, or the rows of some subjects with
all that matters to them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue
from staffords_gdpr.retention.pure.conditions import Rows
from staffords_gdpr.retention.pure.court import judge
from staffords_gdpr.retention.pure.growth import Growth
from staffords_gdpr.retention.pure.reading import Query, Reading
from staffords_gdpr.retention.pure.references import with_declared
from staffords_gdpr.retention.pure.values import comparable_key
from staffords_gdpr.retention.pure.world import World
from staffords_gdpr.retention.states import Key, Verdict


def load_everything(connection: sa.Connection, catalogue: Catalogue) -> Rows:
    """Every row of every record type, of every table that refers to one, and of every table on a way or looked up."""
    reading = Reading(connection, catalogue)
    return {table: reading.everything(table) for table in reading.tables}


def load_subjects(connection: sa.Connection, catalogue: Catalogue, subjects: Sequence[Key]) -> Rows:
    """The rows with which `judge` gives these subjects the verdicts it would give over the whole database.

    Verdicts on other subjects' rows, and on rows without a subject, are by-products: look only at those whose
    `subject` is one of `subjects`.
    """
    reading = Reading(connection, catalogue)
    growth = Growth(reading, catalogue)
    bound = catalogue.subject
    if bound is None:
        growth.grow_values(subjects, judged=True)
    else:
        growth.grow(bound.table, reading.matching(bound.table, bound.key, subjects), judged=True)
    return growth.rows()


def find_subject(connection: sa.Connection, catalogue: Catalogue, key: Key) -> Key | None:
    """The key of a subject as the database has it; None where no row has it, or only one of another kind."""
    reading = Reading(connection, catalogue)
    growth = Growth(reading, catalogue)
    bound = catalogue.subject
    if bound is None:
        growth.grow_values([key], judged=False)
    else:
        growth.grow(bound.table, reading.matching(bound.table, bound.key, [key]), judged=False)
    found = World(catalogue, growth.rows(), dt.date.max).rows[catalogue.policy.subject]
    wanted = comparable_key(key)
    return next((row.key for row in found if comparable_key(row.key) == wanted), None)


def chunks(connection: sa.Connection, catalogue: Catalogue, size: int) -> Iterator[tuple[list[Key], Rows]]:
    """All subjects in key order, `size` at a time, each chunk with the rows of `load_subjects`.

    Rows without a subject come from `subjectless_chunks`; `judge_in_chunks` judges both, every row once.
    """
    reading, bound = Reading(connection, catalogue), catalogue.subject
    if bound is None:
        query, column = _values(reading, catalogue)
        pages = reading.pages_of(query, [column], size)
    else:
        pages = reading.pages(bound.table, bound.key, size)
    for keys in pages:
        yield keys, load_subjects(connection, catalogue, keys)


def subjectless_chunks(
    connection: sa.Connection, catalogue: Catalogue, size: int
) -> Iterator[tuple[str, list[Key], Rows]]:
    """The rows that reach no subject, as (record type, keys, rows to judge them with), `size` at a time."""
    reading = Reading(connection, catalogue)
    for name, bound in catalogue.records.items():
        if name == catalogue.policy.subject:
            continue
        for keys in _reaching_nobody(reading, catalogue, bound, size):
            growth = Growth(reading, catalogue)
            growth.grow(bound.table, reading.matching(bound.table, bound.key, keys), judged=True)
            yield name, keys, growth.rows()


def judge_in_chunks(
    connection: sa.Connection, catalogue: Catalogue, as_of: dt.datetime, holds: frozenset[Key], size: int
) -> Iterator[list[Verdict]]:
    """The verdicts of `judge` over everything, a chunk at a time: every row and step exactly once.

    A row of several subjects comes with the one that its verdict names. The database is asked once more which tables
    refer to ours, so that a reference that the catalogue lacks shows as a row that is held.
    """
    catalogue = with_declared(connection, catalogue)
    for subjects, rows in chunks(connection, catalogue, size):
        wanted = {comparable_key(key) for key in subjects}
        verdicts = judge(catalogue, rows, as_of, holds)
        yield [v for v in verdicts if v.subject is not None and comparable_key(v.subject) in wanted]
    for record, keys, rows in subjectless_chunks(connection, catalogue, size):
        wanted = {comparable_key(key) for key in keys}
        verdicts = judge(catalogue, rows, as_of, holds)
        yield [
            v
            for v in verdicts
            if v.subject is None and v.record.partition(".")[0] == record and comparable_key(v.key) in wanted
        ]


def _values(reading: Reading, catalogue: Catalogue) -> tuple[Query, sa.ColumnElement[Any]]:
    """Every value that may be a subject, and the column to order them by."""
    parts: list[sa.Select[Any]] = []
    for ref in catalogue.policy.records[catalogue.policy.subject].values_of:
        column = reading.tables[catalogue.records[ref.record].table].c[ref.column]
        parts.append(sa.select(column.label("value")).where(column.is_not(None)))
    found = sa.union(*parts).subquery() if len(parts) > 1 else parts[0].distinct().subquery()
    return sa.select(found.c.value), found.c.value


def _reaching_nobody(reading: Reading, catalogue: Catalogue, bound: Bound, size: int) -> Iterator[list[Key]]:
    """The keys of a record type's rows whose chain of owners breaks off."""
    if _simple(catalogue, bound):
        query, columns = _broken_off(reading, catalogue, bound)
        yield from reading.pages_of(query, columns, size)
        return
    for page in reading.pages(bound.table, bound.key, size):
        growth = Growth(reading, catalogue)
        growth.grow(bound.table, reading.matching(bound.table, bound.key, page), judged=False)
        world = World(catalogue, growth.rows(), dt.date.max)
        wanted = {comparable_key(key) for key in page}
        alone = [
            row.key
            for row in world.rows[bound.record.name]
            if row.whole[0] is row and comparable_key(row.key) in wanted
            if all(each.subject is None for each in row.whole)
        ]
        if alone:
            yield alone


def _simple(catalogue: Catalogue, bound: Bound) -> bool:
    """Whether every link up to the subject is held by the row itself, and every row of these tables is of one kind."""
    step: Bound | None = bound
    while step is not None:
        if step.record.where is not None or (step.owner is not None and not step.owner.direct):
            return False
        if step.owner is None:
            return True
        step = catalogue.records.get(step.owner.target)
    return False


def _broken_off(
    reading: Reading, catalogue: Catalogue, bound: Bound
) -> tuple[Query, list[sa.ColumnElement[Any]]]:
    here = first = reading.tables[bound.table].alias("t0")
    joined: sa.FromClause = first
    owner, step = bound.owner, bound
    while owner is not None:
        step = catalogue.records[owner.target]
        there = reading.tables[step.table].alias(f"{step.record.name}_of")
        joined = joined.outerjoin(
            there, sa.and_(*(here.c[own] == there.c[other] for own, other in owner.columns))
        )
        here, owner = there, step.owner
    columns: list[sa.ColumnElement[Any]] = [first.c[name] for name in bound.key]
    query: Query = sa.select(*columns).select_from(joined)
    if step.record.name == catalogue.policy.subject:
        query = query.where(here.c[step.key[0]].is_(None))
    return query, columns

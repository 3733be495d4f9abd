"""One batch: what it erases, and the statements that erase it. The same plan is shown, logged and carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.auditlog.rows import leaf
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.policy.models import Scalar
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk_conditions import replaced
from staffords_gdpr.retention.bulk_work import Candidates
from staffords_gdpr.retention.states import Key


@dataclass(frozen=True)
class Erasure:
    """The rows of one record type, or of one `sooner` step, that a batch erases. `values` is None for a delete."""

    name: str
    values: Mapping[str, Scalar] | None
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Plan:
    """What one batch erases, in the order in which it does so: what refers to others first."""

    erasures: tuple[Erasure, ...]
    subjects: tuple[Key, ...]

    @property
    def rows(self) -> dict[str, int]:
        """How many rows of each record type and step: what the intent says."""
        return {erasure.name: len(erasure.keys) for erasure in self.erasures}

    def leaves(self, key: bytes) -> list[bytes]:
        """One leaf a row, under the batch's key."""
        return [leaf(key, erasure.name, row) for erasure in self.erasures for row in erasure.keys]


def plan_of(bulk: Bulk) -> Plan:
    """The plan for what `bulk` has just decided to be due."""
    erasures = []
    for found in in_order(bulk):
        keys = tuple(tuple(row) for row in bulk.connection.execute(_due(bulk, found)))
        if keys:
            erasures.append(Erasure(found.name, values_of(found), keys))
    subjects = tuple(tuple(row) for row in bulk.connection.execute(bulk.due_subjects()))
    return Plan(tuple(erasures), subjects)


def planned(bulk: Bulk) -> dict[str, int]:
    """How many rows of each record type and step would be erased by what `bulk` has just decided."""
    found = {
        c.name: sa.select(sa.func.count()).select_from(_due(bulk, c).order_by(None).subquery())
        for c in in_order(bulk)
    }
    counts = {name: bulk.connection.execute(query).scalar_one() for name, query in found.items()}
    return {name: count for name, count in counts.items() if count}


def erase(bulk: Bulk, plan: Plan) -> dict[str, int]:
    """Carry out a plan within the transaction that decided it. How many rows each statement reached."""
    reached = {}
    for erasure in plan.erasures:
        found = bulk.candidates[erasure.name]
        table = found.bound.sa_table
        columns = [table.c[name] for name in found.bound.key]
        chosen = (columns[0] if len(columns) == 1 else sa.tuple_(*columns)).in_(_due(bulk, found))
        statement = (
            sa.delete(table).where(chosen)
            if erasure.values is None
            else sa.update(table).values({table.c[n]: v for n, v in erasure.values.items()}).where(chosen)
        )
        reached[erasure.name] = bulk.connection.execute(statement).rowcount
    return reached


def remaining(bulk: Bulk, erasures: Sequence[Erasure]) -> dict[str, int]:
    """How many rows of each erasure are still as they were before it, by the database."""
    left = {}
    for erasure in erasures:
        found = bulk.candidates[erasure.name]
        table, keys = found.bound.sa_table, bulk.work.row_scopes[found.bound.record.name]
        bulk.work.fill(keys, erasure.keys)
        same = [table.c[name] == key for name, key in zip(found.bound.key, keys.columns, strict=True)]
        query = sa.select(sa.func.count()).select_from(keys.join(table, sa.and_(*same)))
        if erasure.values is not None:
            query = query.where(sa.not_(replaced(table, erasure.values)))
        left[erasure.name] = bulk.connection.execute(query).scalar_one()
        bulk.work.fill(keys, ())
    return left


def values_of(found: Candidates) -> Mapping[str, Scalar] | None:
    """The replacements that erasing writes; None where it deletes."""
    return found.step.anonymise if found.step is not None else found.bound.record.anonymise


def in_order(bulk: Bulk) -> list[Candidates]:
    """The steps and the record types, referring rows before the rows that they refer to.

    Where references form a cycle any order is as good as another: foreign keys are checked at the commit.
    """
    ordered: list[Candidates] = []
    for name in _referrers_first(bulk.catalogue):
        bound = bulk.catalogue.records[name]
        ordered += [bulk.candidates[f"{name}.{step.name}"] for step in bound.record.sooner]
        ordered.append(bulk.candidates[name])
    return ordered


def _referrers_first(catalogue: Catalogue) -> list[str]:
    waiting = list(catalogue.records)
    placed: list[str] = []
    while waiting:
        referred = {e.target for e in catalogue.edges if e.source in waiting and e.source != e.target}
        free = [name for name in waiting if name not in referred] or waiting[:1]
        placed += free
        waiting = [name for name in waiting if name not in free]
    return placed


def _due(bulk: Bulk, found: Candidates) -> sa.Select[Any]:
    """The keys to erase. A step is left out for rows that are deleted at the same time."""
    query = found.due()
    if found.step is not None and found.bound.record.anonymise is None:
        row = bulk.candidates[found.bound.record.name].table.alias()
        same = [row.c[key.name] == key for key in found.key]
        query = query.where(sa.not_(sa.exists().where(*same, row.c.why.is_(None))))
    return query.order_by(*found.key)

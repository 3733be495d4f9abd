"""One batch: what it erases, and the statements that erase it. The same plan is shown, logged and carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.auditlog.rows import leaves
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.locks import hosts
from staffords_gdpr.database.order import Opening, erasing_order, references_to
from staffords_gdpr.policy.models import Scalar
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.conditions import filled, names_key, replaced
from staffords_gdpr.retention.bulk.work import Candidates
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
        """One leaf a row, under the batch's key, sorted."""
        return sorted(one for erasure in self.erasures for one in leaves(key, erasure.name, erasure.keys))


def plan_of(bulk: Bulk) -> Plan:
    """The plan for what `bulk` has just decided to be due."""
    erasures = []
    for found in in_order(bulk):
        keys = tuple(map(tuple, bulk.connection.execute(_due(bulk, found)).all()))
        if keys:
            erasures.append(Erasure(found.name, values_of(found), keys))
    subjects = tuple(map(tuple, bulk.connection.execute(bulk.due_subjects()).all()))
    return Plan(tuple(erasures), subjects)


def planned(bulk: Bulk) -> dict[str, int]:
    """How many rows of each record type and step would be erased by what `bulk` has just decided."""
    found = {c.name: _count(_due(bulk, c)) for c in in_order(bulk)}
    counts = {name: bulk.connection.execute(query).scalar_one() for name, query in found.items()}
    return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True)
class Erased:
    """What the statements of a plan did. `opened`: rows in which a reference was nulled before they went themselves.
    `dragged`: rows that the engine would have changed or deleted along with those of the plan, so that it was stopped.
    """

    reached: Mapping[str, int]
    opened: int
    dragged: int

    @property
    def changes(self) -> int:
        """How many changes of rows this makes."""
        return sum(self.reached.values()) + self.opened


def erase(bulk: Bulk, plan: Plan) -> Erased:
    """Carry out a plan within the transaction that decided it."""
    backend = backend_of(bulk.connection)
    opened = sum(_open(bulk, opening) for opening in erasing_order(bulk.catalogue, backend).openings)
    reached: dict[str, int] = {}
    for erasure in plan.erasures:
        found = bulk.candidates[erasure.name]
        if not backend.counts_cascades and (dragged := _dragged(bulk, found, erasure.values)):
            return Erased(reached, opened, dragged)
        table = found.bound.sa_table
        statement: sa.Delete | sa.Update = sa.delete(table)
        if erasure.values is not None:
            statement = sa.update(table).values(_replacements(bulk.catalogue, found, erasure.values))
        reached[erasure.name] = bulk.connection.execute(_of_due(bulk, found, statement)).rowcount
    return Erased(reached, opened, 0)


def _of_due(bulk: Bulk, found: Candidates, statement: Any) -> Any:
    """A DELETE or UPDATE of the rows that are due, and no others."""
    keys = [found.bound.sa_table.c[name] for name in found.bound.key]
    if backend_of(bulk.connection).joins_deletes:
        return statement.where(*_same(keys, found.key), *_due_tests(bulk, found))
    chosen = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
    return statement.where(chosen.in_(_due(bulk, found)))


def _replacements(
    catalogue: Catalogue, found: Candidates, values: Mapping[str, Scalar]
) -> dict[sa.Column[Any], Any]:
    """What an UPDATE sets: the replacements, and columns that would change by themselves to what they hold."""
    table, facts = found.bound.sa_table, catalogue.tables.get(found.bound.table)
    key = [table.c[name] for name in found.bound.key]
    kept = [name for name, column in facts.details.items() if column.now_on_update] if facts else []
    return {
        **{table.c[name]: table.c[name] for name in kept},
        **{
            table.c[name]: filled(value, key) if names_key(value) else value for name, value in values.items()
        },
    }


def _open(bulk: Bulk, opening: Opening) -> int:
    """Null a reference in rows that are deleted later in this batch."""
    found = bulk.candidates[opening.record]
    table = found.bound.sa_table
    undo = (
        sa.update(table).values({table.c[opening.column]: None}).where(table.c[opening.column].is_not(None))
    )
    return int(bulk.connection.execute(_of_due(bulk, found, undo)).rowcount)


def _dragged(bulk: Bulk, found: Candidates, values: Mapping[str, Scalar] | None) -> int:
    """How many rows still refer to those that are to be deleted now, by foreign keys that would take them along; or to
    the columns that are to be replaced now, by any.
    """
    dragged = 0
    table = found.bound.sa_table
    for key in references_to(bulk.catalogue, found.bound.table):
        harmless = key.on_delete in ("NO ACTION", "RESTRICT")
        if harmless if values is None else values.keys().isdisjoint(key.target_columns):
            continue
        referring = sa.table(key.table, *(sa.column(name) for name in key.columns)).alias()
        ends = zip(key.columns, key.target_columns, strict=True)
        query: sa.Select[Any] = (
            sa.select(sa.literal_column("1"))
            .select_from(referring)
            .join(table, sa.and_(*(referring.c[own] == table.c[other] for own, other in ends)))
            .join(found.table, sa.and_(*_same([table.c[name] for name in found.bound.key], found.key)))
            .where(*_due_tests(bulk, found))
            .with_for_update(read=True)
        )
        dragged += len(bulk.connection.execute(query).all())
    return dragged


def left_over(bulk: Bulk, plan: Plan) -> int:
    """How many rows of the plan that was just carried out are still as they were before it, by the database."""
    left = 0
    for erasure in plan.erasures:
        found = bulk.candidates[erasure.name]
        query = _as_before(found, erasure, found.table, found.key).where(*_due_tests(bulk, found))
        left += bulk.connection.execute(_count(query)).scalar_one()
    return left


def remaining(bulk: Bulk, erasures: Sequence[Erasure], *, lock: bool = False) -> dict[str, int]:
    """How many rows of each erasure are still as they were before it, by the database.

    With `lock`, after whoever is at these rows has committed or gone: a purge that was killed may leave a connection
    behind that the server has not missed yet.
    """
    left = {}
    for erasure in erasures:
        found = bulk.candidates[erasure.name]
        keys = bulk.work.row_scopes[found.bound.record.name]
        bulk.work.fill(keys, erasure.keys)
        query = _as_before(found, erasure, keys, list(keys.columns))
        count = _count(query.with_for_update(of=found.bound.sa_table) if lock else query)
        for host in hosts(bulk.connection, [keys]) if lock else [bulk.connection]:
            left[erasure.name] = host.execute(count).scalar_one()  # the last one is our own
        bulk.work.fill(keys, ())
    if lock:
        backend_of(bulk.connection).confirm_locks(bulk.connection)
    return left


def _as_before(found: Candidates, erasure: Erasure, keys: sa.Table, key: Sequence[Any]) -> sa.Select[int]:
    """A row for each of these keys whose row is still as it was before the erasure."""
    table = found.bound.sa_table
    own = [table.c[name] for name in found.bound.key]
    query: sa.Select[int] = sa.select(sa.literal_column("1").label("one"))
    query = query.select_from(keys.join(table, sa.and_(*_same(own, key))))
    return query if erasure.values is None else query.where(sa.not_(replaced(table, erasure.values, own)))


def _count(rows: sa.Select[Any]) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(rows.subquery())


def values_of(found: Candidates) -> Mapping[str, Scalar] | None:
    """The replacements that erasing writes; None where it deletes."""
    return found.step.anonymise if found.step is not None else found.bound.record.anonymise


def in_order(bulk: Bulk) -> list[Candidates]:
    """The steps and the record types, referring rows before the rows that they refer to."""
    order = erasing_order(bulk.catalogue, backend_of(bulk.connection))
    steps = {
        name: [bulk.candidates[f"{name}.{step.name}"] for step in bulk.catalogue.records[name].record.sooner]
        for name in order.records
    }
    if order.openings:
        # in a circle some rows go before those that refer to them, which a step may let go
        every = [step for name in order.records for step in steps[name]]
        return [*every, *(bulk.candidates[name] for name in order.records)]
    return [found for name in order.records for found in (*steps[name], bulk.candidates[name])]


def _due(bulk: Bulk, found: Candidates) -> sa.Select[Any]:
    """The keys to erase, each once."""
    query = sa.select(*found.key).where(*_due_tests(bulk, found))
    return query.distinct() if found.bound.several else query


def _due_tests(bulk: Bulk, found: Candidates) -> list[sa.ColumnElement[bool]]:
    """Of rows of the work table: they are to be erased. Steps are left out for rows that are deleted in this batch."""
    tests: list[sa.ColumnElement[bool]] = [found.to_erase]
    if found.step is not None and found.bound.record.anonymise is None:
        row = bulk.candidates[found.bound.record.name].table.alias()
        same = [row.c[key.name] == key for key in found.key]
        tests.append(sa.not_(sa.exists().where(*same, row.c.why.is_(None)).correlate(found.table)))
    return tests


def _same(left: Sequence[Any], right: Sequence[Any]) -> list[sa.ColumnElement[bool]]:
    return [one == other for one, other in zip(left, right, strict=True)]

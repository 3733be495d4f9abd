"""One batch: what it erases, and the statements that erase it. The same plan is shown, logged and carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.auditlog.rows import leaves
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.locks import hosts
from staffords_gdpr.database.order import Opening, erasing_order, references_to
from staffords_gdpr.policy.models import Scalar
from staffords_gdpr.retention.bulk import Bulk, Chunk
from staffords_gdpr.retention.bulk.conditions import filled, names_key, replaced
from staffords_gdpr.retention.bulk.lists import Due, at_places, due_by_decision, due_by_list, places
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


NOTHING = Plan((), ())


def planned(bulk: Bulk) -> dict[str, int]:
    """How many rows of each record type and step would be erased by what `bulk` has just decided."""
    due = due_by_decision(bulk.work)
    found = {one.name: _count(due[one.name].keys()) for one in in_order(bulk)}
    counts = {name: bulk.connection.execute(query).scalar_one() for name, query in found.items()}
    return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True)
class Erased:
    """What the statements of a plan did. `opened`: rows in which a reference was nulled before they went themselves.
    `dragged`: rows that the engine would have changed or deleted along with those of the plan, so that it was stopped.
    `alike`: rows that the engine does not count as changed, as a step before had written just the same into them.
    """

    reached: Mapping[str, int]
    opened: int
    dragged: int
    alike: int = 0

    @property
    def changes(self) -> int:
        """How many changes of rows this makes."""
        return sum(self.reached.values()) + self.opened - self.alike


class Eraser:
    """The statements that erase what is due, by the last decision or by the lists, written once for many batches."""

    def __init__(self, bulk: Bulk, *, listed: bool = False) -> None:
        self._bulk = bulk
        self._backend = backend_of(bulk.connection)
        due = due_by_list(bulk.work) if listed else due_by_decision(bulk.work)
        self._due = {found.name: due[found.name] for found in in_order(bulk) if found.name in due}
        self._keys = {name: one.keys() for name, one in self._due.items()}
        self._subjects = at_places(bulk.work.todo) if listed else bulk.due_subjects()
        self._dragging = {name: list(self._taken_along(one)) for name, one in self._due.items()}
        self._erasing = {name: self._statement(one) for name, one in self._due.items()}
        self._openings = [
            self._undoing(opening) for opening in erasing_order(bulk.catalogue, self._backend).openings
        ]

    def plan(self, chunk: Chunk | None = None) -> Plan:
        """What to erase: of what is listed, at these places."""
        at = places(chunk)
        erasures = []
        for name, due in self._due.items():
            if keys := self._read(self._keys[name], at):
                erasures.append(Erasure(name, values_of(due.found), keys))
        return Plan(tuple(erasures), self._read(self._subjects, at))

    def _read(self, query: sa.Select[Any], at: Mapping[str, int]) -> tuple[Key, ...]:
        """Keys as the driver gives them, where SQLAlchemy would change nothing of it: a night has a million."""
        connection = self._bulk.connection
        if any(
            column.type.dialect_impl(connection.dialect).result_processor(connection.dialect, None)
            for column in query.selected_columns
        ):
            return tuple(map(tuple, connection.execute(query, at).all()))
        return self._backend.plain_rows(connection, query, at)

    def erase(self, plan: Plan, chunk: Chunk | None = None) -> Erased:
        """Carry out a plan within the transaction that it was made in."""
        connection, at = self._bulk.connection, places(chunk)
        opened = sum(int(connection.execute(undo, at).rowcount) for undo in self._openings)
        reached: dict[str, int] = {}
        alike, written = 0, set[str]()
        for erasure in plan.erasures:
            dragged = sum(len(connection.execute(query, at).all()) for query in self._dragging[erasure.name])
            if dragged:
                return Erased(reached, opened, dragged)
            table = self._due[erasure.name].found.bound.table
            if not self._backend.counts_unchanged and erasure.values is not None and table in written:
                alike += len(erasure.keys) - self._left(erasure, at)
            written.add(table)
            reached[erasure.name] = connection.execute(self._erasing[erasure.name], at).rowcount
        return Erased(reached, opened, 0, alike)

    def left_over(self, plan: Plan, chunk: Chunk | None = None) -> int:
        """How many rows of the plan that was just carried out are still as they were before it, by the database.

        A row that was deleted, and counted as such, can only be there again if something has written it, which is
        counted, too: asked of are those of tables with triggers, and those that are replaced.
        """
        left = 0
        for erasure in plan.erasures:
            if erasure.values is not None or self._has_triggers(self._due[erasure.name].found):
                left += self._left(erasure, places(chunk))
        return left

    def _left(self, erasure: Erasure, at: Mapping[str, int]) -> int:
        """How many rows of an erasure are as they were before it."""
        due = self._due[erasure.name]
        query = _as_before(due.found, erasure, due.table, due.key).where(*due.tests)
        query = query.with_only_columns(*due.key).distinct()  # a row of several owners is due once for each
        return int(self._bulk.connection.execute(_count(query), at).scalar_one())

    def _has_triggers(self, found: Candidates) -> bool:
        """PostgreSQL's rules are triggers, too: one of them can have another table's rows deleted instead."""
        known = self._bulk.catalogue.schema.get("triggers")
        return not isinstance(known, list) or any(
            str(trigger).startswith(f"{found.bound.table}.") for trigger in known
        )

    def _statement(self, due: Due) -> Any:
        table, values = due.found.bound.sa_table, values_of(due.found)
        statement: sa.Delete | sa.Update = sa.delete(table)
        if values is not None:
            statement = sa.update(table).values(_replacements(self._bulk.catalogue, due.found, values))
        return self._of_due(due, statement)

    def _undoing(self, opening: Opening) -> Any:
        """Null a reference in rows that are deleted later in this batch."""
        due = self._due[opening.record]
        column = due.found.bound.sa_table.c[opening.column]
        undo = sa.update(column.table).values({column: None}).where(column.is_not(None))
        return self._of_due(due, undo)

    def _of_due(self, due: Due, statement: Any) -> Any:
        """A DELETE or UPDATE of the rows that are due, and no others."""
        keys = [due.found.bound.sa_table.c[name] for name in due.found.bound.key]
        if self._backend.joins_deletes:
            return statement.where(*_same(keys, due.key), *due.tests)
        chosen = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
        return statement.where(chosen.in_(due.keys()))

    def _taken_along(self, due: Due) -> Iterator[sa.Select[Any]]:
        """The rows that still refer to those that are to be deleted now, by foreign keys that would take them along; or
        to the columns that are to be replaced now, by any.

        Only where the engine does not count what it changes by itself.
        """
        if self._backend.counts_cascades:
            return
        found, values = due.found, values_of(due.found)
        table = found.bound.sa_table
        for key in references_to(self._bulk.catalogue, found.bound.table):
            harmless = key.on_delete in ("NO ACTION", "RESTRICT")
            if harmless if values is None else values.keys().isdisjoint(key.target_columns):
                continue
            referring = sa.table(key.table, *(sa.column(name) for name in key.columns)).alias()
            ends = zip(key.columns, key.target_columns, strict=True)
            query: sa.Select[Any] = (
                sa.select(sa.literal_column("1"))
                .select_from(referring)
                .join(table, sa.and_(*(referring.c[own] == table.c[other] for own, other in ends)))
                .join(due.table, sa.and_(*_same([table.c[name] for name in found.bound.key], due.key)))
                .where(*due.tests)
                .with_for_update(read=True)
            )
            yield query


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


def _as_before(
    found: Candidates, erasure: Erasure, keys: sa.FromClause, key: Sequence[Any]
) -> sa.Select[int]:
    """A row for each of these keys whose row is still as it was before the erasure."""
    table = found.bound.sa_table
    own = [table.c[name] for name in found.bound.key]
    query: sa.Select[int] = sa.select(sa.literal_column("1").label("one"))
    query = query.select_from(keys.join(table, sa.and_(*_same(own, key))))
    return query if erasure.values is None else query.where(sa.not_(replaced(table, erasure.values, own)))


def _count(rows: sa.Select[*tuple[Any, ...]]) -> sa.Select[int]:
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


def _same(left: Sequence[Any], right: Sequence[Any]) -> list[sa.ColumnElement[bool]]:
    return [one == other for one, other in zip(left, right, strict=True)]

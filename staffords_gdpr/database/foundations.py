"""Rows of other tables that a rule reads on its way must not be erased before the row that it decides for (R5, R6).

A reference is held by R5, a date of the subject by R6. A link table, or a table of further values, is neither: its
rows are found by a condition. If they were a record type with a rule of its own, or if anonymising replaced what is
read there, the last day of the row would move by itself. So that is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.schema import TableFacts
from staffords_gdpr.policy.models import Condition, Hop, LookUp, Policy, Record

Path = tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """Columns of another table that a record type's rule reads, and where the policy says so.

    `on`: of a date, how the row leads there: columns of that table and of the row's own.
    """

    table: str
    columns: frozenset[str]
    path: Path
    on: frozenset[tuple[str, str]] | None = None


def check_foundations(
    policy: Policy,
    tables: Mapping[str, TableFacts],
    edges: Mapping[str, Sequence[Edge]],
    misfits: Misfits,
) -> None:
    """Note every table that a rule reads, and whose rows could go, or be replaced, before the row itself.

    `edges` are the links that the policy gives, by record type.
    """
    for name, record in policy.ours.items():
        above = _owners(policy, name)
        for reading in _readings(record):
            types = [other for other in policy.ours if tables[other].name == reading.table]
            for other in types:
                if other != name:
                    _hold_against(policy, name, above, policy.ours[other], reading, misfits)
            if name in types or (
                types and reading.on is not None and not _hangs_below(edges, name, above, types, reading.on)
            ):
                misfits.add(
                    "goes-too-soon",
                    reading.path,
                    f"'{name}' reads rows of {reading.table} here that need not be its own, and could be erased before "
                    "it",
                    f"Read rows that belong to '{name}' over the very columns of that link",
                )


def _hangs_below(
    edges: Mapping[str, Sequence[Edge]],
    name: str,
    above: set[str],
    types: Sequence[str],
    on: frozenset[tuple[str, str]],
) -> bool:
    """Whether rows of one of these types, found over `on`, belong to the row, or to its owner as the row does."""
    owner = next((edge for edge in edges[name] if edge.kind == "belongs_to"), None)
    for other in types:
        link = next((edge for edge in edges[other] if edge.kind == "belongs_to"), None)
        if link is None or link.target not in above:
            continue
        if link.target == name and frozenset(link.columns) == on:
            return True
        if owner is not None and owner.direct and link.target == owner.target:
            up = {theirs: own for own, theirs in owner.columns}
            if frozenset((own, up.get(theirs, "")) for own, theirs in link.columns) == on:
                return True
    return False


def _hold_against(
    policy: Policy, name: str, above: set[str], read: Record, reading: Reading, misfits: Misfits
) -> None:
    carrier = policy.carrier(read.name)
    if carrier not in above:
        goes = "has a rule of its own" if carrier == read.name else f"goes with its '{carrier}'"
        misfits.add(
            "goes-too-soon",
            reading.path,
            f"'{name}' reads table {reading.table} here, whose rows are '{read.name}', which {goes} and could be "
            f"erased before the '{name}' that needs it",
            f"Let '{read.name}' belong to '{name}' without a rule of its own",
        )
    replaced = {*(read.anonymise or ()), *(column for step in read.sooner for column in step.anonymise)}
    for column in sorted(replaced & reading.columns):
        misfits.add(
            "replaced-too-soon",
            reading.path,
            f"'{name}' reads {reading.table}.{column} here, which anonymising '{read.name}' would replace",
            "Leave that column out of the list",
        )


def _owners(policy: Policy, name: str) -> set[str]:
    """The record type and its owners, up to the subject: they stay as long as the row does (R4)."""
    found = {name}
    while (owner := policy.owner(name)) is not None:
        found.add(owner)
        name = owner
    return found


def _readings(record: Record) -> Iterator[Reading]:
    at: Path = ("records", record.name)
    if record.belongs_to is not None and record.belongs_to.through:
        last = [own for way in record.belongs_to.on for own in way]
        yield from _hops(record.belongs_to.through, last, (*at, "through"))
    for date in record.dates.values():
        if date.through:
            last = [date.column, *([date.plus.column] if date.plus and date.plus.column else [])]
            yield from _hops(date.through, last, (*at, "dates", date.name, "through"), dated=True)
    yield from _look_ups(record.where, (*at, "where"))
    for which, keep in (("keep", record.keep), ("orphans", record.orphans)):
        if keep is not None:
            yield from _look_ups(keep.while_, (*at, which, "while"))
    for step in record.sooner:
        if step.keep is not None:
            yield from _look_ups(step.keep.while_, (*at, "sooner", step.name, "while"))


def _hops(through: tuple[Hop, ...], last: list[str], path: Path, *, dated: bool = False) -> Iterator[Reading]:
    for place, hop in enumerate(through):
        further = through[place + 1].on.values() if place + 1 < len(through) else last
        conditions = hop.where.columns if hop.where else ()
        here = (*path, str(place))
        on = frozenset(hop.on.items()) if dated and place == 0 else None
        yield Reading(hop.table, frozenset([*hop.on, *conditions, *further]), here, on)
        yield from _look_ups(hop.where, here)


def _look_ups(condition: Condition | None, path: Path) -> Iterator[Reading]:
    for column, test in condition.columns.items() if condition else ():
        if isinstance(test, LookUp):
            here = (*path, column)
            yield Reading(test.table, frozenset([test.column, *test.where.columns]), here)
            yield from _look_ups(test.where, here)

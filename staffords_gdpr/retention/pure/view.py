"""Which rows are of which record type, and to which owners they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge
from staffords_gdpr.retention.pure.conditions import Line, Tables
from staffords_gdpr.retention.pure.dates import DateReader
from staffords_gdpr.retention.pure.values import comparable, comparable_key
from staffords_gdpr.retention.states import Key


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """A row of a record type. `links`: the values of its owners' columns, each owner once, none with a NULL.

    `contested`: it has an owner of another kind as well.
    """

    line: Line
    links: tuple[Key, ...]
    contested: bool = False


class View:
    """The rows of every record type.

    A row is of a record type when `where` is true of it, and when it does not hang below a row of another kind: one of
    the owner's table that is not of the owner's record type. Of several owners those of another kind are none.
    A row that has both is contested: somebody whom the policy does not know needs it, too.
    """

    def __init__(self, catalogue: Catalogue, tables: Tables, reader: DateReader) -> None:
        self._catalogue = catalogue
        self._tables = tables
        self._reader = reader
        self.owners_first = _owners_first(catalogue)
        self.members: dict[str, list[Member]] = {}
        self._known: dict[str, set[int]] = {}
        for name in self.owners_first:
            found = self._members(catalogue.records[name])
            self.members[name] = found
            if self.divided(name):
                self._known[name] = {id(member.line) for member in found}

    def divided(self, record: str) -> bool:
        """Whether a row of the record type's table may be of another kind."""
        bound = self._catalogue.records.get(record)
        if bound is None:
            return False
        return bound.record.where is not None or (
            bound.owner is not None and self.divided(bound.owner.target)
        )

    def is_member(self, record: str, line: Line) -> bool:
        """Whether a row of the record type's table is of it."""
        return record not in self._known or id(line) in self._known[record]

    def values(self) -> list[Key]:
        """The subjects that have no table: each value once, in the order in which it is met."""
        found: dict[object, object] = {}
        for ref in self._catalogue.policy.records[self._catalogue.policy.subject].values_of:
            for member in self.members[ref.record]:
                value = member.line[ref.column]
                if value is not None:
                    found.setdefault(comparable(value), value)
        return [(value,) for value in found.values()]

    def links(self, edge: Edge, line: Line) -> list[Key]:
        """The values of the target's columns to which an edge leads from a row, each once."""
        if edge.direct:
            key = tuple(line[own] for own, _ in edge.columns)
            return [] if None in key else [key]
        found: dict[Key, Key] = {}
        for last in self._tables.along(edge.through, line):
            for end in edge.ends:
                own_of = {other: own for own, other in end}
                key = tuple(last[own_of[other]] for _, other in edge.columns)
                if None not in key:
                    found.setdefault(comparable_key(key), key)
        return list(found.values())

    def _members(self, bound: Bound) -> list[Member]:
        lines, owner = self._tables.all(bound.table), bound.owner
        if bound.record.where is not None:
            lines = [line for line in lines if self.passes(bound, line)]
        if owner is None:
            return [Member(line, ()) for line in lines]
        divided, found = self.divided(owner.target), []
        for line in lines:
            links = self.links(owner, line)
            ours = [link for link in links if self._allowed(owner, link)] if divided else links
            if ours or not links:
                found.append(Member(line, tuple(ours), contested=len(ours) < len(links)))
        return found

    def passes(self, bound: Bound, line: Line) -> bool:
        """Whether `where` is true of a row."""

        def read(column: str) -> object:
            raw = line[column]
            date = None if column in bound.record.dates else bound.dates.get(column)
            return None if date is not None and self._reader.is_empty(raw, date.kind) else raw

        return self._tables.passes(bound.record.where, line, read) is True

    def _allowed(self, owner: Edge, link: Key) -> bool:
        """Whether a link leads to no row of another kind."""
        table = self._catalogue.records[owner.target].table
        there = self._tables.find(table, tuple(other for _, other in owner.columns), link)
        return not there or any(self.is_member(owner.target, line) for line in there)


def valued(catalogue: Catalogue) -> Bound | None:
    """The subject as if it had a table, where it is known by a value alone."""
    if catalogue.subject is not None:
        return None
    record = catalogue.policy.records[catalogue.policy.subject]
    key = catalogue.subject_key
    return Bound(record, "", key, key, {}, None, (), cast(Any, None))


def _owners_first(catalogue: Catalogue) -> list[str]:
    ordered: list[str] = []

    def place(name: str) -> None:
        if name in catalogue.records and name not in ordered:
            owner = catalogue.records[name].owner
            if owner is not None:
                place(owner.target)
            ordered.append(name)

    for name in catalogue.records:
        place(name)
    return ordered

"""Each record type as one flat relation: its members only, with every column that a rule can read.

A row is a member when `where` is true of it and it does not hang below a row of another kind: its owner link leads to
no row of the owner's table that is no member of the owner's record type. A row with several owners appears once for
each; those of another kind are none, and a row that has only such owners is no member. One that has both is contested:
somebody whom the policy does not know needs it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, DateSource, Edge
from staffords_gdpr.policy.models import Hop
from staffords_gdpr.retention.bulk.conditions import Column, Condition, bare, columns_in, passes, plainly
from staffords_gdpr.retention.bulk.dates import Days

VALUE = "value"
"""The only column of a subject that has no table: it is known by this value."""


class Views:
    """The views of one catalogue. Each is built once; every use takes an alias of it.

    A record type that is simply a table is that table itself, so that its queries and their plans stay as they are.
    """

    def __init__(self, catalogue: Catalogue, days: Days) -> None:
        self.catalogue = catalogue
        self.days = days  # which says nothing of today: these views are the same at any moment
        self._appearances: dict[str, sa.FromClause] = {}
        self._members: dict[tuple[str, bool], sa.FromClause] = {}

    def appearances(self, record: str) -> sa.FromClause:
        """The record type with its owner columns, if any: a row once for each way to an owner, so perhaps twice for
        one owner, and once with NULL in them where it has none.
        """
        if record not in self._appearances:
            bound = self.catalogue.records.get(record)
            if bound is None:
                self._appearances[record] = self._values
            elif bound.owner is None or bound.owner.direct:
                self._appearances[record] = self.members(record)
            elif len(bound.owner.ends) > 1:
                self._appearances[record] = self._several_ways(bound, bound.owner)
            else:
                self._appearances[record] = self._one_way(bound, bound.owner)
        return self._appearances[record]

    def members(self, record: str, *, dated: bool = True) -> sa.FromClause:
        """The record type without owner columns, each row once.

        `dated`: with what computed dates are made of. Where only keys and columns are asked for it is left out:
        SQLite's parser gives up on expressions that stand too deep.
        """
        if (record, dated) not in self._members:
            bound = self.catalogue.records.get(record)
            found = self._values if bound is None else self._only_members(bound, dated=dated)
            self._members[record, dated] = found
        return self._members[record, dated]

    def divided(self, record: str) -> bool:
        """Whether a row of the record type's table may be no member of it."""
        bound = self.catalogue.records.get(record)
        if bound is None:
            return False
        return bound.record.where is not None or (
            bound.owner is not None and self.divided(bound.owner.target)
        )

    def contestable(self, bound: Bound) -> bool:
        """Whether a row can have an owner of another kind beside its own."""
        owner = bound.owner
        return owner is not None and not owner.direct and self.divided(owner.target)

    def contested(self, bound: Bound, table: sa.FromClause) -> Condition:
        """The row has an owner of another kind, on any way."""
        owner = bound.owner
        if owner is None or not self.contestable(bound):
            return sa.false()
        return sa.or_(*(self._leading(owner, end, table, to="strangers") for end in range(len(owner.ends))))

    # -- what they are made of -----------------------------------------------------------------------------------

    def _table(self, bound: Bound, *, dated: bool = True) -> sa.FromClause:
        """The whole table, with the database's own expressions: read where no other table can confuse their names."""
        table: sa.FromClause = bound.sa_table
        if bound.expressions:
            own: list[Column] = [
                sa.literal_column(f"({text})").label(name) for text, name in bound.expressions.items()
            ]
            table = sa.select(*table.c, *own).select_from(table).subquery()
        starts = [
            self.days.day(table.c[date.column], date.kind, event=False, zone=date.zone, early=True).label(
                start_of(date)
            )
            for date in bound.dates.values()
            if dated and date.plus is not None and not date.through
        ]
        return sa.select(*table.c, *starts).subquery() if starts else table

    def _where(self, bound: Bound, table: sa.FromClause) -> list[Condition]:
        given = bound.record.where
        if given is None:
            return []

        def empty(name: str) -> Condition | None:
            date = bound.dates.get(name)
            if date is None or name in bound.record.dates:
                return None
            return self.days.is_empty(table.c[name], date.kind)

        return [passes(given, table, empty, bound.expressions)]

    def _only_members(self, bound: Bound, *, dated: bool) -> sa.FromClause:
        owner = bound.owner
        if not self.divided(bound.record.name):
            return self._table(bound, dated=dated)
        table = self._table(bound, dated=dated).alias()
        tests = self._where(bound, table)
        if owner is not None and self.divided(owner.target):
            if owner.direct:
                tests.append(self._allowed(owner, [table.c[own] for own, _ in owner.columns]))
            else:
                leading = [self._leading(owner, end, table) for end in range(len(owner.ends))]
                ours = [self._leading(owner, end, table, to="ours") for end in range(len(owner.ends))]
                tests.append(sa.or_(*ours, sa.not_(sa.or_(*leading))))
        return sa.select(*table.c).where(*tests).subquery()

    def _allowed(self, owner: Edge, link: Sequence[Column]) -> Condition:
        """Of a row with this link: it leads to no row of another kind."""
        if not self.divided(owner.target):
            return sa.true()
        every = self._table(self.catalogue.records[owner.target], dated=False).alias()
        members = self.members(owner.target, dated=False).alias()
        there, ours = (
            sa.select(sa.literal(1))
            .select_from(rows)
            .where(*(rows.c[other] == own for (_, other), own in zip(owner.columns, link, strict=True)))
            .correlate_except(rows)
            .exists()
            for rows in (every, members)
        )
        return sa.or_(sa.not_(there), ours)

    def _one_way(self, bound: Bound, owner: Edge) -> sa.FromClause:
        """A way over other tables. One SELECT, which engines read from either side: from the row or from the owner."""
        table = self._table(bound).alias()
        (end,) = owner.ends
        hops = hops_of(owner.through, [own for own, _ in end])
        link = [hops[-1].c[own] for own, _ in end]
        whole = [column.is_not(None) for column in link]
        source = table.outerjoin(
            chained(owner.through, hops), sa.and_(first_hop(owner.through, hops, table), *whole)
        )
        labelled = [column.label(name) for column, (name, _) in zip(link, owner.columns, strict=True)]
        tests = [*self._where(bound, table), self._allowed(owner, link)]
        return sa.select(*table.c, *labelled).select_from(source).where(*tests).subquery()

    def _several_ways(self, bound: Bound, owner: Edge) -> sa.FromClause:
        """One part for each way, and one for the rows that lead nowhere."""
        parts = []
        for end in owner.ends:
            table = self._table(bound).alias()
            source, last = self._over(owner.through, table, [own for own, _ in end])
            link = [last.c[own] for own, _ in end]
            labelled = [column.label(name) for column, (name, _) in zip(link, owner.columns, strict=True)]
            tests = [
                *self._where(bound, table),
                *(column.is_not(None) for column in link),
                self._allowed(owner, link),
            ]
            parts.append(sa.select(*table.c, *labelled).select_from(source).where(*tests))
        table = self._table(bound).alias()
        nowhere = [sa.not_(self._leading(owner, end, table)) for end in range(len(owner.ends))]
        empty = [self._nothing(owner, table, place) for place in range(len(owner.columns))]
        parts.append(sa.select(*table.c, *empty).where(*self._where(bound, table), *nowhere))
        return sa.union_all(*parts).subquery()

    def _nothing(self, owner: Edge, table: sa.FromClause, place: int) -> sa.Label[Any]:
        """An owner column of a row that leads nowhere, if possible one that is NULL there: SQLite reads the parts
        apart, by their indexes, only where they are of the same type.
        """
        name, _ = owner.columns[place]
        direct = not owner.through and len(owner.columns) == 1
        return (table.c[owner.ends[0][0][0]] if direct else sa.null()).label(name)

    def _leading(
        self, owner: Edge, end: int, table: sa.FromClause, *, to: Literal["any", "ours", "strangers"] = "any"
    ) -> Condition:
        """The row has an owner this way: any, one that is not of another kind, or one that is."""
        names = [own for own, _ in owner.ends[end]]
        if not owner.through:
            link = [table.c[name] for name in names]
            given = sa.and_(*(column.is_not(None) for column in link))
            return sa.and_(given, self._wanted(owner, link, to))
        hops = hops_of(owner.through, names)
        link = [hops[-1].c[name] for name in names]
        return (
            sa.select(sa.literal(1))
            .select_from(chained(owner.through, hops))
            .where(first_hop(owner.through, hops, table), *(column.is_not(None) for column in link))
            .where(self._wanted(owner, link, to))
            .correlate(table)
            .exists()
        )

    def _wanted(self, owner: Edge, link: Sequence[Column], to: str) -> Condition:
        if to == "any":
            return sa.true()
        allowed = self._allowed(owner, link)
        return allowed if to == "ours" else sa.not_(allowed)

    def _over(
        self, through: Sequence[Hop], table: sa.FromClause, names: Sequence[str]
    ) -> tuple[sa.FromClause, sa.FromClause]:
        """`table` joined along the way, and the last table of it."""
        if not through:
            return table, table
        hops = hops_of(through, names)
        return table.join(chained(through, hops), first_hop(through, hops, table)), hops[-1]

    @cached_property
    def _values(self) -> sa.FromClause:
        """The subjects that have no table: each distinct value of their columns."""
        parts = []
        for ref in self.catalogue.policy.records[self.catalogue.policy.subject].values_of:
            rows = self.members(ref.record, dated=False).alias()
            column = rows.c[ref.column]
            parts.append(sa.select(column.label(VALUE)).where(column.is_not(None)))
        return (sa.union(*parts) if len(parts) > 1 else parts[0].distinct()).subquery()


def start_of(source: DateSource) -> str:
    """The column as which the day is read to which time is added: the sum would repeat its expression too often."""
    return f"gdpr_start_{source.name}"


def hops_of(through: Sequence[Hop], wanted: Sequence[str]) -> list[sa.FromClause]:
    """The tables of a way, each with the columns that it needs; `wanted` are those asked of the last."""
    found = []
    for place, hop in enumerate(through):
        later = wanted if place == len(through) - 1 else through[place + 1].on.values()
        found.append(bare(hop.table, {*hop.on, *columns_in(hop.where), *later}))
    return found


def chained(through: Sequence[Hop], hops: Sequence[sa.FromClause]) -> sa.FromClause:
    """The tables of a way joined to each other, without the table that it starts from."""
    source = hops[0]
    for hop, here, there in zip(through[1:], hops, hops[1:], strict=False):
        source = source.join(there, _meets(hop, here, there))
    return source


def first_hop(through: Sequence[Hop], hops: Sequence[sa.FromClause], table: sa.FromClause) -> Condition:
    """That a row of the first table on the way is reached from the row of `table`."""
    return _meets(through[0], table, hops[0])


def _meets(hop: Hop, here: sa.FromClause, there: sa.FromClause) -> Condition:
    on = (there.c[own] == here.c[before] for own, before in hop.on.items())
    return sa.and_(*on, plainly(hop.where, there))

"""Whether what stands on the lists is still due: the rules once more, by what the database says now, under its locks.

A decision finds the largest set of rows in which the rules hold. To see that a set which was found is still one takes
less: each row of it has passed its own rule (R1 to R3), and nothing outside of it needs one (R4 to R6). So nothing is
written for it. Here "outside" is all that does not stand at the same place, with the same subject.

Every doubt counts as a no: whoever asks then has the rules decide anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.policy.models import SubjectDate
from staffords_gdpr.retention.bulk.blocks import erased_already, is_a, referring_rows
from staffords_gdpr.retention.bulk.chain import (
    Column,
    Condition,
    holds_key,
    joined,
    key_in_link,
    key_of,
    numbered,
    owner_edges,
    same,
)
from staffords_gdpr.retention.bulk.codes import Code
from staffords_gdpr.retention.bulk.compiled import Compiled
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE
from staffords_gdpr.retention.bulk.evidence import carries, contributes, touched
from staffords_gdpr.retention.bulk.listing import subject_dates
from staffords_gdpr.retention.bulk.lists import clings_to_owner, goings, places, within
from staffords_gdpr.retention.bulk.rows import Chain, Rows
from staffords_gdpr.retention.bulk.todo import Chunk
from staffords_gdpr.retention.bulk.work import Candidates, decided_by, uses

Places = sa.Select[tuple[int]]
"""A query for the place of each row of some kind."""


class Recheck:
    """The rules over the lists. `rows` are those of Scope.SUBJECTS, chosen by their places."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._right = dict(self._all_right())  # of record types and steps, whatever their names
        self._wrong = list(self._all_wrong())
        counts = map(_counting, (self._dates(), *self._right.values(), *self._wrong))
        statement = sa.select(*(query.scalar_subquery().label(f"c{n}") for n, query in enumerate(counts)))
        self._counts = Compiled(statement, rows.work.dialect)

    def holds(self, connection: sa.Connection, chunk: Chunk, listed: Mapping[str, int]) -> bool:
        """Whether all that stands at these places is due. `listed`: how many rows that is, by record type and step."""
        found = self._counts.execute(connection, **places(chunk)).one()
        subjects, counts = int(found[0]), list(map(int, found[1:]))
        right, wrong = counts[: len(self._right)], counts[len(self._right) :]
        return (
            not any(wrong)
            and subjects == len(chunk)
            and all(count == listed.get(name, 0) for name, count in zip(self._right, right, strict=True))
        )

    def changed(self, connection: sa.Connection, chunk: Chunk) -> list[int]:
        """At which of these places not all is due: the same as the counts say, place by place."""

        def rows(query: Compiled) -> set[tuple[int, int]]:
            return {(row.place, row.rows) for row in query.execute(connection, **places(chunk))}

        found = [rows(listed) ^ rows(right) for listed, right in self._compared]
        found += map(rows, self._unwanted)
        return sorted({place for each in found for place, _ in each})

    @cached_property
    def _compared(self) -> list[tuple[Compiled, Compiled]]:
        """How many rows are listed at each place, and how many are right."""
        work = self._rows.work
        pairs = [(work.todo, self._dates()), *((work.lists[name], q) for name, q in self._right.items())]
        return [
            (self._by_place(sa.select(table.c.place).where(within(table))), self._by_place(right))
            for table, right in pairs
        ]

    @cached_property
    def _unwanted(self) -> list[Compiled]:
        return [self._by_place(wrong) for wrong in self._wrong]

    def _by_place(self, query: Places) -> Compiled:
        counts = query.add_columns(sa.func.count().label("rows")).group_by(*query.selected_columns)
        return Compiled(counts, self._rows.work.dialect)

    def _all_right(self) -> Iterator[tuple[str, Places]]:
        """What has to be counted as often as it is listed: rows that go by their own rule or with their owner."""
        work = self._rows.work
        for name in work.lists:
            found = work.candidates[name]
            parent = decided_by(self._rows.catalogue, found)
            yield name, self._own(found) if parent is None else self._with(found, work.candidates[parent])

    def _all_wrong(self) -> Iterator[Places]:
        """What must not be there: rows that stay and need one that is listed."""
        rows = self._rows
        for edge in rows.catalogue.edges:
            if edge.target in rows.work.lists:
                yield self._references(edge)
        for date in rows.policy.dates:
            if targets := self._touching(date):
                yield self._impossible(targets, date)
        for user in rows.work.candidates.values():
            used = {date: self._touching(date) for date in rows.policy.dates if uses(user, date)}
            if any(used.values()):
                yield self._evidence(user, used)

    def _touching(self, date: str) -> list[Candidates]:
        """What can take something away from a subject date."""
        rows = self._rows
        return [found for found in rows.work.candidates.values() if touched(rows.catalogue, found, date)]

    # -- rows by their own rule ----------------------------------------------------------------------------------

    def _dates(self) -> Places:
        """The listed subjects that are still there, with the dates that the decision saw."""
        rows = self._rows
        now, then = subject_dates(rows).subquery(), rows.known
        unchanged = [
            now.c[f"d_{date}"].is_not_distinct_from(then.c[f"d_{date}"]) for date in rows.policy.dates
        ]
        known = now.join(then, same(numbered(now, "s"), numbered(then, "s")))
        return sa.select(then.c.place).select_from(known).where(within(then), *unchanged)

    def _own(self, found: Candidates) -> Places:
        """The listed rows that have passed their own rule, and belong to the subject with whom they are listed."""
        listed = self._rows.work.lists[found.name]

        def only(chain: Chain) -> list[Condition]:
            same_row = same(numbered(listed, "k"), chain.row_key)
            return [within(listed), within(chain.dates), chain.dates.c.place == listed.c.place, same_row]

        if self._by_dates_alone(found):
            chain = self._rows.chain(found.bound.record.name)
            left = sa.not_(self._rows.erased(found, chain.aliases[found.bound.record.name]))
            return sa.select(listed.c.place).select_from(chain.source).where(*only(chain), left)
        row = self._rows.standing(found, only=only, more=[listed.c.place])
        passed = row.c.code == int(Code.CANDIDATE), row.c.done == 0, row.c.orphan == 0
        return sa.select(row.c.place).where(*passed)

    def _by_dates_alone(self, found: Candidates) -> bool:
        """The rule reads nothing but the subject's dates: what was due by them is due while they are the same."""
        keep = self._rows.rule(found).keep
        refs = [ref for ref in (keep.after, keep.or_else, *keep.or_until) if ref is not None]
        return keep.while_ is None and all(isinstance(ref, SubjectDate) for ref in refs)

    def _with(self, found: Candidates, parent: Candidates) -> Places:
        """The listed rows that still belong to one that is listed with them, and decides for them (R4)."""
        rows = self._rows
        listed, deciding = rows.work.lists[found.name].alias(), rows.work.lists[parent.name].alias()
        table = here = rows.views.appearances(found.bound.record.name).alias()
        source = listed.join(table, same(numbered(listed, "k"), key_of(table, found.bound)))
        decider: list[Column] = []
        for edge in owner_edges(rows.catalogue, found.bound.record.name):
            if edge.target == parent.name and holds_key(rows.catalogue, edge):
                # that this row is there, and a member, is counted where it is listed itself
                decider = key_in_link(rows.catalogue, edge, here)
                break
            above = rows.views.appearances(edge.target).alias()
            source = source.join(above, joined(here, edge, above))
            here = above
            if edge.target == parent.name:
                decider = key_of(here, parent.bound)
                break
        going = sa.and_(same(numbered(deciding, "k"), decider), deciding.c.place == listed.c.place)
        source = source.join(deciding, going)
        left = sa.not_(rows.erased(found, table))
        return sa.select(listed.c.place).select_from(source).where(within(listed), within(deciding), left)

    # -- rows that need others -----------------------------------------------------------------------------------

    def _references(self, edge: Edge) -> Places:
        """Rows that stay and refer over this edge to one that is listed (R4, R5)."""
        rows = self._rows
        target = rows.work.candidates[edge.target]
        listed = rows.work.lists[edge.target].alias()
        referring = referring_rows(rows, edge).alias()
        source, columns = self._columns(target, listed, [other for _, other in edge.columns])
        refers = [referring.c[own] == column for (own, _), column in zip(edge.columns, columns, strict=True)]
        stays: list[Condition] = [within(listed)]
        if edge.source is None:
            stays += [sa.not_(is_a(rows, name, referring)) for name in edge.beyond]
        else:
            bound = rows.catalogue.records[edge.source]
            if edge.source == edge.target:  # a row that refers to itself holds nothing
                stays.append(sa.not_(same(key_of(referring, bound), numbered(listed, "k"))))
            stays += [self._not_listed(going, referring, listed) for going in goings(rows.work, edge)]
            stays.append(sa.not_(erased_already(rows, rows.work.candidates[edge.source], referring)))
        return sa.select(listed.c.place).select_from(source.join(referring, sa.and_(*refers))).where(*stays)

    def _columns(
        self, target: Candidates, listed: sa.FromClause, names: list[str]
    ) -> tuple[sa.FromClause, list[Column]]:
        """Columns of listed rows, from their table where they are no part of the key."""
        key = target.bound.key
        if set(names) <= set(key):
            return listed, [listed.c[f"k{key.index(name)}"] for name in names]
        table = target.bound.sa_table.alias()
        source = listed.join(table, same(numbered(listed, "k"), key_of(table, target.bound)))
        return source, [table.c[name] for name in names]

    def _evidence(self, user: Candidates, used: Mapping[str, Sequence[Candidates]]) -> Places:
        """Subjects of whom a row stays that counts from a date whose latest day a listed row carries (R6). `used`: what
        can take something away from the dates that the user counts from.
        """
        rows = self._rows
        name = user.bound.record.name
        chain = rows.chain(name)
        going = [user] if user.step is None else [user, rows.work.candidates[name]]
        table = chain.aliases[name]
        stays = [self._not_listed(each, table, chain.dates) for each in going]
        if self._found_among_references(user):
            # where the subject goes as well, such a row is found among those that refer to it
            row = rows.work.lists[rows.policy.subject].alias()
            stays.append(sa.not_(sa.exists().where(within(row), row.c.place == chain.dates.c.place)))
        found = self._places(chain.source, chain.dates, used).where(
            *stays, sa.not_(erased_already(rows, user, table))
        )
        few = found.offset(0).subquery()  # a fence: these are looked for first
        carried = [
            self._carried(few, each, date, carries) for date, targets in used.items() for each in targets
        ]
        return sa.select(few.c.place).where(sa.or_(*carried))

    def _found_among_references(self, user: Candidates) -> bool:
        """Each such row that stays refers to its subject, and where that is listed is found by `_references`."""
        rows = self._rows
        subject = rows.policy.subject
        return subject in rows.work.lists and any(
            (edge.source, edge.target) == (user.name, subject) and clings_to_owner(rows.work, edge)
            for edge in rows.catalogue.edges
        )

    def _impossible(self, targets: Sequence[Candidates], date: str) -> Places:
        """Subjects with a date that is impossible, to which a listed row contributes (R6)."""
        dates = self._rows.known.alias()
        found = self._places(dates, dates, [date]).where(dates.c[f"d_{date}"] == IMPOSSIBLE)
        few = found.offset(0).subquery()
        carried = (self._carried(few, each, date, contributes) for each in targets)
        return sa.select(few.c.place).where(sa.or_(*carried))

    def _places(self, source: sa.FromClause, dates: sa.FromClause, used: Iterable[str]) -> sa.Select[Any]:
        """Places with the subject's dates."""
        columns = dates.c.place, *(dates.c[f"d_{date}"] for date in used)
        return sa.select(*columns).select_from(source).where(within(dates)).distinct()

    def _carried(
        self, few: sa.FromClause, target: Candidates, date: str, evidence: Callable[..., Condition]
    ) -> Condition:
        """A row that is listed at one of these places `carries` the date, or `contributes` to it."""
        rows = self._rows
        listed = rows.work.lists[target.name].alias()
        table = rows.views.appearances(target.bound.record.name).alias()
        carrying = evidence(rows.views, rows.days, target, table, few, date)
        here = [within(listed), listed.c.place == few.c.place, carrying]
        source = listed.join(table, same(numbered(listed, "k"), key_of(table, target.bound)))
        row = sa.select(sa.literal(1)).select_from(source).where(*here)
        return row.correlate(few).exists()

    def _not_listed(self, found: Candidates, table: sa.FromClause, at: sa.FromClause) -> Condition:
        listed = self._rows.work.lists[found.name].alias()
        key = same(numbered(listed, "k"), key_of(table, found.bound))
        # the first says nothing new, but how few these are
        return sa.not_(sa.exists().where(within(listed), listed.c.place == at.c.place, key))


def _counting(query: Places) -> sa.Select[tuple[int]]:
    return query.with_only_columns(sa.func.count(), maintain_column_froms=True)

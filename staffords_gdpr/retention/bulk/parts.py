"""A database in parts, each of some of the subjects, so that several connections can decide and erase at once.

A part is decided like any set of subjects (Scope.SUBJECTS): what is outside of it counts as staying, so it never shows
more as due than a decision over everything. It shows less only where a row of one part refers to a row of another, or
to one of nobody: `crossings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.retention.bulk.chain import Column, Condition, numbered
from staffords_gdpr.retention.bulk.lists import referred
from staffords_gdpr.retention.bulk.rows import Rows
from staffords_gdpr.retention.bulk.work import Work

NEIGHBOURS = 1_000
"""So many keys that follow each other are in one part: their rows are often stored side by side."""


@dataclass(frozen=True)
class Part:
    """One of `of` parts, the first being 0."""

    number: int
    of: int

    def of_subjects(self, key: Column) -> Condition:
        """That a subject is in this part, by its key, a whole number. The first has whoever is in no other."""
        chosen = (key // NEIGHBOURS) % self.of
        if self.number:
            return chosen == self.number
        return sa.func.coalesce(chosen.between(1, self.of - 1), sa.false()) == sa.false()


def divisible(work: Work) -> bool:
    """Whether there are parts: every row has one subject at most, and subjects are known by whole numbers."""
    return bool(work.lists) and len(work.subject_key) == 1 and isinstance(work.subject_key[0], sa.Integer)


def subjects_in(work: Work, part: Part) -> sa.Insert:
    """The statement that writes the subjects of a part into the scope."""
    table = work.views.appearances(work.catalogue.policy.subject).alias()
    key = table.c[work.catalogue.subject_key[0]]
    return sa.insert(work.scope).from_select(["s0"], sa.select(key).where(part.of_subjects(key)))


def rows_of_nobody(rows: Rows) -> Iterator[sa.Insert]:
    """The statements that write the rows that reach no subject into the scopes of their record types. `rows` are those
    of Scope.ROWS.
    """
    for name, scope in rows.work.row_scopes.items():
        if name == rows.policy.subject:
            continue
        chain = rows.chain(name)
        alone = sa.select(*chain.row_key).select_from(chain.source).where(chain.subject[0].is_(None))
        yield sa.insert(scope).from_select([column.name for column in numbered(scope, "k")], alone)


def crossings(rows: Rows, part: Part | None) -> Iterator[sa.Select[Any]]:
    """Queries for rows that the last decision has blocked and to which a row refers that it did not look at: what holds
    them may be due itself. It has decided this part; None: the rows of nobody. `rows` are those of Scope.ROWS.
    """
    work = rows.work
    for edge in rows.catalogue.edges:
        if edge.source is None or edge.target not in work.candidates or edge.kind == "belongs_to":
            continue
        target = work.candidates[edge.target]
        chain = rows.chain(edge.source)
        blocked, row = target.table.alias(), chain.aliases[edge.source]
        subject = chain.subject[0]
        outside = (
            subject.is_not(None)
            if part is None
            else sa.or_(subject.is_(None), sa.not_(part.of_subjects(subject)))
        )
        yield (
            sa.select(sa.literal(1))
            .select_from(chain.source.join(blocked, referred(target, blocked, edge, row)))
            .where(blocked.c.why >= 0, outside)
            .limit(1)
        )

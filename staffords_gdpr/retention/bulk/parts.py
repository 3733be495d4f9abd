"""A database in parts, each of some of the subjects, so that several connections can decide and erase at once.

A part is decided like any set of subjects (Scope.SUBJECTS): what is outside of it counts as staying, so it never shows
more as due than a decision over everything. It shows less only where a row outside holds one of its rows and is due
itself: such a row has passed its own rule, which does not depend on who asks (`holding_from_outside`, `may_go`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from staffords_gdpr.retention.bulk.chain import Column, Condition, numbered, same
from staffords_gdpr.retention.bulk.lists import goings, referred
from staffords_gdpr.retention.bulk.work import Work
from staffords_gdpr.retention.states import Key

if TYPE_CHECKING:
    from staffords_gdpr.retention.bulk.rows import Rows

NEIGHBOURS = 1_000
"""So many keys that follow each other are in one part: their rows are often stored side by side."""
_MOST = 50_000
"""So many rows from outside are looked up with those who decide about them."""


@dataclass(frozen=True)
class Part:
    """One of `of` parts, the first being 0."""

    number: int
    of: int

    def of_subjects(self, key: Column) -> Condition:
        """That a subject is in this part, by its key, a whole number. The first has whoever is in no other."""
        chosen = (key // NEIGHBOURS) % self.of
        # with coalesce, which PostgreSQL expects to be true of half of the rows, and not of one in two hundred
        if self.number:
            return sa.func.coalesce(chosen == self.number, sa.false()) == sa.true()
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


@dataclass(frozen=True)
class Outside:
    """Rows outside of a decision that hold a row it has blocked: if they go themselves, more may be due. `names`: as
    what they can go (their record type, or a step that lets go). `keys`: those that belong to a subject, None for too
    many; `nobodys`: whether there are others.
    """

    names: tuple[str, ...]
    keys: frozenset[Key] | None
    nobodys: bool


def holding_from_outside(rows: Rows, connection: sa.Connection, part: Part | None) -> Iterator[Outside]:
    """What holds from outside what the last decision has blocked. It has decided this part; None: the rows of nobody.
    `rows` are those of Scope.ROWS.
    """
    work = rows.work
    for edge in rows.catalogue.edges:
        if edge.source is None or edge.target not in work.candidates or edge.kind == "belongs_to":
            continue
        target = work.candidates[edge.target]
        chain = rows.chain(edge.source)
        blocked, row = target.table.alias(), chain.aliases[edge.source]
        subject = chain.subject[0]
        elsewhere = subject.is_not(None) if part is None else sa.not_(part.of_subjects(subject))
        holding = (
            sa.select(*chain.row_key)
            .select_from(chain.source.join(blocked, referred(target, blocked, edge, row)))
            .where(blocked.c.why >= 0)
            .distinct()
        )
        names = tuple(going.name for going in goings(work, edge))
        found = connection.execute(holding.where(subject.is_not(None), elsewhere).limit(_MOST + 1)).all()
        nobodys = part is not None and connection.execute(holding.where(subject.is_(None)).limit(1)).first()
        if found or nobodys:
            keys = frozenset(map(tuple, found)) if len(found) <= _MOST else None
            yield Outside(names, keys, bool(nobodys))


def may_go(work: Work, names: Sequence[str], key: sa.Table | None = None) -> sa.Select[tuple[int]]:
    """Whether a row that the last decision looked at has passed its own rule as one of these; of those in `key`, a
    table of keys, if that is given.
    """
    found = []
    for name in names:
        table = work.candidates[name].table
        passed = sa.select(sa.literal(1)).where(sa.or_(table.c.why.is_(None), table.c.why >= 0))
        found.append(passed if key is None else passed.where(same(numbered(table, "k"), list(key.c))))
    return sa.select(sa.case((sa.or_(*(each.exists() for each in found)), 1), else_=0))

"""What holds a row that has passed its own rule: R4 (children), R5 (references), R6 (evidence), as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.retention.bulk.chain import Column, Condition, key_of, numbered, same, with_subject
from staffords_gdpr.retention.bulk.codes import Code
from staffords_gdpr.retention.bulk.dates import IMPOSSIBLE
from staffords_gdpr.retention.bulk.evidence import carries, contributes, touched
from staffords_gdpr.retention.bulk.lists import clings_to_owner, goings
from staffords_gdpr.retention.bulk.rows import Rows, Scope
from staffords_gdpr.retention.bulk.work import Candidates, decided_by, nulls, parent_of, undone, uses

Kind = Literal["reference", "evidence", "impossible evidence", "goes with", "another owner"]


@dataclass(frozen=True, eq=False)
class Block:
    """One reason for which candidates stay. The statements mark those of `target` with the round `now`; they read the
    candidates in `reads`, of which the last round, `before`, changed some.
    """

    kind: Kind
    target: str
    by: str  # the record type or step, or the undeclared table, that needs the row
    date: str
    reads: frozenset[str]
    everywhere: sa.Update
    after: Mapping[
        str, sa.Update
    ]  # by what it reads: the same, looking only at what the last round changed there


def blocks(rows: Rows, *, joins: bool, joins_few: bool) -> list[Block]:
    """Every way in which a candidate can be held, references first. A candidate's `why` is the place in this list.

    `joins`: whether the engine takes an UPDATE of a table that is joined with a subquery. `joins_few`: whether
    that is quicker than IN where the subquery is short (`Backend.reads_lists_anew`).
    """
    found: list[Block] = []
    for made in (
        *_references(rows),
        *_parents(rows),
        *_evidence(rows, joins=joins_few),
        *_other_owners(rows),
    ):
        table = rows.work.candidates[made.target].table
        mark = (
            sa.update(table)
            .values(why=len(found), r=sa.bindparam("now", type_=sa.Integer))
            .where(table.c.why.is_(None))
        )
        after = {
            name: mark.where(made.holds, near.condition(joined=joins and name != made.target))
            for name, near in made.near.items()
        }
        everywhere = mark.where(made.holds if made.at_first is None else made.at_first)
        found.append(
            Block(made.kind, made.target, made.by, made.date, frozenset(made.near), everywhere, after)
        )
    return found


def staying(rows: Rows) -> list[sa.Insert]:
    """The statements that list, once the candidates are, whose evidence is needed at first: the subjects with rows that
    use a subject date and are not going. What is blocked later is found by the rounds of blocking.
    """
    if rows.scope is Scope.ROWS:
        return []
    statements = []
    for name, table in rows.work.staying.items():
        query, subject = _staying(rows, rows.work.candidates[name])
        query = rows.of_scope(query, subject).where(*(column.is_not(None) for column in subject))
        statements.append(sa.insert(table).from_select(list(table.c.keys()), query.distinct()))
    return statements


@dataclass(frozen=True, eq=False)
class _Made:
    kind: Kind
    target: str
    by: str
    holds: Condition
    near: Mapping[str, _Among]  # by what is read: which targets can be touched by its last changes
    date: str = ""
    at_first: Condition | None = (
        None  # the same in the first round, where it is quicker told by what is `staying`
    )


@dataclass(frozen=True, eq=False)
class _Among:
    """That columns of a target are among keys. As a join of the UPDATE, which MariaDB reads from the keys, where it
    would look through them again for each target; but it joins no table that is updated itself.
    """

    columns: Sequence[Column]
    keys: sa.Select[Any]

    def condition(self, *, joined: bool) -> Condition:
        if joined:
            keys = self.keys.distinct().subquery()
            return same(self.columns, list(keys.c))
        return (self.columns[0] if len(self.columns) == 1 else sa.tuple_(*self.columns)).in_(self.keys)


def _references(rows: Rows) -> Iterator[_Made]:
    """A surviving row that refers to a candidate holds it, whoever declared the reference (R4, R5)."""
    for edge in rows.catalogue.edges:
        if edge.target not in rows.work.candidates:
            continue  # a subject without a row
        target = rows.work.candidates[edge.target]
        referring = referring_rows(rows, edge).alias()
        refers = [referring.c[own] == target.column(other) for own, other in edge.columns]
        if edge.source is None:
            refers += [sa.not_(is_a(rows, name, referring)) for name in edge.beyond]
            yield _Made("reference", edge.target, edge.source_table, sa.exists().where(*refers), {})
            continue
        source = rows.work.candidates[edge.source]
        if edge.source == edge.target:  # a row that refers to itself holds nothing
            refers.append(
                sa.or_(*(referring.c[n] != k for n, k in zip(target.bound.key, target.key, strict=True)))
            )
        going = goings(rows.work, edge)
        stays = [sa.not_(_due(each, referring)) for each in going]
        holds = sa.exists().where(*refers, *stays, sa.not_(erased_already(rows, source, referring)))
        columns = [target.column(other) for _, other in edge.columns]
        near = {each.name: _Among(columns, _changed_references(rows, each, edge)) for each in going}
        yield _Made("reference", edge.target, edge.source, holds, near, at_first=_stays_below(rows, edge))


def _stays_below(rows: Rows, edge: Edge) -> Condition | None:
    """Of a subject to whom rows belong that use a date: one of them is `staying`, which is known in the first round."""
    subject = rows.catalogue.subject
    if (
        rows.scope is Scope.ROWS
        or subject is None
        or edge.target != subject.record.name
        or edge.source not in rows.work.staying
        or not clings_to_owner(rows.work, edge)
    ):
        return None
    staying = rows.work.staying[edge.source].alias()
    return sa.exists().where(same(list(staying.c), rows.work.candidates[edge.target].key))


def _parents(rows: Rows) -> Iterator[_Made]:
    """Rows without a rule go with their owner, and `with:` steps with what they name: never before (R4)."""
    for found in rows.work.candidates.values():
        if found.step is not None:
            parent_name, own = found.step.with_, rows.work.candidates[found.bound.record.name]
        else:
            parent_name, own = parent_of(rows.catalogue, found.bound.record), None
        if parent_name is None:
            continue
        parent = rows.work.candidates[parent_name]
        stays = sa.and_(found.parent[0].is_not(None), sa.not_(_going(parent, found.parent)))
        yield _Made(
            "goes with", found.name, parent_name, stays, {parent_name: _Among(found.parent, _changed(parent))}
        )
        if own is not None:  # the step of an orphan goes with its own row
            alone = sa.and_(found.table.c.orphan > 0, sa.not_(_going(own, found.key)))
            yield _Made(
                "goes with", found.name, own.name, alone, {own.name: _Among(found.key, _changed(own))}
            )


def _other_owners(rows: Rows) -> Iterator[_Made]:
    """A row with several owners is due only if it is due under each."""
    for found in rows.work.candidates.values():
        if found.bound.several:
            other = found.table.alias()
            stays = sa.and_(other.c.why.is_not(None), other.c.why != -int(Code.DONE))
            held: Condition = sa.exists().where(same(numbered(other, "k"), found.key), stays)
            parent = decided_by(rows.catalogue, found)
            with_parent = parent is not None and rows.work.candidates[parent].bound.several
            if (
                rows.scope is not Scope.ALL and not with_parent
            ):  # what such a parent is held by, holds these too
                held = sa.or_(held, _outside(rows, found))
            near = {found.name: _Among(found.key, _changed(found))}
            yield _Made("another owner", found.name, found.bound.record.name, held, near)


def _outside(rows: Rows, found: Candidates) -> Condition:
    """The row has an owner whom this decision does not look at."""
    name = found.bound.record.name
    chain = rows.chain(name, outside=True)
    elsewhere = chain.subject[0].is_not(None) if rows.scope is Scope.ROWS else chain.subject[0].is_(None)
    rest = sa.select(sa.literal(1)).select_from(chain.source).where(same(chain.row_key, found.key), elsewhere)
    return rest.correlate(found.table).exists()


def _evidence(rows: Rows, *, joins: bool) -> Iterator[_Made]:
    """While a row stays whose rule uses a subject date, the rows that carry its latest day stay (R6)."""
    in_turn = sa.and_ if joins else _in_turn
    for date in rows.policy.dates:
        subjects = rows.work.subjects
        unknown = sa.select(*numbered(subjects, "s")).where(subjects.c[f"d_{date}"] == IMPOSSIBLE)
        for target in rows.work.candidates.values():
            if not touched(rows.catalogue, target, date):
                continue
            # few have such a subject: whether a row carries the date is asked last
            theirs = _Among(target.subject, unknown).condition(joined=joins)
            fed = in_turn(theirs, _has(contributes, rows, target, date))
            yield _Made("impossible evidence", target.name, target.bound.record.name, fed, {}, date)
            carrying = _has(carries, rows, target, date)
            for user in rows.work.candidates.values():
                if uses(user, date):
                    stays = sa.and_(_someone_stays(rows, user, target), carrying)
                    staying = rows.work.staying[user.name].alias()
                    someone = _Among(target.subject, sa.select(*staying.c)).condition(joined=joins)
                    read = {
                        user.name: user,
                        user.bound.record.name: rows.work.candidates[user.bound.record.name],
                    }
                    near = {
                        name: _Among(target.subject, _changed(each, each.subject))
                        for name, each in read.items()
                    }
                    at_first = in_turn(someone, carrying)
                    yield _Made("evidence", target.name, user.name, stays, near, date, at_first)


def _in_turn(first: Condition, then: Condition) -> Condition:
    """Both, the second asked only where the first is true. PostgreSQL would ask it of all rows, and first."""
    return sa.case((first, then), else_=sa.false()) == sa.true()


def _has(evidence: Callable[..., Condition], rows: Rows, target: Candidates, date: str) -> Condition:
    """The row `carries` the latest day of its subject's date, or `contributes` to one that is impossible."""
    table, dates = rows.views.appearances(target.bound.record.name).alias(), rows.work.subjects.alias()
    row = sa.select(sa.literal(1)).where(
        same(key_of(table, target.bound), target.key),
        same(numbered(dates, "s"), target.subject),
        evidence(rows.views, rows.days, target, table, dates, date),
    )
    return row.correlate(target.table).exists()


def _someone_stays(rows: Rows, user: Candidates, target: Candidates) -> Condition:
    """A row (or step) of `user` with the same subject as the target is not going."""
    query, subject = _staying(rows, user)
    return query.where(same(subject, target.subject)).correlate(target.table).exists()


def _staying(rows: Rows, user: Candidates) -> tuple[sa.Select[Any], list[Column]]:
    """The subjects of the rows (or steps) of `user` that are not going, and the columns of their keys."""
    name = user.bound.record.name
    table = rows.views.appearances(name).alias()
    source, subject = with_subject(rows.views, name, table)
    going = [user] if user.step is None else [user, rows.work.candidates[name]]
    query = (
        sa.select(*subject)
        .select_from(source)
        .where(*(sa.not_(_due(each, table)) for each in going), sa.not_(erased_already(rows, user, table)))
    )
    return query, subject


def _due(found: Candidates, table: sa.FromClause) -> Condition:
    """The row of `table` is among these candidates and not blocked."""
    return _going(found, key_of(table, found.bound))


def _going(found: Candidates, key: Sequence[Column]) -> Condition:
    other = found.table.alias()
    return sa.exists().where(same(numbered(other, "k"), key), other.c.why.is_(None))


def _changed(found: Candidates, columns: Sequence[Column] = ()) -> sa.Select[Any]:
    """These columns (the key where none are named) of the candidates that the last round blocked."""
    other = found.table.alias()
    names = [column.name for column in columns or found.key]
    return sa.select(*(other.c[name] for name in names)).where(
        other.c.r == sa.bindparam("before", type_=sa.Integer)
    )


def _changed_references(rows: Rows, found: Candidates, edge: Edge) -> sa.Select[Any]:
    """What the rows refer to over the edge that the last round blocked."""
    other, table = found.table.alias(), rows.views.appearances(found.bound.record.name).alias()
    return (
        sa.select(*(table.c[own] for own, _ in edge.columns))
        .select_from(other.join(table, same(numbered(other, "k"), key_of(table, found.bound))))
        .where(other.c.r == sa.bindparam("before", type_=sa.Integer))
    )


def erased_already(rows: Rows, found: Candidates, table: sa.FromClause) -> Condition:
    """Anonymised before, and so keeping nothing (R10)."""
    listed = found.step.anonymise if found.step else found.bound.record.anonymise or {}
    owner = found.bound.owner
    if owner is None or not nulls(listed, owner):
        return sa.false()
    return sa.and_(undone(owner, table), rows.erased(found, table))


def referring_rows(rows: Rows, edge: Edge) -> sa.FromClause:
    """What refers over an edge: the record type's rows, or those of a table that is none of ours."""
    if edge.source is not None:
        owner = rows.catalogue.records[edge.source].owner
        plain = edge.direct and (owner is None or owner.direct)  # else the owner columns may be asked for
        return rows.views.members(edge.source, dated=False) if plain else rows.views.appearances(edge.source)
    keys = [name for record in edge.beyond for name in rows.catalogue.records[record].key]
    columns = dict.fromkeys([*(own for own, _ in edge.columns), *keys])
    return sa.table(edge.source_table, *(sa.column(name) for name in columns))


def is_a(rows: Rows, record: str, table: sa.FromClause) -> Condition:
    """The row, one of the record type's table, is a member of it."""
    members, bound = rows.views.members(record, dated=False).alias(), rows.catalogue.records[record]
    there = (
        sa.select(sa.literal(1))
        .select_from(members)
        .where(same(key_of(members, bound), key_of(table, bound)))
    )
    return there.correlate_except(members).exists()

"""Links over which the engine and the rules could see different rows. They are refused, never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.database.facts import ColumnFacts, Family
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.schema import Schema, TableFacts
from staffords_gdpr.policy.models import Condition, Hop, LookUp, Policy, Record

Path = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two columns that are compared with each other."""

    table: str
    column: str
    other_table: str
    other: str


def check_link(
    connection: sa.Connection, policy: Policy, schema: Schema, edge: Edge, misfits: Misfits
) -> None:
    """Note what is wrong with a link: columns that do not compare, or an end that two rows may share."""
    target = policy.records[edge.target]
    path = place_of(edge)
    ends = edge.ends or (edge.columns,)
    last = edge.through[-1].table if edge.through else edge.source_table
    pairs = _pairs_of_hops(edge.source_table, edge.through)
    if not target.values_of:
        facts = schema.tables[target.table]
        others = frozenset(other for _, other in edge.columns) if edge.direct else _others(edge)
        if not _one_row(facts, target, others):
            misfits.add(
                "link-not-unique",
                path,
                f"two rows of {facts.name} may hold the same {' and '.join(sorted(others))}, so a row could belong "
                "to both",
                "Link to its key, or to columns with a UNIQUE constraint",
            )
        pairs += [Pair(last, own, facts.name, other) for end in ends for own, other in end]
    for pair in pairs:
        check_pair(connection, schema, pair, path, misfits)


def check_ways(connection: sa.Connection, schema: Schema, record: Record, misfits: Misfits) -> None:
    """Note columns that do not compare on the ways to dates, and in look-up tables."""
    at: Path = ("records", record.name)
    for name, date in record.dates.items():
        for pair in _pairs_of_hops(record.table, date.through):
            check_pair(connection, schema, pair, (*at, "dates", name, "through"), misfits)
    for table, condition, path in _conditions(record):
        for pair in _looked_up(table, condition):
            check_pair(connection, schema, pair, (*at, *path), misfits)


def _conditions(record: Record) -> Iterator[tuple[str, Condition | None, Path]]:
    """Every condition of a record type, with the table that it is about and its place in the policy."""
    yield record.table, record.where, ("where",)
    rules = [("keep", "while"), *(("sooner", step.name, "while") for step in record.sooner)]
    keeps = (record.keep, *(step.keep for step in record.sooner))
    for path, keep in zip(rules, keeps, strict=True):
        yield record.table, keep.while_ if keep else None, path
    for hop in record.belongs_to.through if record.belongs_to else ():
        yield hop.table, hop.where, ("through",)
    for name, date in record.dates.items():
        for hop in date.through:
            yield hop.table, hop.where, ("dates", name, "through")


def _looked_up(table: str, condition: Condition | None) -> Iterator[Pair]:
    for column, test in condition.columns.items() if condition else ():
        if isinstance(test, LookUp):
            yield Pair(table, column, test.table, test.column)
            yield from _looked_up(test.table, test.where)


def check_values(connection: sa.Connection, policy: Policy, schema: Schema, misfits: Misfits) -> None:
    """Note columns of a subject's values that do not compare with each other."""
    subject = policy.records[policy.subject]
    places = [(policy.records[ref.record].table, ref.column) for ref in subject.values_of]
    for n, (table, column) in enumerate(places):
        pair = Pair(table, column, *places[0])
        check_pair(connection, schema, pair, ("records", subject.name, "values_of", str(n)), misfits)


def check_pair(connection: sa.Connection, schema: Schema, pair: Pair, path: Path, misfits: Misfits) -> None:
    """Note why two columns do not tell the rules and the engine the same."""
    sides = [
        (pair.table, pair.column, _details(schema, pair.table, pair.column)),
        (pair.other_table, pair.other, _details(schema, pair.other_table, pair.other)),
    ]
    if any(details is None for *_, details in sides):
        what = f"{pair.table} declares a foreign key to {pair.other_table}.{pair.other}, which is not there"
        misfits.add("link", path, what, "Mend the declaration")
        return
    first, second = (details for *_, details in sides if details is not None)
    if first.family != second.family or (first.family is Family.OTHER and first.type != second.type):
        misfits.add(
            "link-types",
            path,
            f"{pair.table}.{pair.column} is {_said(first)} and {pair.other_table}.{pair.other} is {_said(second)}: "
            "is 7 the same as '7'?",
            "Give both one type",
        )
    elif connection.dialect.name == "sqlite":
        for table, column, details in sides:
            if details is not None and not details.exact:
                misfits.add(
                    "link-spelling",
                    path,
                    f"{table}.{column} does not tell capitals (or trailing spaces) apart",
                    "Such a column cannot link rows yet: declare it with COLLATE BINARY",
                )
    elif not (first.exact and second.exact and first.collation == second.collation):
        _spelled_alike(connection, pair, path, misfits)


def place_of(edge: Edge) -> Path:
    """Where a link stands in the policy; the table of a record type for a foreign key that it does not name."""
    if edge.source is None:
        return ("records", edge.target, "table")
    if edge.kind == "refers_to":
        return ("records", edge.source, edge.kind, edge.target)
    return ("records", edge.source, "table" if edge.kind == "foreign_key" else edge.kind)


def _spelled_alike(connection: sa.Connection, pair: Pair, path: Path, misfits: Misfits) -> None:
    """Where the engine takes two spellings for one, no two rows may be linked by them: the rules are exact."""
    own = sa.table(pair.table, sa.column(pair.column)).alias("a")
    other = sa.table(pair.other_table, sa.column(pair.other)).alias("b")
    left, right = own.c[pair.column], other.c[pair.other]
    found: sa.Select[Any] = (
        sa.select(sa.literal_column("1")).select_from(own.join(other, left == right))
        .where(_exactly(connection, left) != _exactly(connection, right)).limit(1)
    )  # fmt: skip
    both = f"{pair.table}.{pair.column} and {pair.other_table}.{pair.other}"
    try:
        with connection.begin_nested():
            alike = connection.execute(found).first() is not None
    except sa.exc.DBAPIError:
        misfits.add(
            "link-spelling",
            path,
            f"the database cannot compare {both}",
            "Give both columns one character set and one collation",
        )
        return
    if alike:
        misfits.add(
            "link-spelling",
            path,
            f"rows are linked over {both} in different spellings (capitals, accents or trailing spaces)",
            "Spell them alike in the database",
        )


def _exactly(connection: sa.Connection, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return sa.collate(sa.cast(column, sa.Text), "C")
    return sa.cast(column, sa.LargeBinary)


def _pairs_of_hops(table: str, hops: tuple[Hop, ...]) -> list[Pair]:
    pairs = []
    for hop in hops:
        pairs += [Pair(hop.table, own, table, before) for own, before in hop.on.items()]
        table = hop.table
    return pairs


def _others(edge: Edge) -> frozenset[str]:
    return frozenset(other for end in edge.ends for _, other in end)


def _one_row(facts: TableFacts, target: Record, others: frozenset[str]) -> bool:
    """Whether at most one row has these values: by declaration, or by a key that was verified."""
    verified = frozenset(target.key)
    return any(unique <= others for unique in facts.unique) or (bool(verified) and verified <= others)


def _details(schema: Schema, table: str, column: str) -> ColumnFacts | None:
    facts: Mapping[str, TableFacts] = schema.tables
    return facts[table].details.get(column) if table in facts else None


def _said(details: ColumnFacts) -> str:
    return details.type if details.type not in ("", "NULL") else "of no type"

"""How the tables of a database lead to each other: as declared, or guessed from names and checked against values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

from staffords_gdpr.database.facts import ColumnFacts, Family, TableFacts
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.guesses import Link, Sure
from staffords_gdpr.operations.propose.sample import Matches, matches

ENOUGH = 95  # percent of the values that have to exist
HARDLY = 50  # percent below which a name has misled
_SHORTEST = 4  # letters of a name that may be part of a longer one


def links_of(connection: sa.Connection, tables: Mapping[str, TableFacts]) -> tuple[Link, ...]:
    """Every link between two tables: declared foreign keys, and guesses that the values do not speak against."""
    found = [link for table in tables.values() for link in _declared(table, tables)]
    declared = {(link.table, own) for link in found for own, _ in link.columns}
    for table in tables.values():
        for column in table.details:
            if (table.name, column) in declared or names.polymorphic_partner(column, tuple(table.details)):
                continue
            found.extend(_guessed(connection, table, column, tables))
    return tuple(found)


def common_prefix(tables: Iterable[str]) -> str:
    """What all names of tables begin with, up to a '_': `ost_`, `tbl_`; empty where they do not."""
    known = list(tables)
    first = Counter(name.partition("_")[0] for name in known if "_" in name)
    if not first or len(known) < 3:
        return ""
    prefix, times = first.most_common(1)[0]
    return f"{prefix}_" if times == len(known) else ""


def polymorphic_of(table: TableFacts) -> tuple[str, str] | None:
    """The columns of a link that leads to one table or another: (object_type, object_id)."""
    for column in table.details:
        if partner := names.polymorphic_partner(column, tuple(table.details)):
            return partner, column
    return None


def _declared(table: TableFacts, tables: Mapping[str, TableFacts]) -> Iterator[Link]:
    for fk in table.foreign_keys:
        if fk.target in tables and fk.target != table.name:
            pairs = tuple(zip(fk.columns, fk.target_columns, strict=True))
            nullable = any(table.details[own].nullable for own, _ in pairs)
            said = f"declared as a foreign key to {fk.target}"
            yield Link(table.name, fk.target, pairs, Sure.CERTAIN, said, declared=True, nullable=nullable)


def _guessed(
    connection: sa.Connection, table: TableFacts, column: str, tables: Mapping[str, TableFacts]
) -> Iterator[Link]:
    """The best of the tables to which the column's name points, if its values exist there."""
    prefix = common_prefix(tables)
    for target, other in _targets(table, column, tables, prefix):
        looked = matches(connection, table, column, target.name, other)
        judged = _judged(looked, target.name, other)
        if judged is None:
            continue
        nullable = table.details[column].nullable or _zeros_may_stand(table.details[column])
        yield Link(table.name, target.name, ((column, other),), *judged, nullable=nullable)
        return


def _zeros_may_stand(facts: ColumnFacts) -> bool:
    return facts.family is Family.NUMBER and facts.has_default


def _judged(looked: Matches | None, target: str, other: str) -> tuple[Sure, str] | None:
    if looked is None:
        return Sure.UNSURE, f"its name points to {target}; its values could not be looked at"
    if looked.values == 0:
        return Sure.UNSURE, f"its name points to {target}; there are no values to check that with"
    said = f"{looked.percent} % of {looked.values} values exist in {target}.{other}"
    if looked.percent >= ENOUGH:
        return Sure.LIKELY, f"{said}, as its name says"
    return (
        (Sure.UNSURE, f"its name points to {target}, but only {said}") if looked.percent >= HARDLY else None
    )


def _targets(
    table: TableFacts, column: str, tables: Mapping[str, TableFacts], prefix: str
) -> list[tuple[TableFacts, str]]:
    """Tables to which a column's name may point, with the column there; the nearest name first."""
    pointed = names.link_stem(column)
    if pointed is None or table.details[column].family not in (Family.NUMBER, Family.TEXT):
        return []
    if table.key == (column,) and names.stem(table.name.removeprefix(prefix)) == pointed:
        return []  # its own number, under its own name
    found = []
    for target in tables.values():
        theirs = names.stem(target.name.removeprefix(prefix))
        for other in _keys_of(target, column):
            near = _nearness(pointed, theirs)
            if near is None and other == column and table.key != (column,) and len(pointed) >= _SHORTEST:
                near = 1  # under the same name, as a link's column often is
            same = target.details[other].family is table.details[column].family
            linking = near == 0 or names.looks_like_link(column)
            if target.name != table.name and near is not None and same and linking:
                found.append((near, target, other))
    return [(target, other) for _, target, other in sorted(found, key=lambda each: (each[0], each[1].name))]


def _nearness(pointed: str, theirs: str) -> int | None:
    """0 for the same name, 1 where one ends with the other: billing_customer_id and customers; None otherwise."""
    if pointed == theirs:
        return 0
    shorter, longer = sorted((pointed, theirs), key=len)
    return 1 if len(shorter) >= _SHORTEST and longer.endswith(shorter) else None


def _keys_of(target: TableFacts, column: str) -> list[str]:
    """The columns that tell the rows of `target` apart: one of the same name first, then the key."""
    alone = [
        other for other in target.details if target.key == (other,) or frozenset({other}) in target.unique
    ]
    return sorted(alone, key=lambda c: (names.words(c) != names.words(column), target.key != (c,)))

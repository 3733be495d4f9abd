"""What has changed in a database's schema since it was approved, and whether the policy's work rests on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from staffords_gdpr.database.catalogue import Bound, Catalogue, DateSource, Edge
from staffords_gdpr.policy.models import Condition, Hop, Keep, LookUp, OtherColumn, OwnColumn

Described = Mapping[str, Any]
"""A schema in plain JSON values, as `Schema.described` gives it."""


@dataclass(frozen=True)
class Change:
    """One difference, as a sentence without a full stop. `used`: a purge rests on what has changed."""

    what: str
    used: bool


@dataclass
class Use:
    """What a policy's work rests on: columns by table, and the tables of which every new column matters, because
    their rows are anonymised and what the policy does not name would stay.
    """

    columns: dict[str, set[str]] = field(default_factory=dict)
    anonymised: set[str] = field(default_factory=set)

    def add(self, table: str, columns: Iterable[str] = ()) -> None:
        """Note that these columns of a table are used."""
        self.columns.setdefault(table, set()).update(columns)

    def rests_on(self, table: str, column: str) -> bool:
        """Whether the policy's work rests on this column."""
        return column in self.columns.get(table, ())


def changes(before: Described, now: Described, use: Use) -> tuple[Change, ...]:
    """Every difference between two schemas, those that a purge rests on first."""
    old, new = before["tables"], now["tables"]
    found = [*_tables(old, new, use)]
    for table in sorted(old.keys() & new.keys()):
        found += _columns(table, old[table], new[table], use)
        found += _keys(table, old[table], new[table], use)
    found += _triggers(before["triggers"], now["triggers"], use)
    return tuple(sorted(found, key=lambda change: not change.used))


def use_of(catalogue: Catalogue) -> Use:
    """What the policy's work rests on in this database."""
    use = Use()
    for bound in catalogue.records.values():
        _record(catalogue, use, bound)
    # a link to a subject that has no table is no edge between rows, and still a way that a purge goes
    owners = [bound.owner for bound in catalogue.records.values() if bound.owner is not None]
    for edge in (*catalogue.edges, *owners):
        _edge(use, edge, catalogue.records.get(edge.target))
    for rule in catalogue.policy.dates.values():
        for ref in (*rule.latest_of, *([rule.or_else] if rule.or_else else [])):
            use.add(catalogue.records[ref.record].table, [ref.column])
    return use


# -- what differs --------------------------------------------------------------------------------------------------


def _tables(old: Described, new: Described, use: Use) -> Iterator[Change]:
    for table in sorted(old.keys() - new.keys()):
        to = _used_targets(old[table], use)
        said = f", and referred to {' and '.join(to)}" if to else ""
        yield Change(f"table {table} is gone{said}", table in use.columns or bool(to))
    for table in sorted(new.keys() - old.keys()):
        to = _used_targets(new[table], use)
        said = f", and refers to {' and '.join(to)}" if to else ""
        yield Change(f"table {table} is new{said}", bool(to) or _like(table, old))


def _columns(table: str, old: Described, new: Described, use: Use) -> Iterator[Change]:
    was, now = old["columns"], new["columns"]
    for column in sorted(was.keys() - now.keys()):
        yield Change(f"column {table}.{column} is gone", use.rests_on(table, column))
    for column in sorted(now.keys() - was.keys()):
        yield Change(
            f"column {table}.{column} is new",
            table in use.anonymised
            or use.rests_on(table, column)
            or (table in use.columns and _like(column, was)),
        )
    for column in sorted(was.keys() & now.keys()):
        if list(was[column]) != list(now[column]):
            said = f"column {table}.{column} was {_type(was[column])} and is {_type(now[column])}"
            yield Change(said, use.rests_on(table, column))


def _keys(table: str, old: Described, new: Described, use: Use) -> Iterator[Change]:
    if list(old["key"]) != list(new["key"]):
        yield Change(f"the primary key of {table} has changed", table in use.columns)
    was, now = _foreign_keys(old), _foreign_keys(new)
    for what, some in (("is gone", was - now), ("is new", now - was)):
        for columns, target, others in sorted(some):
            said = f"the foreign key {table}({', '.join(columns)}) to {target}({', '.join(others)}) {what}"
            yield Change(said, table in use.columns or target in use.columns)


def _triggers(old: Iterable[str], new: Iterable[str], use: Use) -> Iterator[Change]:
    """A trigger stands in a schema as `table.name hash`."""
    was, now = dict(each.rsplit(" ", 1) for each in old), dict(each.rsplit(" ", 1) for each in new)
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            what = "is new" if name not in was else "is gone" if name not in now else "has changed"
            yield Change(f"trigger {name} {what}", name.partition(".")[0] in use.columns)


def _used_targets(table: Described, use: Use) -> list[str]:
    return sorted({target for _, target, _ in table["foreign_keys"] if target in use.columns})


def _like(name: str, known: Iterable[str]) -> bool:
    """Whether a name is like a known one but for its capitals: a policy that meant that one could now mean this."""
    return name.casefold() in {other.casefold() for other in known}


def _foreign_keys(table: Described) -> set[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    return {(tuple(own), target, tuple(others)) for own, target, others in table["foreign_keys"]}


def _type(described: Any) -> str:
    kind, not_null, *_ = described
    return f"{kind or 'of no type'}{' NOT NULL' if not_null else ''}"


# -- what is used --------------------------------------------------------------------------------------------------


def _record(catalogue: Catalogue, use: Use, bound: Bound) -> None:
    record = bound.record
    replaced = [record.anonymise, *(step.anonymise for step in record.sooner)]
    own = {*bound.key, *record.personal, *(name for each in replaced for name in each or ())}
    use.add(bound.table, own)
    if any(each is not None for each in replaced):
        use.anonymised.add(bound.table)
    if bound.expressions:  # what an expression reads is not known
        use.add(bound.table, bound.columns)
    _condition(use, bound.table, record.where)
    for keep in (record.keep, record.orphans, *(step.keep for step in record.sooner)):
        if keep is not None:
            for table, column in _dates_of(catalogue, bound, keep):
                use.add(table, [column])
            _condition(use, bound.table, keep.while_)
    for source in bound.dates.values():
        if source.name in record.dates:
            _date(use, bound.table, source)


def _dates_of(catalogue: Catalogue, bound: Bound, keep: Keep) -> Iterator[tuple[str, str]]:
    """(table, column) of every date that a rule counts from."""
    for ref in (keep.after, keep.or_else, *keep.or_until):
        if isinstance(ref, OwnColumn):
            yield bound.table, ref.column
        elif isinstance(ref, OtherColumn):
            yield catalogue.records[ref.record].table, ref.column


def _date(use: Use, table: str, source: DateSource) -> None:
    last = _hops(use, table, source.through)
    use.add(last, [source.column, *([source.plus.column] if source.plus and source.plus.column else [])])


def _hops(use: Use, table: str, hops: Iterable[Hop]) -> str:
    """Note what the tables on the way need; the last of them."""
    for hop in hops:
        use.add(table, hop.on.values())
        use.add(hop.table, hop.on)
        _condition(use, hop.table, hop.where)
        table = hop.table
    return table


def _condition(use: Use, table: str, condition: Condition | None) -> None:
    if condition is None:
        return
    use.add(table, condition.columns)
    for test in condition.columns.values():
        if isinstance(test, LookUp):
            use.add(test.table, [test.column])
            _condition(use, test.table, test.where)


def _edge(use: Use, edge: Edge, target: Bound | None) -> None:
    ends = edge.ends or (edge.columns,)
    last = _hops(use, edge.source_table, edge.through)
    use.add(last, (own for end in ends for own, _ in end))
    if target is not None:
        use.add(target.table, (other for end in ends for _, other in end))

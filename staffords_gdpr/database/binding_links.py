"""The edges of a catalogue: the policy's links, and every declared foreign key to a row of ours (R5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.schema import ForeignKey, Schema, TableFacts
from staffords_gdpr.database.spelling import VALUE
from staffords_gdpr.policy.models import Hop, Link, Policy, Record, Values

Tables = Mapping[str, TableFacts]
Kind = Literal["belongs_to", "refers_to"]
Pairs = tuple[tuple[str, str], ...]
OWNER = "gdpr_owner_"


def own_edges(policy: Policy, tables: Tables, record: Record, misfits: Misfits) -> tuple[Edge, ...]:
    """The links that the policy gives a record type; one that cannot be found is noted."""
    links: list[tuple[Kind, Link]] = [("refers_to", link) for link in record.refers_to]
    if record.belongs_to:
        links.insert(0, ("belongs_to", record.belongs_to))
    found = (_edge(policy, tables, record, link, kind, misfits) for kind, link in links)
    return tuple(edge for edge in found if edge is not None)


def all_edges(policy: Policy, schema: Schema, tables: Tables, own: Iterable[Edge]) -> tuple[Edge, ...]:
    """The policy's links to rows, then every declared foreign key that is not among them.

    A foreign key stands once for each record type on either side, and once more, with no source, where rows of the
    referring table may be of no record type.
    """
    links = [edge for edge in own if not policy.records[edge.target].values_of]
    direct = {_name(edge): edge for edge in links if edge.direct}
    kinds: dict[str, list[str]] = {}
    for name in policy.ours:
        if name in tables:
            kinds.setdefault(tables[name].name, []).append(name)
    for facts in schema.tables.values():
        ours = kinds.get(facts.name, [])
        sources: list[str | None] = [*ours]
        if all(may_be_another(policy, name) for name in ours):
            sources.append(None)
        for key in facts.foreign_keys:
            for target in kinds.get(key.target, ()):
                for source in sources:
                    edge = _foreign(key, source, target, ours)
                    direct.setdefault(_name(edge), edge)
    return (*direct.values(), *(edge for edge in links if not edge.direct))


def may_be_another(policy: Policy, record: str) -> bool:
    """Whether a row of the record type's table may be no member of it: by `where`, or by that of its owners."""
    found = policy.records[record]
    while found.where is None:
        if found.belongs_to is None or policy.records[found.belongs_to.record].values_of:
            return False
        found = policy.records[found.belongs_to.record]
    return True


def several(policy: Policy, schema: Schema, record: str, edges: Mapping[str, Sequence[Edge]]) -> bool:
    """Whether a row of this record type can belong to more than one owner, itself or through its owner."""
    edge = next((edge for edge in edges.get(record, ()) if edge.kind == "belongs_to"), None)
    if edge is None:
        return False
    if len(edge.ends) > 1 or not all(_leads_to_one(hop, schema.tables[hop.table]) for hop in edge.through):
        return True
    return several(policy, schema, edge.target, edges)


def _leads_to_one(hop: Hop, facts: TableFacts) -> bool:
    """Whether unique columns leave at most one row of the table for each row before it."""
    fixed = {*hop.on}
    for column, test in hop.where.columns.items() if hop.where else ():
        given = test.values if isinstance(test, Values) and not test.negated else ()
        # a number may be spelled in several ways, of which a column of text holds each
        if len(given) == 1 and isinstance(given[0], str) and not given[0].strip().lstrip("+-").isdigit():
            fixed.add(column)
    return any(unique <= fixed for unique in facts.unique)


def _edge(
    policy: Policy, tables: Tables, record: Record, link: Link, kind: Kind, misfits: Misfits
) -> Edge | None:
    at = ("records", record.name, kind)
    known = policy.records[link.record]
    if record.name not in tables or (link.record not in tables and not known.values_of):
        return None
    facts = tables[record.name]
    ends = (
        _ends(link, kind, record.name, misfits)
        if link.on
        else _guessed(link, known, record, tables, misfits, at)
    )
    if not ends:
        return None
    columns, virtual = ends[0], bool(link.through) or len(ends) > 1
    if virtual:
        columns = tuple((f"{OWNER}{n}", other) for n, (_, other) in enumerate(ends[0]))
    return Edge(
        source_table=facts.name,
        source=record.name,
        target=link.record,
        columns=columns,
        kind=kind,
        through=link.through,
        ends=ends if virtual else (),
    )


def _ends(link: Link, kind: Kind, record: str, misfits: Misfits) -> tuple[Pairs, ...]:
    """The ways of `on`, all in one order of the other's columns."""
    others = tuple(link.on[0].values())
    ends = []
    for way in link.on:
        by_other = {other: own for own, other in way.items()}
        if set(by_other) != set(others) or len(way) != len(others):
            at = ("records", record, "on") if kind == "belongs_to" else ("records", record, kind, link.record)
            what = f"the ways to {link.record} lead to different columns of it"
            misfits.add("link", at, what, "Let each lead to the same columns, best to its key")
            return ()
        ends.append(tuple((by_other[other], other) for other in others))
    return tuple(ends)


def _guessed(
    link: Link, known: Record, record: Record, tables: Tables, misfits: Misfits, at: tuple[str, ...]
) -> tuple[Pairs, ...]:
    """The columns of a link that the policy does not give: a foreign key, or the value that stands for the subject."""
    if link.through:
        what = f"the way to {link.record} does not say how it ends"
        advice = (
            f"Write which columns of {link.through[-1].table} lead there, as in on: {{{link.record}_id: id}}"
        )
        misfits.add("no-link", at, what, advice)
        return ()
    if known.values_of:
        own = [ref.column for ref in known.values_of if ref.record == record.name]
        if len(own) == 1:
            return (((own[0], VALUE),),)
        what = f"nothing says which column of {record.name} holds the {link.record}"
        misfits.add("no-link", at, what, f"Write on: {{{(own or ['email'])[0]}: {VALUE}}}")
        return ()
    facts, target = tables[record.name], tables[link.record]
    declared = [fk for fk in facts.foreign_keys if fk.target == target.name]
    if len(declared) == 1:
        return (tuple(zip(declared[0].columns, declared[0].target_columns, strict=True)),)
    what = "no foreign key" if not declared else f"{len(declared)} foreign keys"
    misfits.add(
        "no-link" if not declared else "several-links",
        at,
        f"table {facts.name} declares {what} to {target.name}",
        f"Say which columns join them, as in on: {{{link.record}_id: {(target.key or ('id',))[0]}}}",
    )
    return ()


def _foreign(key: ForeignKey, source: str | None, target: str, ours: Sequence[str]) -> Edge:
    return Edge(
        source_table=key.table,
        source=source,
        target=target,
        columns=tuple(zip(key.columns, key.target_columns, strict=True)),
        kind="foreign_key",
        beyond=tuple(ours) if source is None else (),
    )


def _name(edge: Edge) -> tuple[object, ...]:
    return edge.source_table, edge.source, edge.target, frozenset(edge.columns)

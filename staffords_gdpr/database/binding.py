"""Binding a policy to a database: every name must be there, every link must be known. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Bound, Catalogue, DateKind, DateSource, Edge
from staffords_gdpr.database.links import link_faults
from staffords_gdpr.database.schema import (
    ForeignKey,
    Schema,
    TableFacts,
    find_name,
    read_schema,
    reflect_table,
)
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.models import Keep, Link, OtherColumn, OwnColumn, Policy, Record, Ref
from staffords_gdpr.policy.suggest import did_you_mean


def bind(policy: Policy, connection: sa.Connection) -> Catalogue:
    """The catalogue of `policy` over the database of `connection`.

    Raises PolicyError with every name that is not there, every link that is neither declared nor given by `on:`,
    every table without a key, and every anonymising list that would not do what R10 asks.
    """
    return _Binder(policy, read_schema(connection)).catalogue(connection)


class _Binder:
    """Collects mistakes as it goes, so that all of them are reported at once."""

    def __init__(self, policy: Policy, schema: Schema) -> None:
        self.policy = policy
        self.schema = schema
        self.mistakes: list[str] = []
        self.tables: dict[str, TableFacts] = {}

    def catalogue(self, connection: sa.Connection) -> Catalogue:
        for name, record in self.policy.records.items():
            facts = self._table(name, record)
            if facts is not None:
                self.tables[name] = facts
        edges = {name: self._own_edges(name, record) for name, record in self.policy.ours.items()}
        for record in self.policy.ours.values():
            if record.name in self.tables:
                self._columns(record)
        for rule in self.policy.dates.values():
            for at, source in enumerate(rule.latest_of):
                self._column(source.record, source.column, "dates", rule.name, "latest_of", str(at))
            if rule.or_else:
                self._column(rule.or_else.record, rule.or_else.column, "dates", rule.name, "or_else")
        self._stop_on_mistakes()
        dates = self._date_columns()
        records = {
            name: Bound(
                record=record,
                table=self.tables[name].name,
                key=self._key(name, record),
                columns=tuple(self.tables[name].columns),
                dates=dates[name],
                owner=next((edge for edge in edges[name] if edge.kind == "belongs_to"), None),
                refers=tuple(edge for edge in edges[name] if edge.kind == "refers_to"),
                sa_table=reflect_table(connection, self.tables[name].name),
            )
            for name, record in self.policy.ours.items()
        }
        all_edges = self._all_edges([edge for own in edges.values() for edge in own])
        for edge in all_edges:
            for fault in link_faults(
                connection, edge, self.schema.tables[edge.source_table], self.tables[edge.target]
            ):
                self._wrong(fault, *self._place(edge))
        for record in self.policy.ours.values():
            self._anonymising(record, all_edges)
        self._stop_on_mistakes()
        return Catalogue(
            policy=self.policy,
            records=records,
            edges=all_edges,
            fingerprint=self.schema.fingerprint,
            identity=self.schema.identity,
            schema=self.schema.described(),
        )

    # -- names ---------------------------------------------------------------------------------------------------

    def _table(self, name: str, record: Record) -> TableFacts | None:
        found = find_name(record.table, self.schema.tables)
        if found is None:
            self._wrong(
                f"there is no table {record.table!r} in the database. {did_you_mean(record.table, self.schema.tables)}",
                "records", name, "table",
            )  # fmt: skip
            return None
        return self.schema.tables[found]

    def _column(self, record: str, column: str, *path: str) -> str | None:
        facts = self.tables.get(record)
        if facts is None:
            return None  # the table is missing, which is reported
        found = find_name(column, facts.columns)
        if found is None:
            self._wrong(
                f"unknown column {column!r} in table {facts.name}. {did_you_mean(column, facts.columns)}",
                *path,
            )
        elif found != column:
            self._wrong(
                f"the column is spelled {found!r} in table {facts.name}. Write it the same way", *path
            )
        return found

    def _columns(self, record: Record) -> None:
        at = ("records", record.name)
        for group in ("personal", "not_personal", "key"):
            for index, column in enumerate(getattr(record, group)):
                self._column(record.name, column, *at, group, str(index))
        for which in ("keep", "orphans"):
            keep = getattr(record, which)
            if keep:
                self._keep(record, keep, *at, which)
        for column in record.anonymise or ():
            self._column(record.name, column, *at, "erase", "anonymise", column)
        for step in record.sooner:
            for column in step.anonymise:
                self._column(record.name, column, *at, "sooner", step.name, "anonymise", column)
            if step.keep:
                self._keep(record, step.keep, *at, "sooner", step.name)
        key = frozenset(record.key)
        if key and not any(unique <= key for unique in self.tables[record.name].unique):
            self._wrong("two rows may hold the same key. Name columns with a UNIQUE constraint", *at, "key")
        if not self._key(record.name, record):
            self._wrong(
                f"table {record.table} has no primary key, so its rows cannot be told apart. "
                "Name columns that are unique and never null, as in key: [number]",
                *at, "table",
            )  # fmt: skip

    def _keep(self, record: Record, keep: Keep, *path: str) -> None:
        for name, ref in (
            ("after", keep.after),
            ("or_else", keep.or_else),
            *(("or_until", u) for u in keep.or_until),
        ):
            match ref:
                case OwnColumn():
                    self._column(record.name, ref.column, *path, name)
                case OtherColumn():
                    self._column(ref.record, ref.column, *path, name)
        for column in keep.while_.columns if keep.while_ else ():
            self._column(record.name, column, *path, "while", column)

    def _key(self, name: str, record: Record) -> tuple[str, ...]:
        return record.key or self.tables[name].key

    # -- links ---------------------------------------------------------------------------------------------------

    def _own_edges(self, name: str, record: Record) -> list[Edge]:
        links = [("belongs_to", record.belongs_to)] if record.belongs_to else []
        links += [("refers_to", link) for link in record.refers_to]
        return [edge for kind, link in links if (edge := self._edge(name, link, kind)) is not None]

    def _edge(self, name: str, link: Link, kind: str) -> Edge | None:
        if name not in self.tables or link.record not in self.tables:
            return None
        facts, target = self.tables[name], self.tables[link.record]
        at = ("records", name, kind)
        if link.on:
            pairs = [
                (self._column(name, own, *at), self._column(link.record, other, *at))
                for own, other in link.on[0].items()
            ]
            columns = tuple((own, other) for own, other in pairs if own and other)
            if len(columns) < len(pairs):
                return None
        else:
            declared = [fk for fk in facts.foreign_keys if fk.target == target.name]
            if len(declared) != 1:
                what = "no foreign key" if not declared else f"{len(declared)} foreign keys"
                self._wrong(
                    f"table {facts.name} declares {what} to {target.name}. Say which columns join them, as in "
                    f"on: {{{link.record}_id: {(target.key or ('id',))[0]}}}",
                    *at,
                )
                return None
            columns = tuple(zip(declared[0].columns, declared[0].target_columns, strict=True))
        return Edge(source_table=facts.name, source=name, target=link.record, columns=columns, kind=kind)  # type: ignore[arg-type]

    def _all_edges(self, own: Sequence[Edge]) -> tuple[Edge, ...]:
        """The policy's links, then every declared foreign key to a table of ours that is not among them (R5)."""
        edges = {(edge.source_table, edge.target, frozenset(edge.columns)): edge for edge in own}
        targets = {self.tables[name].name: name for name in self.policy.ours}
        sources = {self.tables[name].name: name for name in self.policy.ours}
        for facts in self.schema.tables.values():
            for key in facts.foreign_keys:
                if key.target in targets:
                    edge = _foreign(key, sources.get(facts.name), targets[key.target])
                    edges.setdefault((edge.source_table, edge.target, frozenset(edge.columns)), edge)
        return tuple(edges.values())

    def _place(self, edge: Edge) -> tuple[str, ...]:
        if edge.source is None:
            return ("records", edge.target, "table")
        return ("records", edge.source, edge.kind if edge.kind != "foreign_key" else "table")

    # -- anonymising (R10) ---------------------------------------------------------------------------------------

    def _anonymising(self, record: Record, edges: Iterable[Edge]) -> None:
        at: tuple[str, ...]
        lists: list[tuple[tuple[str, ...], Mapping[str, object]]] = [
            (("sooner", step.name, "anonymise"), step.anonymise) for step in record.sooner
        ]
        if record.anonymise is not None:
            at = ("erase", "anonymise")
            lists.append((at, record.anonymise))
            for edge in edges:
                undone = any(record.anonymise.get(own, "") is None for own, _ in edge.columns)
                if edge.source == record.name and not undone:
                    if edge.target == record.name or self.policy.records[edge.target].anonymise is not None:
                        continue
                    own = edge.columns[0][0]
                    self._wrong(
                        f"{own} refers to {edge.target}, whose rows are deleted. Add {own}: null to the list",
                        "records", record.name, *at,
                    )  # fmt: skip
        facts = self.tables[record.name]
        key = set(self._key(record.name, record))
        dates = set(self._dates_used(record))
        own_link = {
            own
            for edge in edges
            if edge.source == record.name and edge.kind == "belongs_to"
            for own, _ in edge.columns
        }
        for at, listed in lists:
            for column, value in listed.items():
                if record.keep is None and at[0] == "sooner" and column in own_link:
                    self._wrong(
                        f"{column} links the row to the owner it goes with. Leave it out, or give the record a rule",
                        "records", record.name, *at, column,
                    )  # fmt: skip
                where = ("records", record.name, *at, column)
                if column in key:
                    self._wrong(f"{column} is part of the key of {facts.name} and cannot be replaced", *where)
                elif column in dates:
                    self._wrong(
                        f"{column} is a date that the policy counts from; anonymising must not move it",
                        *where,
                    )
                elif value is None and column in facts.not_null:
                    self._wrong(
                        f"{column} is NOT NULL in table {facts.name}. Give a replacement that is a value",
                        *where,
                    )

    def _dates_used(self, record: Record) -> set[str]:
        """The columns of this record type that any rule of the policy counts from."""
        used = {
            s.column for rule in self.policy.dates.values() for s in rule.latest_of if s.record == record.name
        }
        for other in self.policy.ours.values():
            for keep in _keeps(other):
                for ref in _refs(keep):
                    if isinstance(ref, OwnColumn) and other.name == record.name:
                        used.add(ref.column)
                    if isinstance(ref, OtherColumn) and ref.record == record.name:
                        used.add(ref.column)
        return used

    def _date_columns(self) -> dict[str, dict[str, DateSource]]:
        found: dict[str, dict[str, DateSource]] = {}
        zone = self.policy.database.timestamps_in
        for name, record in self.policy.ours.items():
            facts = self.tables[name]
            used = self._dates_used(record)
            if name == self.policy.subject:
                used |= {rule.or_else.column for rule in self.policy.dates.values() if rule.or_else}
            kinds = {column: _kind(kind) for column, kind in facts.columns.items()}
            found[name] = {
                column: DateSource(column, column, kinds[column] or DateKind.TEXT, zone)
                for column in facts.columns
                if kinds[column] or column in used
            }
        return found

    # -- mistakes ------------------------------------------------------------------------------------------------

    def _wrong(self, what: str, *path: str) -> None:
        mistake = f"{self.policy.positions.where(*path)}: {what.strip()}"
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def _stop_on_mistakes(self) -> None:
        if self.mistakes:
            raise PolicyError(
                "\n".join(self.mistakes),
                "the policy does not fit this database: mend these lines, or check the URL",
            )


def _foreign(key: ForeignKey, source: str | None, target: str) -> Edge:
    columns = tuple(zip(key.columns, key.target_columns, strict=True))
    return Edge(source_table=key.table, source=source, target=target, columns=columns, kind="foreign_key")


def _keeps(record: Record) -> list[Keep]:
    steps = [step.keep for step in record.sooner]
    return [keep for keep in (record.keep, record.orphans, *steps) if keep is not None]


def _refs(keep: Keep) -> list[Ref]:
    return [ref for ref in (keep.after, keep.or_else, *keep.or_until) if ref is not None]


def _kind(declared: str) -> DateKind | None:
    """The kind of date that a column's declared type stands for, None where the type is no date."""
    name = declared.upper()
    if name.startswith(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")):
        return DateKind.ZONED
    if name.startswith(("DATETIME", "TIMESTAMP")):
        return DateKind.TIMESTAMP
    return DateKind.DAY if name == "DATE" else None

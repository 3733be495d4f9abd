"""Binds a policy to one database: every name found, every link known, or a PolicyError that names all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from staffords_gdpr.database.anonymising import Anonymising
from staffords_gdpr.database.binding_dates import check_zones, date_sources
from staffords_gdpr.database.binding_links import all_edges, own_edges, several
from staffords_gdpr.database.catalogue import Bound, Catalogue, DateKind, Edge
from staffords_gdpr.database.expressions import check_expressions, names_of
from staffords_gdpr.database.foundations import check_foundations
from staffords_gdpr.database.keys import check_key, require_key
from staffords_gdpr.database.links import check_link, check_values, check_ways
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.refusals import refuse_circles, refuse_tables
from staffords_gdpr.database.schema import Schema, TableFacts, read_schema, reflect_table
from staffords_gdpr.database.spelling import spelled, tables_of
from staffords_gdpr.policy.models import Policy


def bind(policy: Policy, connection: sa.Connection) -> Catalogue:
    """The catalogue of `policy` over the database of `connection`.

    Raises MisfitError, a PolicyError, with every name that is not there, every link that is neither declared nor
    given by `on:`, every table whose rows have no key, every expression that the database does not understand, and
    every anonymising list that would not do what R10 asks.
    """
    schema = read_schema(connection)
    misfits = Misfits(policy)
    policy = spelled(policy, schema, misfits)
    tables = tables_of(policy, schema)
    edges = {name: own_edges(policy, tables, record, misfits) for name, record in policy.ours.items()}
    for name, record in policy.ours.items():
        if name in tables:
            require_key(connection.dialect.name, record, tables[name], misfits)
    misfits.raise_if_any()
    return _Binding(policy, schema, tables, edges, misfits).catalogue(connection)


class _Binding:
    """A policy whose names are all known."""

    def __init__(
        self,
        policy: Policy,
        schema: Schema,
        tables: Mapping[str, TableFacts],
        own: Mapping[str, tuple[Edge, ...]],
        misfits: Misfits,
    ) -> None:
        self.policy = policy
        self.schema = schema
        self.tables = tables
        self.own = own
        self.misfits = misfits
        self.edges = all_edges(policy, schema, tables, [edge for edges in own.values() for edge in edges])

    def catalogue(self, connection: sa.Connection) -> Catalogue:
        if not refuse_tables(connection, self.policy, self.schema, self.edges, self.misfits):
            self.misfits.raise_if_any()  # nothing more can be asked
        for name, record in self.policy.ours.items():
            check_key(connection, record, self.tables[name], self.misfits)
        self._links(connection)
        kinds = {
            name: check_expressions(connection, record, self.tables[name], self.misfits)
            for name, record in self.policy.ours.items()
        }
        if connection.dialect.name != "sqlite":
            for name, record in self.policy.ours.items():
                check_zones(self.schema, self.tables[name], record, kinds[name], self.misfits)
        stored = {
            table: reflect_table(connection, table)
            for table in sorted({self.tables[name].name for name in self.policy.ours})
        }
        self.misfits.raise_if_any()  # what follows asks the database with these names and expressions
        self._anonymising(connection, stored)
        check_foundations(self.policy, self.tables, self.own, self.misfits)
        catalogue = Catalogue(
            policy=self.policy,
            records={name: self._bound(name, kinds[name], stored) for name in self.policy.ours},
            edges=self.edges,
            fingerprint=self.schema.fingerprint,
            identity=self.schema.identity,
            schema=self.schema.described(),
            tables=self.schema.tables,
        )
        refuse_circles(connection, catalogue, self.misfits)
        self.misfits.raise_if_any()
        return catalogue

    def _links(self, connection: sa.Connection) -> None:
        values = [
            edge
            for edges in self.own.values()
            for edge in edges
            if self.policy.records[edge.target].values_of
        ]
        for edge in (*self.edges, *values):
            check_link(connection, self.policy, self.schema, edge, self.misfits)
        for record in self.policy.ours.values():
            check_ways(connection, self.schema, record, self.misfits)
        check_values(connection, self.policy, self.schema, self.misfits)

    def _anonymising(self, connection: sa.Connection, stored: Mapping[str, sa.Table]) -> None:
        """Give every listed column its replacement, then look at what the lists would do."""

        def of(name: str) -> Anonymising:
            record, facts = self.policy.records[name], self.tables[name]
            edges = [*self.own[name]]
            edges += [edge for edge in self.edges if edge.source == name and edge.kind == "foreign_key"]
            return Anonymising(
                connection,
                self.policy,
                record,
                facts,
                stored[facts.name],
                self._key(name),
                edges,
                frozenset(
                    other
                    for edge in self.edges
                    if self.tables[edge.target].name == facts.name
                    for end in (edge.ends or (edge.columns,))
                    for _, other in end
                ),
                self.misfits,
            )

        resolved = {name: of(name).resolved() for name in self.policy.ours}
        records = {**self.policy.records, **resolved}
        self.policy = self.policy.model_copy(update={"records": records}).placed(self.policy.positions)
        for name in self.policy.ours:
            of(name).check()

    def _bound(self, name: str, kinds: Mapping[str, DateKind], stored: Mapping[str, sa.Table]) -> Bound:
        record, facts = self.policy.records[name], self.tables[name]
        expressions = names_of(record)
        edges = self.own[name]
        return Bound(
            record=record,
            table=facts.name,
            key=self._key(name),
            columns=tuple(facts.columns),
            dates=date_sources(self.policy, self.schema, facts, record, expressions, kinds),
            owner=next((edge for edge in edges if edge.kind == "belongs_to"), None),
            refers=tuple(edge for edge in edges if edge.kind == "refers_to"),
            sa_table=stored[facts.name],
            several=several(self.policy, self.schema, name, self.own),
            shares=tuple(
                other for other in self.policy.ours if other != name and self.tables[other].name == facts.name
            ),
            expressions=expressions,
        )

    def _key(self, name: str) -> tuple[str, ...]:
        return self.policy.records[name].key or self.tables[name].key

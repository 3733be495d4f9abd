"""A small office on any engine, and a policy that is bound to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy import Policy, read_policy

HEAD: dict[str, Any] = {
    "version": 1,
    "title": "t",
    "timezone": "UTC",
    "schedule": {"purge": "1 day", "audit": "6 months", "review": "12 months"},
    "roles": {"audit": ["director"], "review": ["director"]},
    "subject": "customer",
}


def run(url: str, *statements: str | sa.sql.Executable, tables: sa.MetaData | None = None) -> None:
    """Make tables and run statements, as their owner does."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        if tables is not None:
            tables.create_all(connection)
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)


def policy_of(records: Mapping[str, Any], **more: Any) -> Policy:
    document = {**HEAD, **more, "records": records}
    return read_policy(yaml.safe_dump(document, sort_keys=False).encode(), "p.yaml")


def bound(url: str, records: Mapping[str, Any], **more: Any) -> Catalogue:
    with connected(connect(url, write=False)) as connection:
        return bind(policy_of(records, **more), connection)


def refused(url: str, records: Mapping[str, Any], **more: Any) -> str:
    """What a policy is refused with."""
    with pytest.raises(PolicyError) as caught:
        bound(url, records, **more)
    assert "p.yaml:" in caught.value.message
    return caught.value.message


def table(tables: sa.MetaData, name: str, *columns: Any) -> sa.Table:
    """A table with a number as its key, `id`."""
    return sa.Table(name, tables, sa.Column("id", sa.Integer, primary_key=True), *columns)


def customers(tables: sa.MetaData, *columns: Any) -> sa.Table:
    return table(tables, "customers", sa.Column("registered_at", sa.DateTime), *columns)


def link(column: str, to: str = "customers.id", **options: Any) -> sa.Column[Any]:
    return sa.Column(column, sa.Integer, sa.ForeignKey(to), index=True, **options)


def ways(catalogue: Catalogue) -> Iterable[tuple[object, ...]]:
    """The edges, as much of them as tells them apart."""
    return {(e.source_table, e.source, e.target, e.kind, e.beyond) for e in catalogue.edges}


CUSTOMER = {"table": "customers", "keep": {"for": "3 years", "after": "registered_at"}}

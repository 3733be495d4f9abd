"""Talking to a test's database as the application would: plainly, past gdpr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


def run(url: str, *statements: str) -> None:
    """Run statements in one transaction."""
    with speaking(url) as connection, connection.begin():
        for statement in statements:
            connection.exec_driver_sql(statement)


def run_alone(url: str, *statements: str) -> None:
    """Run each in no transaction, as what makes databases has to be."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with speaking(url) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


@contextmanager
def speaking(url: str) -> Iterator[sa.Connection]:
    """A connection of somebody else."""
    with sa.create_engine(url, poolclass=sa.pool.NullPool).connect() as connection:
        yield connection


def as_user(url: str, user: str, password: str | None = None) -> str:
    """The same database, for another user."""
    return sa.make_url(url).set(username=user, password=password).render_as_string(hide_password=False)

"""The servers that the tests run on are real, are empty, and hear what the tests say."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from engines.servers import Servers


def tables(url: str) -> list[str]:
    return sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool)).get_table_names()


def make_table(url: str) -> None:
    with sa.create_engine(url, poolclass=sa.pool.NullPool).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE calls (id INTEGER PRIMARY KEY)")


def test_every_test_has_an_empty_database_on_the_engine_it_is_named_for(
    engine_url: str, engine_name: str
) -> None:
    assert tables(engine_url) == []
    with sa.create_engine(engine_url, poolclass=sa.pool.NullPool).connect() as connection:
        assert connection.dialect.name == {"mariadb": "mysql"}.get(engine_name, engine_name)
        assert getattr(connection.dialect, "is_mariadb", False) == (engine_name == "mariadb")


def test_a_database_can_be_emptied_between_examples(engine_url: str, servers: Servers) -> None:
    make_table(engine_url)
    assert tables(engine_url) == ["calls"]
    servers.empty(engine_url)
    assert tables(engine_url) == []


def test_databases_of_one_engine_are_apart(engine_name: str, servers: Servers) -> None:
    first, second = servers.fresh(engine_name), servers.fresh(engine_name)
    make_table(first)
    assert tables(second) == []


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_test_may_ask_for_one_engine(engine_name: str) -> None:
    assert engine_name == "mariadb"

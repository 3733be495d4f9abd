"""The full language on every engine: the small cases of the other tests give the same verdicts, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import test_bulk_links as links
import test_bulk_several as several
import test_bulk_sources as sources
import test_bulk_view as view
from bulk_cases import AS_OF, HEAD, plain

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.policy.loader import read_policy
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.rows import Scope
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything

CASES = {
    "excluded subjects": (view.PEOPLE, view.CUSTOMERS),
    "rows of no record type": (view.REFERRED, view.TICKETS),
    "rows that two claim": (view.REFERRED, view.TICKETS + view.OVERLAPPING),
    "several owners over a table": (several.DATABASE, several.POLICY),
    "several columns": (several.COLUMNS, several.TICKETS),
    "a way to one owner": (links.CONTRACTS, links.CALLS),
    "values": (links.CALLERS, links.VALUES),
    "replacements with a key": (links.ERASED, links.REPLACING),
    "computed dates": (sources.CALLS, sources.RECORDS),
}


@pytest.fixture
def connection(engine_url: str) -> Iterator[sa.Connection]:
    with connect(engine_url, write=True).connect() as connection:
        yield connection


def make(connection: sa.Connection, database: str) -> None:
    """Make a database in the words of its engine, with an index for each link."""
    if connection.dialect.name in ("mysql", "mariadb"):
        database = re.sub(r"\bTEXT\b", "VARCHAR(80) COLLATE utf8mb4_nopad_bin", database)
    for statement in filter(None, map(str.strip, database.split(";"))):
        connection.exec_driver_sql(statement)
    for table in sa.inspect(connection).get_table_names():
        for column in sa.inspect(connection).get_columns(table):
            if column["name"] != "id":
                connection.exec_driver_sql(
                    f"CREATE INDEX ix_{table}_{column['name']} ON {table} ({column['name']})"
                )
    connection.commit()


@pytest.mark.parametrize("case", CASES)
def test_every_engine_decides_the_full_language_alike(connection: sa.Connection, case: str) -> None:
    database, policy = CASES[case]
    make(connection, database)
    catalogue = bind(read_policy((HEAD + policy).encode(), "policy.yaml"), connection)
    bulk = Bulk(connection, catalogue)
    bulk.decide(AS_OF)
    verdicts = plain(bulk.verdicts())
    assert verdicts == plain(judge(catalogue, load_everything(connection, catalogue), AS_OF, frozenset()))
    with links.opened(database, policy) as other:
        other.decide(AS_OF)
        in_memory = plain(other.verdicts())
    assert verdicts == in_memory
    bulk.list_todo()
    for subjects in bulk.todo_subjects(lambda: 2):
        bulk.scope_to(subjects=subjects)
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        assert bulk.due_counts()
    for record, keys in bulk.todo_rows(lambda: 2):
        bulk.scope_to(rows={record: keys})
        bulk.decide(AS_OF, scope=Scope.ROWS)
        assert bulk.due_counts()

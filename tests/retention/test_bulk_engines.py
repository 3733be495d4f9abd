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
    bulk.agenda.write()
    for subjects in bulk.agenda.subjects(lambda: 2):
        bulk.scope_to(subjects=subjects)
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        assert bulk.due_counts()
    for record, keys in bulk.agenda.rows(lambda: 2):
        bulk.scope_to(rows={record: keys})
        bulk.decide(AS_OF, scope=Scope.ROWS)
        assert bulk.due_counts()


AWKWARD = {
    "sqlite": ["REAL", "DATE, TEXT COLLATE NOCASE", "NUMERIC, BLOB"],
    "postgresql": ["REAL", "DATE, VARCHAR(20)", "NUMERIC(9, 2), UUID", "TIMESTAMPTZ, INTEGER"],
    "mariadb": [
        "ENUM('9', '10', '8', '7', '6')",
        "BIT(8)",
        "DATE, DECIMAL(9, 2)",
        "UUID, VARCHAR(20)",
    ],
}
"""Keys of which drivers make what compares otherwise than the key, or has another type."""


def values_for(kind: str) -> list[str]:
    """Five values for a column of this type, in SQL."""
    match kind.partition("(")[0]:
        case "REAL":
            return ["0.1", "0.2", "3.3333333", "16777217", "1e20"]
        case "DATE":
            return [f"'2020-01-0{n}'" for n in range(1, 6)]
        case "TIMESTAMPTZ":
            return [f"'2020-01-01 10:00:00.00000{n}+02'" for n in range(1, 6)]
        case "UUID":
            return [f"'00000000-0000-0000-0000-00000000000{n}'" for n in range(1, 6)]
        case "BLOB":
            return ["X'00'", "X'ff'", "X'80'", "X'6162'", "X''"]
        case "ENUM":
            return ["'9'", "'10'", "'8'", "'7'", "'6'"]
        case "NUMERIC" | "DECIMAL":
            return ["0.10", "0.20", "1", "12345.67", "-3.30"]
        case "VARCHAR" | "TEXT COLLATE NOCASE":
            return ["'a'", "'B'", "'c'", "'_'", "''"]
        case _:
            return ["1", "2", "3", "200", "100"]


def test_every_subject_is_on_the_list_once_whatever_its_key(
    connection: sa.Connection, engine_name: str
) -> None:
    for number, kinds in enumerate(AWKWARD[engine_name]):
        columns = {f"k{place}": kind for place, kind in enumerate(re.split(r", (?=[A-Z])", kinds))}
        name, key = f"people_{number}", ", ".join(columns)
        declared = ", ".join(f"{column} {kind} NOT NULL" for column, kind in columns.items())
        connection.exec_driver_sql(f"CREATE TABLE {name} ({declared}, made DATE, PRIMARY KEY ({key}))")
        for values in zip(*map(values_for, columns.values()), strict=True):
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({', '.join(values)}, '2001-01-01')")
        connection.commit()
        policy = f"""
subject: person
records:
  person: {{table: {name}, keep: {{for: 1 year, after: made}}}}
"""
        bulk = Bulk(connection, bind(read_policy((HEAD + policy).encode(), "policy.yaml"), connection))
        bulk.decide(AS_OF)
        bulk.agenda.write()
        places = []
        for subjects in bulk.agenda.subjects(lambda: 2):
            bulk.scope_to(subjects=subjects)
            count = sa.select(sa.func.count()).select_from(bulk.work.scope)
            places.append((connection.execute(count).scalar_one(), len(subjects)))
        assert places == [(2, 2), (2, 2), (1, 1)], kinds

"""What PostgreSQL's own lists tell of columns that hold no words, and of copies that outlive an erasure."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from staffords_gdpr.operations.check.findings import Finding
from staffords_gdpr.policy.models import Policy

_WORDLESS = """
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
    WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND a.attnum > 0
    AND coalesce(b.typtype, t.typtype) IN ('e', 'r', 'm')"""
_COPIES = """
    WITH RECURSIVE reads (reader, source) AS (
      SELECT r.ev_class, d.refobjid FROM pg_rewrite r
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class),
    below (reader, source) AS (SELECT reader, source FROM reads
      UNION SELECT reads.reader, below.source FROM reads JOIN below ON reads.source = below.reader)
    SELECT DISTINCT CAST(CAST(v.oid AS regclass) AS TEXT), t.relname FROM below
    JOIN pg_class v ON v.oid = below.reader AND v.relkind = 'm'
    JOIN pg_class t ON t.oid = below.source AND t.relkind IN ('r', 'p')
    WHERE t.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY 1, 2"""


def wordless_columns(connection: sa.Connection) -> frozenset[tuple[str, str]]:
    """Table and column of enumerations and ranges, which hold only what the schema lists, or numbers and dates."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    return frozenset((table, column) for table, column in connection.exec_driver_sql(_WORDLESS))


def stored_views(connection: sa.Connection, policy: Policy) -> Iterator[Finding]:
    """Materialized views over tables of the policy, also by other views: rows stay in them until they are refreshed."""
    if connection.dialect.name != "postgresql":
        return
    records = {record.table: name for name, record in reversed(policy.ours.items())}
    for view, table in connection.exec_driver_sql(_COPIES):
        if table in records:
            yield Finding(
                "stored-view",
                "warning",
                policy.positions.where("records", records[table], "table"),
                f"materialized view {view} keeps a copy of rows of table {table}: what is erased stays in it until it "
                "is refreshed",
                "Have it refreshed after every purge, or drop it",
                f"REFRESH MATERIALIZED VIEW {view};",
            )

"""Links over which the engine and the rules could see different rows. They are refused, never guessed."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.database.schema import TableFacts


def link_faults(
    connection: sa.Connection, edge: Edge, source: TableFacts, target: TableFacts
) -> Iterator[str]:
    """What is wrong with a link, each with what to do; nothing where it is sound."""
    others = frozenset(other for _, other in edge.columns)
    if not any(unique <= others for unique in target.unique):
        yield (
            f"two rows of {target.name} may hold the same {' and '.join(sorted(others))}, so a row could belong to "
            "both. Link to its key, or to columns with a UNIQUE constraint"
        )
    for own, other in edge.columns:
        kinds = source.columns[own], target.columns[other]
        if _family(kinds[0]) != _family(kinds[1]):
            yield (
                f"{source.name}.{own} is {_said(kinds[0])} and {target.name}.{other} is {_said(kinds[1])}: is 7 the "
                "same as '7'? Give both one type"
            )
        for table, column in ((source.name, own), (target.name, other)):
            if not _compares_exactly(connection, table, column):
                yield (
                    f"{table}.{column} does not tell capitals (or trailing spaces) apart. Such a column cannot link "
                    "rows yet: declare it with COLLATE BINARY"
                )


def _family(declared: str) -> str:
    """What SQLite makes of the values in a column of this type (its affinity), and other engines much alike."""
    name = declared.upper()
    if "INT" in name:
        return "number"
    if any(sign in name for sign in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return "none" if name in ("", "NULL", "BLOB") else "number"


def _said(declared: str) -> str:
    return "of no type" if declared in ("", "NULL") else declared


def _compares_exactly(connection: sa.Connection, table: str, column: str) -> bool:
    """Whether two spellings of a text are two values in this column: not so under NOCASE or RTRIM."""
    quote = connection.dialect.identifier_preparer.quote
    name = quote(column)
    values = f"SELECT {name} AS x FROM {quote(table)} WHERE 0 UNION ALL SELECT 'A'"  # as the column compares
    return not connection.exec_driver_sql(f"SELECT 'a' = x OR 'A ' = x FROM ({values})").scalar_one()

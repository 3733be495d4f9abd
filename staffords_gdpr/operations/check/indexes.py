"""The indexes by which a purge finds its rows; the ones that are missing, as SQL to hand on.

Those are the indexes of links. An index on a date would not be used: every date is first made a day of the policy's
zone, and compared as that.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.refusals import create_index, links_to_look_up
from staffords_gdpr.operations.check.findings import Finding


def missing_indexes(connection: sa.Connection, catalogue: Catalogue) -> Iterator[Finding]:
    """One finding for each link, and each way to a date, without an index."""
    said = set()
    for record, table, columns, what in _needed(catalogue):
        facts = catalogue.tables[table]
        if facts.indexed(columns) or (table, columns) in said:
            continue
        said.add((table, columns))
        yield Finding(
            "missing-index",
            "warning",
            catalogue.policy.positions.where("records", record),
            f"{what} {table} ({', '.join(sorted(columns))}) has no index, so the whole table is read for it",
            "Ask whoever looks after the database to run",
            create_index(connection, facts, columns),
        )


def _needed(catalogue: Catalogue) -> Iterator[tuple[str, str, frozenset[str], str]]:
    """Record type, table, columns, and what they are."""
    for edge in catalogue.edges:
        record = edge.source or edge.target
        for facts, columns in links_to_look_up(catalogue.tables, edge):
            yield record, facts.name, columns, "the link"
    for name, bound in catalogue.records.items():
        for source in bound.dates.values():
            for hop in source.through:
                yield name, hop.table, frozenset(hop.on), "the way to a date over"

"""The privileges of the database's user: too few for a purge, or more than it needs; with the SQL to hand on."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.privileges import privilege_faults
from staffords_gdpr.operations.check.findings import Finding


def privileges(connection: sa.Connection, catalogue: Catalogue) -> Iterator[Finding]:
    """One finding for each table, and for each kind of right that is too many."""
    records = {bound.table: name for name, bound in reversed(list(catalogue.records.items()))}
    for fault in privilege_faults(connection, catalogue):
        path = ("records", records[fault.table], "table") if fault.table in records else ("records",)
        hand_on = "Ask whoever looks after the database to run"
        where = catalogue.policy.positions.where(*path)
        yield Finding(fault.code, "warning", where, fault.what, hand_on, fault.advice)

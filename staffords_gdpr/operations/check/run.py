"""A policy held against a database: what a person must look at before the first purge. Writes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connected
from staffords_gdpr.database.misfits import MisfitError, Misfits
from staffords_gdpr.database.schema import Schema, read_schema
from staffords_gdpr.database.spelling import spelled
from staffords_gdpr.operations.check.columns import triggers, undecided_columns, unnamed_tables
from staffords_gdpr.operations.check.counts import RecordCounts, counts
from staffords_gdpr.operations.check.durability import durability
from staffords_gdpr.operations.check.findings import Finding
from staffords_gdpr.operations.check.indexes import missing_indexes
from staffords_gdpr.operations.check.privileges import privileges
from staffords_gdpr.operations.check.stored import stored_views, wordless_columns
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.progress import SILENT, Progress


@dataclass(frozen=True)
class CheckResult:
    """`findings` as they stand in the policy, errors first; `records` only where the policy can be used."""

    as_of: dt.datetime
    findings: tuple[Finding, ...]
    records: tuple[RecordCounts, ...]

    @property
    def usable(self) -> bool:
        """Whether the other commands will work with this policy on this database."""
        return not any(finding.severity == "error" for finding in self.findings)


def check(
    policy: Policy, engine: sa.Engine, *, as_of: dt.datetime, progress: Progress = SILENT
) -> CheckResult:
    """Everything about the policy and the database that a person must look at, and how many rows each rule sees.

    Raises DatabaseError where the database does not answer.
    """
    with connected(engine) as connection:
        progress.start("Holding the policy against the database", None)
        schema = read_schema(connection)
        try:
            catalogue: Catalogue | None = bind(policy, connection)
            findings = []
        except MisfitError as error:
            catalogue = None
            findings = [
                Finding(misfit.code, "error", misfit.place, misfit.what, misfit.advice)
                for misfit in error.misfits
            ]
        known = catalogue.policy if catalogue else spelled(policy, schema, Misfits(policy))
        findings += _remarks(connection, known, schema, catalogue)
        seen = counts(connection, catalogue, as_of) if catalogue else ()
        progress.finish()
    return CheckResult(as_of, tuple(findings), seen)


def _remarks(
    connection: sa.Connection, policy: Policy, schema: Schema, catalogue: Catalogue | None
) -> list[Finding]:
    found = [
        *undecided_columns(policy, schema, wordless_columns(connection)),
        *unnamed_tables(policy, schema),
    ]
    found += triggers(connection, policy, schema)
    found += stored_views(connection, policy)
    found += durability(connection, policy)
    if catalogue is not None:
        found += missing_indexes(connection, catalogue)
        found += privileges(connection, catalogue)
    return found

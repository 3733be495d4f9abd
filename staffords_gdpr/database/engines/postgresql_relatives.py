"""Databases that speak PostgreSQL's language and are not PostgreSQL: each is refused by name. See docs/cluster.md."""

from __future__ import annotations

import sqlalchemy as sa

from staffords_gdpr.errors import UsageError

_MARKS = {
    "CockroachDB": "CockroachDB",
    "-YB-": "YugabyteDB",
    "Redshift": "Amazon Redshift",
    "Greenplum": "Greenplum",
    "Materialize": "Materialize",
    "EnterpriseDB": "EnterpriseDB",
}
_CITUS = "SELECT count(*) FROM pg_extension WHERE extname = 'citus'"


def require_postgresql(connection: sa.Connection) -> None:
    """Raises UsageError where another database answers, or Citus spreads the tables over several."""
    refuse_relative(str(connection.exec_driver_sql("SELECT version()").scalar_one()))
    if connection.exec_driver_sql(_CITUS).scalar_one():
        raise _untested("Citus")


def refuse_relative(version: str) -> None:
    """Raises UsageError for what a server says of its version, unless it is PostgreSQL's own."""
    for mark, name in _MARKS.items():
        if mark in version:
            raise _untested(name)
    if not version.startswith("PostgreSQL "):
        raise _untested("this server")


def _untested(name: str) -> UsageError:
    return UsageError(
        f"{name} is not supported: gdpr is not tested on it, and so will not erase there",
        "docs/cluster.md says what of gdpr's protocol such a database has, and what has to be tried first",
    )

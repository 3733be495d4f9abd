"""Whether the server keeps what it has committed, so that what the log calls erased stays so."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.operations.check.findings import Finding
from staffords_gdpr.policy.models import Policy


def durability(connection: sa.Connection, policy: Policy) -> Iterator[Finding]:
    """The setting that forgets, if there is one."""
    found = backend_of(connection).forgets_commits(connection)
    if found is None:
        return
    name, value, wanted = found
    yield Finding(
        "not-durable",
        "warning",
        policy.positions.where("records"),
        f"the server has {name} = {value}: after a power cut rows can be back that the log calls erased",
        f"Have {name} set to {wanted} by whoever looks after the database (of a cluster, on one node at least)",
    )

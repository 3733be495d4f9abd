"""The engines gdpr is tested on. What each does its own way stands in the module of its name."""

from __future__ import annotations

import sqlalchemy as sa

from staffords_gdpr.database.engines.base import Backend
from staffords_gdpr.database.engines.mariadb import MariaDB
from staffords_gdpr.database.engines.postgresql import PostgreSQL
from staffords_gdpr.database.engines.sqlite import SQLite
from staffords_gdpr.errors import UsageError

_SCHEMES: dict[str, Backend] = {}
for _backend, _names in (
    (SQLite(), ["sqlite"]),
    (PostgreSQL(), ["postgresql", "postgres"]),
    (MariaDB(), ["mysql", "mariadb"]),
):
    _SCHEMES |= dict.fromkeys(_names, _backend)
_SUPPORTED = ", ".join(dict.fromkeys(backend.title for backend in _SCHEMES.values()))
_DIALECTS = {backend.dialect: backend for backend in _SCHEMES.values()}


def backend_of(where: sa.Connection | sa.Engine) -> Backend:
    """The engine of a connection."""
    return _DIALECTS[where.dialect.name]


def backend_for(url: sa.URL) -> Backend:
    """The engine that a URL names, whatever driver it names. Raises UsageError for one that is not supported."""
    name = url.drivername.partition("+")[0]
    if name not in _SCHEMES:
        raise UsageError(
            f"{name} is not supported: gdpr is not tested on it, and so will not erase there",
            f"supported: {_SUPPORTED}",
        )
    return _SCHEMES[name]

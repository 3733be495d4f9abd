"""What MariaDB's errors say, by their numbers."""

from __future__ import annotations

import sqlalchemy as sa

TOO_LARGE = 4165
CONFLICTS = frozenset({1020, 1205, 1213, TOO_LARGE})
"""Changed meanwhile, a lock that took too long, a deadlock. In a cluster 1213 is also what a transaction gets that
another node's has overtaken, even at its COMMIT; and a smaller one may get through where one was too large."""

PASSING = frozenset({1047, 1317, 1969})
"""A node of a cluster that is not ready, a statement that was cancelled or took too long."""


def code_of(error: sa.exc.DBAPIError) -> int:
    """The number of an error, 0 where it has none."""
    said = error.orig.args if error.orig is not None else ()
    if "writeset size exceeded" in str(error.orig) or "wsrep_max_ws_rows exceeded" in str(error.orig):
        return TOO_LARGE  # the same has different numbers, which stand for other errors as well
    return said[0] if said and isinstance(said[0], int) else 0


def meaning(error: sa.exc.DBAPIError) -> tuple[str, str]:
    """What an error says about the database, and what to do."""
    code = code_of(error)
    if "Can't connect" in str(error.orig):
        code = 2003
    # messages of other errors can quote values
    told = f": {error.orig.args[1]}" if code in _QUOTABLE and error.orig and len(error.orig.args) > 1 else ""
    return _MEANINGS.get(code) or (f"answered {type(error.orig).__name__} ({code}){told}", "")


_QUOTABLE = {1054, 1064, 1071, 1101, 1146, 1267, 1305}  # unknown names, syntax, collations
_REFUSED = (
    "refused the user or the password",
    "check both; GDPR_DATABASE_PASSWORD_FILE keeps it out of the URL",
)
_UNKNOWN = (
    "is no database of that server, or not one for this user",
    "check the name in the URL; SHOW DATABASES lists them",
)
_FORBIDDEN = ("does not permit this user to do that", "`gdpr check` lists the privileges that are missing")
_GONE = ("cannot be reached", "check host and port in the URL, and that the server runs")
_READ_ONLY = (
    "was opened for reading only",
    "nothing was changed; a purge needs a server and a user that may write",
)
_FULL = ("cannot be written: the disk is full", "free some space and run again; nothing was lost")
_REFERRED = (
    "refused the change: another row still refers to a row to be erased",
    "nothing was changed; please report this together with the schema",
)  # fmt: skip
_CANCELLED = (
    "cancelled the statement",
    "raise the user's max_statement_time, or run again later; nothing was changed",
)
_LARGE = (
    "is a cluster that takes no transaction as large as that",
    "raise wsrep_max_ws_rows (0, as it is by default, is no limit) and wsrep_max_ws_size, on every node",
)
_MEANINGS = {
    1045: _REFUSED, 1698: _REFUSED, 1251: _REFUSED, 1044: _UNKNOWN, 1049: _UNKNOWN,
    1142: _FORBIDDEN, 1143: _FORBIDDEN, 1227: _FORBIDDEN, 1370: _FORBIDDEN,
    2002: _GONE, 2003: _GONE, 2005: _GONE, 2006: _GONE, 2013: _GONE, 2055: _GONE, 1053: _GONE, 1130: _REFUSED,
    1205: ("is locked by another program for too long", "run again when that program is done; nothing was changed"),
    1213: ("ended a deadlock with another program at our cost", "nothing was changed; run again"),
    1020: ("was changed by another program meanwhile", "nothing was changed; run again"),
    1290: _READ_ONLY, 1792: _READ_ONLY, 1836: _READ_ONLY,
    3: _FULL, 1021: _FULL, 1114: _FULL, 1030: _FULL,
    1040: ("takes no more connections", "run again later, or raise max_connections"),
    1203: ("takes no more connections", "run again later, or raise max_user_connections"),
    1047: ("is on a node of a cluster that is not ready", "run again when the cluster is whole; nothing was changed"),
    TOO_LARGE: _LARGE, 1317: _CANCELLED, 1969: _CANCELLED,
    1217: _REFERRED, 1451: _REFERRED,
    1048: ("refused the change: a column may not be null", "nothing was changed; `gdpr check` tells more"),
    1062: ("refused the change: a value must be unique", "nothing was changed; `gdpr check` tells more"),
    4025: ("refused the change: a CHECK of the table forbids it", "nothing was changed; `gdpr check` tells more"),
}  # fmt: skip

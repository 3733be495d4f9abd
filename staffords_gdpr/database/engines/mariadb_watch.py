"""Whether nobody else has written on MariaDB: by the server's own counters of written rows, less those of our sessions.

They would not show what others had begun before and end later: there must be no such thing. A session's own counters
it can read only by itself, so each of several notes them when it has written, and as long as nobody else has been there
only one at a time writes. What was not noted yet looks like somebody else's, never the other way round.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import partial
from threading import Condition

import sqlalchemy as sa

from staffords_gdpr.database.engines.base import Watch

__all__ = ["COUNTERS", "note", "watched"]

COUNTERS = ("HANDLER_DELETE", "HANDLER_UPDATE", "HANDLER_WRITE")
_REPLACED = ("COM_ALTER_TABLE", "COM_CREATE_TABLE", "COM_DROP_TABLE", "COM_RENAME_TABLE", "COM_TRUNCATE")
_OWN = f"""
    SELECT sum(variable_value) FROM information_schema.session_status
    WHERE variable_name IN {COUNTERS + _REPLACED}"""
_ALL = f"""
    SELECT sum(IF(variable_name IN ('UPTIME', 'UPTIME_SINCE_FLUSH_STATUS'), 0, variable_value)),
           sum(CASE variable_name WHEN 'UPTIME' THEN variable_value
                                  WHEN 'UPTIME_SINCE_FLUSH_STATUS' THEN -variable_value ELSE 0 END),
           ({_OWN})
    FROM information_schema.global_status
    WHERE variable_name IN {(*COUNTERS, *_REPLACED, "UPTIME", "UPTIME_SINCE_FLUSH_STATUS")}"""
"""How many rows all sessions have written since the server started, and how many tables they made or replaced: a table
can get other rows without one being written. When that was last set to nothing; and the share of this session."""
_AT_WORK = """
    SELECT trx_mysql_thread_id FROM information_schema.innodb_trx
    UNION ALL SELECT id FROM information_schema.processlist
    WHERE (command NOT IN ('Sleep', 'Daemon', 'Binlog Dump') OR user = 'event_scheduler') AND id <> connection_id()"""
"""Whose transactions are open and whose statements run. An INSERT counts before it waits, and writes after that. What
an event has written is for some time not counted when it is over."""
_SEEN_AGAIN = 0.2
"""Seconds after which InnoDB tells anew of its transactions: it keeps each answer for 0.1 or longer."""
PATIENCE = 0.5
"""Seconds for which one of our sessions waits until another has noted what it has written. It may hold locks that the
other waits for."""
MOST = 2
"""Connections of a run for which taking turns costs less than asking the rules again in every batch."""
_WATCHING = "gdpr_watching"


def watched(connections: Sequence[sa.Connection]) -> Sequence[Watch] | None:
    """See `Backend.watch`. Of more than two nothing is told: asked again, they erase at the same time, which is less
    than to do it one after the other.
    """
    for connection in connections:
        connection.info.pop(_WATCHING, None)
    if len(connections) > MOST:
        return None
    sessions = _Sessions(connections)
    if not sessions.quiet():
        return None
    if len(connections) > 1:
        for connection in connections:
            connection.info[_WATCHING] = partial(sessions.note, connection)
    return [
        Watch(partial(sessions.unchanged, connection), partial(sessions.writing, connection))
        for connection in connections
    ]


def note(connection: sa.Connection) -> None:
    """To be called before a transaction ends. Only of a connection that is lost an error is raised: what is not noted
    looks like somebody else's.
    """
    if (watching := connection.info.get(_WATCHING)) is None:
        return
    try:
        watching()
    except sa.exc.DBAPIError:
        if connection.invalidated:
            raise


class _Sessions:
    """Those of one run. Rows are counted as they are written, so that nothing is missed that is not committed."""

    def __init__(self, connections: Sequence[sa.Connection]) -> None:
        self._own = dict.fromkeys(connections, 0)
        self._writing: set[sa.Connection] = set()
        self._one_at_a_time = Condition()
        self._undisturbed = True
        self._others = self._flushed = 0

    def quiet(self) -> bool:
        """Whether nobody else is at work; from then on counts what others write."""
        for connection in self._own:
            self._own[connection] = _written_by(connection)
        one = next(iter(self._own))
        self._others, self._flushed = self._written(one)
        return _nobody_at_work(self._own.keys()) and self._same(one)

    def unchanged(self, connection: sa.Connection) -> bool:
        """Whether nobody else has written since. Our own session is taken to write from now on, until it notes that."""
        with self._one_at_a_time:
            others = self._own.keys() - {connection}
            if self._undisturbed:
                self._one_at_a_time.wait_for(lambda: self._writing.isdisjoint(others), PATIENCE)
            same = self._same(connection)
            # what is not the same may also be what they have not noted yet
            self._undisturbed = same or not self._writing.isdisjoint(others)
            self._writing.add(connection)
            return same

    def writing(self, connection: sa.Connection) -> None:
        """Our own session writes from now on, until it notes that: whoever asks waits so long."""
        with self._one_at_a_time:
            self._writing.add(connection)

    def note(self, connection: sa.Connection) -> None:
        """Count what our own session has written as its own."""
        with self._one_at_a_time:
            try:
                self._own[connection] = _written_by(connection)
            finally:
                self._writing.discard(connection)
                self._one_at_a_time.notify_all()

    def _same(self, connection: sa.Connection) -> bool:
        """Asked twice: a session that ends meanwhile can be counted twice, or not at all, but not in both."""
        return all(self._written(connection) == (self._others, self._flushed) for _ in range(2))

    def _written(self, connection: sa.Connection) -> tuple[int, int]:
        everybody, flushed, own = connection.exec_driver_sql(_ALL).one()
        self._own[connection] = int(own)
        return int(everybody) - sum(self._own.values()), int(flushed)


def _written_by(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql(_OWN).scalar_one())


def _nobody_at_work(ours: Collection[sa.Connection]) -> bool:
    """Whether no transaction is open, and no statement runs, but on these. False also where that cannot be asked.

    As InnoDB may answer with what it saw earlier, it must name a connection that was not there then.
    """
    numbers = {_number(connection) for connection in ours}
    try:
        with next(iter(ours)).engine.connect() as new:
            new.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            time.sleep(_SEEN_AGAIN)
            return set(new.exec_driver_sql(_AT_WORK).scalars()) - numbers == {_number(new)}
    except sa.exc.OperationalError:
        return False  # a full server, a user who may connect once only, or not see others


def _number(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("SELECT connection_id()").scalar_one())

"""A MariaDB Galera cluster: several servers, each of which takes writes and certifies them against the others'.

Certification compares the rows that two transactions changed. It knows nothing of locks, nor of rows that were only
read: what InnoDB makes an operator wait for on one server goes through on another. So a batch locks the same rows on
every node. Then each node catches up with the cluster, and if all locks are still there, nobody can change, on any
node, what the batch rests on: whoever wants to waits on his own node, and whoever came before has been seen.
docs/cluster.md has what was tried, and what certification alone lets through.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from staffords_gdpr.database.engines.base import READING, SHORT, Backend
from staffords_gdpr.errors import DatabaseError

_CATCH_UP = 1 | 2 | 4  # before reading, UPDATE and DELETE, INSERT: the bits of wsrep_sync_wait
_CLUSTER = "gdpr_cluster"  # a connection's own note of how it reaches the other nodes
_PATIENCE = 10
"""Seconds to wait for the other nodes; one that died is missed by the rest after five."""
_PAUSE = 0.2
_DEADLOCK = 1213
_LEAST_BYTES = 256  # of a row's keys and of what is written around it
_SETTINGS = """
    SHOW GLOBAL VARIABLES WHERE variable_name IN
    ('wsrep_on', 'wsrep_provider', 'wsrep_max_ws_rows', 'wsrep_max_ws_size')"""
_UNLIMITED = ("0", "2147483647")
_STATE = """
    SHOW GLOBAL STATUS WHERE variable_name IN ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_cluster_conf_id',
    'wsrep_cluster_state_uuid', 'wsrep_incoming_addresses', 'wsrep_gcomm_uuid')"""
_ROW_BYTES = "SELECT max(avg_row_length) FROM information_schema.tables WHERE table_schema = database()"


class Cluster:
    """How one connection reaches the other nodes of its cluster. The connections to them are its own, and kept."""

    def __init__(self) -> None:
        self._watches: dict[
            str, sa.Connection
        ] = {}  # one on every node, also on ours, outside of transactions
        self._others: dict[str, sa.Connection] = {}
        self._members = ""

    @property
    def others(self) -> tuple[sa.Connection, ...]:
        """Connections to the other nodes, each in a transaction of its own."""
        return tuple(self._others.values())

    def begin(self, connection: sa.Connection, backend: Backend) -> None:
        """Begin on every other node. Raises DatabaseError where one does not answer: it cannot be locked."""
        until = time.monotonic() + _PATIENCE
        while (reason := self._gather(connection, backend)) is not None:
            self.close()
            if time.monotonic() > until:
                raise DatabaseError(
                    f"the cluster cannot be locked: {reason}",
                    "a purge locks the same rows on every node, so it has to reach each by the address that "
                    "wsrep_incoming_addresses gives, with the same user; nothing was changed",
                )
            time.sleep(_PAUSE)

    def confirm(self, connection: sa.Connection) -> None:
        """Let every node catch up, and make sure that no lock was lost meanwhile, and that no node has joined.

        Raises what a deadlock raises: the batch is to be tried again.
        """
        for one in (*self._watches.values(), *self._others.values(), connection):
            one.exec_driver_sql("SELECT 1")
        self.require_unchanged(connection)

    def require_unchanged(self, connection: sa.Connection) -> None:
        """Raises what a deadlock raises where nodes have come or gone since `begin`."""
        if not self.is_unchanged(connection):
            raise _deadlock("nodes have joined or left the cluster")

    def is_unchanged(self, connection: sa.Connection) -> bool:
        """Whether the cluster has the same nodes as at `begin`, and this one is among those that may go on."""
        state = _state_of(connection)
        return state["wsrep_cluster_status"] == "Primary" and state["wsrep_cluster_conf_id"] == self._members

    def release(self) -> None:
        """Let go of the locks on the other nodes."""
        for address, one in tuple(self._others.items()):
            try:
                one.rollback()
            except sa.exc.DBAPIError:
                _close(self._others.pop(address))

    def close(self) -> None:
        """Close every connection to the other nodes."""
        for one in (*self._others.values(), *self._watches.values()):
            _close(one)
        self._others.clear()
        self._watches.clear()

    def _gather(self, connection: sa.Connection, backend: Backend) -> str | None:
        """Begin on the other nodes that there are now; else the reason why that cannot be."""
        state = _state_of(connection)
        if state["wsrep_cluster_status"] != "Primary" or state["wsrep_ready"] != "ON":
            return "this node has lost the others, or is not ready"
        self._members = state["wsrep_cluster_conf_id"]
        addresses = [address.strip() for address in state["wsrep_incoming_addresses"].split(",")]
        wanted = {address for address in addresses if address}  # an arbitrator has none, and no rows
        if self._watches.keys() != wanted:
            self.close()
        own, short = state["wsrep_gcomm_uuid"], bool(connection.get_execution_options().get(SHORT))
        found = set()
        for address in sorted(wanted):
            try:
                if address not in self._watches:
                    self._watch(address, _at(connection.engine.url, address), backend)
                name = self._node_at(address, state["wsrep_cluster_state_uuid"])
                if name != own:
                    self._begin_on(address, short)
                found.add(name)
            except (sa.exc.SQLAlchemyError, ValueError):
                return f"its node {address} does not answer"
        if own not in found or len(found) < len(wanted):
            return f"the addresses of its nodes, {', '.join(sorted(wanted))}, lead elsewhere"
        return None

    def _watch(self, address: str, url: sa.URL, backend: Backend) -> None:
        engine = backend.open(url, write=True, patience=_PATIENCE)
        event.listen(engine, "handle_error", _costs_us_a_lock, retval=True)
        self._watches[address] = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _node_at(self, address: str, cluster: str) -> str:
        """What the cluster calls the node at an address; nothing if that is none of it."""
        state = _state_of(self._watches[address])
        return state["wsrep_gcomm_uuid"] if state["wsrep_cluster_state_uuid"] == cluster else ""

    def _begin_on(self, address: str, short: bool) -> None:
        if address not in self._others:
            self._others[address] = self._watches[address].engine.connect()
        other = self._others[address].execution_options(**{READING: False, SHORT: short})
        other.begin()
        other.exec_driver_sql("SELECT 1")


class EveryNode(sa.RootTransaction):
    """A transaction whose rows are locked on the other nodes, too, until it ends."""

    def __init__(self, connection: sa.Connection, cluster: Cluster) -> None:
        self.cluster = cluster
        super().__init__(connection)

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self.cluster.release()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self.cluster.release()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.cluster.release()


class Clustered(Backend):
    """What an engine does for a batch on all nodes of a cluster. On a server alone none of it does anything."""

    def begin_on_every_node(self, connection: sa.Connection) -> sa.Transaction:
        """Begin a transaction that has caught up with the cluster, and one beside it on every other node."""
        cluster = _cluster_of(connection)
        if cluster is None:
            return connection.begin()
        try:
            cluster.begin(connection, self)
        finally:
            connection.rollback()  # to ask how things stand has begun one
        transaction = EveryNode(connection, cluster)
        try:
            connection.exec_driver_sql("SELECT 1")
        except BaseException:
            transaction.rollback()
            raise
        return transaction

    def others(self, connection: sa.Connection) -> Sequence[sa.Connection]:
        transaction = connection.get_transaction()
        return transaction.cluster.others if isinstance(transaction, EveryNode) else ()

    def confirm_locks(self, connection: sa.Connection) -> None:
        if (cluster := _cluster_of(connection)) is not None:
            cluster.confirm(connection)

    def check_deferred(self, connection: sa.Connection) -> None:
        """Nothing waits for the commit; but a node that has joined the cluster meanwhile has none of our locks."""
        if (cluster := _cluster_of(connection)) is not None:
            cluster.require_unchanged(connection)

    def refusal_stands(self, connection: sa.Connection) -> bool:
        """Not where the cluster has fallen apart meanwhile: its other part may have what this node was refused."""
        cluster = _cluster_of(connection)
        if cluster is None:
            return True
        try:
            return cluster.is_unchanged(connection)
        finally:
            connection.rollback()

    def most_rows(self, connection: sa.Connection) -> int | None:
        """What a write set may hold: by number, and by size as far as the average row tells."""
        if _cluster_of(connection) is None:
            return None
        settings = _told(connection, _SETTINGS)
        rows, size = int(settings["wsrep_max_ws_rows"]), int(settings["wsrep_max_ws_size"])
        # twice the average row, as rows differ
        by_size = size // (2 * int(connection.exec_driver_sql(_ROW_BYTES).scalar() or 0) + _LEAST_BYTES)
        return max(1, min(rows, by_size) if rows else by_size)

    def joins_updates(self, connection: sa.Connection) -> bool:
        """Not where a write set is limited: then the server takes no UPDATE that is joined with a subquery (4165)."""
        if _cluster_of(connection) is None:
            return True
        settings = _told(connection, _SETTINGS)
        return (settings["wsrep_max_ws_rows"], settings["wsrep_max_ws_size"]) == _UNLIMITED


def join(cursor: Any, notes: MutableMapping[Any, Any]) -> None:
    """Note of a new connection whether it leads to a node of a cluster; it shall see what any node has committed."""
    cursor.execute(_SETTINGS)
    settings = dict(cursor.fetchall())
    if settings.get("wsrep_on") == "ON" and settings.get("wsrep_provider", "none") not in ("", "none"):
        cursor.execute(f"SET SESSION wsrep_sync_wait = {_CATCH_UP}")
        notes[_CLUSTER] = Cluster()


def leave(notes: MutableMapping[Any, Any]) -> None:
    """A connection is closed: close those to the other nodes, too."""
    if (cluster := notes.pop(_CLUSTER, None)) is not None:
        cluster.close()


def number_of_cluster(connection: sa.Connection) -> str | None:
    """What tells the cluster from others, whichever of its nodes the connection leads to; None outside of one."""
    return _state_of(connection)["wsrep_cluster_state_uuid"] if _cluster_of(connection) is not None else None


def _cluster_of(connection: sa.Connection) -> Cluster | None:
    cluster = connection.info.get(_CLUSTER)
    return cluster if isinstance(cluster, Cluster) else None


def _state_of(connection: sa.Connection) -> Mapping[str, str]:
    """What a node knows of its cluster."""
    return _told(connection, _STATE)


def _told(connection: sa.Connection, query: str) -> Mapping[str, str]:
    return {name.lower(): value for name, value in connection.exec_driver_sql(query)}


def _deadlock(why: str) -> sa.exc.OperationalError:
    """What the driver raises for a deadlock, for what has the same meaning: nothing was changed, try again."""
    from pymysql.err import OperationalError

    return sa.exc.OperationalError(why, None, OperationalError(_DEADLOCK, why))


def _costs_us_a_lock(failure: sa.ExceptionContext) -> BaseException:
    """Whatever goes wrong on another node: to the transaction here it is a deadlock."""
    return _deadlock(f"on another node: {type(failure.original_exception).__name__}")


def _at(url: sa.URL, address: str) -> sa.URL:
    """The same database on another node. `address` as the cluster writes it: host:port, [::1]:3306."""
    host, _, port = address.rpartition(":")
    return url.difference_update_query(["unix_socket"]).set(host=host.strip("[]"), port=int(port))


def _close(connection: sa.Connection) -> None:
    with suppress(sa.exc.DBAPIError):
        connection.close()

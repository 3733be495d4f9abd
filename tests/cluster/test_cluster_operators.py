"""Operators who write to other nodes of a cluster than the purge: they wait, or are seen, or come after."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines.galera import Galera
from engines.talk import rows, run, speaking
from test_erasure_engines import AS_OF, CUSTOMERS, HEAD, TWO
from test_locks import LINKS, MEDDLING, POLICY, TABLES, lock_customer_1, ready, waits

from staffords_gdpr.database.connection import begin, check_deferred, connect, connected, may_pass
from staffords_gdpr.database.locks import lock_rows
from staffords_gdpr.operations.purge.erasure import Eraser
from staffords_gdpr.operations.purge.settle import remaining_in_the_end
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.bulk.rows import Scope


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "retention.yaml"
    path.write_text(HEAD + POLICY)
    return path


@pytest.fixture(params=["declared", "undeclared"])
def office(request: pytest.FixtureRequest, cluster: Galera) -> Galera:
    links = LINKS if request.param == "declared" else dict.fromkeys(LINKS, "")
    run(cluster.url(0), CUSTOMERS, TWO, *(statement.format(**links) for statement in TABLES))
    return cluster


def test_changes_of_what_a_batch_rests_on_wait_on_every_node(office: Galera, policy: Path) -> None:
    def let_through() -> set[tuple[int, str]]:
        return {
            (node, name)
            for node in office.nodes
            for name, statement in MEDDLING.items()
            if not waits(office.url(node), statement)
        }

    with ready(office.url(1), policy) as bulk, begin(bulk.connection, lock=True):
        lock_customer_1(bulk)
        assert let_through() == set()
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        assert Eraser(bulk).plan().rows["customer"] == 1
    assert len(let_through()) == len(MEDDLING) * len(office.nodes)


@pytest.mark.parametrize("change", ["a new call", "a later date", "a later date in a note"])
def test_what_another_node_has_committed_is_seen_by_one_that_is_behind(
    office: Galera, policy: Path, change: str
) -> None:
    planned: dict[str, int] = {}
    with ready(office.url(0), policy) as bulk:

        def purge() -> None:
            with begin(bulk.connection, lock=True):
                lock_customer_1(bulk)
                bulk.decide(AS_OF, scope=Scope.SUBJECTS)
                planned.update(Eraser(bulk).plan().rows)

        with office.behind(0):
            run(office.url(1), MEDDLING[change])
            batch = threading.Thread(target=purge)
            batch.start()
            batch.join(0.5)
            assert batch.is_alive()
        batch.join(20)
    assert "customer" not in planned


def test_a_reader_waits_for_a_node_that_is_behind(cluster: Galera) -> None:
    """So a dry run and a scan, too, know what any node has committed."""
    run(cluster.url(0), CUSTOMERS)
    seen: list[int] = []

    def read() -> None:
        with connected(connect(cluster.url(1), write=False)) as connection, begin(connection, lock=False):
            seen.append(connection.exec_driver_sql("SELECT count(*) FROM customers").scalar_one())

    with cluster.behind(1):
        run(cluster.url(0), TWO)
        reading = threading.Thread(target=read)
        reading.start()
        reading.join(0.5)
    reading.join(20)
    assert seen == [2]


def test_a_node_that_is_behind_does_not_say_that_a_batch_was_not_committed(
    office: Galera, policy: Path
) -> None:
    left: dict[str, int] = {}
    with ready(office.url(0), policy) as bulk, ready(office.url(1), policy) as later:
        transaction = begin(bulk.connection, lock=True)
        lock_customer_1(bulk)
        bulk.decide(AS_OF, scope=Scope.SUBJECTS)
        plan = Eraser(bulk).plan()
        Eraser(bulk).erase(plan)
        with office.behind(1):
            transaction.commit()
            settling = threading.Thread(
                target=lambda: left.update(remaining_in_the_end(later, plan.erasures))
            )
            settling.start()
            settling.join(0.5)
            assert not left
        settling.join(20)
    assert plan.rows
    assert left == dict.fromkeys(plan.rows, 0)


def test_a_purge_that_was_killed_and_is_still_committing_on_another_node_is_waited_for(
    office: Galera, policy: Path
) -> None:
    left: dict[str, int] = {}
    with ready(office.url(0), policy) as bulk, ready(office.url(1), policy) as later:
        with begin(bulk.connection, lock=True) as transaction:
            lock_customer_1(bulk)
            bulk.decide(AS_OF, scope=Scope.SUBJECTS)
            plan = Eraser(bulk).plan()
            Eraser(bulk).erase(plan)
            settling = threading.Thread(
                target=lambda: left.update(remaining_in_the_end(later, plan.erasures))
            )
            settling.start()
            settling.join(0.5)
            assert not left
            transaction.commit()
        settling.join(20)
    assert left == dict.fromkeys(plan.rows, 0)


def test_a_node_that_joins_in_the_middle_of_a_batch_has_none_of_its_locks(
    office: Galera, policy: Path
) -> None:
    office.kill(2)
    office.wait_for_size(0, 2)
    with ready(office.url(0), policy) as bulk:
        transaction = begin(bulk.connection, lock=True)
        lock_customer_1(bulk)
        check_deferred(bulk.connection)
        office.start(2)
        with pytest.raises(sa.exc.DBAPIError) as caught:
            check_deferred(bulk.connection)
        assert may_pass(bulk.connection, caught.value)
        transaction.rollback()


CUSTOMERS_TO_GO = 150


class Operators:
    """Look up a customer and add a call, again and again, on every node. Each call is for a customer who was there."""

    def __init__(self, cluster: Galera) -> None:
        self.stop = threading.Event()
        self.at = 1
        self.added = 0
        self._threads = [
            threading.Thread(target=self._work, args=(cluster.url(node), node)) for node in cluster.nodes
        ]

    def __enter__(self) -> Operators:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, url: str, seed: int) -> None:
        chance = random.Random(seed)
        with speaking(url) as connection:
            while not self.stop.is_set():
                time.sleep(chance.uniform(0, 0.4))
                customer = self.at + chance.randrange(6)
                try:
                    self._add_call(connection, customer)
                except sa.exc.OperationalError:
                    connection.rollback()

    def _add_call(self, connection: sa.Connection, customer: int) -> None:
        asked = f"SELECT 1 FROM customers WHERE id = {customer} LOCK IN SHARE MODE"
        if connection.exec_driver_sql(asked).first():
            connection.exec_driver_sql(
                f"INSERT INTO calls (customer_id, received_at) VALUES ({customer}, '2026-01-01 10:00:00')"
            )
            connection.commit()
            self.added += 1
        connection.rollback()


def test_no_call_that_an_operator_adds_on_any_node_is_overlooked(cluster: Galera, tmp_path: Path) -> None:
    """With no foreign key, so that nothing but the locks keeps both from going through."""
    policy = tmp_path / "retention.yaml"
    call = "{table: calls, belongs_to: customer, on: {customer_id: id}, keep: {for: 3 years, after: last_contact}}"
    policy.write_text(f"{HEAD}  call: {call}\n")
    run(
        cluster.url(0),
        CUSTOMERS,
        "CREATE TABLE calls (id INTEGER AUTO_INCREMENT PRIMARY KEY, customer_id INTEGER, received_at TIMESTAMP NULL)",
        "CREATE INDEX by_customer ON calls (customer_id)",
        f"INSERT INTO customers SELECT seq, 'Name', '2014-05-01' FROM seq_1_to_{CUSTOMERS_TO_GO}",
    )
    erased = 0
    with ready(cluster.url(0), policy) as bulk, Operators(cluster) as operators:
        for customer in range(1, CUSTOMERS_TO_GO, 3):
            operators.at = customer
            erased += sum(_purge(bulk, [(number,) for number in range(customer, customer + 3)]).values())
    assert erased > 3
    assert operators.added > 3
    lost = rows(
        cluster.url(0),
        "SELECT count(*) FROM calls LEFT JOIN customers ON customers.id = customer_id WHERE customers.id IS NULL",
    )
    assert lost == [(0,)]


def _purge(bulk: Bulk, subjects: list[tuple[int]]) -> dict[str, int]:
    """What a batch does, until it goes through."""
    until = time.monotonic() + 60
    while True:
        try:
            with begin(bulk.connection, lock=True):
                bulk.scope_to(subjects=subjects)
                lock_rows(bulk.connection, bulk.catalogue, {"customer": bulk.work.scope})
                bulk.decide(AS_OF, scope=Scope.SUBJECTS)
                plan = Eraser(bulk).plan()
                Eraser(bulk).erase(plan)
                check_deferred(bulk.connection)
        except sa.exc.DBAPIError as error:
            bulk.forget()
            if time.monotonic() > until or not may_pass(bulk.connection, error):
                raise
        else:
            return dict(plan.rows)

"""Operators at their work, until they are told to stop: `python -m benchmarks.operators URL CUSTOMERS REPAIRS`.

A few of them, each with a connection of their own: they read a customer, take a call, write on a repair, and take a
breath. SIGTERM ends it; then the time of every transaction stands in JSON on standard output.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from typing import Any

import sqlalchemy as sa

OPERATORS = 4
BREATH_SECONDS = 0.01
FIRST_CALL = 80_000_000  # their calls have numbers that the database did not have before

READ = "SELECT * FROM customers WHERE id = :customer"
CALLS = "SELECT * FROM calls WHERE customer_id = :customer ORDER BY received_at"
TAKE = """
    INSERT INTO calls (id, customer_id, operator_id, channel, received_at, reason, resolution)
    VALUES (:id, :customer, 1, 'phone', :now, 'Asks for a part', 'Sent')
"""
WRITE = "UPDATE repairs SET work_done = 'looked at again' WHERE id = :repair"


class Office:
    """What the operators share."""

    def __init__(self, url: str, customers: int, repairs: int) -> None:
        self.engine = sa.create_engine(url, pool_size=OPERATORS)
        self.customers, self.repairs = customers, repairs
        self.over = threading.Event()
        self.took: list[float] = []
        self.failed: Counter[str] = Counter()
        self.gone = 0
        self.taken: Counter[int] = Counter()  # calls, by operator

    def operator(self, number: int) -> None:
        chance = random.Random(number)
        next_call = FIRST_CALL + number * 1_000_000
        with self.engine.connect() as connection:
            while not self.over.is_set():
                next_call += 1
                values = {
                    "id": next_call,
                    "customer": chance.randint(1, self.customers),
                    "repair": chance.randint(1, self.repairs),
                    "now": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
                }
                work = chance.choice([(READ, CALLS), (TAKE,), (WRITE,)])
                self.taken[number] += self.work(connection, work, values) and work == (TAKE,)
                self.over.wait(BREATH_SECONDS)

    def work(self, connection: sa.Connection, statements: tuple[str, ...], values: dict[str, Any]) -> bool:
        """Whether it could be done."""
        began, done = time.perf_counter(), False
        try:
            with connection.begin():
                for statement in statements:
                    connection.execute(sa.text(statement), values)
            done = True
        except sa.exc.IntegrityError:
            self.gone += 1  # a call of a customer who has been erased
        except sa.exc.DBAPIError as error:
            # PostgreSQL's errors have names of their own, MariaDB's numbers
            number = [str(first) for first in error.orig.args[:1] if isinstance(first, int)]  # type: ignore[union-attr]
            self.failed[" ".join([type(error.orig).__name__, *number])] += 1
        self.took.append(time.perf_counter() - began)
        return done


def main() -> None:
    url, customers, repairs = sys.argv[1:]
    office = Office(url, int(customers), int(repairs))
    signal.signal(signal.SIGTERM, lambda *_: office.over.set())
    threads = [threading.Thread(target=office.operator, args=(number,)) for number in range(OPERATORS)]
    for thread in threads:
        thread.start()
    while not office.over.wait(0.2):
        pass
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {"took": office.took, "failed": office.failed, "gone": office.gone, "taken": office.taken.total()}
        )
    )


if __name__ == "__main__":
    main()

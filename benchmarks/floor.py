"""The floor: the firm's policy as a skilled hand would write it, for this one schema, in one transaction.

It counts what `gdpr scan` finds due and does the same erasure as `gdpr purge`, without brakes, without a log,
without batches, and without being able to do it for any other policy. `check.py` proves it right, row by row.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from staffords_gdpr.policy.periods import Period, start_of_day

LONDON = ZoneInfo("Europe/London")
EMPTY = "1970-01-01 00:00:00"

# What is due, into temporary tables. Moments are text in UTC and compare as text: `< :years_3` means that the
# day in London lies at or before the cut-off of a period of three years. `>= :tomorrow` lies in the future.
FIND = """
CREATE TEMP TABLE contact AS
    SELECT customer_id AS id, max(moment) AS latest, min(moment) AS earliest, max(is_call) AS has_calls FROM (
        SELECT customer_id, nullif(received_at, :empty) AS moment, 1 AS is_call FROM calls
        UNION ALL SELECT customer_id, nullif(booked_in_at, :empty), 0 FROM repairs
        UNION ALL SELECT customer_id, nullif(completed_at, :empty), 0 FROM repairs
    ) WHERE customer_id IS NOT NULL GROUP BY customer_id;
CREATE UNIQUE INDEX temp.contact_id ON contact (id);

CREATE TEMP TABLE in_warranty (id INTEGER PRIMARY KEY);
INSERT OR IGNORE INTO in_warranty SELECT customer_id FROM products WHERE warranty_until >= :today;

CREATE TEMP TABLE due_repair (id INTEGER PRIMARY KEY);
INSERT INTO due_repair
    SELECT r.id FROM repairs r
    JOIN products p ON p.id = r.product_id
    JOIN contact c ON c.id = r.customer_id
    WHERE r.completed_at >= '1900' AND r.completed_at < :years_2 AND r.completed_at <> :empty
    AND (p.warranty_until IS NULL OR p.warranty_until < :today)
    AND (NOT c.has_calls
         OR (c.latest < :years_3 AND c.earliest >= '1900'
             AND r.customer_id NOT IN (SELECT id FROM in_warranty))
         -- calls stay: so does what carries the day of the latest contact, or feeds one that is impossible
         OR (c.latest < :tomorrow AND c.earliest >= '1900'
             AND london_day(r.completed_at) <> london_day(c.latest)
             AND london_day(nullif(r.booked_in_at, :empty)) IS NOT london_day(c.latest)));

CREATE TEMP TABLE due_call (id INTEGER PRIMARY KEY);
INSERT INTO due_call
    SELECT k.id FROM calls k
    JOIN customers o ON o.id = k.customer_id
    JOIN contact c ON c.id = k.customer_id
    WHERE c.latest < :years_3 AND c.earliest >= '1900' AND k.customer_id NOT IN (SELECT id FROM in_warranty);
INSERT INTO due_call
    SELECT k.id FROM calls k LEFT JOIN customers o ON o.id = k.customer_id
    WHERE o.id IS NULL AND k.received_at >= '1900' AND k.received_at < :years_3 AND k.received_at <> :empty;

CREATE TEMP TABLE due_customer (id INTEGER PRIMARY KEY);
INSERT INTO due_customer
    SELECT o.id FROM customers o LEFT JOIN contact c ON c.id = o.id
    WHERE o.registered_at >= '1900' AND o.registered_at < :years_3 AND o.registered_at <> :empty
    AND o.id NOT IN (SELECT id FROM in_warranty)
    AND (c.has_calls IS NOT 1 OR (c.latest < :years_3 AND c.earliest >= '1900'))
    AND NOT EXISTS (SELECT 1 FROM repairs r
                    WHERE r.customer_id = o.id AND r.id NOT IN (SELECT id FROM due_repair));

CREATE TEMP TABLE due_payment (id INTEGER PRIMARY KEY);
INSERT INTO due_payment
    SELECT id FROM payments WHERE taken_at >= '1900' AND taken_at < :years_6 AND taken_at <> :empty;
"""

DUE_CARD = """
    taken_at >= '1900' AND taken_at < :months_13 AND taken_at <> :empty
    AND (card_number IS NOT NULL OR card_expiry IS NOT NULL)
"""
DUE_IDENTITY = "repair_id IN (SELECT id FROM due_repair)"
DUE_PRODUCT = "customer_id IN (SELECT id FROM due_customer)"
DUE_CONSIGNMENT = "repair_id IN (SELECT id FROM due_repair)"

KEYS = {
    "customer": "SELECT id FROM due_customer",
    "product": f"SELECT id FROM products WHERE {DUE_PRODUCT}",
    "call": "SELECT id FROM due_call",
    "repair": "SELECT id FROM due_repair",
    "consignment": f"SELECT id FROM consignments WHERE {DUE_CONSIGNMENT}",
    "payment": "SELECT id FROM due_payment",
    "payment.card": f"SELECT id FROM payments WHERE {DUE_CARD}",
    "payment.identity": f"SELECT id FROM payments WHERE {DUE_IDENTITY}",
}

# In this order no row is ever without what it refers to. Every statement counts what it erased.
ERASE = {
    "payment": "DELETE FROM payments WHERE id IN (SELECT id FROM due_payment)",
    "payment.card": f"UPDATE payments SET card_number = NULL, card_expiry = NULL WHERE {DUE_CARD}",
    "payment.identity": f"UPDATE payments SET card_holder = NULL, repair_id = NULL WHERE {DUE_IDENTITY}",
    "consignment": f"DELETE FROM consignments WHERE {DUE_CONSIGNMENT}",
    "repair": "DELETE FROM repairs WHERE id IN (SELECT id FROM due_repair)",
    "call": "DELETE FROM calls WHERE id IN (SELECT id FROM due_call)",
    "product": f"DELETE FROM products WHERE {DUE_PRODUCT}",
    "customer": "DELETE FROM customers WHERE id IN (SELECT id FROM due_customer)",
}


def find(path: Path, as_of: dt.datetime) -> dict[str, set[int]]:
    """The keys of what is due, for comparisons."""
    with closing(_connect(path)) as connection:
        parameters = _find(connection, as_of)
        return {
            record: {row[0] for row in connection.execute(query, parameters)}
            for record, query in KEYS.items()
        }


def erase(path: Path, as_of: dt.datetime) -> dict[str, int]:
    """Erase what is due in one transaction. Returns rows per record type and step."""
    with closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        parameters = _find(connection, as_of)
        erased = {
            record: connection.execute(statement, parameters).rowcount for record, statement in ERASE.items()
        }
        connection.execute("COMMIT")
        return erased


def count(path: Path, as_of: dt.datetime) -> dict[str, int]:
    """How much is due, one count a record type: what a scan is measured against."""
    with closing(_connect(path)) as connection:
        parameters = _find(connection, as_of)
        return {
            record: connection.execute(f"SELECT count(*) FROM ({query})", parameters).fetchone()[0]
            for record, query in KEYS.items()
        }


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.create_function("london_day", 1, _london_day, deterministic=True)
    return connection


def _find(connection: sqlite3.Connection, as_of: dt.datetime) -> Mapping[str, str]:
    today = as_of.astimezone(LONDON).date()

    def before(period: str) -> str:
        return _text(start_of_day(Period.parse(period).cutoff(today) + dt.timedelta(days=1), LONDON))

    parameters = {
        "empty": EMPTY,
        "today": today.isoformat(),
        "tomorrow": _text(start_of_day(today + dt.timedelta(days=1), LONDON)),
        "years_2": before("2 years"),
        "years_3": before("3 years"),
        "years_6": before("6 years"),
        "months_13": before("13 months"),
    }
    for statement in FIND.split(";\n"):
        connection.execute(statement, parameters)
    return parameters


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _london_day(moment: str | None) -> str | None:
    if moment is None:
        return None
    return dt.datetime.fromisoformat(f"{moment}+00:00").astimezone(LONDON).date().isoformat()


def main() -> None:
    """`erase|count DATABASE MOMENT`: rows and seconds as JSON. Loading Python does not count."""
    action, path, as_of = sys.argv[1:]
    started, worked = time.perf_counter(), time.process_time()
    rows = {"erase": erase, "count": count}[action](Path(path), dt.datetime.fromisoformat(as_of))
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()

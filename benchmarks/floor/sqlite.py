"""The floor of SQLite. Moments are text and compare as text."""

from __future__ import annotations

import datetime as dt
import sqlite3
from zoneinfo import ZoneInfo

import sqlalchemy as sa

LONDON = ZoneInfo("Europe/London")


def connect(url: sa.URL) -> sqlite3.Connection:
    connection = sqlite3.connect(str(url.database), isolation_level=None, check_same_thread=False)
    connection.create_function("london_day", 1, _london_day, deterministic=True)
    return connection


def _london_day(moment: str | None) -> str | None:
    if moment is None:
        return None
    return dt.datetime.fromisoformat(f"{moment}+00:00").astimezone(LONDON).date().isoformat()


# as every program of the firm that cares for its data
BEGIN = """
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -65536;
BEGIN IMMEDIATE
"""

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
    SELECT k.id FROM contact c JOIN customers o ON o.id = c.id CROSS JOIN calls k ON k.customer_id = c.id
    WHERE c.latest < :years_3 AND c.earliest >= '1900' AND c.id NOT IN (SELECT id FROM in_warranty);
INSERT INTO due_call
    SELECT id FROM calls
    WHERE (customer_id IS NULL OR customer_id IN (SELECT customer_id FROM calls EXCEPT SELECT id FROM customers))
    AND received_at >= '1900' AND received_at < :years_3 AND received_at <> :empty;

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

# what benchmarks/floor/promised.py does with what is due, batch by batch; BEGIN IMMEDIATE has locked everything
LIST = """
CREATE TEMP TABLE {list} (owner INTEGER, id INTEGER, PRIMARY KEY (owner, id)) WITHOUT ROWID;
INSERT INTO {list} {query}
"""
BATCHES = ""
LOCK = "SELECT id FROM {list} WHERE owner BETWEEN {first} AND {last}"
_LISTED = "WHERE id IN (SELECT id FROM {list} WHERE owner BETWEEN {first} AND {last})"
DELETE = f"DELETE FROM {{table}} {_LISTED}"
REPLACE = f"UPDATE {{table}} SET {{replaced}} {_LISTED}"

"""The floor of PostgreSQL: temporary tables that the planner knows, and joins with them."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.floor.due import DUE_CARD, DUE_PAYMENT, KEYS

__all__ = ["BEGIN", "ERASE", "FIND", "KEYS", "connect"]


def connect(url: sa.URL) -> psycopg.Connection[Any]:
    # the parameters go into the text: CREATE TABLE AS takes none
    return psycopg.connect(
        dbname=url.database,
        user=url.username,
        host=str(url.query["host"]),
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,
    )


BEGIN = "BEGIN"

_LONDON_DAY = "({} AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/London')::date"
_EMPTY = "%(empty)s::timestamp"

FIND = f"""
CREATE TEMP TABLE contact AS
    SELECT customer_id AS id, max(moment) AS latest, min(moment) AS earliest, bool_or(is_call) AS has_calls FROM (
        SELECT customer_id, nullif(received_at, {_EMPTY}) AS moment, true AS is_call FROM calls
        UNION ALL SELECT customer_id, nullif(booked_in_at, {_EMPTY}), false FROM repairs
        UNION ALL SELECT customer_id, nullif(completed_at, {_EMPTY}), false FROM repairs
    ) AS moments WHERE customer_id IS NOT NULL GROUP BY customer_id;
ANALYZE contact;

CREATE TEMP TABLE in_warranty AS SELECT DISTINCT customer_id AS id FROM products WHERE warranty_until >= %(today)s;
ANALYZE in_warranty;

CREATE TEMP TABLE due_repair AS
    SELECT r.id FROM repairs r
    LEFT JOIN products p ON p.id = r.product_id
    JOIN contact c ON c.id = r.customer_id
    LEFT JOIN in_warranty w ON w.id = r.customer_id
    WHERE r.completed_at >= '1900-01-01' AND r.completed_at < %(years_2)s AND r.completed_at <> %(empty)s
    AND (p.warranty_until IS NULL OR p.warranty_until < %(today)s)
    AND (NOT c.has_calls
         OR (c.latest < %(years_3)s AND c.earliest >= '1900-01-01' AND w.id IS NULL)
         -- calls stay: so does what carries the day of the latest contact, or feeds one that is impossible
         OR (c.latest < %(tomorrow)s AND c.earliest >= '1900-01-01'
             AND {_LONDON_DAY.format("r.completed_at")} <> {_LONDON_DAY.format("c.latest")}
             AND {_LONDON_DAY.format(f"nullif(r.booked_in_at, {_EMPTY})")}
                 IS DISTINCT FROM {_LONDON_DAY.format("c.latest")}));
ANALYZE due_repair;

CREATE TEMP TABLE due_call AS
    SELECT k.id FROM calls k
    JOIN contact c ON c.id = k.customer_id
    LEFT JOIN in_warranty w ON w.id = k.customer_id
    WHERE c.latest < %(years_3)s AND c.earliest >= '1900-01-01' AND w.id IS NULL
    UNION ALL
    SELECT id FROM calls
    WHERE customer_id IS NULL
    AND received_at >= '1900-01-01' AND received_at < %(years_3)s AND received_at <> %(empty)s;
ANALYZE due_call;

CREATE TEMP TABLE due_customer AS
    SELECT o.id FROM customers o
    LEFT JOIN contact c ON c.id = o.id
    LEFT JOIN in_warranty w ON w.id = o.id
    WHERE o.registered_at >= '1900-01-01' AND o.registered_at < %(years_3)s AND o.registered_at <> %(empty)s
    AND w.id IS NULL
    AND (c.has_calls IS NOT TRUE OR (c.latest < %(years_3)s AND c.earliest >= '1900-01-01'))
    AND NOT EXISTS (SELECT 1 FROM repairs r LEFT JOIN due_repair d ON d.id = r.id
                    WHERE r.customer_id = o.id AND d.id IS NULL);
ANALYZE due_customer
"""

ERASE = {
    "payment": f"DELETE FROM payments WHERE {DUE_PAYMENT}",
    "payment.card": f"UPDATE payments SET card_number = NULL, card_expiry = NULL WHERE {DUE_CARD}",
    "payment.identity": """
        UPDATE payments p SET card_holder = NULL, repair_id = NULL FROM due_repair d WHERE d.id = p.repair_id
    """,
    "consignment": "DELETE FROM consignments c USING due_repair d WHERE d.id = c.repair_id",
    "repair": "DELETE FROM repairs r USING due_repair d WHERE d.id = r.id",
    "call": "DELETE FROM calls k USING due_call d WHERE d.id = k.id",
    "product": "DELETE FROM products p USING due_customer d WHERE d.id = p.customer_id",
    "customer": "DELETE FROM customers o USING due_customer d WHERE d.id = o.id",
}

# what benchmarks/floor/promised.py does with what is due, batch by batch
LIST = """
CREATE TEMP TABLE {list} AS {query} ORDER BY 1;
CREATE INDEX ON {list} (owner);
ANALYZE {list}
"""
BATCHES = "SET enable_seqscan = off;\nSET random_page_cost = 1"  # or small batches read whole tables
LOCK = """
    SELECT t.id FROM {table} t JOIN {list} l ON l.id = t.id
    WHERE l.owner BETWEEN {first} AND {last} FOR UPDATE OF t
"""
DELETE = "DELETE FROM {table} t USING {list} l WHERE l.id = t.id AND l.owner BETWEEN {first} AND {last}"
REPLACE = """
    UPDATE {table} t SET {replaced} FROM {list} l WHERE l.id = t.id AND l.owner BETWEEN {first} AND {last}
"""

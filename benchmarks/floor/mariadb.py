"""The floor of MariaDB: deletes that join, which it does ten to twenty times faster than IN (SELECT ...)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import sqlalchemy as sa

from benchmarks.floor.due import DUE_CARD, DUE_PAYMENT, KEYS

__all__ = ["BEGIN", "ERASE", "FIND", "KEYS", "connect"]

LONDON = ZoneInfo("Europe/London")


def connect(url: sa.URL) -> pymysql.Connection[Any]:
    return pymysql.connect(
        unix_socket=str(url.query["unix_socket"]),
        user=url.username,
        database=url.database,
        charset="utf8mb4",
        autocommit=True,
    )


def _summers() -> str:
    """Whether a moment is in British summer time, without the server's tables of zones, which many do not fill."""
    # both changes are at one o'clock in UTC
    first = dt.datetime(1990, 1, 1, 1, tzinfo=dt.UTC)
    moments = [first + dt.timedelta(days=day) for day in range(50 * 365)]
    summer = [bool(moment.astimezone(LONDON).dst()) for moment in moments]
    changes = [f"{moments[n]:%Y-%m-%d %H:%M:%S}" for n in range(1, len(summer)) if summer[n] != summer[n - 1]]
    pairs = zip(changes[::2], changes[1::2], strict=False)
    return " OR ".join(f"{{0}} >= '{start}' AND {{0}} < '{end}'" for start, end in pairs)


# in London's days; an hour is added in summer
_LONDON_DAY = f"date({{0}} + INTERVAL ({_summers()}) HOUR)"

# a transaction that locks no more than what it deletes
BEGIN = """
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
BEGIN
"""

FIND = f"""
CREATE TEMPORARY TABLE contact (id INT PRIMARY KEY, latest DATETIME, earliest DATETIME, has_calls INT NOT NULL)
    SELECT customer_id AS id, max(moment) AS latest, min(moment) AS earliest, max(is_call) AS has_calls FROM (
        SELECT customer_id, nullif(received_at, %(empty)s) AS moment, 1 AS is_call FROM calls
        UNION ALL SELECT customer_id, nullif(booked_in_at, %(empty)s), 0 FROM repairs
        UNION ALL SELECT customer_id, nullif(completed_at, %(empty)s), 0 FROM repairs
    ) AS moments WHERE customer_id IS NOT NULL GROUP BY customer_id;

CREATE TEMPORARY TABLE in_warranty (id INT PRIMARY KEY)
    SELECT DISTINCT customer_id AS id FROM products WHERE warranty_until >= %(today)s;

CREATE TEMPORARY TABLE due_repair (id INT PRIMARY KEY)
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
             AND NOT {_LONDON_DAY.format("nullif(r.booked_in_at, %(empty)s)")} <=> {_LONDON_DAY.format("c.latest")}));

CREATE TEMPORARY TABLE due_call (id INT PRIMARY KEY)
    SELECT k.id FROM calls k
    JOIN contact c ON c.id = k.customer_id
    LEFT JOIN in_warranty w ON w.id = k.customer_id
    WHERE c.latest < %(years_3)s AND c.earliest >= '1900-01-01' AND w.id IS NULL
    UNION ALL
    SELECT id FROM calls
    WHERE customer_id IS NULL
    AND received_at >= '1900-01-01' AND received_at < %(years_3)s AND received_at <> %(empty)s;

CREATE TEMPORARY TABLE due_customer (id INT PRIMARY KEY)
    SELECT o.id FROM customers o
    LEFT JOIN contact c ON c.id = o.id
    LEFT JOIN in_warranty w ON w.id = o.id
    WHERE o.registered_at >= '1900-01-01' AND o.registered_at < %(years_3)s AND o.registered_at <> %(empty)s
    AND w.id IS NULL
    AND (c.has_calls IS NOT TRUE OR (c.latest < %(years_3)s AND c.earliest >= '1900-01-01'))
    AND NOT EXISTS (SELECT 1 FROM repairs r LEFT JOIN due_repair d ON d.id = r.id
                    WHERE r.customer_id = o.id AND d.id IS NULL)
"""

ERASE = {
    "payment": f"DELETE FROM payments WHERE {DUE_PAYMENT}",
    "payment.card": f"UPDATE payments SET card_number = NULL, card_expiry = NULL WHERE {DUE_CARD}",
    "payment.identity": """
        UPDATE payments p JOIN due_repair d ON d.id = p.repair_id SET p.card_holder = NULL, p.repair_id = NULL
    """,
    "consignment": "DELETE c FROM consignments c JOIN due_repair d ON d.id = c.repair_id",
    "repair": "DELETE r FROM repairs r JOIN due_repair d ON d.id = r.id",
    "call": "DELETE k FROM calls k JOIN due_call d ON d.id = k.id",
    "product": "DELETE p FROM products p JOIN due_customer d ON d.id = p.customer_id",
    "customer": "DELETE o FROM customers o JOIN due_customer d ON d.id = o.id",
}

# what benchmarks/floor/promised.py does with what is due, batch by batch
LIST = "CREATE TEMPORARY TABLE {list} (owner INT NOT NULL, id INT NOT NULL, PRIMARY KEY (owner, id)) {query}"
BATCHES = ""
LOCK = """
    SELECT STRAIGHT_JOIN t.id FROM {list} l JOIN {table} t ON t.id = l.id
    WHERE l.owner BETWEEN {first} AND {last} FOR UPDATE
"""
DELETE = "DELETE t FROM {list} l JOIN {table} t ON t.id = l.id WHERE l.owner BETWEEN {first} AND {last}"
REPLACE = (
    "UPDATE {list} l JOIN {table} t ON t.id = l.id SET {replaced} WHERE l.owner BETWEEN {first} AND {last}"
)

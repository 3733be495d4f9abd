"""Operators at work while a purge runs: what they do before a batch locks is respected, in mid-batch they wait."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from crash_office import LONG_AGO, Office, Rows, Saved, assert_log_and_database_agree
from engines.talk import run, speaking
from shim import INTENT, Action, Commands, Trap

RULES = """  call: {table: calls, belongs_to: customer, personal: [name], keep: {for: 3 years, after: received_at}}
  product: {table: products, belongs_to: customer, keep: {for: 1 day, after: warranty_until}}
"""
TABLES = {
    "calls": "id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, received_at TIMESTAMP NULL, name VARCHAR(40), "
    "FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "products": "id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, warranty_until DATE, "
    "FOREIGN KEY (customer_id) REFERENCES customers (id)",
}
NEW = "2026-06-01 10:00:00"
EXPIRED = range(11, 17)  # customers of whom everything is due


def meddling(now: dt.datetime) -> Mapping[int, str]:
    """What keeps each of them, as an operator writes it."""
    recent = f"{now - dt.timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    return {
        11: f"INSERT INTO calls VALUES (90, 11, '{recent}', 'Call')",
        12: "UPDATE repairs SET completed_at = NULL WHERE id = 12",
        13: f"UPDATE products SET warranty_until = '{recent[:10]}' WHERE id = 13",
        14: f"INSERT INTO products VALUES (91, 14, '{recent[:10]}')",
        15: f"UPDATE customers SET registered_at = '{recent}' WHERE id = 15",
    }


HELD = 16

"""The call-management database of the demonstration: tables, foreign keys, indexes.

Written once as SQLAlchemy metadata, so that the same database can be made on any engine. What a busy system
has grown over the years is in it on purpose: nullable dates, contact details copied onto consignments, card
numbers kept with payments.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _link(column: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=True)


def _moment(column: str) -> sa.Column[object]:
    """A moment in UTC, without its zone. Nullable: old rows came from systems that did not record it."""
    return sa.Column(column, sa.DateTime, nullable=True, index=True)


operators = sa.Table(
    "operators",
    metadata,
    _key(),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("email", sa.String(120), nullable=False),
    sa.Column("hired_on", sa.Date, nullable=False, index=True),
)

customers = sa.Table(
    "customers",
    metadata,
    _key(),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("address", sa.String(160), nullable=False),
    sa.Column("telephone", sa.String(20)),
    sa.Column("email", sa.String(120)),
    _moment("registered_at"),
)

products = sa.Table(
    "products",
    metadata,
    _key(),
    _link("customer_id", "customers"),
    sa.Column("model", sa.String(60), nullable=False),
    sa.Column("serial_number", sa.String(20), nullable=False),
    sa.Column("bought_on", sa.Date, nullable=False, index=True),
    sa.Column("warranty_until", sa.Date, nullable=True, index=True),
)

calls = sa.Table(
    "calls",
    metadata,
    _key(),
    _link("customer_id", "customers", nullable=True),
    _link("operator_id", "operators"),
    sa.Column("channel", sa.String(5), sa.CheckConstraint("channel IN ('phone', 'email')"), nullable=False),
    _moment("received_at"),
    sa.Column("reason", sa.String(200)),
    sa.Column("resolution", sa.String(200)),
)

repairs = sa.Table(
    "repairs",
    metadata,
    _key(),
    _link("customer_id", "customers", nullable=True),
    _link("product_id", "products", nullable=True),
    _link("operator_id", "operators"),
    _moment("booked_in_at"),
    _moment("completed_at"),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("fault", sa.String(200)),
    sa.Column("work_done", sa.String(200)),
)

payments = sa.Table(
    "payments",
    metadata,
    _key(),
    _link("repair_id", "repairs", nullable=True),
    _moment("taken_at"),
    sa.Column("amount_pence", sa.Integer, nullable=False),
    sa.Column("card_holder", sa.String(80)),
    sa.Column("card_number", sa.String(19)),
    sa.Column("card_expiry", sa.String(5)),
)

consignments = sa.Table(
    "consignments",
    metadata,
    _key(),
    _link("repair_id", "repairs"),
    sa.Column("courier", sa.String(40), nullable=False),
    sa.Column("direction", sa.String(3), sa.CheckConstraint("direction IN ('in', 'out')"), nullable=False),
    sa.Column("name", sa.String(80)),
    sa.Column("address", sa.String(160)),
    sa.Column("telephone", sa.String(20)),
    sa.Column("email", sa.String(120)),
    _moment("collected_at"),
    _moment("delivered_at"),
)

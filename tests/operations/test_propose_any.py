"""Whatever tables a database has: what is proposed has no mistakes but decisions that are left to a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from engines.servers import Servers
from hypothesis import given, settings
from hypothesis import strategies as st

from staffords_gdpr.database.connection import connect
from staffords_gdpr.errors import PolicyError
from staffords_gdpr.operations.propose import propose
from staffords_gdpr.policy import read_policy
from staffords_gdpr.render.proposal import policy_text, todos

TABLES = ["clients", "calls", "tickets", "orders", "order_items", "payments", "devices", "notes", "logs", "users",
          "ticket_users", "Aufträge", "Client Notes", "select"]  # fmt: skip
COLUMNS = ["name", "email", "status", "type", "body", "created_at", "closed_at", "updated_at", "warranty_until",
           "warranty_months", "card_number", "paid_on", "object_type", "object_id", "number", "a: b"]  # fmt: skip
TYPES: list[Any] = [
    sa.Integer(),
    sa.String(20),
    sa.Text(),
    sa.Date(),
    sa.DateTime(),
    sa.LargeBinary(),
    sa.JSON(),
]


@st.composite
def databases(draw: st.DrawFn) -> sa.MetaData:
    """Tables with odd columns and links in any direction, declared or not, circles included."""
    metadata = sa.MetaData()
    names = draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=7, unique=True))
    for name in names:
        table = sa.Table(
            name, metadata, sa.Column("id", sa.Integer, primary_key=draw(st.booleans()) or name == names[0])
        )
        if name == names[0]:
            for own in ("person", "phone", "street"):
                table.append_column(sa.Column(own, sa.String(30)))
        for column in draw(st.lists(st.sampled_from(COLUMNS), max_size=6, unique=True)):
            nullable = draw(st.booleans())
            table.append_column(sa.Column(column, draw(st.sampled_from(TYPES)), nullable=nullable))
        for other in draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
            declared = draw(st.booleans()) and metadata.tables.get(other) is not None and other != name
            keys = (
                [sa.ForeignKey(f"{other}.id")]
                if declared and metadata.tables[other].primary_key.columns
                else []
            )
            table.append_column(sa.Column(f"{other.rstrip('s')}_id", sa.Integer, *keys))
    return metadata


@settings(max_examples=25, deadline=None)
@given(metadata=databases())
def test_a_proposal_has_no_mistakes_but_open_decisions(servers: Servers, metadata: sa.MetaData) -> None:
    url = servers.fresh("sqlite")
    metadata.create_all(sa.create_engine(url, poolclass=sa.pool.NullPool))
    text = policy_text(propose(connect(url, write=False), today=dt.date(2026, 11, 23)))
    said: list[str] = []
    try:
        read_policy(text.encode(), "p.yaml")
    except PolicyError as error:
        said = error.message.split("\n")
    assert [line for line in said if "a person must decide" not in line] == []
    assert len(said) == todos(text)

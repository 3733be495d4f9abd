"""What SQL and the pure function say of a database, on which they must agree."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.retention.bulk import Bulk
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import Key, State

Answers = dict[tuple[str, Key], tuple[State, dt.date | None, Key | None]]
"""By record type or step, and key: state, last day, subject."""


def agreed(
    connection: sa.Connection, catalogue: Catalogue, as_of: dt.datetime, held: frozenset[Key]
) -> Answers:
    """The answers of both ways, each row once, which also are what SQL counts."""
    bulk = Bulk(connection, catalogue)
    bulk.decide(as_of, holds=held)
    listed = list(bulk.verdicts())
    by_sql = {(v.record, v.key): (v.state, v.last_day, v.subject) for v in listed}
    assert len(listed) == len(by_sql), "a row is listed twice"
    verdicts = judge(catalogue, load_everything(connection, catalogue), as_of, held)
    by_function = {(v.record, v.key): (v.state, v.last_day, v.subject) for v in verdicts}
    assert by_sql == by_function, connection.dialect.name
    counted = bulk.counts()
    held_why, undecidable = bulk.left_alone()
    for name in bulk.candidates:
        states = [state for (record, _), (state, _, _) in by_sql.items() if record == name]
        assert counted[name] == {state: states.count(state) for state in counted[name]}
        assert undecidable.get(name, 0) == states.count(State.UNDECIDABLE)
        reasons = {v.reason for v in listed if (v.record, v.state) == (name, State.HELD)}
        if name in catalogue.records:
            assert sum(held_why.get(name, {}).values()) == states.count(State.HELD)
            assert bulk.candidates[name].bound.several or held_why.get(name, {}).keys() == reasons
    return by_sql

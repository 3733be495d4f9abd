"""Where each date of a record type is read from, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping

from staffords_gdpr.database.catalogue import DateKind, DateSource
from staffords_gdpr.database.expressions import words_of
from staffords_gdpr.database.facts import Family
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.schema import Schema, TableFacts
from staffords_gdpr.policy.models import Keep, OtherColumn, OwnColumn, Policy, Record, Ref, RowDate

_FAMILIES = {"day": DateKind.DAY, "timestamp": DateKind.TIMESTAMP, "zoned": DateKind.ZONED}
_STORED = {
    "day": DateKind.DAY,
    "timestamp": DateKind.TIMESTAMP,
    "timestamp with zone": DateKind.ZONED,
    "text": DateKind.TEXT,
    "epoch seconds": DateKind.EPOCH_SECONDS,
    "epoch milliseconds": DateKind.EPOCH_MILLISECONDS,
}
_CONVERTED = re.compile(r"\bat\s+time\s+zone\b|\b(?:timezone|convert_tz)\s*\(", re.IGNORECASE)


def check_zones(
    schema: Schema, facts: TableFacts, record: Record, kinds: Mapping[str, DateKind], misfits: Misfits
) -> None:
    """Note dates that say of a moment whose zone the database knows that it were anything else: it would be read in
    the session's zone, UTC, which may be a day off. Not for SQLite, which knows no zones.
    """
    for date in record.dates.values():
        at = ("records", record.name, "dates", date.name)
        if date.sql is not None:
            kind, said = kinds.get(date.sql), "The expression is"
            if fault := _mixed(facts, date.sql, kind, date.timestamps_in):
                misfits.add("date-zone", (*at, "sql"), *fault)
        else:
            last = schema.tables[date.through[-1].table] if date.through else facts
            kind, said = _declared(last, date.column), f"Column {last.name}.{date.column} holds"
        if kind is not DateKind.ZONED:
            continue
        said += " a moment whose zone the database knows"
        if date.timestamps_in is not None:
            misfits.add("date-zone", (*at, "timestamps_in"), said, "Remove 'timestamps_in'")
        if date.stored_as not in (None, "timestamp with zone"):
            misfits.add("date-zone", (*at, "stored_as"), said, "Remove 'stored_as'")


def _mixed(
    facts: TableFacts, sql: str, kind: DateKind | None, timestamps_in: str | None
) -> tuple[str, str] | None:
    """Why nobody can say in which zone an expression's value is; None where it is clear."""
    words = words_of(sql)
    families = {details.family for name, details in facts.details.items() if name.casefold() in words}
    plain = families & {Family.DAY, Family.TIMESTAMP}
    said = (kind is DateKind.TIMESTAMP and timestamps_in) or _CONVERTED.search(sql)
    if said or Family.ZONED not in families or (kind is DateKind.ZONED and not plain):
        return None
    return (
        "the expression takes a moment whose zone the database knows for something else, in UTC",
        "Name the column in its place, 'or_until' for several, or convert it to a timestamp and say 'timestamps_in'",
    )


def date_sources(
    policy: Policy,
    schema: Schema,
    facts: TableFacts,
    record: Record,
    expressions: Mapping[str, str],
    kinds: Mapping[str, DateKind],
) -> dict[str, DateSource]:
    """Every date of a record type: those of its `dates:`, the columns that are dates, and those used as one.

    `kinds` says what the database makes of each expression in `expressions`.
    """
    zone = policy.database.timestamps_in
    used = dates_used(policy, record.name)
    found = {}
    for column in facts.columns:
        kind = _declared(facts, column)
        if kind or column in used:
            found[column] = DateSource(
                column, column, kind or DateKind.TEXT, _shown_in(facts, column) or zone
            )
    for name, date in record.dates.items():
        last = schema.tables[date.through[-1].table] if date.through else facts
        if date.sql is not None:
            column, kind = expressions[date.sql], kinds.get(date.sql)
        else:
            column, kind = date.column, _declared(last, date.column)
        if date.stored_as is not None:
            kind = _STORED[date.stored_as]
        known = "UTC" if date.sql is not None and kinds.get(date.sql) is DateKind.ZONED else None
        shown_in = known or _shown_in(last, date.column) or date.timestamps_in or zone
        found[name] = DateSource(name, column, kind or DateKind.TEXT, shown_in, date.plus, date.through)
    return found


def dates_used(policy: Policy, record: str) -> set[str]:
    """The columns and dates of this record type that any rule of the policy counts from."""
    used = set()
    for rule in policy.dates.values():
        sources = (*rule.latest_of, *([rule.or_else] if rule.or_else else []))
        used |= {source.column for source in sources if source.record == record}
    for other in policy.ours.values():
        for keep in keeps(other):
            for ref in _refs(keep):
                if isinstance(ref, OwnColumn) and other.name == record:
                    used.add(ref.column)
                if isinstance(ref, OtherColumn) and ref.record == record:
                    used.add(ref.column)
    return used


def date_columns(record: Record, used: set[str]) -> set[str]:
    """The columns of the record type's own table that these dates rest on."""
    found: set[str] = set()
    for name in used:
        date = record.dates.get(name)
        if date is None:
            found.add(name)
        elif date.through:
            found |= set(date.through[0].on.values())
        else:
            found |= _columns(date)
    return found


def keeps(record: Record) -> list[Keep]:
    """Every timed rule of a record type."""
    steps = [step.keep for step in record.sooner]
    return [keep for keep in (record.keep, record.orphans, *steps) if keep is not None]


def _columns(date: RowDate) -> set[str]:
    amount = date.plus.column if date.plus else ""
    return {column for column in (date.column, amount) if column}


def _refs(keep: Keep) -> list[Ref]:
    return [ref for ref in (keep.after, keep.or_else, *keep.or_until) if ref is not None]


def _declared(facts: TableFacts, column: str) -> DateKind | None:
    """The kind of date that a column's declared type stands for, None where the type is no date."""
    details = facts.details.get(column)
    return _FAMILIES.get(details.family) if details else None


def _shown_in(facts: TableFacts, column: str) -> str | None:
    """The zone in which the engine shows moments that it stores with theirs; None where it says it, or stores none.

    MariaDB's TIMESTAMP is a moment, shown in the session's zone without saying so, and sessions are in UTC.
    """
    details = facts.details.get(column)
    if details is None or details.family is not Family.ZONED:
        return None
    says_it = any(sign in details.type.lower() for sign in ("zone", "tz"))
    return None if says_it else "UTC"

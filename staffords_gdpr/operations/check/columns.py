"""What a policy does not speak of: texts of its tables, and tables that hang on them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa

from staffords_gdpr.database.binding_dates import date_columns, dates_used, keeps
from staffords_gdpr.database.expressions import expressions_of, words_of
from staffords_gdpr.database.facts import ColumnFacts, Family, TableFacts
from staffords_gdpr.database.refusals import copying_triggers
from staffords_gdpr.database.schema import Schema
from staffords_gdpr.operations.check.findings import Finding
from staffords_gdpr.policy.models import Hop, Policy, Record

_TELLING = {Family.TEXT, Family.BINARY, Family.NONE, Family.OTHER}
_SILENT_TYPES = re.compile(r"(enum|set)\(|interval\b", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NO_STRINGS = {"null", "true", "false"}


def undecided_columns(
    policy: Policy, schema: Schema, wordless: Collection[tuple[str, str]] = ()
) -> Iterator[Finding]:
    """One finding for each record type with texts of which the policy does not say whether they are personal.

    `wordless`: tables and columns that hold none, whatever their type is called.
    """
    for name, record in policy.ours.items():
        facts = schema.tables.get(record.table)
        if facts is None:
            continue
        spoken = _spoken_of(policy, record, facts)
        open_ = [
            column
            for column, details in facts.details.items()
            if _tells(details) and column not in spoken and (facts.name, column) not in wordless
        ]
        if not open_:
            continue
        said = ", ".join(f"{column} ({facts.details[column].type or 'no type'})" for column in open_)
        yield Finding(
            "undecided-columns",
            "warning",
            policy.positions.where("records", name),
            f"nobody has decided whether these columns of table {facts.name} hold personal data: {said}",
            f"Add them to '{name}', each to one of the two lists",
            f"    personal: {_list([*record.personal, *open_])}\n    not_personal: {_list(record.not_personal)}",
        )


def unnamed_tables(policy: Policy, schema: Schema) -> Iterator[Finding]:
    """Tables that refer to a named one, or that a way passes through, and that the policy does not name."""
    named = {record.table for record in policy.records.values()}
    ours = {record.table for record in policy.ours.values()}
    passed = {
        hop.table: (name, hop, before) for name in policy.ours for hop, before in _hops(policy.records[name])
    }
    for facts in schema.tables.values():
        if facts.name in named:
            continue
        if targets := sorted({key.target for key in facts.foreign_keys} & ours):
            yield Finding(
                "unnamed-table",
                "warning",
                policy.positions.where("records"),
                f"table {facts.name} refers to {' and '.join(targets)}, and the policy does not name it: its rows "
                "stay, and hold what they refer to",
                "Make it a record type, or say why its rows stay",
                _named(facts.name, policy, *passed.get(facts.name, ("", None, None))),
            )
        elif facts.name in passed:
            name = passed[facts.name][0]
            yield Finding(
                "passed-table",
                "warning",
                policy.positions.where("records", name),
                f"'{name}' leads through table {facts.name}, which the policy does not name: its rows stay when those "
                f"of '{name}' are gone",
                "Make it a record type, or say why its rows stay",
                _named(facts.name, policy, *passed[facts.name]),
            )


def _named(table: str, policy: Policy, owner: str, hop: Hop | None, before: Hop | None) -> str:
    """A table as a record type: of the one whose way passes through it, or to be left alone."""
    rest = "leave: WHY ITS ROWS STAY"
    if hop is not None and before is None:
        rest = f"belongs_to: {owner}, on: {_mapping(hop)}"
    return f"  {_record_name(table, policy)}: {{table: {_scalar(table)}, {rest}}}"


def triggers(connection: sa.Connection, policy: Policy, schema: Schema) -> Iterator[Finding]:
    """Triggers that an erasure sets off, and that the policy does not acknowledge; or that it cannot."""
    for found in copying_triggers(connection, policy, schema.tables):
        place = policy.positions.where("records", found.record)
        paste = f"    triggers: {{{_scalar(found.name)}: WHY NO PERSONAL DATA STAYS IN IT}}"
        yield Finding(found.code, "warning", place, str(found), found.advice, "" if found.always else paste)


def _spoken_of(policy: Policy, record: Record, facts: TableFacts) -> set[str]:
    """The columns of a record type that the policy speaks of in any way."""
    spoken = {
        *record.personal,
        *record.not_personal,
        *record.key,
        *facts.key,
        *(record.anonymise or {}),
        *record.generated,
    }
    for step in record.sooner:
        spoken |= {*step.anonymise, *step.generated}
    for key in facts.foreign_keys:
        spoken |= set(key.columns)
    for link in (*([record.belongs_to] if record.belongs_to else []), *record.refers_to):
        spoken |= (
            set(link.through[0].on.values()) if link.through else {own for way in link.on for own in way}
        )
    for other in policy.ours.values():  # what others are linked by
        for link in (*([other.belongs_to] if other.belongs_to else []), *other.refers_to):
            if link.record == record.name:
                spoken |= {column for way in link.on for column in way.values()}
    spoken |= date_columns(record, {*record.dates, *dates_used(policy, record.name)})
    spoken |= set(record.where.columns) if record.where else set()
    for keep in keeps(record):
        spoken |= set(keep.while_.columns) if keep.while_ else set()
    subject = policy.records[policy.subject]
    spoken |= {ref.column for ref in subject.values_of if ref.record == record.name}
    words = {word for expression in expressions_of(record) for word in words_of(expression.sql)}
    return spoken | {column for column in facts.columns if column.casefold() in words}


def _tells(details: ColumnFacts) -> bool:
    """Whether a column may hold words, pictures or voices."""
    silent = details.family is Family.OTHER and _SILENT_TYPES.match(details.type) is not None
    return not details.generated and details.family in _TELLING and not silent


def _hops(record: Record) -> Iterator[tuple[Hop, Hop | None]]:
    """Every hop of the record type's ways, with the hop before it."""
    ways = [record.belongs_to.through] if record.belongs_to else []
    ways += [date.through for date in record.dates.values()]
    for way in ways:
        yield from zip(way, (None, *way), strict=False)


def _record_name(table: str, policy: Policy) -> str:
    """A name for a new record type that is free."""
    name = re.sub(r"\W+", "_", table).strip("_").lower() or "table"
    return name if name not in policy.records else f"{name}_table"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_scalar, names))}]"


def _mapping(hop: Hop) -> str:
    return "{" + ", ".join(f"{_scalar(own)}: {_scalar(other)}" for own, other in hop.on.items()) + "}"


def _scalar(name: str) -> str:
    """A name as YAML has it, quoted where it must be."""
    return (
        name
        if _PLAIN.match(name) and name.lower() not in _NO_STRINGS
        else json.dumps(name, ensure_ascii=False)
    )

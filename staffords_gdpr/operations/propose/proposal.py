"""Look at a database that nobody has described, and propose a policy for it. Changes nothing, keeps no value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from staffords_gdpr.database.connection import begin, connected
from staffords_gdpr.database.facts import Family
from staffords_gdpr.database.schema import Schema, TableFacts, read_schema
from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.propose import rules
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.columns import columns_of, contact_kinds, dates_of
from staffords_gdpr.operations.propose.guesses import (
    DateGuess,
    Guess,
    KeepGuess,
    Link,
    Proposal,
    RecordGuess,
    Sure,
)
from staffords_gdpr.operations.propose.links import links_of
from staffords_gdpr.operations.propose.others import key_of, left_alone, naming, record_names
from staffords_gdpr.operations.propose.sample import ROWS, Sample, limit_statements, sample
from staffords_gdpr.operations.propose.shapes import ZERO
from staffords_gdpr.operations.propose.tree import Kind, Tree, subject_of, tree_of
from staffords_gdpr.operations.propose.ways import refers_to, way_of
from staffords_gdpr.progress import SILENT, Progress


@dataclass(frozen=True)
class _Seen:
    """Everything that was seen of the database."""

    schema: Schema
    samples: Mapping[str, Sample]
    dates: Mapping[str, tuple[DateGuess, ...]]
    links: tuple[Link, ...]
    tree: Tree
    names: Mapping[str, str]  # of record types, by table

    def table(self, name: str) -> TableFacts:
        return self.schema.tables[name]

    def links_out(self, table: str) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.table == table)

    def reference(self, table: str, date: DateGuess) -> str:
        return f"{self.names[table]}.{date.name}"

    def of_kind(self, *kinds: Kind) -> Iterable[str]:
        """The tables of these kinds that lead to the subject, in the order of the database."""
        own = (t for t in self.schema.tables if t in self.tree.tables and t != self.tree.subject)
        return (table for table in own if self.tree.kinds[table] in kinds)


def propose(engine: sa.Engine, *, today: dt.date, progress: Progress = SILENT) -> Proposal:
    """A policy for this database, as guesses with their reasons.

    Reads the schema, and of each table at most ROWS rows, which are counted by their shapes and forgotten. Raises
    UsageError for a database without tables, DatabaseError where it cannot be read.
    """
    with connected(engine) as connection, begin(connection, lock=False):
        schema = read_schema(connection)
        if not schema.tables:
            raise UsageError(
                "the database has no tables, so there is nothing to propose",
                "Look whether the database URL names the right database (and its user may see the tables).",
            )
        limit_statements(connection)
        progress.start("Looking at tables", len(schema.tables))
        samples = {}
        for table in schema.tables.values():
            samples[table.name] = sample(connection, table, today)
            progress.advance()
        links = links_of(connection, schema.tables)
        progress.finish()
    return _proposal(schema, samples, links, today)


def write_policy(path: Path, text: str) -> None:
    """Write a proposed policy where none is. Raises UsageError where that is not possible; never overwrites."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(
            f"{path}: the policy cannot be written: {error.strerror}",
            "Name a file that this user may make with --policy or GDPR_POLICY.",
        ) from None


def _proposal(
    schema: Schema, samples: Mapping[str, Sample], links: tuple[Link, ...], today: dt.date
) -> Proposal:
    contacts = {name: contact_kinds(table, samples[name]) for name, table in schema.tables.items()}
    subject = subject_of(schema.tables, contacts, links)
    if subject is None:
        raise UsageError(
            "no table of this database seems to hold people: none has a name, an address, a telephone number or an "
            "e-mail address beside another",
            "Write the policy by hand: docs/policy.md explains every key.",
        )
    tree = tree_of(subject.value, schema.tables, links)
    dates = {name: dates_of(table, samples[name]) for name, table in schema.tables.items()}
    seen = _Seen(schema, samples, dates, links, tree, record_names(schema.tables))
    latest = [
        seen.reference(table, date)
        for table in seen.of_kind(Kind.CALL, Kind.REPAIR)
        for date in rules.events(dates[table])
    ]
    warranties = [
        seen.reference(table, date)
        for table in seen.of_kind(Kind.PRODUCT, Kind.REPAIR, Kind.OTHER)
        for date in dates[table]
        if date.role == "until" and names.WARRANTY.in_name(date.name)
    ]
    records = [
        _record(seen, table, bool(latest), bool(warranties))
        for table in schema.tables
        if table in tree.tables
    ]
    records.sort(key=lambda record: len(tree.above(record.table)))
    used = {*latest, *warranties}
    records = [_with_dates(seen, record, used) for record in records]
    others = left_alone(schema.tables, samples, contacts, tree, links, seen.names)
    return Proposal(
        database=naming(schema.identity),
        made_on=today,
        rows=ROWS,
        subject=replace(subject, value=seen.names[subject.value]),
        latest=tuple(latest),
        warranties=tuple(warranties),
        records=(*records, *others),
        naive=any(date.naive for record in records for date in _used(seen, record, used)),
        empty_dates=_empty_dates(seen, records, used),
        unnamed=tuple(
            t for t in schema.tables if t not in tree.tables and t not in {o.table for o in others}
        ),
        unread=tuple(table for table, sample in samples.items() if not sample.looked),
    )


def _record(seen: _Seen, name: str, contact: bool, warranty: bool) -> RecordGuess:
    """One record type that leads to the subject, or the subject itself."""
    table, sample, dates, tree = seen.table(name), seen.samples[name], seen.dates[name], seen.tree
    out = seen.links_out(name)
    taken = {own for link in out for own, _ in link.columns} | set(table.key)
    columns = columns_of(table, sample, taken | {date.column for date in dates}, people=name == tree.subject)
    base = RecordGuess(
        name=seen.names[name],
        table=name,
        key=key_of(table, sample),
        personal=columns.personal,
        not_personal=(*columns.not_personal, *_text_dates(dates), *_text_links(table, out, tree)),
        triggers=tuple(trigger.name for trigger in seen.schema.trigger_facts if trigger.table == name),
    )
    if name == tree.subject:
        keep = rules.subject_rule(dates, rules.Known(contact, warranty))
        steps = rules.steps_of(table, sample, dates, base.personal, {}, "", keep)
        return replace(base, note="the people whose data it is", keep=keep, steps=steps)
    owner_table = tree.owner(name) or tree.subject
    others = refers_to(name, tree, out, seen.names)
    known = rules.Known(contact, warranty, _product_warranty(seen, others))
    found = rules.rule_of(tree.kinds[name], table, sample, dates, known, direct=owner_table == tree.subject)
    guess, way, nullable = way_of(name, tree, out, seen.names[owner_table])
    linking = {
        own: table.details[own].nullable
        for link in out
        if link.target in tree.tables
        for own, _ in link.columns
    }
    return replace(
        base,
        owner=guess,
        way=way,
        refers_to=others,
        keep=found,
        orphans=rules.orphans_of(found, dates) if found and nullable else None,
        steps=rules.steps_of(table, sample, dates, base.personal, linking, seen.names[owner_table], found),
        note="" if found else f"no period of its own: it goes with its {seen.names[owner_table]} (R4)",
    )


def _product_warranty(seen: _Seen, others: Mapping[str, object]) -> str:
    """The end of the warranty of what a record type refers to, as `product.warranty_until`."""
    for table, record in seen.names.items():
        date = next(
            (d for d in seen.dates[table] if d.role == "until" and names.WARRANTY.in_name(d.name)), None
        )
        if record in others and date:
            return seen.reference(table, date)
    return ""


def _text_dates(dates: tuple[DateGuess, ...]) -> tuple[Guess, ...]:
    return tuple(
        Guess(d.column, Sure.LIKELY, "a date, stored as text") for d in dates if d.stored_as == "text"
    )


def _text_links(table: TableFacts, links: tuple[Link, ...], tree: Tree) -> tuple[Guess, ...]:
    """Texts that only lead to tables of which the policy does not speak."""
    return tuple(
        Guess(own, Sure.LIKELY, f"leads to {link.target}")
        for link in links
        for own, _ in link.columns
        if not link.declared
        and own not in table.key
        and table.details[own].family is Family.TEXT
        and (link.target not in tree.tables or table.name == tree.subject)
    )


def _used(seen: _Seen, record: RecordGuess, references: set[str]) -> tuple[DateGuess, ...]:
    """The dates of a record type that some rule uses."""
    words: set[str] = {ref.partition(".")[2] for ref in references if ref.partition(".")[0] == record.name}
    keeps: list[KeepGuess | None] = [record.keep, record.orphans]
    for keep in keeps:
        if keep:
            guesses = (keep.after, *keep.or_until, *([keep.while_empty] if keep.while_empty else []))
            words |= {guess.value for guess in guesses}
    words |= {step.after.value for step in record.steps if step.after}
    return tuple(date for date in seen.dates[record.table] if date.name in words)


def _with_dates(seen: _Seen, record: RecordGuess, references: set[str]) -> RecordGuess:
    used = _used(seen, record, references)
    return replace(record, dates=tuple(date for date in used if date.described))


def _empty_dates(seen: _Seen, records: Iterable[RecordGuess], references: set[str]) -> tuple[str, ...]:
    """What stands for "no date" in the dates that are used, of the few days that systems write for that."""
    found: set[str] = set()
    for record in records:
        for date in _used(seen, record, references):
            shape = seen.samples[record.table].shape(date.column)
            found |= shape.empty_dates
            if date.stored_as and date.stored_as.startswith("epoch") and shape.counts.get(ZERO):
                found.add("1970-01-01")
    return tuple(sorted(f"{day} 00:00:00" if day == "1970-01-01" else day for day in found))

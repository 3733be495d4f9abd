"""A policy in the spelling of the database: every table and column is found, or said to be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.schema import Schema, TableFacts, find_name
from staffords_gdpr.policy.models import (
    Condition,
    DateRule,
    Hop,
    Keep,
    Link,
    LookUp,
    OtherColumn,
    OwnColumn,
    Policy,
    Record,
    Ref,
    RowDate,
    Scalar,
    Step,
    Values,
)
from staffords_gdpr.policy.suggest import did_you_mean

Path = tuple[str, ...]
VALUE = "value"
"""The one key column of a subject that is known by a value only."""


def spelled(policy: Policy, schema: Schema, misfits: Misfits) -> Policy:
    """The same policy with the database's spelling of every name; what is not there is noted in `misfits`.

    Names match in spite of capitals where that leaves one. Bytes, path and positions stay those of the file.
    """
    return _Speller(policy, schema, misfits).policy()


def tables_of(policy: Policy, schema: Schema) -> dict[str, TableFacts]:
    """The table of each record type that has one, where it is there."""
    found = {name: find_name(record.table, schema.tables) for name, record in policy.records.items()}
    return {name: schema.tables[table] for name, table in found.items() if table is not None}


class _Speller:
    def __init__(self, policy: Policy, schema: Schema, misfits: Misfits) -> None:
        self.given = policy
        self.schema = schema
        self.misfits = misfits
        self.tables = tables_of(policy, schema)

    def policy(self) -> Policy:
        records = {name: self.record(record) for name, record in self.given.records.items()}
        dates = {name: self.date_rule(rule) for name, rule in self.given.dates.items()}
        return self.given.model_copy(update={"records": records, "dates": dates}).placed(self.given.positions)

    # -- names ---------------------------------------------------------------------------------------------------

    def table(self, name: str, path: Path) -> TableFacts | None:
        """The table of this name, noted where there is none."""
        found = find_name(name, self.schema.tables)
        if found is not None:
            return self.schema.tables[found]
        if view := find_name(name, getattr(self.schema, "views", ())):
            self.misfits.add("view", path, f"{view} is a view", "Name the table that its rows are stored in")
        else:
            what = f"there is no table {name!r} in the database"
            self.misfits.add("unknown-table", path, what, self._near(name, self.schema.tables))
        return None

    def column(self, facts: TableFacts | None, name: str, path: Path) -> str:
        if facts is None:
            return name  # the table is missing, which is noted
        found = find_name(name, facts.columns)
        if found is None:
            what = f"unknown column {name!r} in table {facts.name}"
            self.misfits.add("unknown-column", path, what, self._near(name, facts.columns))
        return found or name

    def _near(self, name: str, known: Iterable[str]) -> str:
        alike = [other for other in known if other.casefold() == name.casefold()]
        if len(alike) > 1:
            return f"The database has {' and '.join(map(repr, alike))}: write it in the same capitals"
        return did_you_mean(name, known)

    def _target(self, record: str, column: str, path: Path) -> str:
        """A column of a record type that is linked to."""
        if self.given.records[record].values_of:
            if column != VALUE:
                what = f"{record} is known by a value and has no column {column!r}"
                self.misfits.add("unknown-column", path, what, f"Write {VALUE!r}")
            return VALUE
        return self.column(self.tables.get(record), column, path)

    def _dated(self, record: str, column: str, path: Path) -> str:
        """A column of a record type, or one of its dates."""
        if column in self.given.records[record].dates:
            return column
        return self.column(self.tables.get(record), column, path)

    # -- a record type -------------------------------------------------------------------------------------------

    def record(self, record: Record) -> Record:
        at: Path = ("records", record.name)
        if record.values_of:
            values = (self.other(ref, (*at, "values_of", str(n))) for n, ref in enumerate(record.values_of))
            return record.model_copy(update={"values_of": tuple(values)})
        facts = self.table(record.table, (*at, "table"))
        changed: dict[str, Any] = {
            "table": facts.name if facts else record.table,
            "where": self.condition(record.where, facts, (*at, "where")),
        }
        for group in ("key", "personal", "not_personal"):
            names = (
                self.column(facts, name, (*at, group, str(n)))
                for n, name in enumerate(getattr(record, group))
            )
            changed[group] = tuple(names)
        changed["dates"] = {
            name: self.row_date(date, facts, (*at, "dates", name)) for name, date in record.dates.items()
        }
        if record.belongs_to:
            changed["belongs_to"] = self.link(record.belongs_to, facts, at, at)
        changed["refers_to"] = tuple(
            self.link(link, facts, (*at, "refers_to", link.record), (*at, "refers_to", link.record))
            for link in record.refers_to
        )
        for which in ("keep", "orphans"):
            changed[which] = self.keep(getattr(record, which), record, facts, (*at, which))
        erase = (*at, "erase", "anonymise")
        if record.anonymise is not None:
            changed["anonymise"] = self.replacements(record.anonymise, facts, erase)
        changed["generated"] = self.columns(record.generated, facts, erase)
        changed["sooner"] = tuple(self.step(step, record, facts) for step in record.sooner)
        return record.model_copy(update=changed)

    def step(self, step: Step, record: Record, facts: TableFacts | None) -> Step:
        at = ("records", record.name, "sooner", step.name)
        changed = {
            "anonymise": self.replacements(step.anonymise, facts, (*at, "anonymise")),
            "generated": self.columns(step.generated, facts, (*at, "anonymise")),
            "keep": self.keep(step.keep, record, facts, at),
        }
        return step.model_copy(update=changed)

    def replacements(
        self, listed: Mapping[str, Scalar], facts: TableFacts | None, path: Path
    ) -> dict[str, Scalar]:
        return {self.column(facts, name, (*path, name)): value for name, value in listed.items()}

    def columns(self, names: tuple[str, ...], facts: TableFacts | None, path: Path) -> tuple[str, ...]:
        return tuple(self.column(facts, name, (*path, str(n))) for n, name in enumerate(names))

    # -- rules ---------------------------------------------------------------------------------------------------

    def keep(self, keep: Keep | None, record: Record, facts: TableFacts | None, path: Path) -> Keep | None:
        if keep is None:
            return None
        untils = (self.ref(ref, record, (*path, "or_until", str(n))) for n, ref in enumerate(keep.or_until))
        changed: dict[str, Any] = {
            "after": self.ref(keep.after, record, (*path, "after")),
            "or_until": tuple(untils),
            "while_": self.condition(keep.while_, facts, (*path, "while"), record.dates),
        }
        if keep.or_else is not None:
            changed["or_else"] = self.ref(keep.or_else, record, (*path, "or_else"))
        return keep.model_copy(update=changed)

    def ref(self, ref: Ref, record: Record, path: Path) -> Ref:
        if isinstance(ref, OwnColumn):
            return OwnColumn(column=self._dated(record.name, ref.column, path))
        return self.other(ref, path) if isinstance(ref, OtherColumn) else ref

    def other(self, ref: OtherColumn, path: Path) -> OtherColumn:
        return OtherColumn(record=ref.record, column=self._dated(ref.record, ref.column, path))

    def date_rule(self, rule: DateRule) -> DateRule:
        at: Path = ("dates", rule.name)
        latest = (self.other(ref, (*at, "latest_of", str(n))) for n, ref in enumerate(rule.latest_of))
        changed: dict[str, Any] = {"latest_of": tuple(latest)}
        if rule.or_else is not None:
            changed["or_else"] = self.other(rule.or_else, (*at, "or_else"))
        return rule.model_copy(update=changed)

    def condition(
        self, condition: Condition | None, facts: TableFacts | None, path: Path, dates: Iterable[str] = ()
    ) -> Condition | None:
        """A condition over one table; `dates` may be named in it as well."""
        if condition is None:
            return None
        columns: dict[str, Values | LookUp] = {}
        for name, test in condition.columns.items():
            found = name if name in dates else self.column(facts, name, (*path, name))
            columns[found] = self.look_up(test, (*path, name, "in")) if isinstance(test, LookUp) else test
        return condition.model_copy(update={"columns": columns})

    def look_up(self, test: LookUp, path: Path) -> LookUp:
        facts = self.table(test.table, (*path, "table"))
        changed = {
            "table": facts.name if facts else test.table,
            "column": self.column(facts, test.column, (*path, "column")),
            "where": self.condition(test.where, facts, (*path, "where")),
        }
        return test.model_copy(update=changed)

    # -- ways ----------------------------------------------------------------------------------------------------

    def row_date(self, date: RowDate, facts: TableFacts | None, path: Path) -> RowDate:
        through, last = self.hops(date.through, facts, (*path, "through"))
        changed: dict[str, Any] = {"through": through}
        if date.column:
            changed["column"] = self.column(last, date.column, (*path, "column"))
        if date.plus and date.plus.column:
            amount = self.column(last, date.plus.column, (*path, "plus", f"{date.plus.unit}s"))
            changed["plus"] = date.plus.model_copy(update={"column": amount})
        return date.model_copy(update=changed)

    def link(self, link: Link, facts: TableFacts | None, path: Path, on_path: Path) -> Link:
        through, last = self.hops(link.through, facts, (*path, "through"))
        ways = []
        for n, way in enumerate(link.on):
            at = next(
                (p for p in ((*on_path, "on", str(n)), (*on_path, "on")) if self.misfits.known(*p)), on_path
            )
            ways.append(
                {
                    self.column(last, own, (*at, own)): self._target(link.record, other, (*at, own))
                    for own, other in way.items()
                }
            )
        return link.model_copy(update={"through": through, "on": tuple(ways)})

    def hops(
        self, hops: tuple[Hop, ...], facts: TableFacts | None, path: Path
    ) -> tuple[tuple[Hop, ...], TableFacts | None]:
        """The hops, and the table to which they lead."""
        found = []
        for n, hop in enumerate(hops):
            at = (*path, str(n)) if self.misfits.known(*path, str(n)) else path
            before, facts = facts, self.table(hop.table, (*at, "table"))
            on = {
                self.column(facts, here, (*at, "on", here)): self.column(before, there, (*at, "on", here))
                for here, there in hop.on.items()
            }
            changed = {
                "table": facts.name if facts else hop.table,
                "on": on,
                "where": self.condition(hop.where, facts, (*at, "where")),
            }
            found.append(hop.model_copy(update=changed))
        return tuple(found), facts

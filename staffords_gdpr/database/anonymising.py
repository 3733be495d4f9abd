"""What anonymising would do to the rows of one database: refused where R10 would not come true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.binding_dates import date_columns, dates_used
from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.database.constraints import broken
from staffords_gdpr.database.expressions import expressions_of, words_of
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.replacements import candidates, misfit_of
from staffords_gdpr.database.schema import TableFacts
from staffords_gdpr.policy.models import Policy, Record, Scalar

Path = tuple[str, ...]


@dataclass(frozen=True)
class Anonymising:
    """One record type as its rows are about to be anonymised. `edges`: every reference that its rows hold; `targets`:
    the columns of its table to which others link.
    """

    connection: sa.Connection
    policy: Policy
    record: Record
    facts: TableFacts
    table: sa.Table
    key: Sequence[str]
    edges: Sequence[Edge]
    targets: frozenset[str]
    misfits: Misfits

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    def resolved(self) -> Record:
        """The record type with a replacement for every listed column; one that the tool cannot find is noted."""
        record = self.record
        chosen: dict[str, Scalar] = {}
        for listed, generated, path in self._lists():
            for column in generated:
                if column not in chosen and column not in listed:
                    given = [other[column] for other, *_ in self._lists() if column in other]
                    self._choose(column, given, chosen, path)
        changed: dict[str, object] = {"generated": ()}
        if record.anonymise is not None or record.generated:
            changed["anonymise"] = _merged(record.anonymise or {}, record.generated, chosen)
        changed["sooner"] = tuple(
            step.model_copy(
                update={"anonymise": _merged(step.anonymise, step.generated, chosen), "generated": ()}
            )
            for step in record.sooner
        )
        return record.model_copy(update=changed)

    def check(self) -> None:
        """Note everything for which the lists would not do what R10 asks. The record type is `resolved`."""
        if self.record.anonymise is not None:
            for edge in self.edges:
                self._left_over(edge, self.record.anonymise)
        for listed, _, path in self._lists():
            self._list(listed, path)
            self._half_undone(listed, path)
            sound = not any(
                misfit_of(self.facts, self.key, column, listed, self.dialect) for column in listed
            )
            if sound:
                for name in self._broken(listed):
                    what = f"the replacements break the constraint {name} of table {self.facts.name}"
                    self.misfits.add("replacement-check", path, what, "Give values that it allows")

    def _broken(self, listed: Mapping[str, Scalar]) -> Iterator[str]:
        return broken(self.connection, self.record, self.facts, self.table, self.key, listed)

    # -- choosing ------------------------------------------------------------------------------------------------

    def _choose(self, column: str, given: Sequence[Scalar], chosen: dict[str, Scalar], path: Path) -> None:
        linked = any(column in edge.own for edge in self.edges) or any(
            column in key.columns for key in self.facts.foreign_keys
        )
        options: Iterable[Scalar] = given or (
            [None] if linked else candidates(self.facts, self.key, column, self.dialect)
        )
        for value in options:
            listed = {column: value}
            if misfit_of(self.facts, self.key, column, listed, self.dialect) is None and not any(
                self._broken(listed)
            ):
                chosen[column] = value
                return
        details = self.facts.details[column]
        what = (
            f"no replacement is known for {column} ({details.type or 'no type'}) of table {self.facts.name}"
        )
        self.misfits.add("replacement", path, what, f"Write one, as in {{anonymise: {{{column}: VALUE}}}}")

    def _lists(self) -> Iterator[tuple[Mapping[str, Scalar], tuple[str, ...], Path]]:
        at: Path = ("records", self.record.name)
        for step in self.record.sooner:
            yield step.anonymise, step.generated, (*at, "sooner", step.name, "anonymise")
        if self.record.anonymise is not None or self.record.generated:
            yield self.record.anonymise or {}, self.record.generated, (*at, "erase", "anonymise")

    # -- checking ------------------------------------------------------------------------------------------------

    def _left_over(self, edge: Edge, listed: Mapping[str, Scalar]) -> None:
        """A link to a row that may be deleted must be undone."""
        if _undone(edge, listed) or self._owner_says(edge):
            return
        target = self.policy.records[edge.target]
        if edge.target == self.record.name or target.anonymise is not None:
            return
        at = ("records", self.record.name, "erase", "anonymise")
        free = [own for own in edge.own if own not in self.key]
        if edge.through and not free:
            what = (
                f"the link to {edge.target}, whose rows are deleted, stands in table {edge.through[0].table}, where "
                "nothing can undo it"
            )
            self.misfits.add("leftover-link", at, what, "Write erase: delete, or let the owner be anonymised")
            return
        own = next((own for own in edge.own if listed.get(own, "") is not None), edge.own[0])
        what = f"{own} refers to {edge.target}, whose rows are deleted"
        self.misfits.add("leftover-link", at, what, f"Add {own}: null to the list")

    def _owner_says(self, edge: Edge) -> bool:
        """A foreign key over the columns of the link to the owner never leads to another record type's row."""
        owner = next((edge for edge in self.edges if edge.kind == "belongs_to"), None)
        return (
            edge.kind == "foreign_key"
            and owner is not None
            and owner.direct
            and edge.target != owner.target
            and set(edge.columns) == set(owner.columns)
            and self.policy.records[edge.target].table == self.policy.records[owner.target].table
        )

    def _half_undone(self, listed: Mapping[str, Scalar], path: Path) -> None:
        for edge in self.edges:
            nulled = [own for own in edge.own if own in listed and listed[own] is None]
            if len(edge.ends) > 1 and not edge.through and nulled and not _undone(edge, listed):
                missing = next(own for end in edge.ends for own, _ in end if own not in nulled)
                what = f"{nulled[0]} is one of several links to {edge.target}, of which others stay"
                self.misfits.add("leftover-link", path, what, f"Add {missing}: null to the list")

    def _list(self, listed: Mapping[str, Scalar], path: Path) -> None:
        record, name = self.record, self.facts.name
        alike = [other for other in self.policy.ours.values() if other.table == record.table]
        dates = {
            column for other in alike for column in date_columns(other, dates_used(self.policy, other.name))
        }
        rules = [rule for other in alike for rule in (other.keep, *(step.keep for step in other.sooner))]
        conditions = (*(other.where for other in alike), *(rule.while_ if rule else None for rule in rules))
        decides = {column for condition in conditions if condition for column in condition.columns}
        words = {
            word
            for other in alike
            for expression in expressions_of(other)
            for word in words_of(expression.sql)
        }
        owner = {own for edge in self.edges if edge.kind == "belongs_to" for own in edge.own}
        links = {own: edge.target for edge in self.edges for own in edge.own}
        others = {own: key.target for key in self.facts.foreign_keys for own in key.columns}
        for column, value in listed.items():
            at = (*path, column)
            if record.keep is None and path[2] == "sooner" and column in owner:
                what = f"{column} links the row to the owner it goes with"
                self.misfits.add("replacement-link", at, what, "Leave it out, or give the record a rule")
            if column in self.key:
                what = f"{column} is part of the key of {name} and cannot be replaced"
                self.misfits.add("replacement-key", at, what, "Leave it out")
            elif column in self.targets:
                what = f"others link to {column}, and would lead to nobody"
                self.misfits.add("replacement-link", at, what, "Leave it out, or link to the key instead")
            elif column in dates:
                what = f"{column} is a date that the policy counts from; anonymising must not move it"
                self.misfits.add("replacement-date", at, what, "Leave it out")
            elif column in decides or column.casefold() in words:
                what = f"{column} decides what the rules make of the row; anonymising must not change it"
                self.misfits.add("replacement-condition", at, what, "Leave it out")
            elif value is not None and column in links | others:
                what = f"{column} refers to {(others | links)[column]}, and would refer to another row"
                self.misfits.add("replacement-link", at, what, f"Write {column}: null")
            elif fault := misfit_of(self.facts, self.key, column, listed, self.dialect):
                code, what, advice = fault
                self.misfits.add(code, at, what, advice)


def _undone(edge: Edge, listed: Mapping[str, Scalar]) -> bool:
    """Whether a list undoes a link: one of its columns becomes null, in each of several ways."""
    if edge.through or len(edge.ends) <= 1:
        return any(own in listed and listed[own] is None for own in edge.own)
    return all(any(own in listed and listed[own] is None for own, _ in end) for end in edge.ends)


def _merged(
    listed: Mapping[str, Scalar], generated: Iterable[str], chosen: Mapping[str, Scalar]
) -> dict[str, Scalar]:
    return {**listed, **{column: chosen[column] for column in generated if column in chosen}}

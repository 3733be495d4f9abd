"""A set of rows that grows until nothing that matters to those that are judged is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from staffords_gdpr.database.catalogue import Bound, Catalogue, Edge
from staffords_gdpr.policy.models import Condition, Hop, LookUp
from staffords_gdpr.retention.pure.conditions import Line, Rows, Tables
from staffords_gdpr.retention.pure.reading import Reading, conditions_of
from staffords_gdpr.retention.pure.values import comparable_key
from staffords_gdpr.retention.states import Key


class Growth:
    """What speaks for or against erasing a row lies with the rows that refer to it, with its owners, and with
    everything else of its subjects: rows that are *judged* are loaded with all of that. Rows that are only *seen*, for
    a date or to know of which record type they are, come with their owners and no more.
    """

    def __init__(self, reading: Reading, catalogue: Catalogue) -> None:
        self._reading = reading
        self._catalogue = catalogue
        self._records: dict[str, list[Bound]] = defaultdict(list)
        for bound in catalogue.records.values():
            self._records[bound.table].append(bound)
        self._referring: dict[str, list[Edge]] = defaultdict(list)
        for edge in catalogue.edges:
            self._referring[edge.target].append(edge)
        self._lines: dict[str, dict[Key, Line]] = defaultdict(dict)
        self._known: dict[str, dict[Key, bool]] = defaultdict(dict)  # by record type: whether judged
        self._values: dict[Key, bool] = {}
        self._new: dict[tuple[str, bool], list[Line]] = {}

    def grow(self, table: str, lines: Iterable[Line], *, judged: bool) -> None:
        """Take in these rows and all that matters to them."""
        self._take(table, lines, judged=judged)
        self._work()

    def grow_values(self, values: Iterable[Key], *, judged: bool) -> None:
        """Take in all rows of these subjects, which have no table, or only those that show that there are such."""
        self._take_values(values, judged=judged)
        self._work()

    def rows(self) -> Rows:
        """Table name -> rows; what was only seen is among them."""
        return {table: list(lines.values()) for table, lines in self._lines.items()}

    def _work(self) -> None:
        while self._new:
            (name, judged), lines = self._new.popitem()
            self._matters(self._catalogue.records[name], lines, judged=judged)

    def _take(self, table: str, lines: Iterable[Line], *, judged: bool) -> None:
        records = self._records.get(table, ())
        columns = records[0].key if records else None
        stored = self._lines[table]
        found: dict[Key, Line] = {}
        for line in lines:
            key = comparable_key(tuple(line[name] for name in columns) if columns else tuple(line.values()))
            found[key] = stored.setdefault(key, line)
        for bound in records:
            self._note(bound, found, judged=judged)

    def _note(self, bound: Bound, found: dict[Key, Line], *, judged: bool) -> None:
        """Remember which of these rows may be of a record type and are new to it."""
        known = self._known[bound.record.name]
        new = {key: line for key, line in found.items() if key not in known or (judged and not known[key])}
        if bound.record.where is not None and new:
            tables = self._look_up(bound.record.where, list(new.values()))
            new = {
                key: line for key, line in new.items() if tables.passes(bound.record.where, line) is not False
            }
        if new:
            known.update(dict.fromkeys(new, judged))
            self._new.setdefault((bound.record.name, judged), []).extend(new.values())

    def _matters(self, bound: Bound, lines: Sequence[Line], *, judged: bool) -> None:
        for condition in conditions_of(bound):
            self._look_up(condition, lines)
        for date in bound.dates.values():
            if date.through:
                self._along(date.through, lines)
        if bound.owner is not None:
            self._upwards(bound.owner, lines, judged=judged)
        if judged:
            for edge in self._referring[bound.record.name]:
                keys = _keys(lines, [other for _, other in edge.columns])
                self._take(edge.source_table, self._downwards(edge, keys), judged=edge.source is not None)
            for edge in bound.refers:
                self._upwards(edge, lines, judged=False)

    # -- along links --

    def _upwards(self, edge: Edge, lines: Sequence[Line], *, judged: bool) -> None:
        """To the rows that these belong or refer to."""
        last = self._along(edge.through, lines)
        others = [other for _, other in edge.columns]
        keys = [key for own in _ways(edge) for key in _keys(last, own)]
        if edge.target not in self._catalogue.records:
            self._take_values(keys, judged=judged)
            return
        table = self._catalogue.records[edge.target].table
        self._take(table, self._reading.matching(table, others, keys), judged=judged)

    def _downwards(self, edge: Edge, keys: Iterable[Key]) -> list[Line]:
        """To the rows that may lead to these keys."""
        wanted, through, found = list(keys), edge.through, list[Line]()
        last = through[-1].table if through else edge.source_table
        for own in _ways(edge):
            lines = self._reading.matching(last, own, wanted)
            for place in range(len(through) - 1, -1, -1):
                before = through[place - 1].table if place else edge.source_table
                hop = through[place]
                lines = self._reading.matching(before, tuple(hop.on.values()), _keys(lines, tuple(hop.on)))
            found += lines
        return found

    def _along(self, through: Sequence[Hop], lines: Sequence[Line]) -> Sequence[Line]:
        """The rows at the end of a way; all rows on it are taken in."""
        for hop in through:
            keys = _keys(lines, tuple(hop.on.values()))
            there = self._reading.matching(hop.table, tuple(hop.on), keys)
            self._take(hop.table, there, judged=False)
            tables = self._look_up(hop.where, there)
            lines = [line for line in there if tables.passes(hop.where, line) is True]
        return lines

    def _take_values(self, values: Iterable[Key], *, judged: bool) -> None:
        """The rows that belong to a subject known by this value alone, and those that show that there is one."""
        known = self._values
        new = [key for key in dict.fromkeys(values) if key not in known or (judged and not known[key])]
        self._values.update(dict.fromkeys(new, judged))
        if not new:
            return
        policy = self._catalogue.policy
        for ref in policy.records[policy.subject].values_of:
            table = self._catalogue.records[ref.record].table
            self._take(table, self._reading.matching(table, (ref.column,), new), judged=False)
        for bound in self._catalogue.records.values() if judged else ():
            if bound.owner is not None and bound.owner.target == policy.subject:
                self._take(bound.table, self._downwards(bound.owner, new), judged=True)

    def _look_up(self, condition: Condition | None, lines: Sequence[Line]) -> Tables:
        """Take in what a condition looks up for these rows, and give what has been taken in of such tables."""
        read: dict[str, list[Line]] = {}
        self._look(condition, lines, read)
        return Tables(read)

    def _look(self, condition: Condition | None, lines: Sequence[Line], read: dict[str, list[Line]]) -> None:
        for column, wanted in condition.columns.items() if condition else ():
            if isinstance(wanted, LookUp):
                there = self._reading.matching(wanted.table, (wanted.column,), _keys(lines, (column,)))
                self._take(wanted.table, there, judged=False)
                read.setdefault(wanted.table, []).extend(there)
                self._look(wanted.where, there, read)


def _ways(edge: Edge) -> Iterator[tuple[str, ...]]:
    """The own columns of each way, in the order of the target's columns."""
    for end in edge.ends or (edge.columns,):
        own_of = {other: own for own, other in end}
        yield tuple(own_of[other] for _, other in edge.columns)


def _keys(lines: Iterable[Line], columns: Sequence[str]) -> Iterator[Key]:
    """The references that lead somewhere: those without a NULL."""
    for line in lines:
        key = tuple(line[column] for column in columns)
        if None not in key:
            yield key

"""Whose data it is, and what belongs to what: the subject's table, and the way from every other table to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from staffords_gdpr.database.facts import Family, TableFacts
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.guesses import Guess, Link, Sure


class Kind(StrEnum):
    """What a table's name says that its rows are."""

    CALL = "call"
    REPAIR = "repair"
    PAYMENT = "payment"
    PRODUCT = "product"
    DETAIL = "detail"
    OTHER = "other"


_KINDS = {
    Kind.DETAIL: names.DETAILS,
    Kind.PAYMENT: names.PAYMENTS,
    Kind.REPAIR: names.REPAIRS,
    Kind.CALL: names.CALLS,
    Kind.PRODUCT: names.PRODUCTS,
}
_OF_ITS_OWN = (Kind.CALL, Kind.REPAIR, Kind.PAYMENT, Kind.PRODUCT)


def kind_of(table: str) -> Kind:
    """What a table holds, by its name; the last word counts most."""
    clear = _clear_kind(table)
    if clear is not Kind.OTHER:
        return clear
    return next((kind for kind, vocabulary in _KINDS.items() if vocabulary.in_name(table)), Kind.OTHER)


def _clear_kind(table: str) -> Kind:
    """What the last word of a table's name says."""
    if names.words(table)[-1:] == ("log",):
        return Kind.CALL if names.CALLS.in_name(table) else Kind.DETAIL
    return next((kind for kind, vocabulary in _KINDS.items() if vocabulary.at_end(table)), Kind.OTHER)


def _kinds(tables: Mapping[str, TableFacts], links: tuple[Link, ...]) -> dict[str, Kind]:
    """What each table holds. One named for a table that it leads to, as ticket_watchers is, holds details of that."""
    found = {table: kind_of(table) for table in tables}
    for table, facts in tables.items():
        out = tuple(link for link in links if link.table == table)
        named_for = any(names.begins_with(table, link.target) for link in out)
        between = len({link.target for link in out}) > 1 and _only_links(facts, out)
        if _clear_kind(table) is Kind.OTHER and (named_for or between):
            found[table] = Kind.DETAIL
    return found


@dataclass
class Tree:
    """The tables that lead to the subject's, each with the links to its owner."""

    subject: str
    kinds: Mapping[str, Kind]
    owners: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    over: dict[str, tuple[Link, Link]] = field(
        default_factory=dict
    )  # over a link table: its links here, and there

    @property
    def tables(self) -> set[str]:
        return {self.subject, *self.owners, *self.over}

    def owner(self, table: str) -> str | None:
        if table in self.over:
            return self.over[table][1].target
        return self.owners[table][0].target if table in self.owners else None

    def above(self, table: str) -> list[str]:
        """The owner, its owner and so on."""
        found: list[str] = []
        owner = self.owner(table)
        while owner is not None and owner not in found:
            found.append(owner)
            owner = self.owner(owner)
        return found


def subject_of(
    tables: Mapping[str, TableFacts], contacts: Mapping[str, set[str]], links: Iterable[Link]
) -> Guess | None:
    """The table of the people whose data it is; None where no table holds contact details."""
    links = tuple(links)
    contacts = {table: set(own) for table, own in contacts.items()}
    for link in links:
        if names.begins_with(link.table, link.target):  # user_emails tell of users
            contacts[link.target] |= contacts[link.table]
    scores: dict[str, int] = {}
    below = {table: len(_leading_to(table, links)) for table in tables}
    for table in tables:
        if len(contacts[table]) < 2:
            continue
        named = 6 if names.SUBJECTS.in_name(table) else 0
        staff = -8 if names.STAFF.in_name(table) and not named else 0
        detail = -4 if kind_of(table) is not Kind.OTHER and not named else 0
        history = -4 if len(names.words(table)) > 1 and kind_of(table) is Kind.DETAIL else 0
        scores[table] = 2 * len(contacts[table]) + min(below[table], 10) + named + staff + detail + history
    if not scores:
        return None
    first, *others = sorted(scores, key=lambda table: (-scores[table], table))
    held = ", ".join(sorted(contacts[first]))
    said = f"holds {held}; {below[first]} of {len(tables) - 1} other tables lead to it"
    if others and scores[others[0]] > scores[first] - 4:
        return Guess(first, Sure.UNSURE, f"{said}; or is it {others[0]}?")
    clear = names.SUBJECTS.in_name(first) and below[first] > 0
    return Guess(first, Sure.LIKELY if clear else Sure.UNSURE, said)


def tree_of(subject: str, tables: Mapping[str, TableFacts], links: Iterable[Link]) -> Tree:
    """What belongs to what. Of several owners a table goes with the subject, a detail with what it is a detail of."""
    links = tuple(link for link in links if link.table != subject)
    tree = Tree(subject, _kinds(tables, links))
    nearest_first = list(_leading_to(subject, links))
    _grow(tree, nearest_first, links)
    for table in tables:
        if table not in tree.tables and _clear_kind(table) in _OF_ITS_OWN:
            _over_a_link_table(table, tree, tables, links)
    _grow(tree, list(tables), links)
    return tree


def _grow(tree: Tree, tables: Iterable[str], links: tuple[Link, ...]) -> None:
    """Give every table an owner that has one itself, up to the subject; details when nothing else is left to do."""
    waiting = [table for table in tables if table not in tree.tables]
    waiting.sort(key=lambda table: tree.kinds[table] is Kind.DETAIL)
    while True:
        found = next((table for table in waiting if _owner_of(table, tree, links)), None)
        if found is None:
            return
        tree.owners[found] = _owner_of(found, tree, links)
        waiting.remove(found)


def _owner_of(table: str, tree: Tree, links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The links to the best of the owners that are in the tree already; none where there is none."""
    out = [link for link in links if link.table == table and link.target in tree.tables]
    detail = tree.kinds[table] is Kind.DETAIL

    def nearness(link: Link) -> tuple[bool, bool, int, str]:
        """Links that are sure first; for a detail what has a rule of its own first, and then the subject."""
        whole = detail and tree.kinds[link.target] in (Kind.CALL, Kind.REPAIR, Kind.PAYMENT)
        return link.sure is Sure.UNSURE, not whole, len(tree.above(link.target)), link.target

    best = min(out, key=nearness, default=None)
    return tuple(link for link in out if best is not None and link.target == best.target)


def _over_a_link_table(
    table: str, tree: Tree, tables: Mapping[str, TableFacts], links: tuple[Link, ...]
) -> None:
    """Find a table that does nothing but lead from this one to the subject, and go that way."""
    for here in links:
        there = next(
            (link for link in links if link.table == here.table and link.target == tree.subject), None
        )
        between = tree.kinds[here.table] is Kind.DETAIL
        if here.target == table and there and between and _only_links(tables[here.table], (here, there)):
            tree.over[table] = (here, there)
            tree.owners[here.table] = (here,)
            return


def _only_links(table: TableFacts, its: tuple[Link, ...]) -> bool:
    linking = {own for link in its for own, _ in link.columns}
    others = [
        facts for column, facts in table.details.items() if column not in linking and column not in table.key
    ]
    return len(others) <= 3 and all(
        facts.family is not Family.TEXT or (facts.length or 0) <= 40 for facts in others
    )


def _leading_to(table: str, links: tuple[Link, ...]) -> dict[str, int]:
    """Every table that leads to this one, over how many links."""
    distance = {table: 0}
    waiting = deque([table])
    while waiting:
        here = waiting.popleft()
        for link in links:
            if link.target == here and link.table not in distance:
                distance[link.table] = distance[here] + 1
                waiting.append(link.table)
    del distance[table]
    return distance

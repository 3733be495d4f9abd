"""How record types find their owners and what else they refer to, as the policy says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from staffords_gdpr.operations.propose.guesses import Guess, Link, Sure, Way
from staffords_gdpr.operations.propose.tree import Tree


def way_of(table: str, tree: Tree, out: Iterable[Link], owner: str) -> tuple[Guess, Way, bool]:
    """The owner as a guess, the way there, and whether rows without an owner are possible."""
    if table in tree.over:
        here, there = tree.over[table]
        through = Way((dict(there.columns),), here.table, dict(here.columns))
        said = f"over the link table {here.table}: {here.reason}; {there.reason}"
        return Guess(owner, _least(here, there), said), through, True
    links = tree.owners[table]
    nullable = all(link.nullable for link in links) or not all(link.declared for link in links)
    said = "; ".join(f"{_columns(link)}: {link.reason}" for link in links)
    if len(links) > 1:
        said += "; the row belongs to each, and goes when it is due under each"
    way = Way() if _plain(links, out) else Way(tuple(dict(link.columns) for link in links))
    return Guess(owner, _least(*links), said), way, nullable


def refers_to(
    table: str, tree: Tree, out: Iterable[Link], names: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """The other record types that a row leads to, each with its columns; none where one foreign key says it."""
    out = tuple(out)
    owner = tree.owner(table)
    found: dict[str, dict[str, str]] = {}
    for link in out:
        below = table in tree.above(link.target)
        if link.target in tree.tables and link.target != owner and not below and link.sure is not Sure.UNSURE:
            same = [other for other in out if other.target == link.target]
            plain = _plain(same, out) and link.target not in tree.above(
                table
            )  # of owners the columns are told
            found.setdefault(names[link.target], {} if plain else dict(link.columns))
    return found


def _plain(links: Iterable[Link], out: Iterable[Link]) -> bool:
    """Whether a foreign key says it all: one link, declared."""
    links = tuple(links)
    same = [link for link in out if link.target == links[0].target]
    return len(links) == 1 and links[0].declared and len(same) == 1


def _columns(link: Link) -> str:
    return ", ".join(own for own, _ in link.columns)


def _least(*links: Link) -> Sure:
    """A chain is as sure as its weakest link."""
    for sure in (Sure.UNSURE, Sure.LIKELY):
        if any(link.sure is sure for link in links):
            return sure
    return Sure.CERTAIN

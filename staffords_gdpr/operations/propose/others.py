"""Tables that do not lead to the subject, keys that nobody declared, and names for record types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from staffords_gdpr.database.facts import TableFacts
from staffords_gdpr.operations.propose import words as names
from staffords_gdpr.operations.propose.columns import columns_of
from staffords_gdpr.operations.propose.guesses import Guess, Link, RecordGuess, Sure
from staffords_gdpr.operations.propose.links import common_prefix, polymorphic_of
from staffords_gdpr.operations.propose.sample import ROWS, Sample
from staffords_gdpr.operations.propose.tree import Tree

_WHY_LEFT = "if it is left alone, say why; if not, write how it belongs to somebody"
_STAFF = "staff, not customers; the personnel policy governs them"


def record_names(tables: Iterable[str]) -> dict[str, str]:
    """A name for the record type of each table: the singular, without what all names begin with. No two alike."""
    tables = tuple(tables)
    prefix = common_prefix(tables)
    found: dict[str, str] = {}
    for table in tables:
        name = names.singular(table.removeprefix(prefix))
        while name in found.values():
            name += "_2"
        found[table] = name
    return found


def naming(identity: str) -> str:
    """A database's identity without the hash at its end: sqlite:calls.db."""
    return identity.rpartition(":")[0] or identity


def key_of(table: TableFacts, sample: Sample) -> tuple[Guess, ...]:
    """The key of a table that declares none; empty where it does. Binding the policy checks it against all rows."""
    if table.key:
        return ()
    sets = [columns for columns in table.unique if columns <= set(table.not_null)]
    if sets:
        least = min(sets, key=lambda columns: (len(columns), sorted(columns)))
        return tuple(
            Guess(c, Sure.LIKELY, "declared UNIQUE and NOT NULL") for c in table.details if c in least
        )
    named = [
        c
        for c in table.details
        if names.link_stem(c) in (None, names.stem(table.name)) or names.words(c) == ("nr",)
    ]
    for column in named:
        if sample.shape(column).unique:
            said = f"no key is declared; all of {sample.rows} values differ"
            return (Guess(column, Sure.LIKELY if sample.rows >= ROWS else Sure.UNSURE, said),)
    return (Guess("", Sure.UNSURE, "no key is declared: name the columns that tell two rows apart"),)


def left_alone(
    tables: Mapping[str, TableFacts],
    samples: Mapping[str, Sample],
    contacts: Mapping[str, set[str]],
    tree: Tree,
    links: Iterable[Link],
    called: Mapping[str, str],
) -> tuple[RecordGuess, ...]:
    """Tables that lead to no subject and may hold personal data: a person decides what they are."""
    links = tuple(links)
    found = []
    for name, table in tables.items():
        if name in tree.tables:
            continue
        sample = samples[name]
        people = bool(contacts[name] - {"a person's name"}) or names.STAFF.in_name(name)
        personal = [g for g in columns_of(table, sample, table.key, people=people).personal if not g.open]
        telling = [g for g in personal if "free text" not in g.reason and "long texts" not in g.reason]
        work = any(kind.at_end(name) for kind in (names.CALLS, names.REPAIRS, names.PAYMENTS))
        much = personal and (sample.rows >= ROWS or names.DETAILS.at_end(name))
        base = RecordGuess(called[name], name, personal=tuple(personal))
        if names.STAFF.in_name(name) and (contacts[name] or telling):
            found.append(
                _with(base, _STAFF, "no link from here to the subject was found; by its name these are staff")
            )
        elif polymorphic := polymorphic_of(table):
            found.append(_with(base, "", _polymorphic(polymorphic)))
        elif telling or contacts[name] - {"a person's name"} or work or much:
            ways = ", ".join(sorted({link.target for link in links if link.table == name}))
            leads = f"It leads to {ways}. " if ways else ""
            said = f"no link to the subject was found. {leads}Write `belongs_to` and `on`, or say why it is left alone"
            found.append(_with(base, "", said))
    return tuple(found)


def _with(base: RecordGuess, reason: str, note: str) -> RecordGuess:
    return RecordGuess(
        base.name,
        base.table,
        note,
        personal=base.personal,
        leave=Guess(reason, Sure.UNSURE, _WHY_LEFT),
    )


def _polymorphic(columns: tuple[str, str]) -> str:
    kind, key = columns
    return (
        f"{key} leads to one table or another, as {kind} says. Write a record type for each of them, as in "
        f"where: {{{kind}: VALUE}}, belongs_to: RECORD TYPE, on: {{{key}: id}}"
    )

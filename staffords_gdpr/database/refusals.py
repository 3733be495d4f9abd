"""Tables on which gdpr cannot erase safely. They are refused by name, with what would have to change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from staffords_gdpr.database.catalogue import Catalogue, Edge
from staffords_gdpr.database.engines import backend_of
from staffords_gdpr.database.facts import Outside, TableFacts
from staffords_gdpr.database.misfits import Misfits
from staffords_gdpr.database.order import erasing_order
from staffords_gdpr.database.schema import Schema
from staffords_gdpr.policy.models import Policy, Record

_KINDS = {
    "partitioned": "a partitioned table, on which gdpr is not tested",
    "inherited": "a table that shows rows of other tables",
    "foreign": "a table of another server, where nothing can be locked",
    "versioned": "a versioned table: the database keeps a copy of every row that goes",
}
ACKNOWLEDGE = "Where no personal data stays in it, say so under 'triggers' of the record type"
SWITCH_OFF = "Drop or disable it, or guard it with WHEN or IF so that it writes nothing while a purge runs"
_TRANSACTIONAL = {"innodb"}
_WRITES = re.compile(r"\b(?:into|update)\s+(?:only\s+)?(?:[\w`\"\[]+\.)?[`\"\[]?(\w+)", re.IGNORECASE)
_EVENTS = re.compile(
    r"\b(?:before|after)\s+((?:insert|update|delete|truncate)\b(?:\s+or\s+(?:insert|update|delete|truncate)\b)*)"
    r"(\s+of\b)?",
    re.IGNORECASE,
)
_NOT_READ = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_GUARD = re.compile(r"\b(?:when|if|loop|while|where|case)\b", re.IGNORECASE)


def refuse_tables(
    connection: sa.Connection, policy: Policy, schema: Schema, edges: Iterable[Edge], misfits: Misfits
) -> bool:
    """Note every table on which an erasure could not be kept together, or not be seen whole. Whether the database lets
    its user read them all.
    """
    edges = list(edges)
    read = _tables_read(policy, edges)
    readable = True
    for name, path in read.items():
        facts = schema.tables[name]
        hidden = _stored(connection, facts, path, misfits)
        if not hidden and not _readable(connection, name):
            quoted = connection.dialect.identifier_preparer.quote(name)
            what = (
                f"this database user may not read table {name}, which may hold what a purge would erase (R5)"
            )
            misfits.add("not-readable", path, what, f"Run: GRANT SELECT ON {quoted} TO the user of gdpr;")
            readable = False
        readable = readable and not hidden
    for outside in schema.outside:
        if outside.target in read:
            misfits.add("outside-reference", read[outside.target], *_outside(outside))
    if connection.dialect.name == "mysql":
        for facts, columns, path in _looked_up(schema, edges):
            if not facts.indexed(columns):
                what = f"the link over {facts.name} ({', '.join(sorted(columns))}) has no index to lock by"
                misfits.add("unindexed-link", path, what, f"Run: {create_index(connection, facts, columns)}")
    return readable


def _outside(outside: Outside) -> tuple[str, str]:
    """What is wrong with a reference from a table that gdpr cannot take into account, and what to do."""
    refers = f"{outside.table} refers to {outside.target}"
    if outside.hidden:
        return (
            f"{refers}, and this database user is not shown that table: its foreign key could change rows unseen",
            f"Run: GRANT SELECT ON {outside.table} TO the user of gdpr; or drop the foreign key",
        )
    if outside.partition:
        return (
            f"{refers}, and it is a partition, on whose own foreign keys gdpr does not look",
            "Drop the foreign key, or make the partition a table of its own",
        )
    return (
        f"{refers} from another schema, where gdpr does not look",
        "Bring both into one schema, or drop the foreign key",
    )


@dataclass(frozen=True)
class Copying:
    """A trigger on a table of ours that may keep a copy of what is erased. `writes`: the tables that it names.

    `always`: every row erased surely writes there, so that each batch would change more than was planned.
    """

    record: str
    name: str
    table: str
    writes: tuple[str, ...]
    always: bool = False

    def __str__(self) -> str:
        writes = f", which writes to {' and '.join(self.writes)}" if self.writes else ""
        then = "it may keep a copy"
        if self.always:
            then = "a purge takes back a batch in which rows change that it did not plan for"
        return f"erasing sets off trigger {self.name} of table {self.table}{writes}: {then}"

    @property
    def code(self) -> str:
        """What `check` calls it."""
        return "writing-trigger" if self.always else "trigger"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return SWITCH_OFF if self.always else ACKNOWLEDGE


def copying_triggers(
    connection: sa.Connection, policy: Policy, there: Mapping[str, TableFacts]
) -> Iterator[Copying]:
    """Every trigger that an erasure sets off and that the policy does not name, itself or a table that it writes to;
    and every one that writes whenever a row is erased, whatever the policy says of it.
    """
    for name, table, text in backend_of(connection).triggers(connection):
        kinds = [record for record in policy.ours.values() if record.table == table]
        if not kinds or not _set_off(text):
            continue
        tables = {known.casefold(): known for known in there}
        written = (tables.get(word.casefold()) for word in _WRITES.findall(text))
        writes = tuple(dict.fromkeys(each for each in written if each is not None and each != table))
        known = {given.casefold().rpartition(".")[2] for kind in kinds for given in kind.triggers}
        always = bool(writes) and _always_writes(text, kinds)
        if always or not known & {called.casefold() for called in (name, *writes)}:
            yield Copying(kinds[0].name, name, table, writes, always)


def require_acknowledged(connection: sa.Connection, catalogue: Catalogue) -> None:
    """Raises MisfitError for every trigger that may keep a copy, unless the policy says why that is right, and for
    every one that writes whenever a row is erased.
    """
    misfits = Misfits(catalogue.policy)
    for found in copying_triggers(connection, catalogue.policy, catalogue.tables):
        misfits.add(found.code, ("records", found.record), str(found), found.advice)
    misfits.raise_if_any()


def require_all_shown(connection: sa.Connection, catalogue: Catalogue) -> None:
    """Raises MisfitError where foreign keys on our tables may be hidden from this user, and would delete or change rows
    that nobody sees. Reading does no harm; approving and purging ask for this.
    """
    if not backend_of(connection).sees_all_references(connection):
        misfits = Misfits(catalogue.policy)
        what = (
            "this database user lacks the privilege PROCESS: it is not shown whether tables on which it has no "
            "privilege refer to ours, and their rows could go along"
        )
        advice = "Run: GRANT PROCESS ON *.* TO the user of gdpr;"
        misfits.add("hidden-references", ("records",), what, advice)
        misfits.raise_if_any()


def _set_off(text: str) -> bool:
    """Whether a trigger may follow upon an UPDATE or a DELETE; true where its text does not begin as expected."""
    head = re.split(r"\s(?:on|for|begin|execute)\s", text, maxsplit=1, flags=re.IGNORECASE)[0].casefold()
    return "insert" not in head or "update" in head or "delete" in head


def _always_writes(text: str, kinds: Iterable[Record]) -> bool:
    """Whether a trigger surely writes to other tables when rows of these types are erased. Of what cannot be read from
    its text a purge tells: it takes the batch back.
    """
    read = _NOT_READ.sub(" ", text)
    found = _EVENTS.search(read)
    if found is None or _GUARD.search(read) or not _WRITES.search(read):
        return False
    events = set(found[1].casefold().split())
    replaces = any(each.anonymise or any(step.anonymise for step in each.sooner) for each in kinds)
    deletes = any(each.anonymise is None for each in kinds)
    return (deletes and "delete" in events) or (replaces and "update" in events and not found[2])


def create_index(connection: sa.Connection, facts: TableFacts, columns: Iterable[str]) -> str:
    """The statement that makes an index, to give to whoever looks after the database."""
    quote = connection.dialect.identifier_preparer.quote
    ordered = [name for name in facts.columns if name in set(columns)]
    name = f"gdpr_{facts.name}_{'_'.join(ordered)}"[:60].replace(" ", "_")
    return f"CREATE INDEX {quote(name)} ON {quote(facts.name)} ({', '.join(map(quote, ordered))});"


def links_to_look_up(
    tables: Mapping[str, TableFacts], edge: Edge
) -> Iterator[tuple[TableFacts, frozenset[str]]]:
    """The columns by which a link is followed from rows to owners, and from owners to rows: table and columns."""
    if edge.direct:
        yield tables[edge.source_table], frozenset(own for own, _ in edge.columns)
        return
    last = tables[edge.source_table]
    for hop in edge.through:  # it is gone both ways
        yield last, frozenset(hop.on.values())
        last = tables[hop.table]
        yield last, frozenset(hop.on)
    for end in edge.ends:
        yield last, frozenset(own for own, _ in end)


def _tables_read(policy: Policy, edges: Iterable[Edge]) -> Mapping[str, tuple[str, ...]]:
    """Every table that a purge erases from, or reads to know what it may erase, and where the policy says so."""
    found: dict[str, tuple[str, ...]] = {}
    for name, record in policy.ours.items():
        found.setdefault(record.table, ("records", name, "table"))
    for edge in edges:
        path = ("records", edge.source or edge.target, *(["table"] if edge.source is None else []))
        found.setdefault(edge.source_table, path)
        for hop in edge.through:
            found.setdefault(hop.table, path)
    return found


def _stored(connection: sa.Connection, facts: TableFacts, path: tuple[str, ...], misfits: Misfits) -> bool:
    """Note what is wrong with how a table is kept. Whether some of its rows are hidden from this user."""
    stored = facts.stored
    if stored.kind in _KINDS:
        misfits.add(
            "table-kind", path, f"{facts.name} is {_KINDS[stored.kind]}", "Name a plain table, or 'leave' it"
        )
    if stored.storage is not None and stored.storage.casefold() not in _TRANSACTIONAL:
        what = f"table {facts.name} is kept in {stored.storage}, which cannot take back half a change"
        quoted = connection.dialect.identifier_preparer.quote(facts.name)
        misfits.add("not-transactional", path, what, f"Run: ALTER TABLE {quoted} ENGINE=InnoDB;")
    hidden = stored.row_security and _hidden(connection, facts.name)
    if hidden:
        what = f"row-level security hides rows of {facts.name} from this database user"
        misfits.add("row-security", path, what, "Let the user see every row: ALTER ROLE gdpr BYPASSRLS;")
    return hidden


def _readable(connection: sa.Connection, table: str) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(0)).all()
    except sa.exc.DBAPIError:
        return False
    return True


def _hidden(connection: sa.Connection, table: str) -> bool:
    """Whether PostgreSQL's row-level security is in force for this user."""
    quoted = connection.dialect.identifier_preparer.quote_identifier(table)
    return bool(connection.execute(sa.text("SELECT row_security_active(:t)"), {"t": quoted}).scalar_one())


def _looked_up(
    schema: Schema, edges: Iterable[Edge]
) -> Iterator[tuple[TableFacts, frozenset[str], tuple[str, ...]]]:
    for edge in edges:
        kind = "table" if edge.kind == "foreign_key" else edge.kind
        for facts, columns in links_to_look_up(schema.tables, edge):
            yield facts, columns, ("records", edge.source or edge.target, kind)


def refuse_circles(connection: sa.Connection, catalogue: Catalogue, misfits: Misfits) -> None:
    """Note every foreign key that stands in a circle of others and cannot be set to NULL for a moment."""
    for key in erasing_order(catalogue, backend_of(connection)).closed:
        record = next(name for name, bound in catalogue.records.items() if bound.table == key.table)
        columns = ", ".join(key.columns)
        what = f"the rows of {key.table} and {key.target} refer to each other in a circle that nothing opens"
        if key.table == key.target:
            what = f"rows of {key.table} refer to each other"
        advice = (
            f"Let {key.table}({columns}) be NULL, or its foreign key be checked at the end of a transaction"
        )
        misfits.add("cycle", ("records", record, "table"), f"{what}, over {columns}", advice)

"""The rules of retention once more, as a pure function over rows in memory (R9): the second opinion.

The due set is a greatest fixpoint, computed plainly: start from everything that has passed its own rule,
and take out what a surviving row needs until nothing changes. Rows leave in rounds; a row's reason is what
spoke against it in the round in which it left, so reasons neither run in circles nor depend on row order.
A row with several owners is judged once for each and gets one verdict of them all.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

from staffords_gdpr.database.catalogue import Catalogue, Edge
from staffords_gdpr.retention.pure.conditions import Rows
from staffords_gdpr.retention.pure.dates import Trouble
from staffords_gdpr.retention.pure.nodes import Node, Nodes
from staffords_gdpr.retention.pure.rules import label, uses
from staffords_gdpr.retention.pure.values import nulls
from staffords_gdpr.retention.pure.world import Row, World
from staffords_gdpr.retention.states import Key, State, Verdict

_WORST_FIRST = (State.UNDECIDABLE, State.KEPT, State.HELD, State.DUE, State.ANONYMISED)
Ground = tuple[int, str, str, str]
"""Why something stays: rank, name for a stable order, sentence, subject date (R6) or ""."""


def judge(catalogue: Catalogue, rows: Rows, as_of: dt.datetime, holds: frozenset[Key]) -> list[Verdict]:
    """A verdict for every row of every record type in `policy.ours`, and for every `sooner` step of it.

    `rows` are raw values by table name; a table that is absent is empty. `holds` are keys of subjects under a
    legal hold. `as_of` is an aware moment. Verdicts come in the order of the policy and of the rows, steps
    after their row.
    """
    return [node.verdict for node in Court(catalogue, rows, as_of, holds).decided()]


class Decided:
    """A row or a step with its final verdict, and its node under each owner, the one that decides first."""

    __slots__ = ("node", "nodes", "verdict")

    def __init__(self, nodes: list[Node], verdict: Verdict) -> None:
        self.node = nodes[0]
        self.nodes = nodes
        self.verdict = verdict


class Court:
    """The due set of a world of rows. Time is linear in rows and references."""

    def __init__(self, catalogue: Catalogue, rows: Rows, as_of: dt.datetime, holds: frozenset[Key]) -> None:
        self.world = World(catalogue, rows, catalogue.policy.today(as_of))
        self.nodes = Nodes(self.world, holds)
        self._users: dict[tuple[Row, str], list[Node]] = defaultdict(list)
        self._grounds: dict[Node, Ground] = {}
        self._find_users()
        self._first_round()
        while self._grounds:
            self._next_round()

    # -- the fixpoint --

    def _find_users(self) -> None:
        """Who counts from which subject date (R6)."""
        for node in self._every_node():
            if node.keep is not None and node.row.subject is not None:
                for date in uses(node.keep):
                    self._users[node.row.subject, date].append(node)

    def _first_round(self) -> None:
        for target, references in self.world.incoming.items():
            for edge, source in references:
                if source is None:
                    sentence = f"a row of {edge.source_table} refers to it"
                    self._against(self.nodes.of[target], (1, edge.source_table, sentence, ""))
                elif not self.nodes.releases(source, edge):
                    self._against(self.nodes.of[target], self._reference(source, edge))
        for subject in self.world.rows[self.world.policy.subject]:
            for date, found in self.world.dates_of(subject).items():
                if isinstance(found.day, Trouble):
                    sentence = f"it counts for {label(date)}, which {found.day.why}"
                    for carrier in found.carriers:
                        self._evidence(carrier, (3, date, sentence, ""))
        for node in list(self._every_node()):
            if not node.gone:
                self._consequences(node)

    def _next_round(self) -> None:
        leaving, self._grounds = self._grounds, {}
        for node, (_, _, sentence, date) in leaving.items():
            node.settle(State.HELD, f"held: {sentence}" if sentence else "")
            node.evidence = date
        for node in leaving:
            self._consequences(node)

    def _consequences(self, node: Node) -> None:
        """What cannot go because `node` stays."""
        row = node.row
        for edge, target in row.outgoing:
            if not self.nodes.releases(row, edge):
                self._against(self.nodes.of[target], self._reference(row, edge))
        for follower in self.nodes.followers[node]:
            self._against(follower, (4, "", "", ""))
        if len(row.whole) > 1:
            other = f" {row.owner}" if row.owner is not None else ", with nobody there,"
            for same_row in self.nodes.elsewhere(node):
                self._against(
                    same_row, (5, str(row.owner), f"it belongs to{other} too, and stays for them", "")
                )
        if node.step is None and node.follows is not None:
            self._against(node.follows, (2, str(row), f"{row} goes with it and stays", ""))
        if not self.nodes.of[row].gone:
            self._counts_on(node)
            if node.step is None:
                for step in self.nodes.steps[row]:
                    if not step.gone:
                        self._counts_on(step)

    def _counts_on(self, node: Node) -> None:
        """The rows with the latest day of a subject date stay while a row or step that uses it stays (R6)."""
        if node.keep is None or node.row.subject is None:
            return
        for date in uses(node.keep):
            for carrier in self.world.subject_day(node.row.subject, date).carriers:
                self._evidence(carrier, (3, date, "evidence", date))

    def _evidence(self, carrier: Row, ground: Ground) -> None:
        """A carrier stays, and stays the subject's: no step may undo a link between it and the subject."""
        self._against(self.nodes.of[carrier], ground)
        link: Row | None = carrier
        while link is not None:
            for step in self.nodes.steps.get(link, ()):
                if step.step and nulls(step.step.anonymise, link.bound.owner):
                    self._against(step, ground)
            link = link.owner

    def _against(self, node: Node, ground: Ground) -> None:
        if node.state is None and (node not in self._grounds or ground < self._grounds[node]):
            self._grounds[node] = ground

    # -- reasons --

    def _reference(self, source: Row, edge: Edge) -> Ground:
        node = self.nodes.of[source]
        if node.follows is not None and edge.kind == "belongs_to":
            return (2, str(source), f"{source} goes with it and stays", "")
        verb = "belongs to it" if edge.kind == "belongs_to" else "refers to it"
        if node.state is State.KEPT:
            fate = f"stays until {node.last_day}"
        elif node.gone:
            fate = "stays, anonymised,"
        else:
            fate = f"is {node.state}"
        return (0, str(source), f"{source} {fate} and {verb}", "")

    def _stays(self, node: Node) -> bool:
        return not node.gone and not self.nodes.of[node.row].gone

    def _evidence_text(self, subject: Row, date: str) -> str:
        using = {
            (node.name, id(node.row.whole[0])) for node in self._users[subject, date] if self._stays(node)
        }
        counts = Counter(record for record, _ in using)
        name = label(date).removeprefix("last ")
        rows = [f"{count} {record}{'' if count == 1 else 's'}" for record, count in sorted(counts.items())]
        return f"latest {name} of {' and '.join(rows)}"

    def _reason(self, node: Node) -> str:
        if node.evidence and node.row.subject is not None:
            return f"held: {self._evidence_text(node.row.subject, node.evidence)}"
        if not node.reason and node.follows is not None:
            return f"goes with {node.follows}: {self._reason(node.follows)}"
        return node.reason

    def holders(self, node: Node) -> list[str]:
        """Everything that stands against erasing a held row, a sentence each; none for other states."""
        if node.state is not State.HELD:
            return []
        reason = self._reason(node)
        found = set() if reason.startswith("goes with") else {reason.removeprefix("held: ")}
        if node.step is None:
            for edge, source in self.world.incoming.get(node.row, ()):
                if source is None:
                    found.add(f"a row of {edge.source_table} refers to it")
                elif self.nodes.of[source].follows is not node and not self.nodes.releases(source, edge):
                    found.add(self._reference(source, edge)[2])
        subject = node.row.subject
        if subject is not None and node.step is None:
            for date, day in self.world.dates_of(subject).items():
                users = self._users[subject, date]
                if node.row in day.carriers and any(self._stays(user) for user in users):
                    found.add(self._evidence_text(subject, date))
        return sorted(found)

    # -- the answer --

    def decided(self) -> Iterator[Decided]:
        """Every row and step with its verdict, in the order of the policy and of the rows."""
        for name in self.world.policy.ours:
            for row in self.world.rows[name]:
                if row.whole[0] is row:
                    yield self._merged([self.nodes.of[each] for each in row.whole])
                    for steps in zip(*(self.nodes.steps[each] for each in row.whole), strict=True):
                        yield self._merged(list(steps))

    def _every_node(self) -> Iterator[Node]:
        for name in self.world.policy.ours:
            for row in self.world.rows[name]:
                yield self.nodes.of[row]
                yield from self.nodes.steps[row]

    def _merged(self, nodes: list[Node]) -> Decided:
        """One verdict over all owners: the worst state, the latest day, the least subject."""
        if len(nodes) == 1:
            return Decided(nodes, self._verdict(nodes[0]))
        judged = sorted(((self._verdict(node), node) for node in nodes), key=_worst_first)
        worst = judged[0][0]
        days = [verdict.last_day for verdict, _ in judged]
        subjects = [verdict.subject for verdict, _ in judged if verdict.subject is not None]
        known = worst.state is not State.UNDECIDABLE and None not in days
        merged = replace(
            worst,
            subject=min(subjects, key=_text_of, default=None),
            last_day=max((day for day in days if day is not None), default=None) if known else None,
        )
        return Decided([node for _, node in judged], merged)

    def _verdict(self, node: Node) -> Verdict:
        state, reason = node.state, self._reason(node)
        if state is None:
            done = self.nodes.complete(node)
            state = State.ANONYMISED if done else State.DUE
            reason = f"anonymised already: {reason}" if done else reason
        return Verdict(
            record=node.name,
            key=node.row.key,
            subject=node.row.subject.key if node.row.subject else None,
            state=state,
            last_day=None if state is State.UNDECIDABLE else node.last_day,
            reason=reason,
        )


def _worst_first(judged: tuple[Verdict, Node]) -> tuple[object, ...]:
    verdict, node = judged
    of_others = verdict.reason.startswith("held: it belongs to")  # says less than what holds it there
    return _WORST_FIRST.index(verdict.state), of_others, _text_of(verdict.subject or ()), str(node.row.owner)


def _text_of(key: Key) -> tuple[str, ...]:
    return tuple(map(str, key))

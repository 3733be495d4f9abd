"""Rows and steps as the pure function sees them, first by their own rule alone (R1 to R3, R7, R8, R10)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.policy.models import Keep, Scalar, Step
from staffords_gdpr.retention.pure.rules import Clock, own_columns_only, read_clock
from staffords_gdpr.retention.pure.values import comparable_key, nulls
from staffords_gdpr.retention.pure.world import Row, World
from staffords_gdpr.retention.states import Key, State


class Node:
    """A row, or one `sooner` step of a row; of a row with several owners, one appearance of it.

    `state` is None while nothing stands against erasing it: it is in the due set until shown otherwise.
    `follows` is the row whose state it shares (R4): the owner of a row without a rule, or a step's `with`.
    """

    __slots__ = ("clock", "evidence", "follows", "keep", "last_day", "reason", "row", "state", "step")

    def __init__(self, row: Row, step: Step | None = None) -> None:
        self.row = row
        self.step = step
        self.keep: Keep | None = None
        self.clock: Clock | None = None
        self.follows: Node | None = None
        self.state: State | None = None
        self.last_day: dt.date | None = None
        self.reason = ""
        self.evidence = ""  # the subject date that holds it (R6)

    @property
    def name(self) -> str:
        return f"{self.row.record}.{self.step.name}" if self.step else self.row.record

    def __str__(self) -> str:
        return f"{self.step.name} of {self.row}" if self.step else str(self.row)

    @property
    def gone(self) -> bool:
        """Erased with the due set as it stands, or anonymised before. Everything else stays."""
        return self.state is None or self.state is State.ANONYMISED

    @property
    def replacements(self) -> dict[str, Scalar] | None:
        """What the erasure writes; None where it deletes the row."""
        found = self.step.anonymise if self.step else self.row.bound.record.anonymise
        return None if found is None else dict(found)

    def settle(self, state: State | None, reason: str) -> None:
        self.state, self.reason = state, reason


class Nodes:
    """Every row and step of a world, each judged by its own rule alone."""

    def __init__(self, world: World, holds: frozenset[Key]) -> None:
        self.world = world
        self._held_subjects = {comparable_key(key) for key in holds}
        self.of: dict[Row, Node] = {}
        self.steps: dict[Row, list[Node]] = {}
        self.followers: dict[Node, list[Node]] = defaultdict(list)
        self._finished: dict[Node, bool] = {}
        in_order = [row for name in world.owners_first for row in world.rows[name]]
        for row in in_order:
            self.of[row] = self._ruled(Node(row))
        for row in in_order:
            self._judge_row(self.of[row])
        for row in in_order:
            self.steps[row] = [self._judge_step(Node(row, step)) for step in row.bound.record.sooner]

    def complete(self, node: Node) -> bool:
        """Whether every replacement is in place, and no child that goes with it is left (R10)."""
        if node.step:
            return self.world.holds_all(node.row, node.step.anonymise)
        known = self._finished.get(node)
        if known is None:
            replacements = node.replacements
            known = (
                replacements is not None
                and self.world.holds_all(node.row, replacements)
                and all(self.complete(child) for child in self.followers[node] if not child.step)
            )
            self._finished[node] = known
        return known

    def releases(self, row: Row, edge: Edge) -> bool:
        """Whether a reference from `row` no longer holds its target, as the due set stands (R4, R5, R10)."""
        if self.of[row].gone:
            return True
        return any(step.gone and step.step and nulls(step.step.anonymise, edge) for step in self.steps[row])

    def elsewhere(self, node: Node) -> list[Node]:
        """The same row, or the same step of it, under its other owners."""
        others = [row for row in node.row.whole if row is not node.row]
        if node.step is None or not others:
            return [self.of[row] for row in others]
        return [step for row in others for step in self.steps[row] if step.step is node.step]

    # -- rows --

    def _ruled(self, node: Node) -> Node:
        """Find the rule that decides for a row, or the row that it goes with."""
        row, record = node.row, node.row.bound.record
        if record.keep is None and row.owner is not None and row.owner in self.of:
            node.follows = self.of[row.owner]
            self.followers[node.follows].append(node)
        elif row.orphan and record.orphans is not None:
            node.keep = record.orphans
        elif not row.orphan:
            node.keep = record.keep
        return node

    def _judge_row(self, node: Node) -> None:
        row, record = node.row, node.row.bound.record
        unlinked = record.anonymise is not None and row.unlinked_by(record.anonymise)
        done = unlinked and record.anonymise is not None and self.world.holds_all(row, record.anonymise)
        if node.keep is not None:
            self._read(node, node.keep)
        if row.contested:
            node.settle(State.UNDECIDABLE, f"undecidable: {_claimed(row)}")
        elif done:
            what = "anonymised, and its link to the owner is undone"
            if self.complete(node):
                node.settle(State.ANONYMISED, what)
            else:
                self._candidate(node, f"{what}, but rows that go with it are left")
        elif node.follows is not None:
            self._follow(node, node.follows)
        elif node.clock is not None:
            self._by_clock(node, node.clock)
        elif unlinked:
            self._candidate(node, "its owner is gone, and something of it is left")
        elif row.orphan:
            node.settle(State.UNDECIDABLE, f"undecidable: {self._missing(row)}")
        else:
            node.settle(State.UNDECIDABLE, "undecidable: its owner is gone, and it has no rule of its own")

    def _missing(self, row: Row) -> str:
        subject = self.world.policy.subject
        return f"its {subject} is missing, and the policy does not say how long orphans are kept"

    def _read(self, node: Node, keep: Keep) -> None:
        node.clock = read_clock(keep, node.row, self.world)
        node.last_day = node.clock.last_day

    def _by_clock(self, node: Node, clock: Clock) -> None:
        """R7's order, as far as the row alone decides."""
        if clock.problem:
            node.settle(State.UNDECIDABLE, f"undecidable: {clock.problem}")
        elif clock.winner and clock.last_day and clock.last_day >= self.world.today:
            node.settle(State.KEPT, clock.winner.text)
        elif clock.open_work:
            node.settle(State.HELD, f"held: open work: {clock.open_work}")
        elif clock.winner is None:
            missing = " and ".join(str(c.ref) for c in clock.clauses if c.kind != "or_until")
            node.settle(State.UNDECIDABLE, f"undecidable: no date in {missing}")
        else:
            self._candidate(node, clock.winner.text)

    def _candidate(self, node: Node, reason: str) -> None:
        subject = node.row.subject
        if subject is not None and comparable_key(subject.key) in self._held_subjects:
            node.settle(State.HELD, f"held: legal hold on {subject}")
        else:
            node.settle(None, reason)

    def _follow(self, node: Node, leader: Node) -> None:
        """Share the leader's state (R4); what is left beside an anonymised leader is due."""
        node.last_day = leader.last_day
        if leader.state is None or (leader.state is State.ANONYMISED and node.step):
            self._candidate(node, "")
        else:
            node.settle(leader.state, "")

    # -- steps --

    def _judge_step(self, node: Node) -> Node:
        row, step = node.row, node.step
        assert step is not None
        if step.keep is not None and (not row.orphan or own_columns_only(step.keep)):
            node.keep = step.keep
            self._read(node, step.keep)
        if row.contested:
            node.settle(State.UNDECIDABLE, f"undecidable: {_claimed(row)}")
        elif row.unlinked_by(step.anonymise) and self.complete(node):
            node.settle(State.ANONYMISED, "anonymised, and its link to the owner is undone")
        elif row.orphan and not self._has_orphan_rule(row):
            node.last_day = None
            node.settle(State.UNDECIDABLE, f"undecidable: {self._missing(row)}")
        elif node.clock is not None:
            self._by_clock(node, node.clock)
        elif step.keep is not None:
            subject = self.world.policy.subject
            node.settle(State.UNDECIDABLE, f"undecidable: it counts from dates of a {subject} who is missing")
        elif row.unlinked:
            self._candidate(node, "its owner is gone")
        else:
            self._judge_with(node, step.with_ or row.record)
        return node

    def _judge_with(self, node: Node, record: str) -> None:
        row = node.row
        target = row if row.orphan or record == row.record else self.world.follow(row, record)
        if isinstance(target, Row) and target in self.of:
            node.follows = self.of[target]
            self.followers[node.follows].append(node)
            self._follow(node, node.follows)
        else:
            node.settle(State.UNDECIDABLE, f"undecidable: its {record} is missing")

    def _has_orphan_rule(self, row: Row) -> bool:
        """Whether a rule reaches an orphan: that of the owner it goes with, or its own `orphans` (R8)."""
        record = row.bound.record
        if record.keep is None and row.owner is not None:
            return self._has_orphan_rule(row.owner)
        return record.orphans is not None or not row.orphan


def _claimed(row: Row) -> str:
    if row.also:
        return f"also a {' or '.join(row.also)}: the conditions of 'where' overlap"
    owner = row.bound.record.belongs_to
    return f"also belongs to a row of another kind than {owner.record if owner else 'its owner'}"

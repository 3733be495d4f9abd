"""What must be known of the lines so far to judge, or to write, the next one. One set of rules for both.

Memory is bounded by people, audits, holds and open batches, not by the number of lines.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from staffords_gdpr.auditlog import canonical, keys, sshsig
from staffords_gdpr.auditlog.entries import (
    FORGOTTEN,
    INTENT,
    OUTCOMES,
    SETTLED,
    SIGNED,
    STATEMENTS,
    Entry,
    split_entry,
)
from staffords_gdpr.auditlog.kinds import number
from staffords_gdpr.auditlog.merkle import Tree, leaf_hash
from staffords_gdpr.auditlog.people import DIRECTOR, Person, enrolled
from staffords_gdpr.auditlog.standing import Standing

FIRST_PREV = "0" * 64
MAX_SIGNATURES = 8


class BrokenLineError(ValueError):
    """The log does not verify at `line` (counted from 1). The text says why."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem

    @property
    def sentence(self) -> str:
        return f"broken at line {self.line}: {self.problem}"


@dataclass
class Statement:
    """An audit's or review's statement, and who has signed it: role → fingerprint."""

    type: str
    period: str
    sha256: str
    signed: dict[str, str] = field(default_factory=dict)


@dataclass
class LogState:
    """The running state over `tree.size` lines, which take `length` bytes of the file."""

    trust: bytes | None = None  # the pinned first key, where the verifier has one
    name: str = ""
    first_key: bytes = b""
    length: int = 0
    last_start: int = 0
    last_hash: str = FIRST_PREV
    last_time: dt.datetime | None = None
    tree: Tree = field(default_factory=Tree)
    people: dict[str, Person] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)  # every role that ever had somebody
    standing: Standing = field(default_factory=Standing)
    statements: dict[int, Statement] = field(default_factory=dict)
    torn: tuple[str, int] | None = None  # hash and length of the bytes just passed over
    tail: bytes = b""  # bytes after the last whole line: a torn write

    @property
    def size(self) -> int:
        return self.tree.size

    def key_in_force(self, seq: int) -> bytes:
        """The log's key that must sign line `seq`. The one place that will know of rotation."""
        if seq < 0:
            raise ValueError("lines are counted from 0")
        return self.first_key

    def apply(self, raw: bytes) -> Entry:
        """Judge the next line (no LF) and take it in. Raises BrokenLineError and stays as it was."""
        try:
            return self._apply(raw)
        except ValueError as error:
            raise BrokenLineError(self.size + 1, str(error)) from None

    def pass_over(self, region: bytes) -> None:
        """Take in torn bytes, which log.torn declares next: lines of tree and chain, but no entries."""
        for raw in region.split(b"\n"):
            self._advance(raw)
        self.torn = (hashlib.sha256(region).hexdigest(), len(region))

    def _apply(self, raw: bytes) -> Entry:
        line = canonical.parse(raw)
        body, sigs = _parts(line)
        entry, log, prev = split_entry(body)
        payload = raw[len(b'{"entry":') : raw.rindex(b',"sigs":[')]
        if entry.seq != self.size:
            raise ValueError(
                f"seq is {entry.seq} where {self.size} should stand: a line is missing, moved or doubled"
            )
        if prev != self.last_hash:
            raise ValueError("prev is not the hash of the line before")
        if (entry.type == "log.open") != (self.size == 0):
            raise ValueError("log.open stands in the first line and only there")
        if entry.seq == 0:
            name, first_key = log, keys.unb64(str(entry.fields["key"]))
            if self.trust is not None and first_key != self.trust:
                raise ValueError("the log was opened with another key than the one that is trusted")
            check_name(name)
        else:
            name, first_key = self.name, self.key_in_force(entry.seq)
        if log != name:
            raise ValueError(f"an entry of another log, {log[:100]!r}")
        self._check_signatures(entry, payload, sigs, first_key)
        self._check_rules(entry)
        if entry.seq == 0:
            self.name, self.first_key = name, first_key
        self._take(entry)
        self._advance(raw)
        self.last_time = entry.time
        self.torn = None
        return entry

    def _check_signatures(
        self, entry: Entry, payload: bytes, sigs: Sequence[tuple[str, bytes]], log_key: bytes
    ) -> None:
        message = keys.pae(keys.ENTRY_TYPE, payload)
        (hint, signature), others = sigs[0], sigs[1:]
        if hint != keys.keyid(log_key):
            raise ValueError("not signed by the log's key: the first signature names another")
        if not keys.verifies(log_key, signature, message):
            raise ValueError("the log's signature is wrong")
        if not others and entry.type not in SIGNED:
            return
        allowed = self._signers(entry)
        if entry.type == "review":
            if not others:
                raise ValueError("a review is signed by an enrolled person, too")
        elif len(others) != len(allowed):
            raise ValueError(f"{entry.type} carries {len(others)} people's signatures")
        by_hint = {keys.keyid(key): key for key in allowed}
        for hint, signature in others:
            key = by_hint.pop(hint, None)
            if key is None:
                raise ValueError(f"signed by a key, {hint}, that may not sign {entry.type} here")
            if not keys.verifies(key, signature, message):
                raise ValueError(f"the signature by key {hint} is wrong")

    def _signers(self, entry: Entry) -> list[bytes]:
        """The people's keys that may sign this entry. One of them does; a review takes several."""
        if entry.type == "person.add":
            if entry.fields["role"] not in self.roles:
                return [keys.unb64(str(entry.fields["key"]))]
            return self._one_of_the_directors(entry)
        if entry.type == "person.remove":
            return [self._director(str(entry.fields["by"]))]
        if entry.type in ("policy.approve", SETTLED):
            return [self._enrolled(str(entry.fields["person"]), str(entry.fields["role"])).public_key]
        if entry.type == "review":
            return [person.public_key for person in self.people.values()]
        return []

    def _one_of_the_directors(self, entry: Entry) -> list[bytes]:
        return [person.public_key for person in self.people.values() if person.role == DIRECTOR]

    def _director(self, fingerprint: str) -> bytes:
        return self._enrolled(fingerprint, DIRECTOR).public_key

    def _enrolled(self, fingerprint: str, role: str) -> Person:
        person = self.people.get(fingerprint)
        if person is None or person.role != role:
            raise ValueError(f"{fingerprint} is not enrolled as {role}")
        return person

    def _check_rules(self, entry: Entry) -> None:
        fields = entry.fields
        if self.torn != ((fields["hash"], fields["length"]) if entry.type == "log.torn" else None):
            raise ValueError("log.torn stands after torn bytes, declares these and no others")
        if entry.type == "person.add":
            if fields["person"] != sshsig.fingerprint(keys.unb64(str(fields["key"]))):
                raise ValueError("person is not the fingerprint of key")
            if fields["person"] in self.people:
                raise ValueError(f"{fields['person']} is enrolled already")
        elif entry.type == "person.remove":
            self._check_removal(str(fields["person"]))
        elif entry.type == INTENT:
            known = self.standing.open
            if fields["batch"] in known or any(one.fields["run"] != fields["run"] for one in known.values()):
                raise ValueError("an intent while another has no outcome yet")
        elif entry.type in OUTCOMES:
            self._check_outcome(entry)
        elif entry.type == SETTLED:
            self._check_settled(entry)
        elif entry.type == FORGOTTEN:
            self._check_forgotten(fields["batches"])
        elif entry.type in STATEMENTS:
            if any((entry.type, fields["period"]) == (s.type, s.period) for s in self.statements.values()):
                raise ValueError(
                    f"a second {entry.type} of {fields['period']}: the second one's period ends in -2"
                )
        elif entry.type == "signoff":
            self._check_signoff(fields)
        elif entry.type in ("action.open",) and fields["of"] not in self.statements:
            raise ValueError("an action of what is no audit or review")
        elif entry.type == "action.close":
            self._enrolled(str(fields["person"]), str(fields["role"]))

    def _check_removal(self, fingerprint: str) -> None:
        person = self.people.get(fingerprint)
        if person is None:
            raise ValueError(f"{fingerprint} is not enrolled")
        if person.role == DIRECTOR and sum(p.role == DIRECTOR for p in self.people.values()) == 1:
            raise ValueError("the last director cannot be removed")

    def _check_outcome(self, entry: Entry) -> None:
        intent = self.standing.open.get(str(entry.fields["batch"]))
        if intent is None:
            raise ValueError(f"an outcome for batch {entry.fields['batch']}, which has no open intent")
        _same(entry, intent, ("root", "rows") if entry.type == "purge.recovered" else ("root", "rows", "run"))

    def _check_settled(self, entry: Entry) -> None:
        fields = entry.fields
        intent = self.standing.unclear.get(str(fields["batch"]))
        if intent is None:
            raise ValueError(f"batch {fields['batch']} is not one whose outcome is unclear")
        _same(entry, intent, ("root", "rows"))
        gone, left, rows = (_rows_in(fields[name]) for name in ("gone", "left", "rows"))
        told = {name: gone.get(name, 0) + left.get(name, 0) for name in gone | left}
        if told and told != rows:
            raise ValueError("the rows that are gone and those that are left are not the rows of the intent")

    def _check_forgotten(self, batches: object) -> None:
        undecided = {*self.standing.open, *self.standing.unclear}
        if isinstance(batches, list) and not undecided.isdisjoint(batches):
            raise ValueError("the key of a batch without an outcome is not to be destroyed")

    def _check_signoff(self, fields: Mapping[str, object]) -> None:
        statement = self.statements.get(int(str(fields["of"])))
        if statement is None:
            raise ValueError("a sign-off of what is no audit or review")
        if statement.sha256 != fields["statement"]:
            raise ValueError("a sign-off of another statement than the one of the audit or review")
        self._enrolled(str(fields["person"]), str(fields["role"]))
        if fields["role"] in statement.signed or fields["person"] in statement.signed.values():
            raise ValueError("a second sign-off by the same role or person")

    def _take(self, entry: Entry) -> None:
        fields = entry.fields
        self.standing.take(entry)
        if entry.type == "person.add":
            self.people[str(fields["person"])] = enrolled(fields, entry.time)
            self.roles.add(str(fields["role"]))
        elif entry.type == "person.remove":
            del self.people[str(fields["person"])]
        elif entry.type in STATEMENTS:
            self.statements[entry.seq] = Statement(
                entry.type, str(fields["period"]), str(fields["statement"])
            )
        elif entry.type == "signoff":
            self.statements[int(str(fields["of"]))].signed[str(fields["role"])] = str(fields["person"])

    def _advance(self, raw: bytes) -> None:
        self.tree.add(leaf_hash(raw))
        self.last_hash = hashlib.sha256(raw).hexdigest()
        self.last_start = self.length
        self.length += len(raw) + 1


def _same(entry: Entry, intent: Entry, names: Sequence[str]) -> None:
    for name in names:
        if entry.fields[name] != intent.fields[name]:
            raise ValueError(f"the outcome's {name} is not the one of its intent")


def _rows_in(value: object) -> dict[str, int]:
    return {name: number(count) for name, count in value.items()} if isinstance(value, Mapping) else {}


def check_name(name: str) -> None:
    """Raise ValueError unless `name` can be a log's: a signed note's key name has no space and no plus."""
    if not re.fullmatch(r"[^\s+\x00-\x1f]{1,200}", name):
        raise ValueError(f"{name[:60]!r} is no name for a log: no spaces, no plus, at most 200 characters")


def _parts(line: object) -> tuple[Mapping[str, object], list[tuple[str, bytes]]]:
    if not isinstance(line, dict) or line.keys() != {"entry", "sigs"} or not isinstance(line["entry"], dict):
        raise ValueError("a line is an object of entry and sigs")
    sigs = line["sigs"]
    if not isinstance(sigs, list) or not 1 <= len(sigs) <= MAX_SIGNATURES:
        raise ValueError("sigs is a list of one or more signatures")
    return line["entry"], [_signature(sig) for sig in sigs]


def _signature(sig: object) -> tuple[str, bytes]:
    if not isinstance(sig, dict) or sig.keys() != {"keyid", "sig"}:
        raise ValueError("a signature is an object of keyid and sig")
    hint, encoded = sig["keyid"], sig["sig"]
    if not isinstance(hint, str) or not re.fullmatch(r"[0-9a-f]{16}", hint) or not isinstance(encoded, str):
        raise ValueError("keyid is 16 lower-case hex digits, sig is base64")
    signature = keys.unb64(encoded)
    if len(signature) != 64:
        raise ValueError("an Ed25519 signature is 64 bytes long")
    return hint, signature

"""The verifier: reads bytes, believes nothing, and says what it knows in one of three sentences."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from staffords_gdpr.auditlog import canonical, checkpoint, evidence
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.replay import replay
from staffords_gdpr.auditlog.state import BrokenLineError, LogState
from staffords_gdpr.errors import UsageError

_MOST_TORN_NOTE = 1024


@dataclass(frozen=True)
class Verification:
    """What is known of a log. `entries` counts lines that verified; `line` counts from 1, None when `ok`.

    `notes` says what is no fault but should be known: intents without outcome, a torn last line.
    """

    entries: int
    ok: bool
    line: int | None
    problem: str
    checkpoint_time: dt.datetime | None
    sentence: str
    notes: tuple[str, ...] = ()


@dataclass
class _Claim:
    """A checkpoint's claim, found in `source`: this many lines have this root."""

    source: str
    size: int
    root: bytes
    met: bool = False


@dataclass
class _Checkpoints:
    """The notes as they were read before the log, which only grows."""

    current: bytes | None
    kept: bytes
    outside: bytes | None
    claims: dict[int, list[_Claim]] = field(default_factory=dict)

    @property
    def largest(self) -> int:
        return max(self.claims, default=0)


def verify(
    home: Home,
    *,
    trust: bytes | None = None,
    checkpoint: Path | None = None,
    survive_torn_tail: bool = False,
    state: LogState | None = None,
) -> Verification:
    """Verify the log, its checkpoints and the files that its entries vouch for.

    `trust` is the log's first public key (32 raw bytes) as the verifier got it from elsewhere;
    `checkpoint` a copied checkpoint, which shows a tail that was cut. Without `trust` a log that was
    wholly written anew is not told from the true one. `checkpoint_time` is the time of the last entry
    that the compared checkpoint covers: the outside one, or the log's own. `survive_torn_tail` lets NUL
    bytes at the end pass, as a power cut leaves. `state`, empty before, holds afterwards what was read. Raises
    UsageError where there is no log at all, or `checkpoint` cannot be read.
    """
    if not home.audit.is_dir():
        raise UsageError(
            f"{home.audit}: there is no audit log here",
            "Run gdpr init first, or set GDPR_HOME to the right folder.",
        )
    notes = _read_notes(home, checkpoint)
    state = state or LogState()
    state.trust = trust
    run = _Run(home, notes, state)
    try:
        run.read()
        run.compare(survive_torn_tail)
    except BrokenLineError as error:
        return Verification(
            min(state.size, error.line - 1), False, error.line, error.problem, run.covered, error.sentence
        )
    return Verification(state.size, True, None, "", run.covered, run.sentence(), run.remarks())


class _Run:
    """One pass over the log."""

    def __init__(self, home: Home, notes: _Checkpoints, state: LogState) -> None:
        self.home = home
        self.notes = notes
        self.state = state
        self.covered: dt.datetime | None = None
        self.outside_size = 0
        self.late: list[
            tuple[int | None, str]
        ] = []  # faults of checkpoint files, told only when the lines are sound

    def read(self) -> None:
        try:
            stream = self.home.log.open("rb")
        except FileNotFoundError:
            raise BrokenLineError(1, "the log is gone") from None
        except OSError as error:
            raise UsageError(
                f"{self.home.log}: cannot read: {error.strerror}", "Run as somebody who may."
            ) from None
        with stream:
            for entry in replay(stream, self.state):
                if entry.seq == 0:
                    self._claim()
                self._meet()
                beyond = self.state.size > self.notes.largest
                evidence.check(self.home, entry, self.state, leaves_may_lack=beyond)
                if self.state.size == (self.outside_size or self._own_size()):
                    self.covered = entry.time
        if not self.state.size:
            raise BrokenLineError(1, "the log is empty")

    def compare(self, survive_torn_tail: bool) -> None:
        """After the last line: claims that no line met, faults of checkpoint files, bytes after the end."""
        state = self.state
        unmet = [claim for claims in self.notes.claims.values() for claim in claims if not claim.met]
        for claim in sorted(unmet, key=lambda claim: claim.size):
            if claim.size > state.size:
                raise BrokenLineError(
                    state.size + 1,
                    f"the log ends here, but {claim.source} covers {claim.size} lines: the tail was cut",
                )
            raise BrokenLineError(max(claim.size, 1), f"{claim.source} does not end with an entry here")
        for size, problem in self.late:
            raise BrokenLineError(min(size or state.size, state.size), problem)
        if state.tail and b"\x00" in state.tail and not survive_torn_tail:
            raise BrokenLineError(
                state.size + 1,
                "NUL bytes and no LF at the end; after a power cut the next writing command declares them",
            )

    def sentence(self) -> str:
        through = f"intact through entry {self.state.size - 1}"
        if self.outside_size and self.covered:
            return f"{through}, and nothing was cut since the checkpoint of {canonical.moment(self.covered)}"
        return f"{through}; no outside checkpoint was compared, so a cut tail would not show"

    def remarks(self) -> tuple[str, ...]:
        found = [
            f"batch {batch}: an intent without an outcome; the next purge settles it"
            for batch in self.state.standing.open
        ]
        found += [
            f"batch {batch}: nobody knows which of its rows are gone; a person settles it: gdpr log settle {batch}"
            for batch in self.state.standing.unclear
        ]
        if self.state.tail:
            found.append(
                f"{len(self.state.tail)} bytes of an interrupted write stand after the last entry; "
                "the next command that writes declares them"
            )
        return tuple(found)

    def _own_size(self) -> int:
        return self.notes.largest

    def _claim(self) -> None:
        """Verify every checkpoint file with the log's key, as soon as the first line tells it."""
        notes, late = self.notes, self.late
        whole, rest = checkpoint.split(notes.kept)
        origin = self.state.name.encode() + b"\n"
        if (
            len(rest) > _MOST_TORN_NOTE or rest[: len(origin)] != origin[: len(rest)]
        ):  # else torn while appended
            late.append((None, "checkpoints.txt ends in something that is no checkpoint"))
        for number, note in enumerate(whole, 1):
            self._add(f"checkpoint {number} of checkpoints.txt", note)
        if notes.current is None:
            late.append((None, "the log's checkpoint is missing"))
        else:
            self._add("the log's checkpoint", notes.current)
            if not any(notes.current == note for note in whole):
                late.append((None, "the log's checkpoint does not stand in checkpoints.txt"))
        if notes.outside is not None:
            self.outside_size = self._add("the outside checkpoint", notes.outside)

    def _add(self, source: str, note: bytes) -> int:
        key = self.state.key_in_force(0)
        try:
            found = checkpoint.verify(note, self.state.name, key)
        except checkpoint.CheckpointError as error:
            self.late.append((_size(note), f"{source}: {error}"))
            return 0
        self.notes.claims.setdefault(found.size, []).append(_Claim(source, found.size, found.root))
        return found.size

    def _meet(self) -> None:
        for claim in self.notes.claims.get(self.state.size, ()):
            claim.met = True
            if claim.root != self.state.tree.root():
                raise BrokenLineError(
                    self.state.size, f"{claim.source} has another tree root over these {claim.size} lines"
                )


def _size(note: bytes) -> int | None:
    try:
        return max(checkpoint.parse(note)[0].size, 1)
    except checkpoint.CheckpointError:
        return None


def _read_notes(home: Home, outside: Path | None) -> _Checkpoints:
    copied = None
    if outside is not None:
        try:
            copied = outside.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{outside}: cannot read the checkpoint: {error.strerror}", "Name a copied checkpoint file."
            ) from None
    current = home.checkpoint.read_bytes() if home.checkpoint.is_file() else None
    kept = home.checkpoints.read_bytes() if home.checkpoints.is_file() else b""
    return _Checkpoints(current, kept, copied)

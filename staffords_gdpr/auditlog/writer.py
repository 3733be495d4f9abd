"""The audit log as those see it who write to it.

An `AuditLog` never writes what the verifier would refuse: both judge an entry by the same `LogState`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staffords_gdpr.auditlog import canonical, checkpoint, evidence, keys, snapshot
from staffords_gdpr.auditlog.entries import Entry, split_entry
from staffords_gdpr.auditlog.files import append, remove_drafts, tail_of, write_atomic, writing
from staffords_gdpr.auditlog.layout import Home
from staffords_gdpr.auditlog.locks import LOCK_SECONDS, lock
from staffords_gdpr.auditlog.people import PersonKey
from staffords_gdpr.auditlog.replay import Glance, read_lines, replay, root_of
from staffords_gdpr.auditlog.standing import Standing
from staffords_gdpr.auditlog.state import BrokenLineError, LogState
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.errors import GdprError, LogBrokenError, UsageError

BROKEN_HINT = (
    "Run `gdpr log verify`, keep the files as they are, and compare with the checkpoints kept elsewhere."
)


class AuditLog:
    """An existing log. `entries`, `last`, `name` and `public_key` only read; the rest needs the log's key."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._state: LogState | None = None
        self._failure = ""
        if not home.log.exists():
            raise UsageError(
                f"{home.log}: there is no audit log here",
                "Run gdpr init first, or set GDPR_HOME to the right folder.",
            )

    @cached_property
    def _opening(self) -> tuple[str, bytes]:
        with self.home.log.open("rb") as stream:
            for line in read_lines(stream):
                try:
                    state = LogState()
                    state.apply(line.raw)
                except BrokenLineError as error:
                    raise LogBrokenError(f"{self.home.log}: {error.sentence}", BROKEN_HINT) from None
                return state.name, state.first_key
        raise LogBrokenError(f"{self.home.log}: broken at line 1: the log is empty", BROKEN_HINT)

    @property
    def name(self) -> str:
        """The log's name, the same in every entry."""
        return self._opening[0]

    @property
    def public_key(self) -> bytes:
        """The log's first key: 32 raw bytes, for the outside to pin."""
        return self._opening[1]

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        private = keys.load_log_key(self.home.log_key)
        if keys.raw_public(private) != self.public_key:
            raise LogBrokenError(
                f"{self.home.log}: broken at line 1: it was opened with another key than {self.home.log_key}",
                BROKEN_HINT,
            )
        return private

    def standing(self) -> Standing:
        """How things stand after the last line, for reading only. It is judged on the way: what a snapshot says of the
        lines before it counts where it is signed with the log's key and the file still has its last line there.

        Raises LogBrokenError.
        """
        state = self._state = self._caught_up(self.public_key)
        return state.standing

    def entries(self, *, containing: str = "") -> Iterator[Entry]:
        """Every entry from the first, or those whose line holds a text. Signatures are not checked here: see
        `require_verified`. It takes a second and a half for 100,000 entries: what stands now is told by `standing`.

        Raises LogBrokenError at a line that cannot be read.
        """
        try:
            with self.home.log.open("rb") as stream:
                glance = replay(stream, Glance(containing.encode()))
                yield from (entry for entry in glance if entry is not None)
        except BrokenLineError as error:
            raise LogBrokenError(f"{self.home.log}: {error.sentence}", BROKEN_HINT) from None

    def last(self, entry_type: str) -> Entry | None:
        """The newest entry of this type, or None. Who cannot read the snapshot gets it from the lines, not judged."""
        if self._state is None and snapshot.load(self.home.snapshot, self.public_key) is None:
            entries = self.entries(containing=f'"type":"{entry_type}"')
            return max((e for e in entries if e.type == entry_type), key=lambda e: e.seq, default=None)
        return self.standing().latest.get(entry_type)

    def append(
        self,
        type: str,
        fields: Mapping[str, object],
        *,
        now: dt.datetime,
        signers: Sequence[PersonKey] = (),
        first: Callable[[Collection[str]], None] | None = None,
    ) -> Entry:
        """Append one entry, on the disk when this returns. Moments and dates in `fields` are written as text.

        `now` is aware. `signers` sign the line after the log's key, where the type asks for it. Files that an
        entry vouches for (a statement, a sign-off) must be written before. `first` is called with the batches that
        have no outcome yet, while nobody else can append: what it writes stands on one side of every other entry.
        Raises UsageError for what the schema or the rules do not allow, LogBrokenError, LockedError, and
        GdprError when the disk fails, after which this object refuses all work.
        """
        with self._exclusively(now) as state:
            if first is not None:
                first(tuple(state.standing.open))
            return self._write(state, type, fields, now, signers)

    def write_checkpoint(self, now: dt.datetime) -> None:
        """Sign and keep a checkpoint over all lines so far. Nothing happens where the newest one covers them.

        checkpoints.txt comes first, then `checkpoint`: a crash between leaves two valid ones.
        """
        with self._exclusively(now) as state:
            note = checkpoint.sign(
                checkpoint.Checkpoint(state.name, state.size, state.tree.root()), self._private
            )
            if tail_of(self.home.checkpoint, len(note) + 1) == note and self.home.snapshot.exists():
                return
            self._keep(note)
            write_atomic(self.home.checkpoint, note)
            snapshot.save(self.home.snapshot, state, self._private)

    def remove_drafts(self) -> None:
        """Remove what a purge that was cut off left half-written. Only the holder of run.lock may do so."""
        home = self.home
        for folder in (home.pending, *home.batches.glob("*")):
            remove_drafts(folder, "*")
        with lock(home.audit_lock, LOCK_SECONDS, "another command is writing to the audit log"):
            for path in (home.checkpoint, home.checkpoints, home.snapshot):
                remove_drafts(path.parent, path.name)

    @contextmanager
    def run_lock(self) -> Iterator[None]:
        """Hold run.lock: one purge at a time. Raises LockedError at once where another holds it."""
        with lock(self.home.run_lock, 0, "another run is under way"):
            yield

    def require_verified(self, *, full: bool) -> None:
        """Raise LogBrokenError unless the log verifies.

        `full` judges everything, files included. Otherwise from the last checkpoint on: its signature must be
        ours, the lines up to it must still have the tree root that it signs, and every line after it must
        verify. The lines before are hashed again and no more (a second or two for 200,000 of them): they
        were judged before that checkpoint was signed, and no byte of them can change without changing the
        root. What people, audits and open batches there were at the checkpoint stands in a snapshot signed
        with the log's key; without one that fits, everything is judged. The files of entries before the
        checkpoint are left to the full verification. A torn last line is no fault of anybody; the next append
        declares it.
        """
        trust = keys.raw_public(self._private)
        if not full and self._quick_check():
            return
        state = LogState()
        result = verify(self.home, trust=trust, survive_torn_tail=True, state=state)
        if not result.ok:
            raise LogBrokenError(f"{self.home.log}: {result.sentence}", BROKEN_HINT)
        self._state = state

    def _quick_check(self) -> bool:
        """Whether all is well since the last checkpoint. False: read everything, to say what is wrong."""
        state = snapshot.load(self.home.snapshot, self.public_key)
        if state is None:
            return False
        try:
            note = checkpoint.verify(self.home.checkpoint.read_bytes(), state.name, self.public_key)
            met = (note.size, note.root) == (state.size, state.tree.root())
            with self.home.log.open("rb") as stream:
                if root_of(stream, state.length) != state.tree.root():
                    return False
                for entry in replay(stream, state):
                    evidence.check(self.home, entry, state, leaves_may_lack=state.size > note.size)
                    met = met or (note.size, note.root) == (state.size, state.tree.root())
        except (OSError, checkpoint.CheckpointError, BrokenLineError):
            return False
        if not met:
            return False
        self._state = state
        return True

    @contextmanager
    def _exclusively(self, now: dt.datetime) -> Iterator[LogState]:
        """Hold audit.lock, with the tail checked and a torn last line declared."""
        if self._failure:
            raise GdprError(
                f"{self.home.log}: {self._failure}",
                "Nothing more is written by this run. Check the disk, then start again.",
            )
        private = self._private
        with lock(self.home.audit_lock, LOCK_SECONDS, "another command is writing to the audit log"):
            state = self._caught_up(keys.raw_public(private))
            self._state = None  # kept only if nothing goes wrong: what was half taken in must be read again
            if state.tail:
                self._declare_torn(state, now)
            yield state
            self._state = state

    def _caught_up(self, public_key: bytes) -> LogState:
        state = self._state or snapshot.load(self.home.snapshot, public_key)
        try:
            if state is None:
                state = LogState(trust=public_key)
            elif state.size and not snapshot.still_fits(state, self.home.log):
                raise BrokenLineError(state.size, "the line is not the one that was written there")
            with self.home.log.open("rb") as stream:
                stream.seek(state.length)
                for _ in replay(stream, state):
                    pass
        except BrokenLineError as error:
            raise LogBrokenError(f"{self.home.log}: {error.sentence}", BROKEN_HINT) from None
        return state

    def _declare_torn(self, state: LogState, now: dt.datetime) -> None:
        torn, state.tail = state.tail, b""
        state.pass_over(torn)
        fields = {"hash": sha256(torn).hexdigest(), "length": len(torn)}
        self._write(state, "log.torn", fields, now, (), before=b"\n")

    def _write(
        self,
        state: LogState,
        entry_type: str,
        fields: Mapping[str, object],
        now: dt.datetime,
        signers: Sequence[PersonKey],
        *,
        before: bytes = b"",
    ) -> Entry:
        start = state.length - len(before)
        try:
            raw = self._line(state, entry_type, fields, now, signers)
            evidence.check_before(self.home, split_entry(json.loads(raw)["entry"])[0], state)
            entry = state.apply(raw)
        except ValueError as error:
            raise UsageError(f"{self.home.log}: this entry cannot be appended: {error}") from error
        self._put(start, before + raw + b"\n")
        return entry

    def _line(
        self,
        state: LogState,
        entry_type: str,
        fields: Mapping[str, object],
        now: dt.datetime,
        signers: Sequence[PersonKey],
    ) -> bytes:
        plain = canonical.plain(fields)
        body = {
            **(plain if isinstance(plain, dict) else {}),
            "v": 1,
            "log": state.name,
            "seq": state.size,
            "time": canonical.moment(now),
            "prev": state.last_hash,
            "type": entry_type,
        }
        return line(body, [self._private, *(signer.private for signer in signers)])

    def _put(self, start: int, data: bytes) -> None:
        """One write at the end, its length checked, then fsync. Any failure is this object's last."""
        with writing(self.home.log):
            handle = os.open(self.home.log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._failure = "an earlier write failed"
        try:
            if os.fstat(handle).st_size != start:
                raise GdprError(f"{self.home.log}: somebody wrote to it without its lock", BROKEN_HINT)
            written = os.write(handle, data)
            if written != len(data):
                raise GdprError(
                    f"{self.home.log}: only {written} of {len(data)} bytes were written",
                    "Check the disk's space.",
                )
            os.fsync(handle)
        except OSError as error:
            if hasattr(os, "posix_fadvise"):
                # after a failed fsync memory may hold lines that the disk does not: let the next reader see the disk
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            raise GdprError(
                f"{self.home.log}: writing failed: {error.strerror}", "Check the disk, then start again."
            ) from error
        finally:
            os.close(handle)
        self._failure = ""

    def _keep(self, note: bytes) -> None:
        """Append a note to checkpoints.txt. A torn one at its end says nothing, and goes."""
        path, data = self.home.checkpoints, note + b"\n"
        end = tail_of(path, len(data))
        if end == data:
            return
        if end.endswith(b"\n\n"):
            append(path, data)
        else:
            whole, _ = checkpoint.split(path.read_bytes() if path.exists() else b"")
            write_atomic(path, b"".join(known + b"\n" for known in [*whole, note]))


def line(body: Mapping[str, object], private_keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """The canonical line for an entry, signed by these keys in this order. Raises ValueError."""
    payload = canonical.encode(body)
    message = keys.pae(keys.ENTRY_TYPE, payload)
    sigs = [
        {"keyid": keys.keyid(keys.raw_public(private)), "sig": keys.b64(private.sign(message))}
        for private in private_keys
    ]
    return canonical.encode({"entry": body, "sigs": sigs})

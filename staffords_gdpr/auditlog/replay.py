"""From the bytes of the log to its entries, line by line, with torn writes recognised."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol, TypeVar

from staffords_gdpr.auditlog.canonical import MAX_LINE
from staffords_gdpr.auditlog.entries import Entry, split_entry
from staffords_gdpr.auditlog.merkle import Tree, leaf_hash
from staffords_gdpr.auditlog.state import BrokenLineError

TORN_MARK = b'"type":"log.torn"'
_LINE_START = b'{"entry":{"'
_MOST_TORN_LINES = 1000  # one torn while it declared a torn one, and so on, as on a disk that stays full


Taken_co = TypeVar("Taken_co", covariant=True)


class Taker(Protocol[Taken_co]):
    """Takes lines in: a LogState, which judges them, or something that only reads."""

    tail: bytes

    @property
    def size(self) -> int: ...
    def apply(self, raw: bytes) -> Taken_co: ...
    def pass_over(self, region: bytes) -> None: ...


class Line(NamedTuple):
    raw: bytes  # without its LF
    ended: bool


class Glance:
    """Reads entries that hold the bytes `wanted`, without judging signatures or the chain."""

    def __init__(self, wanted: bytes) -> None:
        self.wanted = wanted
        self.size = 0
        self.tail = b""

    def apply(self, raw: bytes) -> Entry | None:
        entry = None
        if self.wanted in raw or not raw.endswith(b'"}]}'):
            try:
                entry = split_entry(json.loads(raw)["entry"])[0]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise BrokenLineError(self.size + 1, str(error)) from None
        self.size += 1
        return entry

    def pass_over(self, region: bytes) -> None:
        self.size += region.count(b"\n") + 1


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of the rest of `stream`. One that is too long is cut short, and is the last."""
    while data := stream.readline(MAX_LINE + 2):
        if data.endswith(b"\n"):
            yield Line(data[:-1], True)
            continue
        yield Line(data, False)
        return


def replay(stream: BinaryIO, state: Taker[Taken_co]) -> Iterator[Taken_co]:
    """Take the rest of `stream` into `state`, entry by entry; a torn end goes to `state.tail`.

    Raises BrokenLineError at the first line that does not verify.
    """
    state.tail = b""
    lines = read_lines(stream)
    ahead: deque[Line] = deque()
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        if not ahead:
            ahead.extend(following for following in [next(lines, None)] if following)
        if not line.ended:
            _take_tail(state, line.raw)
            return
        if ahead and declares(ahead[0], line.raw):
            state.pass_over(line.raw)
            continue
        try:
            entry = state.apply(line.raw)
        except BrokenLineError:
            region = _torn_region(line, ahead, lines)
            if region is None:
                raise
            if ahead:
                state.pass_over(region)
                continue
            state.tail = region
            return
        yield entry


def root_of(stream: BinaryIO, length: int) -> bytes:
    """The tree root over the lines in the first `length` bytes, which are read and hashed, not judged."""
    tree = Tree()
    while length > 0 and (data := stream.readline(MAX_LINE + 2)):
        tree.add(leaf_hash(data.removesuffix(b"\n")))
        length -= len(data)
    return tree.root()


def declares(line: Line, region: bytes) -> bool:
    """Whether `line` is a log.torn for these bytes. Its own signature is judged when its turn comes, or the log.torn
    that declares it in turn, where it lacks its LF.
    """
    if TORN_MARK not in line.raw:
        return False
    try:
        body = json.loads(line.raw)["entry"]
        return bool(
            body["type"] == "log.torn"
            and body["hash"] == hashlib.sha256(region).hexdigest()
            and body["length"] == len(region)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def looks_torn(tail: bytes) -> bool:
    """Whether an interrupted write can have left these bytes: a line's start, or NULs of a power cut."""
    kept = tail.rstrip(b"\x00")
    return len(tail) <= MAX_LINE and kept[: len(_LINE_START)] == _LINE_START[: len(kept)]


def _take_tail(state: Taker[object], tail: bytes) -> None:
    if len(tail) > MAX_LINE:
        raise BrokenLineError(state.size + 1, f"longer than {MAX_LINE} bytes")
    if not looks_torn(tail):
        raise BrokenLineError(
            state.size + 1, f"no LF at its end, and no interrupted write of ours: {_name(tail)}"
        )
    state.tail = tail


def _name(tail: bytes) -> str:
    if b"\x00" in tail:
        return "NUL bytes"
    return "a carriage return" if b"\r" in tail else "foreign bytes"


def _torn_region(line: Line, ahead: deque[Line], lines: Iterator[Line]) -> bytes | None:
    """The torn bytes that start with `line`, where a log.torn says so or the file ends in mid-line."""
    if not looks_torn(line.raw):
        return None
    region = line.raw
    for _ in range(_MOST_TORN_LINES):
        following = ahead.popleft() if ahead else next(lines, None)
        if following is None:
            # torn right after the LF that was to close a torn line
            return region + b"\n" if region and not _is_whole(region) else None
        if declares(following, region):
            ahead.appendleft(following)
            return region
        if not looks_torn(following.raw) or (following.ended and _is_whole(following.raw)):
            return None
        region += b"\n" + following.raw
        if not following.ended:
            return region
    return None


def _is_whole(raw: bytes) -> bool:
    """Whether this is all of an entry, so that no write of it was torn."""
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True

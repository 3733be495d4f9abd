"""The only JSON that the log knows: RFC 8785 canonical, without floats, read strictly from bytes.

Parsing is strict so that a line can be read in one way only: whoever signs or audits it, with whatever
parser, sees the same thing that this package sees.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping
from enum import Enum

import rfc8785

MAX_LINE = 64 * 1024
"""The longest line, in bytes, without its LF."""
MAX_DEPTH = 12
MAX_INTEGER = 2**53 - 1

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")


class NotCanonicalError(ValueError):
    """These bytes or this value are not what the log's format allows. The text says why."""


def encode(value: object) -> bytes:
    """RFC 8785 canonical bytes of `value`. Raises NotCanonicalError for what the format does not hold."""
    _check(value, 0)
    return rfc8785.dumps(value)  # type: ignore[arg-type]


def parse(data: bytes) -> object:
    """The value that `data` says, if these are exactly the bytes that `encode` makes of it."""
    if len(data) > MAX_LINE:
        raise NotCanonicalError(f"longer than {MAX_LINE} bytes")
    _check_encoding(data)
    _check_nesting(data)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_constant=_no_constant,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise NotCanonicalError(f"not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise NotCanonicalError(f"not JSON at character {error.pos + 1}: {error.msg}") from None
    if encode(value) != data:
        raise NotCanonicalError("not in canonical form (RFC 8785): white space, key order or escapes differ")
    return value


def plain(value: object) -> object:
    """`value` in the types of JSON: moments become UTC text to the second, dates ISO text, tuples lists."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def moment(when: dt.datetime) -> str:
    """An aware moment as the log writes it: UTC, whole seconds, `2026-11-23T02:00:04Z`."""
    if when.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> dt.datetime:
    """The inverse of `moment`. Raises ValueError for any other spelling."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a moment as the log writes it")
    return dt.datetime.fromisoformat(text)


def _check_encoding(data: bytes) -> None:
    if not data.strip():
        raise NotCanonicalError("a blank line")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:2] in (b"{\x00", b"\x00{"):
        raise NotCanonicalError("this is UTF-16, the log is UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        raise NotCanonicalError("a byte order mark (BOM) stands before the line")
    if data.endswith(b"\r"):
        raise NotCanonicalError("the line ends in CRLF, the log's lines end in LF")
    if b"\x00" in data:
        raise NotCanonicalError("the line holds NUL bytes")


def _check_nesting(data: bytes) -> None:
    """Refuse deep nesting before a recursive parser sees it."""
    depth = 0
    for piece in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', data):
        mark = piece[0]
        if mark in (b"{", b"["):
            depth += 1
            if depth > MAX_DEPTH:
                raise NotCanonicalError(f"nested more than {MAX_DEPTH} levels deep")
        elif mark in (b"}", b"]"):
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise NotCanonicalError(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _no_float(text: str) -> object:
    raise NotCanonicalError(f"{text[:40]} is a float, the log holds whole numbers only")


def _no_constant(text: str) -> object:
    raise NotCanonicalError(f"{text} is no number of JSON")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise NotCanonicalError(f"the number {text[:40]} is beyond 2^53")
    return int(text)


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotCanonicalError(f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        _check_text(value)
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonicalError(f"the number {str(value)[:40]} is beyond 2^53")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonicalError(f"the key {key!r} is not text")
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, depth + 1)
    else:
        raise NotCanonicalError(f"a value of type {type(value).__name__} has no place in the log")


def _check_text(text: str) -> None:
    if text.isascii():
        if not text.isprintable():
            raise NotCanonicalError(f"control characters in {text[:40]!r}")
        return
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise NotCanonicalError("a lone surrogate in a text")
    if _FORBIDDEN.search(text):
        raise NotCanonicalError(f"control or invisible characters in {text[:40]!r}")
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonicalError(f"{text[:40]!r} is not in Unicode's normal form NFC")

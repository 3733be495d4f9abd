"""What the fields of an entry can hold: in words, for the documentation, and as a test."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from staffords_gdpr.auditlog.canonical import MAX_INTEGER, parse_moment
from staffords_gdpr.auditlog.keys import unb64

MOST_BATCHES = 2_000
"""How many batches one entry can name: more would not go into a line."""


@dataclass(frozen=True)
class Kind:
    """What a field holds: the words of the docs, and the test."""

    words: str
    fits: Callable[[object], bool]


def _text(words: str, pattern: str) -> Kind:
    compiled = re.compile(pattern)
    return Kind(words, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER


def is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(parse_moment(value))
    except ValueError:
        return False


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_key(value: object) -> bool:
    try:
        return isinstance(value, str) and len(unb64(value)) == 32
    except ValueError:
        return False


def _counts(names: str) -> Callable[[object], bool]:
    pattern = re.compile(names)

    def fits(value: object) -> bool:
        return isinstance(value, dict) and all(
            pattern.fullmatch(key) and is_count(count) for key, count in value.items()
        )

    return fits


def _is_seen(value: object) -> bool:
    return isinstance(value, dict) and all(
        re.fullmatch(r"[a-z][a-z0-9_.-]{0,59}", key)
        and (
            (isinstance(item, str) and len(item) <= 500)
            or (isinstance(item, int) and not isinstance(item, bool))
        )
        for key, item in value.items()
    )


def _are_batches(value: object) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MOST_BATCHES
        and all(map(BATCH.fits, value))
        and value == sorted(set(value))
    )


def number(value: object) -> int:
    """A count of an entry as an int; 0 for what is none."""
    return value if isinstance(value, int) else 0


HASH = _text("SHA-256, 64 lower-case hex digits", r"[0-9a-f]{64}")
BATCH = _text("a batch: a ULID", r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
BATCHES = Kind(f"a list of 1 to {MOST_BATCHES:,} batches, sorted, each once", _are_batches)
IDENTIFIER = _text(
    "an identifier: up to 64 letters, digits, `.`, `_`, `-`", r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
)
CODE = _text("a code: small letters, digits, `.`, `_`, `-`", r"[a-z][a-z0-9._-]{0,63}")
ROLE = _text("a role of the policy", r"[a-z][a-z0-9_-]{0,63}")
PERSON = _text("a key's fingerprint as `ssh-keygen -l` prints it", r"SHA256:[A-Za-z0-9+/]{43}")
KEY = Kind("base64 of a raw 32-byte Ed25519 public key", _is_key)
COUNT = Kind("a whole number from 0", is_count)
ROWS = Kind("an object: record type → number of rows", _counts(r"[^\s\x00-\x1f](?:.{0,98}[^\s])?"))
FINDINGS = Kind("an object: code of a finding → how many", _counts(r"[a-z][a-z0-9._-]{0,63}"))
SEEN = Kind("an object of numbers and short texts, what the brake saw", _is_seen)
MOMENT = Kind("a moment in UTC, `2026-11-23T02:00:04Z`", is_moment)
DATE = Kind("a calendar day, `2026-11-23`", _is_date)
PERIOD = _text(
    "a year, or its half; a second one in the same period has `-2`", r"[0-9]{4}(-H[12])?(-[0-9]{1,3})?"
)
IDENTITY = _text("which database, as far as its engine tells; no password", r".{1,500}")
TOOL = _text("the version of this tool", r"[0-9A-Za-z.+-]{1,40}")


def flag(value: bool) -> Kind:
    return Kind(f"always `{str(value).lower()}`", lambda found: found is value)


def one_of(*words: str) -> Kind:
    return Kind(" or ".join(f"`{word}`" for word in words), lambda value: value in words)

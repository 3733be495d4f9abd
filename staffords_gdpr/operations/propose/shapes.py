"""What the values of a column look like, as counts. The values themselves are looked at and forgotten."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[A-Za-z]{2,}\Z")
_HOLDS_EMAIL = re.compile(r"[^@\s<>\"]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?:\+|00?)[0-9][0-9 ()/.\-]{5,}[0-9](?: ?(?:x|ext\.?) ?[0-9]+)?\Z|\([0-9]{2,5}\) ?[0-9 .\-]{5,}\Z"
)
_US_PHONE = re.compile(r"[0-9]{3}[-. ][0-9]{3}[-. ][0-9]{4}\Z")
_UK_POSTCODE = re.compile(r"(?:GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2})\Z", re.IGNORECASE)
_NL_POSTCODE = re.compile(r"[1-9][0-9]{3} ?[A-Z]{2}\Z")
_DIGITS_POSTCODE = re.compile(r"(?:D-)?[0-9]{5}(?:-[0-9]{4})?\Z")  # Germany; the United States
_CARD = re.compile(r"[2-6](?:[ -]?[0-9]){12,18}\Z")
_MASKED_CARD = re.compile(r"(?:[0-9]{4}[ -]?)?(?:[Xx*•]{2,4}[ -]?){2,4}[0-9]{3,4}\Z")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\Z")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\Z", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?\Z")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9:]{2,6})?\Z"
)

_SECONDS = range(631_152_000, 4_102_444_800)  # 1990 to 2099
EMPTY_DATES = ("1970-01-01", "0000-00-00", "0001-01-01", "1900-01-01")
"""Days that systems write where they mean "no date": constants, so that naming one tells of nobody."""

EMAIL, HOLDS_EMAIL, PHONE, POSTCODE, DIGITS_POSTCODE = "email", "holds email", "phone", "postcode", "digits"
CARD, IBAN, UUID, NUMBER, ISO = "card", "iban", "uuid", "number", "iso"
EPOCH_SECONDS, EPOCH_MILLISECONDS, FUTURE, WORDY, ZERO = "seconds", "milliseconds", "future", "wordy", "zero"


@dataclass(frozen=True)
class Shape:
    """A column's sampled values, counted: how many rows, how many with a value, how many look like what."""

    rows: int = 0
    filled: int = 0  # neither NULL nor blank nor an empty date
    distinct: int = 0
    longest: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    empty_dates: frozenset[str] = frozenset()  # of EMPTY_DATES, those that were found

    def share(self, kind: str) -> float:
        """The share of the values that look like `kind`, 0 to 1; 0 where there are none."""
        return self.counts.get(kind, 0) / self.filled if self.filled else 0.0

    def percent(self, kind: str) -> int:
        return int(self.share(kind) * 100)

    def mostly(self, kind: str, least: float = 0.8) -> bool:
        """Whether so many values look like `kind` that it is no accident: five at least."""
        return self.counts.get(kind, 0) >= 5 and self.share(kind) >= least

    @property
    def unique(self) -> bool:
        return self.rows > 0 and self.distinct == self.rows == self.filled


def shape_of(values: Iterable[str | None], today: dt.date) -> Shape:
    """Count what the values look like."""
    rows = filled = longest = 0
    seen: set[int] = set()
    counts: Counter[str] = Counter()
    empty: set[str] = set()
    for value in values:
        rows += 1
        text = "" if value is None else value.strip()
        if not text:
            continue
        if text[:10] in EMPTY_DATES and (len(text) == 10 or text[11:19] in ("", "00:00:00", "00:00")):
            empty.add(text[:10])
            continue
        filled += 1
        longest = max(longest, len(text))
        seen.add(hash(text))
        counts.update(_kinds(text, today))
    return Shape(rows, filled, len(seen), longest, dict(counts), frozenset(empty))


def _kinds(text: str, today: dt.date) -> set[str]:
    """Everything that a value looks like."""
    found = {kind for kind, looks in _LOOKS.items() if looks(text)}
    if ISO in found:
        found.discard(PHONE)
        if text[:10] > today.isoformat():
            found.add(FUTURE)
    if CARD in found:
        found.discard(PHONE)
    return found


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _is_card(text: str) -> bool:
    if _MASKED_CARD.match(text):
        return True
    return bool(_CARD.match(text)) and luhn(re.sub(r"[ -]", "", text)) and len(set(text)) > 2


def _is_iban(text: str) -> bool:
    """ISO 13616: the number modulo 97 is 1."""
    if not _IBAN.match(text):
        return False
    plain = text.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def _is_phone(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    return 7 <= digits <= 15 and bool(_PHONE.match(text) or _US_PHONE.match(text))


def _is_iso(text: str) -> bool:
    if not _ISO.match(text):
        return False
    try:
        dt.date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _is_epoch(text: str, factor: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 13 and int(text) // factor in _SECONDS


_LOOKS: dict[str, Callable[[str], bool]] = {
    EMAIL: lambda text: _EMAIL.match(text) is not None,
    HOLDS_EMAIL: lambda text: _HOLDS_EMAIL.search(text) is not None,
    PHONE: _is_phone,
    POSTCODE: lambda text: bool(_UK_POSTCODE.match(text) or _NL_POSTCODE.match(text)),
    DIGITS_POSTCODE: lambda text: _DIGITS_POSTCODE.match(text) is not None,
    CARD: _is_card,
    IBAN: _is_iban,
    UUID: lambda text: _UUID.match(text) is not None,
    NUMBER: lambda text: _NUMBER.match(text) is not None,
    ISO: _is_iso,
    EPOCH_SECONDS: lambda text: _is_epoch(text, 1),
    EPOCH_MILLISECONDS: lambda text: len(text) > 11 and _is_epoch(text, 1000),
    WORDY: lambda text: len(text.split()) >= 4,
    ZERO: lambda text: text in ("0", "0.0"),
}

"""The values that stand in for what is erased: one for each column that the policy lists, of its own or by default."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from staffords_gdpr.database.facts import ColumnFacts, Family, TableFacts
from staffords_gdpr.policy.models import Scalar

KEY = "{key}"
_DIGITS = {"tinyint": 4, "smallint": 6, "mediumint": 8, "int": 11, "integer": 11, "serial": 11, "bigint": 20}
_SQLITE_DIGITS = 20


def candidates(facts: TableFacts, key: Sequence[str], column: str, dialect: str) -> Iterator[Scalar]:
    """What may stand in a column whose replacement the tool chooses, the best first; nothing for unusual types.

    NULL where that is allowed and two rows may hold the same, else the emptiest value of the type; a text that holds
    the row's key where no two rows may hold the same.
    """
    details = facts.details[column]
    only_one = in_unique(facts, key, column)
    if details.nullable and not only_one:
        yield None
    match details.family:
        case Family.TEXT | Family.NONE if only_one:
            yield from (f"erased-{KEY}", KEY)
        case Family.TEXT | Family.NONE:
            yield from ("", "erased", f"erased-{KEY}", KEY)
        case Family.NUMBER if not only_one:
            yield from (0, 1)
        case Family.BOOLEAN if not only_one:
            yield False
        case Family.DAY if not only_one:
            yield "1900-01-01"
        case Family.TIMESTAMP if not only_one:
            yield "1900-01-01 00:00:00"
        case Family.ZONED if not only_one and dialect == "mysql":
            yield "1970-01-01 00:00:01"  # the first moment that its TIMESTAMP holds
        case Family.TIME if not only_one:
            yield "00:00:00"
    if details.nullable and only_one:
        yield None


def misfit_of(
    facts: TableFacts, key: Sequence[str], column: str, listed: Mapping[str, Scalar], dialect: str
) -> tuple[str, str, str] | None:
    """Why a replacement cannot stand in its column, as (code, what, advice); None where it can."""
    details, value = facts.details[column], listed[column]
    if details.generated:
        what = f"{column} is computed by the database and cannot be replaced"
        return "replacement-key", what, "List the columns that it is computed from"
    if value is None:
        if details.nullable and column not in facts.not_null:
            return None
        what = f"{column} is NOT NULL in table {facts.name}"
        return "replacement-null", what, "Give a replacement that is a value"
    if dialect != "sqlite" and not _is_of(details.family, value):
        what = f"{column} is {details.type} and cannot hold {value!r}"
        return "replacement-type", what, "Give a value of its type"
    return _too_long(facts, key, column, value, dialect) or _doubled(facts, key, column, listed)


def in_unique(facts: TableFacts, key: Sequence[str], column: str) -> bool:
    """Whether no two rows may hold the same in this column, alone or together with others than the key."""
    return any(column in unique and not set(key) <= unique for unique in facts.unique)


def _doubled(
    facts: TableFacts, key: Sequence[str], column: str, listed: Mapping[str, Scalar]
) -> tuple[str, str, str] | None:
    for unique in facts.unique:
        if column not in unique or set(key) <= unique:
            continue
        if any(other in listed and _differs(listed[other]) for other in unique):
            continue
        names = " and ".join(sorted(unique))
        what = f"{names} must be unique in table {facts.name}, and a second row would hold the same"
        return "replacement-unique", what, f'Let the text hold the row\'s key, as in {column}: "erased-{KEY}"'
    return None


def _differs(value: Scalar) -> bool:
    """Whether the replacement is another for each row, or NULL, which is like no other NULL."""
    return value is None or (isinstance(value, str) and KEY in value)


def _too_long(
    facts: TableFacts, key: Sequence[str], column: str, value: Scalar, dialect: str
) -> tuple[str, str, str] | None:
    length = facts.details[column].length
    if length is None:
        return None
    text = str(value)
    longest = len(text.replace(KEY, ""))
    if KEY in text:
        parts = [_longest(facts.details[part], dialect) for part in key]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            what = f"{column} holds {length} characters, and the key of {facts.name} may be longer"
            return "replacement-length", what, "Write null, or a text without {key}"
        longest += text.count(KEY) * (sum(known) + len(known) - 1)
    if longest <= length:
        return None
    what = f"{column} holds {length} characters, and the replacement may have {longest}"
    return "replacement-length", what, "Write a shorter one"


def _longest(details: ColumnFacts, dialect: str) -> int | None:
    """How many characters the text of a key column has at most."""
    kind = details.type.lower().split("(")[0].split()[0] if details.type else ""
    if details.family is Family.NUMBER and kind in _DIGITS:
        return _SQLITE_DIGITS if dialect == "sqlite" and kind != "smallint" else _DIGITS[kind]
    if details.family is Family.DAY:
        return 10
    return 36 if kind == "uuid" else details.length


def _is_of(family: Family, value: Scalar) -> bool:
    match family:
        case Family.NUMBER:
            return isinstance(value, bool | int | float) or _reads(float, value)
        case Family.BOOLEAN:
            return isinstance(value, bool) or value in (0, 1)
        case Family.DAY:
            return isinstance(value, str) and _reads(dt.date.fromisoformat, value)
        case Family.TIMESTAMP | Family.ZONED:
            return isinstance(value, str) and _reads(dt.datetime.fromisoformat, value)
        case Family.BINARY:
            return False
    return True


def _reads(reader: object, value: Scalar) -> bool:
    try:
        reader(value)  # type: ignore[operator]
    except (TypeError, ValueError):
        return False
    return True

"""A data subject as a person names one on the command line: by the words of its key."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import product
from uuid import UUID

import sqlalchemy as sa

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connected
from staffords_gdpr.database.facts import Family
from staffords_gdpr.errors import UsageError
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.pure.loader import find_subject as known
from staffords_gdpr.retention.pure.values import key_text
from staffords_gdpr.retention.states import Key

_TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def find_subject(policy: Policy, engine: sa.Engine, words: Key) -> Key:
    """The key of the subject that `words` name, as the database has it. Raises UsageError where there is none."""
    with connected(engine) as connection:
        return located(connection, bind(policy, connection), words)


def located(connection: sa.Connection, catalogue: Catalogue, words: Key) -> Key:
    """The key that `words` name, as the database has it. Raises UsageError where there is no such subject.

    A key of several columns is given as several words, or as one with a '/' between the parts: A-17/2.
    """
    parts = _parts(catalogue, words)
    for key in _keys(catalogue, parts):
        try:
            with connection.begin_nested():
                found = known(connection, catalogue, key)
        except sa.exc.DataError:  # a word that the column's type cannot hold
            found = None
        if found is not None:
            return found
    raise missing(catalogue, parts)


def missing(catalogue: Catalogue, key: Key) -> UsageError:
    """That there is no such subject."""
    policy = catalogue.policy
    hint = "Keys are those of the table; 'gdpr scan --details' lists them."
    if catalogue.subject is None:
        columns = " or ".join(map(str, policy.records[policy.subject].values_of))
        hint = f"A {policy.subject} is a value of {columns}, spelt as in the database, capitals too."
    elif catalogue.subject.record.where is not None:
        hint = f"{hint} Rows for which 'where' is not true are no {policy.subject} at all."
    if any(_inexact(catalogue, *place) for place in _places(catalogue)):
        hint = (
            f"{hint} A fraction in a REAL or FLOAT column has no exact words: name another key in the policy."
        )
    return UsageError(f"there is no {policy.subject} {key_text(key)} in the database", hint)


def _parts(catalogue: Catalogue, words: Key) -> Key:
    """One word or value for each key column."""
    names = catalogue.subject_key
    if len(words) == len(names):
        return words
    if len(words) == 1 and isinstance(words[0], str) and len(names) > 1:
        split = tuple(words[0].split("/"))
        if len(split) == len(names):
            return split
    raise UsageError(
        f"the key of {catalogue.policy.subject} has {len(names)} part(s): {', '.join(names)}",
        f"Give {len(names)} word(s), one for each{', or one with a / between them' if len(names) > 1 else ''}.",
    )


def _keys(catalogue: Catalogue, parts: Key) -> Iterator[Key]:
    """What the words can mean: a column without a type holds a number or a text."""
    places = _places(catalogue)
    yield from product(
        *(_readings(catalogue, *place, part) for place, part in zip(places, parts, strict=True))
    )


def _places(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Table and column of each part of the key."""
    if catalogue.subject is not None:
        return [(catalogue.subject.table, column) for column in catalogue.subject.key]
    first = catalogue.policy.records[catalogue.policy.subject].values_of[0]
    return [(catalogue.records[first.record].table, first.column)]


def _inexact(catalogue: Catalogue, table: str, column: str) -> bool:
    facts = catalogue.tables[table].details.get(column) if table in catalogue.tables else None
    return facts is not None and facts.type.lower().startswith(("real", "float"))


def _readings(catalogue: Catalogue, table: str, column: str, word: object) -> list[object]:
    facts = catalogue.tables[table].details.get(column) if table in catalogue.tables else None
    if not isinstance(word, str):
        return [word]
    family = facts.family if facts is not None else Family.NONE
    if family is Family.NUMBER:
        number = _number(word)
        if number is None:
            hint = "Keys are those of the table; 'gdpr scan --details' lists them."
            raise UsageError(f"{word!r} is no {column}, which is a number", hint)
        return [number]
    if family in (Family.NONE, Family.BINARY):
        number = _number(word)
        return [word] if number is None else [word, number]
    kind = facts.type.lower() if facts is not None else ""
    if family is Family.BOOLEAN and word.lower() in _TRUTHS:
        return [_TRUTHS[word.lower()]]
    if kind == "uuid":
        return [_uuid(word)]
    if kind.startswith("character(") and facts is not None and facts.length:
        return [word, word.ljust(facts.length)]  # as PostgreSQL fills it up
    return [word]


def _number(word: str) -> int | float | None:
    try:
        number = Decimal(word)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return int(number) if number == int(number) else float(number)


def _uuid(word: str) -> str:
    try:
        return str(UUID(word))
    except ValueError:
        return word

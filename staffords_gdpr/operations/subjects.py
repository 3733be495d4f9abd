"""A data subject as a person names one on the command line: by the words of its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.catalogue import Catalogue
from staffords_gdpr.database.connection import connected
from staffords_gdpr.errors import UsageError
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.retention.pure_values import key_text
from staffords_gdpr.retention.states import Key

if TYPE_CHECKING:
    import sqlalchemy as sa


def find_subject(policy: Policy, engine: sa.Engine, words: Key) -> Key:
    """The key of the subject that `words` name, as the database has it. Raises UsageError where there is none."""
    import sqlalchemy as sa  # noqa: PLC0415  (`gdpr --help` must not load it)

    with connected(engine) as connection:
        catalogue = bind(policy, connection)
        bound = catalogue.records[policy.subject]
        key = typed(catalogue, words)
        columns = [bound.sa_table.c[name] for name in bound.key]
        query = sa.select(*columns).where(*(c == part for c, part in zip(columns, key, strict=True)))
        found = connection.execute(query).first()
    if found is None:
        raise missing(policy, key)
    return tuple(found)


def typed(catalogue: Catalogue, words: Key) -> Key:
    """The key with words turned into the types of its columns. Raises UsageError where they do not fit."""
    bound = catalogue.records[catalogue.policy.subject]
    if len(words) != len(bound.key):
        raise UsageError(
            f"the key of {bound.record.name} has {len(bound.key)} part(s): {', '.join(bound.key)}",
            f"Give {len(bound.key)} word(s), one for each.",
        )
    return tuple(_part(bound.sa_table.c[column], part) for column, part in zip(bound.key, words, strict=True))


def missing(policy: Policy, key: Key) -> UsageError:
    """That there is no such subject."""
    return UsageError(
        f"there is no {policy.subject} {key_text(key)} in the database",
        "Keys are those of the table; 'gdpr scan --details' lists them.",
    )


def _part(column: sa.Column[Any], part: object) -> object:
    if not isinstance(part, str):
        return part
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return part
    if kind is not int:
        return part
    try:
        return int(part)
    except ValueError:
        raise UsageError(f"{part!r} is no {column.name}, which is a whole number") from None

"""What must hold between the parts of a policy. A part whose shape is wrong already is not judged again.

Here: how record types hang together. `subjects`, `references`, `conditions` and `purge/erasure` check the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from staffords_gdpr.policy import conditions, erasure, references, subjects
from staffords_gdpr.policy.outline import Document, Outline
from staffords_gdpr.policy.positions import Mistakes
from staffords_gdpr.policy.suggest import advice


def check(document: Document, mistakes: Mistakes) -> None:
    """Note every mistake that only shows when the parts are seen together."""
    outline = Outline(document, mistakes)
    if not outline.records:
        return
    subjects.check(outline)
    for name, record in outline.ours.items():
        _owner(outline, name, record)
        _refers(outline, name, record)
        _columns(outline, name, record)
    for name in outline.ours:
        _reaches_subject(outline, name)
    references.check(outline)
    conditions.check(outline)
    erasure.check(outline)


def _owner(outline: Outline, name: str, record: Document) -> None:
    wrong, place = outline.mistakes, ("records", name, "belongs_to")
    owner = record.get("belongs_to")
    if owner is None:
        return
    if owner not in outline.records:
        wrong.add(place, f"there is no record type '{owner}'. {advice(owner, outline.ours)}")
    elif outline.left(owner):
        wrong.add(place, f"'{owner}' is left alone and owns nothing here. {advice('', outline.ours)}")


def _refers(outline: Outline, name: str, record: Document) -> None:
    wrong, place = outline.mistakes, ("records", name, "refers_to")
    for position, other in _with_positions(record.get("refers_to", ())):
        spot = (*place, *position)
        in_mapping = isinstance(record["refers_to"], Mapping)
        if other not in outline.records:
            wrong.add(
                spot, f"there is no record type '{other}'. {advice(other, outline.ours)}", key=in_mapping
            )
        elif outline.left(other):
            what = f"'{other}' is left alone, so nothing needs to hold it. Remove it here."
            wrong.add(spot, what, key=in_mapping)
        elif other in outline.ancestors(name) and not (in_mapping and record["refers_to"][other]):
            what = (
                f"'{name}' belongs to '{other}' already. Remove it here; if a row refers to yet another '{other}', say "
                f"by which columns, as in 'refers_to: {{{other}: {{other_id: id}}}}'."
            )
            wrong.add(spot, what, key=in_mapping)


def _with_positions(refers: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """The names under `refers_to`, each with the rest of its path."""
    if isinstance(refers, str):
        yield (), refers
    elif isinstance(refers, Mapping):
        yield from (((name,), name) for name in refers)
    else:
        yield from (((str(number),), name) for number, name in enumerate(refers))


def _columns(outline: Outline, name: str, record: Document) -> None:
    personal = record.get("personal", ())
    for number, column in enumerate(record.get("not_personal", ())):
        if column in personal:
            what = f"'{column}' is under 'personal' too. Keep it in one of the two."
            outline.mistakes.add(("records", name, "not_personal", str(number)), what)


def _reaches_subject(outline: Outline, name: str) -> None:
    subject, wrong = outline.subject, outline.mistakes
    if subject not in outline.ours or name == subject or not outline.chain_is_sound(name):
        return
    ancestors = outline.ancestors(name)
    place = ("records", name, "belongs_to")
    if name in ancestors:
        circle = " -> ".join([name, *ancestors[: ancestors.index(name) + 1]])
        wrong.add(
            place, f"these belong to each other in a circle: {circle}. Let one of them belong to '{subject}'."
        )
    elif not ancestors:
        what = f"'{name}' does not belong to the subject. Write 'belongs_to: {subject}', or 'leave: <why>'."
        wrong.missing(place, what)

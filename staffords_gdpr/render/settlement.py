"""The page of `gdpr log settle`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staffords_gdpr.render.json import moment
from staffords_gdpr.render.page import Block, Page, Table, Text, Tone, key_text, title

if TYPE_CHECKING:
    from staffords_gdpr.operations.purge.settlement import Rows, UnclearBatch


def page(found: UnclearBatch, *, details: bool) -> Page:
    """How many rows of each record type are gone and still there, and what signing means."""
    rows = [
        (name, count, _number(found, found.gone, name), _number(found, found.left, name))
        for name, count in found.rows.items()
    ]
    blocks: list[Block] = [
        title(f"Batch {found.batch} of {found.time:%Y-%m-%d %H:%M} UTC"),
        Table(("Record", "To be erased", "Gone", "Still there"), rows, numbers=frozenset({1, 2, 3})),
    ]
    if not found.known:
        blocks.append(
            Text(
                "Nobody can tell any more which rows these were: the file that named them is lost, or the policy no "
                "longer knows their record types. No row of this batch will be provable as erased.",
                Tone.WARN,
            )
        )
    if details:
        listed = [(name, key_text(key), "gone") for name, keys in found.gone.items() for key in keys]
        listed += [(name, key_text(key), "still there") for name, keys in found.left.items() for key in keys]
        blocks.append(Table(("Record", "Key", "State"), listed))
    if found.entry is not None:
        blocks.append(
            Text(
                f"Settled (entry {found.entry.seq}). From the next purge on the rules decide on what is still there.",
                Tone.GOOD,
            )
        )
    else:
        blocks.append(
            Text(
                "Nothing was written. No purge touches these subjects until the batch is settled. If the numbers are "
                f"understood, sign: gdpr log settle {found.batch} --as ROLE --key FILE. What is gone then counts as "
                "erased, and the rules decide anew about the rest.",
                Tone.WARN,
            )
        )
    return tuple(blocks)


def data(found: UnclearBatch, *, details: bool) -> dict[str, object]:
    """`gdpr log settle --format json`"""
    return {
        "batch": found.batch,
        "time": moment(found.time),
        "rows": dict(found.rows),
        "gone": {name: len(keys) for name, keys in found.gone.items()},
        "left": {name: len(keys) for name, keys in found.left.items()},
        "known": found.known,
        "settled": None if found.entry is None else found.entry.seq,
        **({"keys": {"gone": _keys(found.gone), "left": _keys(found.left)}} if details else {}),
    }


def _number(found: UnclearBatch, rows: Rows, name: str) -> object:
    return len(rows.get(name, ())) if found.known else "?"


def _keys(rows: Rows) -> dict[str, list[list[object]]]:
    return {name: [list(map(_plain, key)) for key in keys] for name, keys in rows.items()}


def _plain(value: object) -> object:
    return value if isinstance(value, (int, str)) else str(value)

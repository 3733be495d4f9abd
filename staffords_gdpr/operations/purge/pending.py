"""The pending file's contents: enough to find out from the database whether a batch was carried out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from staffords_gdpr.operations.purge.erasure import Erasure, Plan
from staffords_gdpr.retention.states import Key

_MARKS: Mapping[type, tuple[str, Callable[[Any], str], Callable[[str], object]]] = {
    # a datetime is a date too, so types are looked up exactly
    dt.datetime: ("moment", dt.datetime.isoformat, dt.datetime.fromisoformat),
    dt.date: ("day", dt.date.isoformat, dt.date.fromisoformat),
    dt.time: ("time", dt.time.isoformat, dt.time.fromisoformat),
    Decimal: ("decimal", str, Decimal),
    bytes: ("bytes", bytes.hex, bytes.fromhex),
}
"""Key values that JSON does not hold: the mark that they get there, and the ways there and back."""

_READ = {mark: read for mark, _, read in _MARKS.values()}


def pending_of(plan: Plan, run: str) -> dict[str, object]:
    """A plan as values of JSON."""
    return {
        "run": run,
        "subjects": _written(plan.subjects),
        "erasures": [
            {
                "name": erasure.name,
                "values": dict(erasure.values) if erasure.values is not None else None,
                "keys": _written(erasure.keys),
            }
            for erasure in plan.erasures
        ],
    }


def plan_in(pending: Mapping[str, Any]) -> Plan:
    """The plan that `pending_of` wrote."""
    erasures = (
        Erasure(str(one["name"]), one["values"], tuple(_read(key) for key in one["keys"]))
        for one in pending["erasures"]
    )
    return Plan(tuple(erasures), tuple(_read(key) for key in pending["subjects"]))


def _written(keys: Sequence[Key]) -> Sequence[Sequence[object]]:
    if _MARKS.keys().isdisjoint(type(value) for key in keys for value in key):
        return keys
    return [[_mark(value) for value in key] for key in keys]


def _mark(value: object) -> object:
    known = _MARKS.get(type(value))
    return value if known is None else {known[0]: known[1](value)}


def _read(key: list[object]) -> Key:
    return tuple(_unmark(value) for value in key)


def _unmark(value: object) -> object:
    if not isinstance(value, dict):
        return value
    ((mark, text),) = value.items()
    return _READ[mark](text)

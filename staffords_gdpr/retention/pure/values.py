"""How the pure function compares single values: keys, replacements, and what a policy writes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from staffords_gdpr.database.catalogue import Edge
from staffords_gdpr.policy.models import Scalar
from staffords_gdpr.retention.states import Key

_KEY = "{key}"


def comparable(value: object) -> object:
    """A key's value for comparing: 5, 5.0 and '5' are the same key, as they are in a join."""
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, (int, float, Decimal)):
        if math.isfinite(value) and value == int(value):
            return str(int(value))
        return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)
    return str(value)


def comparable_key(key: Key) -> Key:
    """A whole key for comparing."""
    return tuple(comparable(part) for part in key)


def same(value: object, wanted: Scalar) -> bool:
    """Whether a stored value is the one that the policy writes; None is NULL. '5' in a text column is 5."""
    if value is None or wanted is None:
        return value is wanted
    return value == wanted or comparable(value) == comparable(wanted)


def filled(replacement: Scalar, key: Key) -> Scalar:
    """A replacement for the row of this key: `{key}` in a text is the key's parts, joined by '-'."""
    if not isinstance(replacement, str) or _KEY not in replacement:
        return replacement
    return replacement.replace(_KEY, "-".join(str(comparable(part)) for part in key))


def nulls(replacements: Mapping[str, Scalar], edge: Edge | None) -> bool:
    """Whether a list of replacements undoes a reference: it sets one of its own columns to null, of each way."""
    if edge is None:
        return False
    if edge.direct or edge.through:
        return any(own in replacements and replacements[own] is None for own in edge.own)
    return all(any(own in replacements and replacements[own] is None for own, _ in end) for end in edge.ends)


def key_text(key: Key) -> str:
    """A key as it stands in a sentence."""
    return ", ".join(str(part) for part in key)

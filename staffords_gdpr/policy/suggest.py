"""Did you mean: the nearest known name to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" for the nearest of `known`, capitals or not; "" where none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.65)
    return f"Did you mean '{by_folded[near[0]]}'?" if near else ""


def advice(name: str, known: Iterable[str]) -> str:
    """Return `did_you_mean`, or the list of what is known where nothing is near."""
    names = list(known)
    return did_you_mean(name, names) or (f"Known here: {', '.join(names)}." if names else "")

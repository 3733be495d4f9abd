"""Where everything stands in a policy file, and the list of what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from staffords_gdpr.errors import PolicyError

Path = tuple[str, ...]
_MOST_SHOWN = 100


class Place(NamedTuple):
    """A line and a column, both counted from 1; the column in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Positions:
    """The places of every key and every value of one policy file.

    Any two are equal: policies that say the same are the same, wherever they stand.
    """

    file: str = field(compare=False)
    keys: Mapping[Path, Place] = field(default_factory=dict, compare=False)
    values: Mapping[Path, Place] = field(default_factory=dict, compare=False)

    def where(self, *path: str) -> str:
        """Return "file:line:column" of the value at this path of keys (list items by number, from "0").

        A value that is not a plain word or number is pointed at by its key. The nearest known ancestor
        stands in for a path that is not in the file.
        """
        return self._spell(self.place(path))

    def place(self, path: Path) -> Place:
        """Return the place that `where` spells."""
        while path and path not in self.values:
            alone = tuple(key for key in path if key != "0")  # a single item may stand without its list
            if alone in self.values:
                return self.values[alone]
            path = path[:-1]
        return self.values.get(path, Place(1, 1))

    def key_place(self, path: Path) -> Place:
        """Return the place of the key itself; of the value where there is no key, as in a list."""
        return self.keys.get(path) or self.place(path)

    def _spell(self, place: Place) -> str:
        return f"{self.file}:{place.line}:{place.column}"


class Mistakes:
    """Collects every mistake of one file, so that a person sees all of them at once."""

    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self._found: dict[tuple[Place, str], None] = {}
        self._wrong: set[Path] = set()
        self._within: set[Path] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, what: str, *, key: bool = False) -> None:
        """Note a mistake at `path`: at its value, or at its key where the key itself is wrong."""
        place = self.positions.key_place(path) if key else self.positions.place(path)
        self._note(place, what, path)

    def missing(self, path: Path, what: str) -> None:
        """Note that `path` ought to be there; shown at the key it should stand under."""
        self._note(self.positions.key_place(path[:-1]), what, path)

    def under(self, *path: str) -> bool:
        """Whether something at or below `path` is wrong already: more said of it would only confuse."""
        return path in self._within

    def at(self, *path: str) -> bool:
        """Whether the value at `path` itself was found wrong."""
        return path in self._wrong

    def _note(self, place: Place, what: str, path: Path) -> None:
        self._found[place, what] = None
        self._wrong.add(path)
        self._within.update(path[:length] for length in range(len(path) + 1))

    def raise_if_any(self) -> None:
        """Raise PolicyError with every mistake, one a line, in the order of the file."""
        if not self._found:
            return
        lines = [f"{self.positions.file}:{p.line}:{p.column}: {what}" for p, what in sorted(self._found)]
        shown = lines[:_MOST_SHOWN]
        if len(lines) > len(shown):
            shown.append(f"{self.positions.file}: and {len(lines) - len(shown)} more mistakes")
        raise PolicyError("\n".join(shown), "docs/policy.md explains every key.")

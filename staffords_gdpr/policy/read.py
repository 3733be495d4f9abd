"""Read a tree as the language says: keys, shapes and scalars; every mistake is noted, none stops it.

What comes out are plain dicts, tuples and scalars. What was wrong is left out and noted in `Mistakes`.
"""

from __future__ import annotations

import math
import re
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from staffords_gdpr.policy import kinds as la
from staffords_gdpr.policy import language
from staffords_gdpr.policy.example import example
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.policy.positions import Mistakes, Path
from staffords_gdpr.policy.suggest import advice, did_you_mean
from staffords_gdpr.policy.tree import Branch, Leaf, Row, Tree

_NAME = re.compile(r"[^\W\d][\w-]*\Z")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%\Z")


class _Wrong:
    """Stands for a value that was wrong and has been noted."""


WRONG = _Wrong()


def read(kind: la.Kind, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    """Return the value at `path`, or WRONG after noting why."""
    if isinstance(tree, Leaf) and tree.undecided:
        mistakes.add(path, f"{_at(path)}: a person must decide here. {_way_out(kind, tree)}")
        return WRONG
    match kind:
        case la.Fields():
            return _fields(kind, tree, path, mistakes)
        case la.MapOf():
            return _map(kind, tree, path, mistakes)
        case la.ListOf():
            return _list(kind, tree, path, mistakes)
        case la.ByShape():
            return _by_shape(kind, tree, path, mistakes)
        case la.Test():
            return _test(kind, tree, path, mistakes)
        case _:
            return _scalar(kind, tree, path, mistakes)


def _fields(kind: la.Fields, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    if not isinstance(tree, Branch):
        first = next((k for k, key in kind.keys.items() if key.required), next(iter(kind.keys)))
        mistakes.add(
            path,
            f"{_at(path)} must be a mapping, not {_shape(tree)}. Write keys under it, as in '{first}: ...'.",
        )
        return {} if path else WRONG
    found: dict[str, Any] = {}
    for name, sub in tree.entries.items():
        if name not in kind.keys:
            told = kind.elsewhere.get(name) or _place_for(name, kind).rstrip(".")
            ends = "" if told.endswith("?") else "."
            mistakes.add((*path, name), f"unknown key '{name}' in {_at(path)}. {told}{ends}", key=True)
            continue
        value = read(kind.keys[name].kind, sub, (*path, name), mistakes)
        if value is not WRONG:
            found[name] = value
    for name, key in kind.keys.items():
        if key.required and name not in tree.entries and not _excused(kind, name, tree):
            mistakes.missing(
                (*path, name), f"{_at(path)} has no '{name}'. Write '{name}: {example(key.kind)}'."
            )
    if kind.one and not tree.entries:
        mistakes.add(path, f"{_at(path)} is empty. Write one of: {', '.join(kind.keys)}.")
    if kind.one and len(found) > 1:
        first, second, *_ = found
        mistakes.add((*path, second), f"{_at(path)} has '{first}' already. Keep one of them.", key=True)
    return found


def _excused(kind: la.Fields, name: str, tree: Branch) -> bool:
    """Another key stands in for it; and a misspelt key is not a missing one too."""
    return kind.keys[name].unless in tree.entries or any(
        other not in kind.keys and f"'{name}'" in did_you_mean(other, kind.keys) for other in tree.entries
    )


def _place_for(name: str, kind: la.Fields) -> str:
    for other, key in kind.keys.items():
        inner = key.kind.mapping if isinstance(key.kind, la.ByShape) else key.kind
        if isinstance(inner, la.Fields) and name in inner.keys:
            return f"Write it inside '{other}:'."
        if isinstance(inner, la.MapOf) and isinstance(inner.value, la.Fields) and name in inner.value.keys:
            return f"Write it inside '{other}:', under a name of yours."
    return advice(name, kind.keys)


def _map(kind: la.MapOf, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    if not isinstance(tree, Branch):
        mistakes.add(
            path,
            f"{_at(path)} must be a mapping, not {_shape(tree)}. Write '{example(kind)}'.",
        )
        return WRONG
    if not tree.entries and not kind.empty:
        mistakes.add(path, f"{_at(path)} is empty. Write at least one entry.")
        return WRONG
    found = {}
    for name, sub in tree.entries.items():
        if name in kind.elsewhere and not isinstance(sub, Leaf):
            mistakes.add((*path, name), f"{_at(path)}: {kind.elsewhere[name]}.", key=True)
            return WRONG
        if isinstance(kind.name, la.Name) and not _NAME.match(name):
            mistakes.add((*path, name), f"'{name}' cannot name a {kind.name.of}. {_NAMES_ARE}", key=True)
        value = read(kind.value, sub, (*path, name), mistakes)
        if value is not WRONG:
            found[name] = value
    return found


_NAMES_ARE = "Begin with a letter, and use letters, digits, '_' and '-' only."


def _list(kind: la.ListOf, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    mappings = isinstance(kind.item, la.Fields | la.MapOf)
    if kind.alone and (isinstance(tree, Leaf) or (mappings and isinstance(tree, Branch))):
        value = read(kind.item, tree, path, mistakes)
        return WRONG if value is WRONG else (value,)
    if not isinstance(tree, Row):
        write = f"[{_inline(tree)}]" if isinstance(tree, Leaf) and tree.text else "[first, second]"
        mistakes.add(path, f"{_at(path)} must be a list, not {_shape(tree)}. Write '{write}'.")
        return WRONG
    if not tree.items and not kind.empty:
        mistakes.add(path, f"{_at(path)} is an empty list. Write at least one entry.")
        return WRONG
    found: list[Any] = []
    for number, item in enumerate(tree.items):
        if kind.instead and isinstance(item, Branch):
            mistakes.add((*path, str(number)), f"{_at(path)}: {kind.instead}.")
            continue
        value = read(kind.item, item, (*path, str(number)), mistakes)
        if value is WRONG:
            continue
        if any(value == other and type(value) is type(other) for other in found):
            same = "the same" if mappings else f"'{value}'"
            mistakes.add((*path, str(number)), f"{same} stands twice in {_at(path)}. Remove one.")
            continue
        found.append(value)
    return tuple(found)


def _by_shape(kind: la.ByShape, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    if isinstance(tree, Leaf) and tree.value is None and kind.nothing:
        return {}
    if isinstance(tree, Row) and kind.listing:
        return read(kind.listing, tree, path, mistakes)
    if isinstance(tree, Branch) and kind.mapping:
        return read(kind.mapping, tree, path, mistakes)
    return read(kind.plain, tree, path, mistakes)


def _test(kind: la.Test, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    """A condition; the hatch stays what it is: a mapping in which the only key `sql` has text."""
    hatch = tree.entries.get("sql") if isinstance(tree, Branch) else None
    if not isinstance(tree, Branch) or not isinstance(hatch, Leaf) or not isinstance(hatch.value, str):
        return read(language.CONDITION, tree, path, mistakes)
    column = "A column of this name is written 'sql: [value]'."
    if not kind.hatch:
        what = f"{_at(path)} cannot be an expression: only 'where', 'while' and 'dates' of a record type can."
        mistakes.add((*path, "sql"), f"{what} {column}", key=True)
        return WRONG
    if len(tree.entries) > 1:
        what = f"{_at(path)} has an expression and columns. Write all of it in the expression."
        mistakes.add((*path, "sql"), f"{what} {column}", key=True)
        return WRONG
    return read(language.EXPRESSION, tree, path, mistakes)


def _scalar(kind: la.Kind, tree: Tree, path: Path, mistakes: Mistakes) -> Any:
    if isinstance(kind, la.Value) and isinstance(tree, Branch) and list(tree.entries) == ["key"]:
        mistakes.add(path, f'{_at(path)}: braces without quotes are a mapping. Write "{{key}}" in quotes.')
        return WRONG
    if path[-1:] == ("not",) and isinstance(tree, Branch) and "in" in tree.entries:
        mistakes.add(path, f"{_at(path)}: a look-up cannot be turned round. Write 'not' in its own 'where'.")
        return WRONG
    if not isinstance(tree, Leaf):
        mistakes.add(path, f"{_at(path)} must be one value, not {_shape(tree)}. Write '{example(kind)}'.")
        return WRONG
    try:
        return _value(kind, tree)
    except ValueError as error:
        mistakes.add(path, f"{_at(path)}: {error}")
        return WRONG


def _value(kind: la.Kind, leaf: Leaf) -> Any:
    """The value of a scalar. Raises ValueError saying what is wrong and what to write instead."""
    match kind:
        case la.Value():
            if isinstance(leaf.value, float) and not math.isfinite(leaf.value):
                raise ValueError(f"{leaf.text} is no value for a column. Write a number, a word or null.")
            return leaf.value
        case la.Flag():
            if not isinstance(leaf.value, bool):
                raise ValueError(f"'{leaf.text}' is neither true nor false. Write 'true' or 'false'.")
            return leaf.value
        case la.Only():
            if leaf.value != kind.value or type(leaf.value) is not type(kind.value):
                raise ValueError(f"'{leaf.text}' is not known here. Write '{kind.value}'.")
            return leaf.value
        case la.OneOf():
            if leaf.value not in kind.words:
                raise ValueError(f"'{leaf.text}' is not known here. {advice(leaf.text, kind.words)}")
            return leaf.value
        case la.Amount():
            return _amount(leaf, kind.unit)
        case la.Sql():
            value = leaf.value.strip() if isinstance(leaf.value, str) else leaf.value
            return _text(Leaf(value, leaf.text.strip()), "an expression")
        case la.PeriodText():
            return _period(leaf)
        case la.Percent():
            return _percent(leaf)
        case la.Zone():
            return _zone(_text(leaf, "'Europe/London'"))
        case la.Name():
            return _name(_text(leaf, f"the name of a {kind.of}"), kind.of)
        case la.Reference():
            return _reference(_text(leaf, f"'{example(kind)}'"), dotted=kind.dotted)
        case _:
            return _text(leaf, f"'{example(kind)}'")


def _text(leaf: Leaf, wanted: str) -> str:
    if leaf.value is None or not leaf.text.strip():
        raise ValueError(f"there is nothing here. Write {wanted}.")
    if not isinstance(leaf.value, str):
        raise ValueError(f"{leaf.text} is read as a {_type_name(leaf.value)}. Write '{leaf.text}' in quotes.")
    if leaf.value != leaf.value.strip():
        raise ValueError(f"'{leaf.value}' begins or ends with a space. Write '{leaf.value.strip()}'.")
    return leaf.value


def _type_name(value: object) -> str:
    return "truth value" if isinstance(value, bool) else "number"


def _period(leaf: Leaf) -> Period:
    if isinstance(leaf.value, int | float) and not isinstance(leaf.value, bool):
        raise ValueError(
            f"{leaf.text} has no unit. Write days, weeks, months or years after it, as in '3 years'."
        )
    return Period.parse(_text(leaf, "a period, as in '3 years'"))


def _amount(leaf: Leaf, unit: str) -> int | str:
    if not isinstance(leaf.value, int | float) or isinstance(leaf.value, bool):
        return _text(leaf, f"the column that holds the number of {unit}s, or a number")
    return Period.parse(f"{leaf.value} {unit}s").count


def _percent(leaf: Leaf) -> float:
    match = _PERCENT.match(leaf.text)
    if match is None or not 0 < float(match[1]) <= 100:
        raise ValueError(f"'{leaf.text}' is no share. Write a percentage above 0 and up to 100, as in '5 %'.")
    return float(match[1]) / 100


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, LookupError):
        hint = (
            did_you_mean(name, available_timezones())
            or "Write a name from the IANA list, as in 'Europe/London'."
        )
        raise ValueError(f"there is no time zone '{name}'. {hint}") from None


def _name(name: str, of: str) -> str:
    if not _NAME.match(name):
        raise ValueError(f"'{name}' cannot name a {of}. {_NAMES_ARE}")
    return name


def _reference(text: str, *, dotted: bool) -> str:
    if "." in text and not all(text.partition(".")[::2]):
        raise ValueError(f"'{text}' is half a name. Write 'record.column'.")
    if dotted and "." not in text:
        raise ValueError(f"'{text}' names no record type. Write 'record.column', as in 'call.{text}'.")
    return text


def _way_out(kind: la.Kind, tree: Leaf) -> str:
    guess = tree.text.removeprefix("TODO").strip()
    if guess:
        return f"If '{guess}' is right, take the word TODO away; if not, correct the line or remove it."
    return f"Write it instead of TODO, as in '{example(kind)}'."


def _inline(tree: Leaf) -> str:
    return tree.text if len(tree.text) < 40 else f"{tree.text[:37]}..."


def _shape(tree: Tree) -> str:
    if isinstance(tree, Row):
        return "a list"
    if isinstance(tree, Branch):
        return "a mapping"
    return "nothing" if tree.value is None else f"'{_inline(tree)}'"


def _at(path: Path) -> str:
    """How a message names a path: the last keys, without the section that everything stands in."""
    if not path:
        return "the policy"
    if path[0] == "records" and len(path) == 2:
        return f"record type '{path[1]}'"
    if path[0] == "dates" and len(path) == 2:
        return f"date '{path[1]}'"
    words = path[1:] if path[0] in ("records", "dates") and len(path) > 1 else path
    return "'" + ".".join(word for word in words if not word.isdigit()) + "'"

"""A policy file as a tree of YAML 1.2 values, each with its place.

PyYAML reads YAML 1.1, in which `on`, `yes` and `no` are booleans, `1:30` is a number and `2024-01-01` a
date. Only its scanner and parser are used here; the YAML 1.2 core schema decides what a plain word means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.positions import Mistakes, Path, Place, Positions

MOST_BYTES = 1_000_000
MOST_VALUES = 50_000
DEEPEST = 40

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INF = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)\Z")

_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "UTF-8 with a byte order mark",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

_SYNTAX = (
    ("cannot start any token", "a value cannot begin with this character. Put the value in quotes"),
    (
        "mapping values are not allowed",
        "a ':' is not allowed here. Check the indentation, or quote the value",
    ),
    ("could not find expected ':'", "a ':' is missing after this key. Write 'key: value'"),
    (
        "found another document",
        "a second document begins here. Keep one policy in one file, without '---'",
    ),
    ("expected <block end>", "this line is indented differently from its neighbours. Align it with them"),
    ("expected ',' or '}'", "a ',' or '}' is missing. Close the mapping, or quote the value"),
    ("expected ',' or ']'", "a ',' or ']' is missing. Close the list, or quote the value"),
    ("unexpected end of stream", "a quote is not closed. Close it"),
    (
        "found undefined alias",
        "this '*' names an anchor that does not exist. Write the value out, or quote it",
    ),
    ("found duplicate anchor", "this anchor stands twice. Give it another name"),
    ("special characters are not allowed", "a control character stands here. Remove it"),
)


@dataclass(frozen=True)
class Leaf:
    """A scalar. `text` is what the file says, `value` what YAML 1.2 makes of it."""

    value: bool | int | float | str | None
    text: str
    quoted: bool = False

    @property
    def undecided(self) -> bool:
        """Whether this stands for a decision that a person has not made: TODO, or TODO and a guess."""
        return not self.quoted and self.text.partition(" ")[0] == "TODO"


@dataclass(frozen=True)
class Branch:
    """A mapping. Its keys are always text, whatever they look like."""

    entries: Mapping[str, Tree]


@dataclass(frozen=True)
class Row:
    """A list."""

    items: tuple[Tree, ...]


Tree = Leaf | Branch | Row


class _YamlError(Exception):
    def __init__(self, what: str, mark: yaml.Mark) -> None:
        self.what = what
        self.place = Place(mark.line + 1, mark.column + 1)


class _Loader(yaml.SafeLoader):
    """PyYAML's parser without any of its ideas on what a plain word means; no tags, bounded in depth."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _YamlError(f"the tag '{tag}' is not allowed. Write the plain value", event.start_mark)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _YamlError(f"nested more than {DEEPEST} deep. Write it flatter", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def parse(data: bytes, file: str) -> tuple[Tree, Mistakes]:
    """Return the tree of a policy file and the list of mistakes, which holds its duplicate keys already.

    Raises PolicyError at once where there is no tree to go on with: not UTF-8, not YAML,
    empty, several documents.
    """
    text = _decode(data, file)
    _refuse_tabs(text, file)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except _YamlError as trouble:
        raise _refusal(file, trouble.place, trouble.what) from None
    except yaml.reader.ReaderError as error:
        raise _refusal(file, _place_in(text, error.position), _in_our_words(error.reason)) from None
    except yaml.MarkedYAMLError as error:
        quoted = "quoted" in str(error.context)  # then where the quote opens, not where the file ends
        mark = error.context_mark if quoted else error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise _refusal(file, place, _in_our_words(str(error.problem))) from None
    if node is None:
        raise _refusal(file, Place(1, 1), "the file is empty. Begin with 'version: 1'")
    walk = _Walk(file)
    try:
        tree = walk.tree(node, (), 0)
    except _YamlError as trouble:
        raise _refusal(file, trouble.place, trouble.what) from None
    mistakes = Mistakes(Positions(file, walk.keys, walk.values))
    for path, what in walk.wrong:
        mistakes.add(path, what)
    return tree, mistakes


def _decode(data: bytes, file: str) -> str:
    for mark, name in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise _refusal(
                file, Place(1, 1), f"the file is {name}. Save it as UTF-8 without a byte order mark"
            )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        what = f"byte 0x{data[error.start]:02x} is not UTF-8. Save the file as UTF-8"
        raise _refusal(file, _place_in(before, len(before)), what) from None
    if not text.strip():
        raise _refusal(file, Place(1, 1), "the file is empty. Begin with 'version: 1'")
    return text


def _refuse_tabs(text: str, file: str) -> None:
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if "\t" in indent and line.strip():
            lines.append(
                f"{file}:{number}:{indent.index(chr(9)) + 1}: indented with a tab. Indent with spaces."
            )
    if lines:
        raise PolicyError("\n".join(lines), "docs/policy.md explains every key.")


def _place_in(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def _in_our_words(problem: str) -> str:
    if "'\\t'" in problem:
        return "a tab stands here. Write a space"
    for theirs, ours in _SYNTAX:
        if theirs in problem:
            return ours
    return f"this is not YAML: {problem}. Check the line and the one above it"


def _refusal(file: str, place: Place, what: str) -> PolicyError:
    return PolicyError(f"{file}:{place.line}:{place.column}: {what}.", "docs/policy.md explains every key.")


class _Walk:
    """Turns PyYAML's nodes into a tree; an alias is followed each time it is used, within bounds."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.wrong: list[tuple[Path, str]] = []
        self.count = 0

    def tree(self, node: yaml.Node, path: Path, depth: int) -> Tree:
        self.count += 1
        if self.count > MOST_VALUES or depth > DEEPEST:
            raise _YamlError(
                "the policy is too large once its aliases ('*') are followed. Write it out", node.start_mark
            )
        if isinstance(node, yaml.ScalarNode):
            self.values[path] = _place(node)
            return self._leaf(node, path)
        self.values[path] = self.keys.get(path) or _place(node)
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.tree(item, (*path, str(i)), depth + 1) for i, item in enumerate(node.value))
            for number, item in enumerate(items):  # a list of names is looked up by name as well
                if isinstance(item, Leaf):
                    self.values.setdefault((*path, item.text), self.values[(*path, str(number))])
            return Row(items)
        return self._branch(node, path, depth)

    def _branch(self, node: yaml.Node, path: Path, depth: int) -> Branch:
        entries: dict[str, Tree] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value.strip():
                raise _YamlError("a key must be one word. Write 'key: value'", key.start_mark)
            if key.value in entries:
                first = self.keys[(*path, key.value)].line
                self._elsewhere(
                    path, _place(key), f"the key '{key.value}' stands on line {first} already. Keep one."
                )
                continue
            self.keys[(*path, key.value)] = _place(key)
            entries[key.value] = self.tree(value, (*path, key.value), depth + 1)
        return Branch(entries)

    def _elsewhere(self, path: Path, place: Place, what: str) -> None:
        """Note a mistake at a place that no path of the tree leads to."""
        spot = (*path, f"\0{place.line}:{place.column}")
        self.values[spot] = place
        self.wrong.append((spot, what))

    def _leaf(self, node: yaml.ScalarNode, path: Path) -> Leaf:
        text = node.value
        if node.style is not None:
            return Leaf(text, text, quoted=True)
        try:
            return Leaf(_core(text), text)
        except ValueError:
            self.wrong.append((path, "this number is too long. Put it in quotes if it is text."))
            return Leaf(text, text)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _core(text: str) -> bool | int | float | str | None:
    """The YAML 1.2 core schema (YAML 1.2.2, section 10.3.2)."""
    if _NULL.match(text):
        return None
    if _TRUE.match(text) or _FALSE.match(text):
        return _TRUE.match(text) is not None
    if _INT.match(text):
        return int(text)
    if _OCTAL.match(text) or _HEX.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    if _INF.match(text) or _NAN.match(text):
        return float(text.replace(".", "", 1))
    return text

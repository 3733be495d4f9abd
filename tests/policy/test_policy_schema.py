"""The JSON Schema of the language is that of the code, and tells sound policies from wrong ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from mistakes import MISTAKES
from second_reader import Yaml
from wide_mistakes import WIDE_MISTAKES

from staffords_gdpr.policy import language, load_policy
from staffords_gdpr.policy.json_schema import json_schema

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs/policy.schema.json"
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}


def fits(schema: Mapping[str, Any], value: object) -> bool:
    """Whether `value` is valid under the keywords that we use; another keyword is an error."""
    for keyword, rule in schema.items():
        match keyword:
            case "$schema" | "$defs" | "title" | "description" | "examples":
                ok = True
            case "$ref":
                ok = fits(json_schema()["$defs"][rule.removeprefix("#/$defs/")], value)
            case "enum":
                ok = value in rule
            case "minimum":
                ok = not isinstance(value, int | float) or value >= rule
            case "allOf":
                ok = all(fits(part, value) for part in rule)
            case "type":
                kinds = [rule] if isinstance(rule, str) else rule
                ok = any(isinstance(value, TYPES[kind]) for kind in kinds)
                ok = ok and (not isinstance(value, bool) or "boolean" in kinds)
            case "const":
                ok = value == rule and type(value) is type(rule)
            case "anyOf":
                ok = any(fits(choice, value) for choice in rule)
            case "pattern":
                ok = not isinstance(value, str) or re.search(rule, value) is not None
            case "required":
                ok = not isinstance(value, dict) or all(name in value for name in rule)
            case "properties":
                ok = not isinstance(value, dict) or all(
                    fits(sub, value[name]) for name, sub in rule.items() if name in value
                )
            case "additionalProperties":
                known = schema.get("properties", {})
                others = [v for k, v in value.items() if k not in known] if isinstance(value, dict) else []
                ok = not others if rule is False else all(fits(rule, other) for other in others)
            case "propertyNames":
                ok = not isinstance(value, dict) or all(fits(rule, name) for name in value)
            case "minProperties":
                ok = not isinstance(value, dict) or len(value) >= rule
            case "maxProperties":
                ok = not isinstance(value, dict) or len(value) <= rule
            case "minItems":
                ok = not isinstance(value, list) or len(value) >= rule
            case "items":
                ok = not isinstance(value, list) or all(fits(rule, item) for item in value)
            case "uniqueItems":
                ok = not isinstance(value, list) or len({json.dumps(item) for item in value}) == len(value)
            case _:
                raise AssertionError(f"the keyword {keyword} is new: teach it to this test")
        if not ok:
            return False
    return True


def test_the_schema_in_docs_is_the_one_that_the_code_makes() -> None:
    assert json.loads(FILE.read_text()) == json_schema(), (
        "write json_schema() to docs/policy.schema.json again"
    )


@pytest.mark.parametrize("path", ["policies/retention.yaml", "tests/policy/example.yaml"])
def test_the_policies_that_load_fit_the_schema(path: str) -> None:
    load_policy(ROOT / path)
    assert fits(json_schema(), yaml.load((ROOT / path).read_text(), Yaml))


SEEN_BY_THE_SCHEMA = (
    "unknown key, near a known one", "no table", "no period", "a version that is not known",
    "version as text", "nothing after a key", "negative period", "no time at all", "half a year",
    "period without a unit", "no roles", "a role with a space", "no records",
    "latest_of without a record type", "latest_of nothing", "future that is yes", "while nothing",
    "erase with an unknown word", "anonymise nothing", "anonymise with a mapping as replacement",
    "step with a dot", "personal twice", "personal without brackets", "share without a percent sign",
    "a mapping where a column should be", "columns of a reference as a word",
    "unknown form in a condition", "two forms in one condition", "a form without anything in it",
    "expression for one column", "look-up without its column", "condition without a value",
    "through without its own columns", "on with the same way twice", "date as a word", "date stored in an unknown way",
    "plus in two units", "plus a negative number", "plus half a month", "plus no unit at all",
    "list and mapping of replacements mixed", "anonymise an empty list", "template without quotes",
    "trigger without a reason", "values of nothing", "neither a table nor values",
)  # fmt: skip


@pytest.mark.parametrize("name", SEEN_BY_THE_SCHEMA)
def test_an_editor_shows_mistakes_of_shape_while_they_are_typed(name: str) -> None:
    mistake = next(mistake for mistake in MISTAKES + WIDE_MISTAKES if mistake.name == name)
    assert fits(json_schema(), yaml.load(mistake.sound, Yaml))
    assert not fits(json_schema(), yaml.load(mistake.text, Yaml))


def test_every_key_of_the_schema_says_what_it_is_for() -> None:
    def descriptions(schema: object) -> list[object]:
        if isinstance(schema, list):
            return [found for item in schema for found in descriptions(item)]
        if not isinstance(schema, dict):
            return []
        own = [sub.get("description") for sub in schema.get("properties", {}).values()]
        return own + [found for sub in schema.values() for found in descriptions(sub)]

    found = descriptions(json_schema())
    assert len(found) > 50
    assert all(isinstance(text, str) and text.endswith(".") for text in found)


def test_the_first_line_of_the_firms_policy_names_the_schema() -> None:
    path = ROOT / "policies/retention.yaml"
    first = path.read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == FILE.resolve()


def test_the_language_asks_for_nothing_that_the_schema_leaves_out() -> None:
    assert list(json_schema()["properties"]) == list(language.POLICY.keys)

"""docs/policy.md explains every key, its examples load, and its messages are those that the tool gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mistakes import MISTAKES
from second_reader import Yaml
from wide_mistakes import WIDE_MISTAKES

from staffords_gdpr.policy import kinds as la
from staffords_gdpr.policy import language, read_policy

PAGE = (Path(__file__).parents[2] / "docs/policy.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
WHOLE = yaml.load(EXAMPLES[0], Yaml)
HEADINGS = set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE))


def keys(kind: la.Kind) -> Iterator[str]:
    """Every key of the language at or below `kind`."""
    match kind:
        case la.Fields():
            for name, key in kind.keys.items():
                yield name
                yield from keys(key.kind)
        case la.MapOf():
            yield from keys(kind.value)
        case la.ListOf():
            yield from keys(kind.item)
        case la.Test(hatch=True):
            yield from keys(language.EXPRESSION)
            yield from keys(language.CONDITION)
        case la.ByShape():
            for shape in (kind.plain, kind.listing, kind.mapping):
                yield from keys(shape) if shape else ()


def combined(part: dict[str, Any]) -> dict[str, Any]:
    """The page's whole policy with a part of it replaced, as the page says that parts are read."""
    records = {**WHOLE["records"], **part.get("records", {})}
    dates = {**WHOLE["dates"], **part.get("dates", {})}
    return {**WHOLE, **part, "records": records, "dates": dates}


def test_every_key_of_the_policy_and_of_a_record_type_has_a_section_with_an_example() -> None:
    sections = {text.split("\n")[0]: text for text in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)}
    for name in (*language.POLICY.keys, *language.RECORD.keys):
        assert name in HEADINGS, name
        assert re.search(rf"```yaml\n(?:.*\n)*?\s*{name}:", sections[name]), (
            f"{name} has no example of its own"
        )


def test_every_key_at_any_depth_is_explained_and_used_in_an_example() -> None:
    examples = "\n".join(EXAMPLES)
    for name in set(keys(language.POLICY)):
        assert name in HEADINGS or f"`{name}`" in PAGE, f"{name} is not explained"
        assert re.search(rf"\b{name}:", examples), f"{name} is in no example"


def test_no_section_explains_a_key_that_does_not_exist() -> None:
    assert set(keys(language.POLICY)) >= HEADINGS


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_loads(number: int) -> None:
    part = yaml.load(EXAMPLES[number], Yaml)
    read_policy(
        yaml.safe_dump(combined(part), sort_keys=False, allow_unicode=True).encode(), "docs/policy.md"
    )


def test_every_message_shown_is_what_the_tool_says_to_the_line_above_it() -> None:
    shown = re.findall(r"```text\n(.*)\nretention\.yaml:(.*)\n```", PAGE)
    said: dict[str, list[str]] = {}
    for mistake in MISTAKES + WIDE_MISTAKES:
        lines = mistake.text.split("\n")
        for message in mistake.said:
            said.setdefault(message, []).append(lines[int(message.split(":")[0]) - 1].strip(" "))
    assert len(shown) > 20
    for line, message in shown:
        assert line in said.get(message, []), message

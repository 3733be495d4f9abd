"""The consultant's page has every finding of `gdpr check`, in the program's words: `python tests/docs/test_it.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from staffords_gdpr.operations.check.findings import REFUSALS, REMARKS

PAGE = Path(__file__).parents[2] / "docs" / "it.md"


def written() -> str:
    """The page with its two tables as the program has them."""
    text = PAGE.read_text(encoding="utf-8")
    for name, codes in (("refusals", REFUSALS), ("remarks", REMARKS)):
        text = re.sub(
            rf"(<!-- {name}: .*? -->\n).*?(<!-- end -->)",
            lambda found, codes=codes: f"{found[1]}{table(codes)}{found[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    return text


def table(codes: Mapping[str, str]) -> str:
    rows = "".join(f"| `{code}` | {promise} |\n" for code, promise in codes.items())
    return f"\n| finding | what is true without it |\n|---|---|\n{rows}\n"


def test_every_finding_stands_on_the_page() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(), "run `python tests/docs/test_it.py`"


def test_every_link_leads_somewhere() -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", PAGE.read_text(encoding="utf-8")):
        page = PAGE.parent / target if target else PAGE
        assert page.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{target}#{anchor}"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")

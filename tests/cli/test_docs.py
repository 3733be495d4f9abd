"""docs/commands.md cannot go stale: it is the program's own words, and every command stands in it."""

from __future__ import annotations

from staffords_gdpr.cli.docs import PAGE, WIDTH, commands, page
from staffords_gdpr.errors import EXIT_CODES

PROMISED = {
    *("demo", "init", "approve", "keys new", "scan", "explain", "purge", "audit", "sign", "review", "status"),
    *("log show", "log verify", "schedule", "hold add", "hold list", "hold release"),
}


def test_the_page_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs` and commit docs/commands.md"


def test_every_command_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert {" ".join(path) for path in commands()} >= PROMISED
    for path in commands():
        assert f"## gdpr {' '.join(path)}\n" in text


def test_every_exit_code_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in text


def test_every_command_takes_a_format_and_explains_itself() -> None:
    sections = page().split("\n## gdpr ")[1:]
    assert len(sections) == len(commands())
    for section in sections:
        assert "--format" in section
        assert "To come" not in section


def test_help_fits_a_terminal_of_80_columns() -> None:
    inside = False
    for line in page().splitlines():
        if line.startswith("```"):
            inside = line == "```text"
        assert not inside or len(line) <= WIDTH

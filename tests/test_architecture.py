"""The house: a room imports only from rooms below it; only the topmost prints, exits and reads the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "staffords_gdpr"
ROOMS = ("cli", "render", "operations", "retention", "database", "auditlog", "policy", "ground")
GROUND = {"settings", "setting_values", "errors", "progress", "__init__"}
MOST_LINES = 350

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.read_text(encoding="utf-8").strip())
BELOW_CLI = [path for path in MODULES if "cli" not in path.relative_to(PACKAGE).parts]


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a module's path inside the package."""
    first = parts[0].removesuffix(".py") if parts else "__init__"
    return "ground" if first in GROUND else first


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, absolutely named; those inside functions and for types only too."""
    package = ("staffords_gdpr", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else [])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    found = set()
    for module in imports(path):
        first, *rest = module.split(".")
        if (
            first == "staffords_gdpr"
            and rest
            and (PACKAGE / rest[0]).with_suffix(".py").exists() | (PACKAGE / rest[0]).is_dir()
        ):
            found.add(room_of(tuple(rest)))
    return found


def libraries(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(path)}


def test_every_module_stands_in_a_room() -> None:
    assert {room_of(path.relative_to(PACKAGE).parts) for path in MODULES} <= set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_room_imports_only_from_itself_and_rooms_below(path: Path) -> None:
    room = room_of(path.relative_to(PACKAGE).parts)
    allowed = set(ROOMS[ROOMS.index(room) :])
    assert rooms_imported(path) - allowed == set()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_log_and_the_policy_know_no_database_and_the_rules_no_terminal(path: Path) -> None:
    forbidden = {
        "auditlog": {"sqlalchemy", "typer", "rich"},
        "policy": {"sqlalchemy", "typer", "rich"},
        "ground": {"sqlalchemy", "typer", "rich", "pydantic"},
        "retention": {"typer", "rich"},
        "database": {"typer", "rich"},
        "operations": {"typer", "rich", "tabulate"},
        "render": {"typer", "sqlalchemy"},
    }
    room = room_of(path.relative_to(PACKAGE).parts)
    assert libraries(path) & forbidden.get(room, set()) == set()
    if room == "retention":
        assert "auditlog" not in rooms_imported(path)


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Every call and every attribute that a file names, as "module.name" or "name"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.lineno, _dotted(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


SPEAKS = {
    "print",
    "exit",
    "quit",
    "input",
    "sys.exit",
    "os._exit",
    "sys.stdout",
    "sys.stderr",
    "sys.argv",
    "os.environ",
}
CLOCKS = ("now", "utcnow", "today")
CLOCK_OWNERS = ("datetime", "date", "pendulum", "DateTime")


def reads_clock(dotted: str) -> bool:
    owner, _, last = dotted.rpartition(".")
    return (last in CLOCKS and owner.split(".")[-1] in CLOCK_OWNERS) or dotted in (
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
    )


@pytest.mark.parametrize("path", BELOW_CLI, ids=name)
def test_nothing_below_the_command_line_prints_exits_or_reads_the_clock(path: Path) -> None:
    found = [(line, call) for line, call in calls(path) if call in SPEAKS or reads_clock(call)]
    assert found == []


def test_the_clock_is_read_in_one_place() -> None:
    readers = [name(path) for path in MODULES if any(reads_clock(call) for _, call in calls(path))]
    assert readers == ["cli/clock.py"]


@pytest.mark.parametrize(
    "text", ["dt.datetime.now", "datetime.utcnow", "date.today", "time.time", "pendulum.now"]
)
def test_the_search_for_clocks_finds_them(text: str) -> None:
    assert reads_clock(text)


@pytest.mark.parametrize("text", ["time.monotonic", "policy.today", "self.now", "clock.now"])
def test_the_search_for_clocks_leaves_others_alone(text: str) -> None:
    assert not reads_clock(text)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_fits_in_a_head(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES

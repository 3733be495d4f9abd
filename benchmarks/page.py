"""docs/benchmarks.md: the figures, in between its two markers."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Series
from benchmarks.site import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
MEGABYTE = 1024 * 1024
TITLES = {
    "sqlite": "SQLite",
    "sqlite-wal": "SQLite with a WAL",
    "postgresql": "PostgreSQL",
    "mariadb": "MariaDB",
}
WAYS = {
    "floor": "by hand",
    "promised": "by hand, with batches, locks, leaves and log",
    "year": "by hand, today and twelve months ahead",
    "gdpr": "`gdpr`",
    "one": "`gdpr --connections 1`",
    "beside": "`gdpr`, somebody else writes",
    "pt-archiver": "pt-archiver",
    "objects": "a loop over objects",
}
Results = Mapping[str, Any]


def markdown(results: Results) -> str:
    """The figures so far, as Markdown."""
    lines = [f"{_machine()}.", ""]
    for part in (_databases, _series, _writers, _idle, _growth):
        lines += part(results)
    return "\n".join(lines).strip()


def write(table: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def _databases(results: Results) -> Iterator[str]:
    for key, built in results.items():
        what, _, engine = key.partition(" ")
        if what == "database":
            rows = built["rows"]
            yield (
                f"{TITLES[engine]} {built['version']}: {rows['customers']:,} customers, {sum(rows.values()):,} rows, "
                f"{built['bytes'] / MEGABYTE:.0f} MB, written in {built['seconds']:.0f} s. {built['date']}."
            )
            yield ""


def _series(results: Results) -> Iterator[str]:
    for command in ("purge", "scan"):
        found = [key for key in results if key.startswith(f"{command} ")]
        if not found:
            continue
        yield f"### `gdpr {command}`"
        yield ""
        yield "| | | rows | median | fastest to slowest | ratio | CPU, client and server | ratio of CPU | memory |"
        yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
        repeats = set()
        for key in found:
            series = Series.of_json(results[key])
            for way in series.runs:
                yield _way(TITLES[key.partition(" ")[2]], series, way)
            repeats.add(len(series.runs["gdpr"]))
        yield ""
        yield f"{' or '.join(map(str, sorted(repeats)))} runs each, in turns. Memory is the client's peak."
        if command == "purge" and any("objects" in results[key]["runs"] for key in found):
            yield "The loop over objects was run on a sample, and scaled to the rows of the others."
        for key in found:
            for said in results[key]["different"]:
                yield f"**{key}: not the same: {said}**"
        yield ""


def _way(engine: str, series: Series, way: str) -> str:
    scale = series.rows("floor") / series.rows(way) if way == "objects" else 1.0
    seconds, cpu = series.median(way) * scale, series.total_cpu(way) * scale
    low, high = series.spread(way)
    cells = (
        engine,
        WAYS[way],
        f"{series.rows(way):,} of {series.rows('floor'):,}" if way == "objects" else f"{series.rows(way):,}",
        f"{seconds:.2f} s" + (" (scaled)" if way == "objects" else ""),
        "" if way == "objects" else f"{low:.2f} to {high:.2f}",
        f"{seconds / series.median('floor'):.2f}",
        f"{series.median(way, 'cpu') * scale:.2f} + {series.median(way, 'server_cpu') * scale:.2f} s",
        f"{cpu / series.total_cpu('floor'):.2f}",
        "" if way == "objects" else f"{series.peak(way) / MEGABYTE:.0f} MB",
    )
    return f"| {' | '.join(cells)} |"


def _writers(results: Results) -> Iterator[str]:
    found = [key for key in results if key.startswith("writers ")]
    if not found:
        return
    yield "### Operators at work meanwhile"
    yield ""
    yield "| | meanwhile | it took | transactions | p50 | p99 | longest | failed | customer erased meanwhile |"
    yield "|---|---|---:|---:|---:|---:|---:|---|---:|"
    for key in found:
        for phase in results[key]:
            failed = ", ".join(f"{count} {name}" for name, count in phase["failed"].items()) or "none"
            cells = (
                TITLES[key.partition(" ")[2]],
                phase["meanwhile"] + (f" ({phase['ended']})" if phase["ended"] else ""),
                f"{phase['seconds']:.1f} s",
                f"{phase['transactions']:,}",
                *(f"{phase[name]:.1f} ms" for name in ("p50", "p99", "longest")),
                failed,
                str(phase["gone"]),
            )
            yield f"| {' | '.join(cells)} |"
    yield ""


def _idle(results: Results) -> Iterator[str]:
    found = [key for key in results if key.startswith("idle ")]
    if not found:
        return
    yield "### A night with nothing due"
    yield ""
    yield "| | customers | rows | `gdpr purge` in full | in its statements | the rest | memory |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for key in found:
        idle = results[key]
        cells = (
            TITLES[key.partition(" ")[2]],
            f"{idle['customers']:,}",
            f"{idle['rows']:,}",
            f"{idle['seconds']:.2f} s",
            f"{idle['statements']:.2f} s",
            f"{idle['seconds'] - idle['statements']:.2f} s",
            f"{idle['peak'] / MEGABYTE:.0f} MB",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "Statements are timed where SQLAlchemy hands them to the driver, until the driver has the answer."
    yield ""


def _growth(results: Results) -> Iterator[str]:
    found = [key for key in results if key.startswith("memory ")]
    if not found:
        return
    yield "### From small to large"
    yield ""
    yield "| | customers | rows erased | time | for each row | memory |"
    yield "|---|---:|---:|---:|---:|---:|"
    for key in found:
        for size in results[key]:
            cells = (
                TITLES[key.partition(" ")[2]],
                f"{size['customers']:,}",
                f"{size['rows']:,}",
                f"{size['seconds']:.1f} s",
                f"{size['seconds'] / max(size['rows'], 1) * 1e6:.0f} µs",
                f"{size['peak'] / MEGABYTE:.0f} MB",
            )
            yield f"| {' | '.join(cells)} |"
    yield ""


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"

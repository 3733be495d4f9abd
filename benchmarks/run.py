"""Measure `gdpr purge` and `gdpr scan` against hand-written SQL, in turns, on fresh copies of the same file.

The command counts in full, from the start of its process to its end, with its checks, its log and its fsyncs.
The floor counts from opening the file to closing it. After each purge the two databases are compared.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from staffords_gdpr.operations.demo import Demo, write_demo
from staffords_gdpr.operations.demo.schema import metadata

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
GDPR = (sys.executable, "-m", "staffords_gdpr.cli.main")
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One measured process. `rows` per record type or step, `peak` of memory in bytes, `cpu` in seconds."""

    seconds: float
    cpu: float
    peak: int
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Pair:
    """The same work done `repeats` times by hand and by the command."""

    name: str
    floor: Sequence[Run]
    command: Sequence[Run]
    same: bool

    @property
    def ratio(self) -> float:
        """How many times longer the command takes: median over median."""
        return _seconds(self.command) / _seconds(self.floor)

    @property
    def cpu_ratio(self) -> float:
        """The same in processor time, which a busy machine disturbs less."""
        return _cpu(self.command) / _cpu(self.floor)


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gdpr-bench-", dir=arguments.dir) as folder:
        table = measure(Path(folder), arguments.customers, arguments.repeats, arguments.seed)
    print(table)
    if arguments.write:
        _write_page(table)


def measure(folder: Path, customers: int, repeats: int, seed: int) -> str:
    """Build the database, measure, and return the figures as Markdown."""
    started = time.perf_counter()
    # The demonstration lives in `live` while it is measured: the approval names the database by its path.
    live, pristine = folder / "live", folder / "pristine"
    demo = write_demo(live, customers=customers, seed=seed, today=dt.datetime.now(dt.UTC).date())
    built = time.perf_counter() - started
    size = demo.database.stat().st_size
    for step in demo.preparation:
        _gdpr(demo, step.argv)
    live.rename(pristine)

    def fresh() -> None:
        shutil.rmtree(live, ignore_errors=True)
        shutil.copytree(pristine, live)
        os.sync()

    _say(f"{demo.counts.total} rows written in {built:.1f} s")
    scan = _alternate(
        "scan", repeats, fresh, floor=lambda: _floor("count", demo), command=lambda: _scan(demo)
    )
    purge = _alternate(
        "purge",
        repeats,
        fresh,
        floor=lambda: _floor("erase", demo),
        command=lambda: _purge(demo, customers),
        outcome=lambda: contents(demo.database),
    )
    return _markdown(demo, size, built, [scan, purge])


# -- one measured process ------------------------------------------------------------------------


def _floor(action: str, demo: Demo) -> Run:
    now = dt.datetime.now(dt.UTC).isoformat()
    argv = [sys.executable, "-m", "benchmarks.floor", action, str(demo.database), now]
    run, out = _process(argv, ROOT)
    answer = json.loads(out)
    return Run(answer["seconds"], answer["cpu"], run.peak, answer["rows"])


def _scan(demo: Demo) -> Run:
    run, out = _gdpr(demo, ["scan", "--format", "json"], codes=(0, 3))
    records = json.loads(out)["records"]
    return replace(run, rows={record: counts["due"] for record, counts in records.items()})


def _purge(demo: Demo, customers: int) -> Run:
    argv = ["purge", "--confirm", str(customers), "--format", "json"]
    run, out = _gdpr(demo, argv, codes=(0, 3))
    return replace(run, rows=json.loads(out)["erased"])


def _gdpr(demo: Demo, argv: Sequence[str], codes: Sequence[int] = (0,)) -> tuple[Run, str]:
    return _process([*GDPR, *argv], demo.directory, codes)


def _process(argv: Sequence[str], folder: Path, codes: Sequence[int] = (0,)) -> tuple[Run, str]:
    """Run to the end. Returns what it took, without rows, and what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GDPR_")}
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        process = subprocess.Popen(argv, cwd=folder, stdout=out, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}")
        out.seek(0)
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Run(seconds, usage.ru_utime + usage.ru_stime, peak, {}), out.read()


# -- pairs ---------------------------------------------------------------------------------------


def _alternate(
    name: str,
    repeats: int,
    fresh: Callable[[], None],
    *,
    floor: Callable[[], Run],
    command: Callable[[], Run],
    outcome: Callable[[], Mapping[str, object]] = dict,
) -> Pair:
    """Floor, command, floor, command, ...: what disturbs the machine disturbs both."""
    floors, commands, same = [], [], True
    for number in range(1, repeats + 1):
        fresh()
        floors.append(floor())
        by_hand = outcome()
        fresh()
        commands.append(command())
        by_command = outcome()
        seconds = f"{floors[-1].seconds:.2f} s by hand, {commands[-1].seconds:.2f} s gdpr"
        _say(f"{name} {number}/{repeats}: {seconds}")
        same &= _compare(name, floors[-1].rows, commands[-1].rows)
        same &= _compare(f"{name}: tables afterwards", by_hand, by_command)
    return Pair(name, floors, commands, same)


def _compare(what: str, by_hand: Mapping[str, object], by_command: Mapping[str, object]) -> bool:
    keys = sorted({*by_hand, *by_command})
    different = [key for key in keys if by_hand.get(key, 0) != by_command.get(key, 0)]
    for key in different:
        _say(f"!!! DIFFERENT, {what}: {key}: {by_hand.get(key)} by hand, {by_command.get(key)} gdpr !!!")
    return not different


def contents(database: Path) -> dict[str, str]:
    """What every table holds, as hashes."""
    found = {}
    with closing(sqlite3.connect(database)) as connection:
        for table in metadata.tables:
            digest = hashlib.sha256()
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY id"):
                digest.update(repr(row).encode())
            found[table] = digest.hexdigest()[:12]
    return found


# -- the page ------------------------------------------------------------------------------------


def _markdown(demo: Demo, size: int, built: float, pairs: Sequence[Pair]) -> str:
    customers, rows = demo.counts.rows["customers"], demo.counts.total
    lines = [
        f"{_machine()}. {dt.datetime.now(dt.UTC).date()}.",
        "",
        f"{customers:,} customers, {rows:,} rows, {size / MEGABYTE:.0f} MB, written in {built:.1f} s.",
        "",
        "| | rows | by hand | `gdpr` | ratio | ratio of CPU time | memory by hand | memory `gdpr` |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for pair in pairs:
        same = "" if pair.same else " **(not the same rows!)**"
        cells = (
            pair.name,
            f"{sum(pair.command[-1].rows.values()):,}{same}",
            f"{_seconds(pair.floor):.2f} s",
            f"{_seconds(pair.command):.2f} s",
            f"{pair.ratio:.1f}",
            f"{pair.cpu_ratio:.1f}",
            _peak(pair.floor),
            _peak(pair.command),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"Medians of {len(pairs[0].floor)} runs each, alternating. Memory is the peak."]
    return "\n".join(lines)


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    cores = os.cpu_count()
    return f"{model}, {cores} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def _seconds(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def _cpu(runs: Sequence[Run]) -> float:
    return statistics.median(run.cpu for run in runs)


def _peak(runs: Sequence[Run]) -> str:
    return f"{max(run.peak for run in runs) / MEGABYTE:.0f} MB"


def _write_page(table: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="a folder with room, on the disk to measure")
    parser.add_argument(
        "--no-write", dest="write", action="store_false", help="leave docs/benchmarks.md alone"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

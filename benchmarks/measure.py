"""The same work done in several ways in turns, each on a fresh copy of the database."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from benchmarks.servers import Engine
from benchmarks.site import ROOT, Site, run

Way = Callable[[], "Run"]


@dataclass(frozen=True)
class Run:
    """One way, once. `rows` per record type or step; `cpu` and `server_cpu` in seconds; `peak` of memory in bytes."""

    seconds: float
    cpu: float
    peak: int
    rows: Mapping[str, int]
    server_cpu: float = 0.0


@dataclass
class Series:
    """All runs of the ways to do one thing on one engine. `different` names what they did not do alike."""

    runs: dict[str, list[Run]] = field(default_factory=dict)
    different: list[str] = field(default_factory=list)

    def median(self, way: str, what: str = "seconds") -> float:
        return statistics.median(float(getattr(run, what)) for run in self.runs[way])

    def total_cpu(self, way: str) -> float:
        return statistics.median(run.cpu + run.server_cpu for run in self.runs[way])

    def spread(self, way: str) -> tuple[float, float]:
        seconds = [run.seconds for run in self.runs[way]]
        return min(seconds), max(seconds)

    def rows(self, way: str) -> int:
        return sum(self.runs[way][-1].rows.values())

    def peak(self, way: str) -> int:
        return max(run.peak for run in self.runs[way])

    def to_json(self) -> dict[str, Any]:
        return {
            "runs": {way: [asdict(run) for run in runs] for way, runs in self.runs.items()},
            "different": self.different,
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Series:
        return cls(
            {way: [Run(**run) for run in runs] for way, runs in data["runs"].items()}, data["different"]
        )


def alternate(
    name: str,
    repeats: int,
    deadline: float,
    fresh: Callable[[], None],
    ways: Mapping[str, Way],
    *,
    contents: Callable[[], Any] = dict,
) -> Series:
    """A, B, A, B, ...: what disturbs the machine disturbs all. The first way says which rows are right.

    After `deadline` (of time.perf_counter) no further round begins.
    """
    series = Series({way: [] for way in ways})
    for number in range(1, repeats + 1):
        if number > 1 and time.perf_counter() > deadline:
            say(f"{name}: no time for round {number}")
            break
        right: tuple[Mapping[str, int], Any] | None = None
        for way, measured in ways.items():
            fresh()
            done = measured()
            series.runs[way].append(done)
            say(f"{name} {number}/{repeats}: {way} {done.seconds:.2f} s, {sum(done.rows.values()):,} rows")
            found = contents()
            if right is None:
                right = (done.rows, found)
            for what, by_hand, here in (("rows", right[0], done.rows), ("tables", right[1], found)):
                for key in sorted({*by_hand, *here}):
                    if by_hand.get(key, 0) != here.get(key, 0):
                        said = f"{what} of {key}: {by_hand.get(key)} by hand, {here.get(key)} {way}"
                        series.different.append(said)
                        say(f"!!! DIFFERENT, {name}, {said} !!!")
    return series


def by_hand(engine: Engine, action: str) -> Run:
    """The floor, from its connection to its commit."""
    now = dt.datetime.now(dt.UTC).isoformat()
    before = engine.cpu()
    home = str(engine.folder / "site")
    ended = run([sys.executable, "-m", "benchmarks.floor", action, engine.url, now, home], ROOT)
    answer = json.loads(ended.require("the floor").out)
    return Run(answer["seconds"], answer["cpu"], ended.peak, answer["rows"], engine.cpu() - before)


def by_gdpr(site: Site, argv: tuple[str, ...], rows: Callable[[Any], Mapping[str, int]]) -> Run:
    """A command, from the start of its process to its end."""
    before = site.engine.cpu()
    ended = site.gdpr([*argv, "--format", "json"])
    server = site.engine.cpu() - before
    return Run(ended.seconds, ended.cpu, ended.peak, rows(json.loads(ended.out)), server)


def beside_a_writer(site: Site, purge: Way) -> Run:
    """A purge during which somebody else writes, after its decision: from then on what is listed is asked about
    again in every batch, which is needless where nobody writes.
    """
    done = threading.Event()

    def write() -> None:
        log, started = site.folder / "audit" / "audit.jsonl", b'"purge.start"'
        while started not in log.read_bytes():
            if done.wait(0.01):
                return
        with site.engine.connection() as connection:
            before = connection.execute(sa.text("SELECT name FROM operators WHERE id = 1")).scalar_one()
            for name in (f"{before}.", before):  # nothing is written where nothing changes
                connection.execute(sa.text("UPDATE operators SET name = :name WHERE id = 1"), {"name": name})
                connection.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return purge()
    finally:
        done.set()
        writer.join()


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

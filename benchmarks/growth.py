"""A night on which nothing is due, and a purge of ever more customers."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.data import NEW, Size
from benchmarks.measure import say
from benchmarks.servers import start
from benchmarks.site import ROOT, Failed, Site, run


def idle(name: str, folder: Path, customers: int) -> dict[str, Any]:
    """A purge that finds nothing due. Its second run, as every night but the first has one before it."""
    size = Size(customers, dt.datetime.now(dt.UTC).date(), trade=NEW)
    engine = start(name, folder, size)
    try:
        site = Site(engine)
        site.forget()
        site.fresh()
        report = engine.folder / "timed.json"
        timed = [sys.executable, "-m", "benchmarks.timed", str(site.folder), str(report)]
        for night in ("the night before", "an idle night"):
            ended = run([*timed, "purge", "--format", "json"], ROOT).require(night)
            said = json.loads(report.read_text())
            if said["code"] or any(json.loads(ended.out)["erased"].values()):
                raise Failed(f"{night} was not idle on {name}: {ended.out} {ended.said}")
    finally:
        engine.stop()
    rows = json.loads((engine.folder / "built.json").read_text())["rows"]
    found = {
        "customers": customers,
        "rows": sum(rows.values()),
        "seconds": ended.seconds,
        "statements": said["statements"],
        "peak": ended.peak,
    }
    say(f"idle {name}: {found}")
    return found


def steps(name: str, folder: Path, commands: Mapping[int, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """A purge at each size: the command for so many customers."""
    for customers, command in commands.items():
        engine = start(name, folder, Size(customers, dt.datetime.now(dt.UTC).date()))
        try:
            site = Site(engine)
            site.forget()
            site.fresh()
            ended = site.gdpr([*command, "--format", "json"])
        finally:
            engine.stop()
        found = {
            "customers": customers,
            "rows": sum(json.loads(ended.out)["erased"].values()),
            "seconds": ended.seconds,
            "peak": ended.peak,
        }
        say(f"memory {name}: {found}")
        yield found

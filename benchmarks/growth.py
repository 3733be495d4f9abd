"""A night on which nothing is due, and a purge of ever more customers."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.data import NEW, Size
from benchmarks.measure import ROOT, say
from benchmarks.servers import start
from benchmarks.site import Site, run


def idle(name: str, folder: Path, customers: int) -> dict[str, Any]:
    """A purge that finds nothing due. Its second run, as every night but the first has one before it."""
    size = Size(customers, dt.datetime.now(dt.UTC).date(), trade=NEW)
    engine = start(name, folder, size)
    try:
        site = Site(engine)
        site.forget()
        site.fresh()
        timed = [sys.executable, "-m", "benchmarks.timed", str(site.folder), "purge", "--format", "json"]
        run(timed, ROOT)
        ended = run(timed, ROOT)
        said = json.loads(ended.out.splitlines()[-1])
        if said["code"] or any(json.loads(ended.out.splitlines()[0])["erased"].values()):
            raise SystemExit(f"not an idle night on {name}: {ended.out}")
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


def steps(
    name: str, folder: Path, sizes: Sequence[int], purge: Callable[[int], tuple[str, ...]]
) -> Iterator[dict[str, Any]]:
    """A purge at each size."""
    for customers in sizes:
        engine = start(name, folder, Size(customers, dt.datetime.now(dt.UTC).date()))
        try:
            site = Site(engine)
            site.forget()
            site.fresh()
            ended = site.gdpr([*purge(customers), "--format", "json"])
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

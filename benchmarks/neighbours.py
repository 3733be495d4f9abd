"""How long operators wait for their transactions while somebody erases."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from benchmarks.measure import say
from benchmarks.operators import FIRST_CALL
from benchmarks.site import GDPR, ROOT, Failed, Process, Site, run

QUIET_SECONDS = 10
SETTLING_SECONDS = 1


def measure(site: Site, purge: Sequence[str]) -> list[dict[str, Any]]:
    """Operators alone; with the purge; with the floor's one transaction. Times in milliseconds."""
    floor = [sys.executable, "-m", "benchmarks.floor", "erase", site.engine.url]

    def by_hand() -> str:
        return _ended(run([*floor, dt.datetime.now(dt.UTC).isoformat()], ROOT))

    def by_gdpr() -> str:
        return _ended(run([*GDPR, *purge], site.folder))

    def nothing() -> str:
        time.sleep(QUIET_SECONDS)
        return ""

    return [
        _phase(site, "nothing", nothing),
        _phase(site, "`gdpr purge`", by_gdpr),
        _phase(site, "by hand, in one transaction", by_hand),
    ]


def _ended(process: Process) -> str:
    """How it failed, shortly; empty where it did not."""
    if process.code in (0, 3):
        return ""
    lines = process.said.strip().splitlines() or [str(process.code)]
    # a traceback ends with the driver's error, which a line or two of details may follow
    errors = [line for line in lines if line.partition(":")[0].endswith(("Error", "Violation"))]
    where, colon, said = (errors or lines)[-1].partition(":")
    return f"failed: {where.rpartition('.')[2]}{colon}{said}"[:90]


def _phase(site: Site, name: str, meanwhile: Callable[[], str]) -> dict[str, Any]:
    site.fresh()
    with site.engine.connection() as connection:
        customers, repairs = (
            connection.execute(sa.text(f"SELECT max(id) FROM {table}")).scalar_one()
            for table in ("customers", "repairs")
        )
    argv = [sys.executable, "-m", "benchmarks.operators", site.engine.url, str(customers), str(repairs)]
    operators = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(SETTLING_SECONDS)
        began = time.perf_counter()
        ended = meanwhile()
        seconds = time.perf_counter() - began
    finally:
        operators.terminate()
        out, _ = operators.communicate()
    said = json.loads(out)
    with site.engine.connection() as connection:
        calls = connection.execute(
            sa.text(f"SELECT count(*) FROM calls WHERE id >= {FIRST_CALL}")
        ).scalar_one()
    if lost := said["taken"] - calls:
        raise Failed(f"{lost} of {said['taken']} calls that operators took are gone")
    took = sorted(1000 * each for each in said["took"])
    percentiles = statistics.quantiles(took, n=100)
    phase = {
        "meanwhile": name,
        "ended": ended,
        "seconds": seconds,
        "transactions": len(took),
        "p50": percentiles[49],
        "p99": percentiles[98],
        "longest": took[-1],
        "failed": said["failed"],
        "gone": said["gone"],
    }
    say(f"writers {site.engine.name}: {phase}")
    return phase

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

from benchmarks.measure import ROOT, say
from benchmarks.site import GDPR, Site, run

QUIET_SECONDS = 10
SETTLING_SECONDS = 1


def measure(site: Site, purge: Sequence[str]) -> list[dict[str, Any]]:
    """Operators alone; with the purge; with the floor's one transaction. Times in milliseconds."""
    floor = [sys.executable, "-m", "benchmarks.floor", "erase", site.engine.url]

    def by_hand() -> str:
        return _ended(run([*floor, dt.datetime.now(dt.UTC).isoformat()], ROOT).code)

    def by_gdpr() -> str:
        return _ended(run([*GDPR, *purge], site.folder).code)

    def nothing() -> str:
        time.sleep(QUIET_SECONDS)
        return ""

    return [
        _phase(site, "nothing", nothing),
        _phase(site, "`gdpr purge`", by_gdpr),
        _phase(site, "by hand, in one transaction", by_hand),
    ]


def _ended(code: int) -> str:
    return "" if code in (0, 3) else f"failed with {code}"


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

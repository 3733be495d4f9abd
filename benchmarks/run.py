"""Measure `gdpr purge` and `gdpr scan` against the same work done in other ways, in turns, on three engines.

The command counts in full, from the start of its process to its end, with its checks, its log and its fsyncs. The
floor counts from its connection to its commit. After each purge the contents of the tables are compared.

What is measured is written to results.json in --dir as it goes, and the figures on the page are all that stand there:
a long series can be taken in parts, with the same --dir.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import growth, neighbours, others, page
from benchmarks.data import Size
from benchmarks.measure import Run, Series, alternate, beside_a_writer, by_gdpr, by_hand, say
from benchmarks.servers import ENGINES, Engine, start
from benchmarks.site import Failed, Site

PARTS = ("purge", "scan", "writers", "idle", "memory")
USUAL_PARTS = "purge,scan,writers"
USUAL_ENGINES = "sqlite,postgresql,mariadb"


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gdpr-bench-") as temporary:
        folder = (arguments.dir or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        results = Results(folder / "results.json")
        began = time.perf_counter()
        deadline = began + 60 * arguments.minutes
        failed = False
        for name in arguments.engines:
            for done in measure(name, folder, arguments, results, deadline):
                failed |= not done
            say(f"{name} done, {(time.perf_counter() - began) / 60:.1f} minutes so far")
        table = page.markdown(results.all)
    print(table)
    if arguments.write:
        page.write(table)
    return int(failed)


class Results:
    """What has been measured so far, safe on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.all: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def add(self, key: str, result: Any) -> None:
        self.all[key] = result
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.all, indent=1))
        part.rename(self.path)


def measure(
    name: str, folder: Path, arguments: argparse.Namespace, results: Results, deadline: float
) -> Iterator[bool]:
    """All parts that were asked for, on one engine. Yields whether each could be done; none stops the others."""

    def part(key: str, measured: Callable[[], Any]) -> bool:
        if time.perf_counter() > deadline:
            say(f"{key} {name}: left out, --minutes {arguments.minutes} are over")
            return False
        try:
            results.add(f"{key} {name}", measured())
        except (Failed, sa.exc.SQLAlchemyError) as error:
            say(f"!!! {key} {name} FAILED: {error} !!!")
            return False
        return True

    wanted = set(arguments.only)
    if wanted & {"purge", "scan", "writers"}:
        size = Size(arguments.customers, dt.datetime.now(dt.UTC).date(), arguments.seed)
        engine = start(name, folder, size)
        try:
            site = Site(engine)
            site.forget()
            site.fresh()
            yield part("database", lambda: _database(engine, size))
            if "purge" in wanted:
                yield part("purge", lambda: _purge(site, arguments, deadline).to_json())
            if "scan" in wanted:
                yield part("scan", lambda: _scan(site, arguments, deadline).to_json())
            if "writers" in wanted and not name.startswith("sqlite"):  # which has one writer at a time
                yield part("writers", lambda: neighbours.measure(site, purge_command(arguments)))
        finally:
            engine.stop()
    if "idle" in wanted:
        yield part("idle", lambda: growth.idle(name, folder, arguments.idle_customers))
    if "memory" in wanted:
        commands = {customers: purge_command(arguments, customers) for customers in arguments.sizes}
        yield part("memory", lambda: list(growth.steps(name, folder, commands)))


def _database(engine: Engine, size: Size) -> dict[str, Any]:
    built = json.loads((engine.folder / "built.json").read_text())
    return {**built, "version": engine.version(), "bytes": engine.bytes(), "date": str(size.today)}


def purge_command(arguments: argparse.Namespace, customers: int | None = None) -> tuple[str, ...]:
    """The purge that is measured, which may erase everybody."""
    batch = ("--batch-size", str(arguments.batch_size)) if arguments.batch_size else ()
    return ("purge", "--confirm", str(customers or arguments.customers), *batch)


def _purge(site: Site, arguments: argparse.Namespace, deadline: float) -> Series:
    engine = site.engine

    def purge(*more: str) -> Run:
        return by_gdpr(site, (*purge_command(arguments), *more), lambda said: said["erased"])

    ways: dict[str, Callable[[], Run]] = {
        "floor": lambda: by_hand(engine, "erase"),
        "promised": lambda: by_hand(engine, "promised"),
        "gdpr": purge,
    }
    if engine.name != "sqlite":
        ways["one"] = lambda: purge("--connections", "1")
    ways["beside"] = lambda: beside_a_writer(site, purge)
    if engine.name == "mariadb" and others.has_archiver() and not arguments.no_others:
        ways["pt-archiver"] = lambda: others.by_archiver(engine)
    series = alternate(
        f"purge {engine.name}", arguments.repeats, deadline, site.fresh, ways, contents=engine.contents
    )
    if not arguments.no_others:
        site.fresh()
        series.runs["objects"] = [others.by_objects(engine, arguments.sample)]
    return series


def _scan(site: Site, arguments: argparse.Namespace, deadline: float) -> Series:
    site.fresh()
    ways: dict[str, Callable[[], Any]] = {
        "floor": lambda: by_hand(site.engine, "count"),
        "year": lambda: by_hand(site.engine, "year"),
        "gdpr": lambda: by_gdpr(
            site,
            ("scan",),
            lambda said: {record: counts["due"] for record, counts in said["records"].items()},
        ),
    }
    # neither changes anything
    return alternate(f"scan {site.engine.name}", arguments.repeats, deadline, lambda: None, ways)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument(
        "--engines", type=_words(tuple(ENGINES)), default=USUAL_ENGINES, help=f"of {', '.join(ENGINES)}"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--only", type=_words(PARTS), default=USUAL_PARTS, help=f"of {', '.join(PARTS)}; else {USUAL_PARTS}"
    )
    parser.add_argument(
        "--minutes", type=float, default=40, help="begin nothing new after so many; %(default)s"
    )
    parser.add_argument("--batch-size", type=int, help="for gdpr purge; else its own")
    parser.add_argument("--sample", type=int, default=500, help="customers of the loop over objects")
    parser.add_argument(
        "--no-others", action="store_true", help="neither pt-archiver nor the loop over objects"
    )
    parser.add_argument("--idle-customers", type=int, default=1_000_000)
    parser.add_argument("--sizes", type=_numbers, default="10000,100000,1000000", help="for memory")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--dir", type=Path, help="databases and results stay here, for the next run; on a disk"
    )
    parser.add_argument("--write", action="store_true", help="write the figures to docs/benchmarks.md")
    return parser.parse_args()


def _words(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: none of {', '.join(known)}")
        return [name for name in known if name in text.split(",")]

    return read


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]

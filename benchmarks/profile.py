"""Where the time of a command goes: statement by statement, and in Python.

    python -m benchmarks.profile postgresql --customers 10000 --dir /tmp/bench purge
    python -m benchmarks.profile sqlite --dir /tmp/bench scan -- --details

The database is built once in --dir and used again by the next call. What stands after `--` is passed to the command.
The time of a statement is that of the driver's `execute`, and with it that of fetching its rows (but for SQLite, the
drivers take all rows from the server first). cProfile makes Python's share look larger: see --no-python.
"""

from __future__ import annotations

import argparse
import cProfile
import datetime as dt
import os
import pstats
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.data import Size
from benchmarks.servers import ENGINES, start
from benchmarks.site import Site
from staffords_gdpr.cli.main import run as gdpr


@dataclass
class Statement:
    """All executions of one statement together."""

    seconds: float = 0.0
    times: int = 0
    rows: int = 0


class Watch:
    """Statements by their text, and for how many `seconds` any was under way: of several connections at once, once."""

    def __init__(self) -> None:
        self.statements: defaultdict[str, Statement] = defaultdict(Statement)
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._under_way = 0
        self._since = 0.0

    def begin(self) -> float:
        now = time.perf_counter()
        with self._lock:
            if not self._under_way:
                self._since = now
            self._under_way += 1
        return now

    def end(self, text: str, began: float, rows: int = 0) -> None:
        now = time.perf_counter()
        with self._lock:
            self._under_way -= 1
            if not self._under_way:
                self.seconds += now - self._since
            one = self.statements[text]
            one.seconds += now - began
            one.times += 1
            one.rows += max(rows, 0)


@contextmanager
def watched() -> Iterator[Watch]:
    """Every statement that SQLAlchemy executes meanwhile; COMMIT and ROLLBACK too."""
    watch = Watch()

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        connection.info["began"] = watch.begin()

    def after(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        watch.end(shape(statement), connection.info["began"], cursor.rowcount)

    def failed(context: Any) -> None:
        if context.statement is not None and context.connection is not None:
            watch.end(shape(context.statement), context.connection.info["began"])

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": before,
        "after_cursor_execute": after,
        "handle_error": failed,
    }
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    from sqlalchemy.engine.default import DefaultDialect  # noqa: PLC0415

    kept = {name: getattr(DefaultDialect, name) for name in ("do_commit", "do_rollback")}

    def timed(name: str) -> Any:
        def do(dialect: Any, connection: Any) -> None:
            began = watch.begin()
            try:
                kept[name](dialect, connection)
            finally:
                watch.end(name.removeprefix("do_").upper(), began)

        return do

    for name in kept:
        setattr(DefaultDialect, name, timed(name))
    try:
        yield watch
    finally:
        for name, method in kept.items():
            setattr(DefaultDialect, name, method)
        for name, listener in listeners.items():
            event.remove(Engine, name, listener)


def shape(statement: str) -> str:
    """The statement without what differs from one execution to the next."""
    return re.sub(
        r"(\(\s*(?:%s|\?|%\(\w+\)s|:\w+)(?:,\s*(?:%s|\?|%\(\w+\)s|:\w+))*\s*\)(?:,\s*)?)+", "(...)", statement
    )


def main() -> None:
    arguments = _arguments()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    size = Size(arguments.customers, arguments.today, arguments.seed)
    engine = start(arguments.engine, arguments.dir, size)
    try:
        site = Site(engine)
        site.forget()
        site.fresh()
        os.chdir(site.folder)
        command = [arguments.command, *arguments.more]
        if arguments.command == "purge":
            command += ["--confirm", str(arguments.customers)]
        profiler = cProfile.Profile()
        began, worked, server = time.perf_counter(), time.process_time(), engine.cpu()
        with watched() as watch, nullcontext() if arguments.no_python else profiler:
            code = gdpr(command)
        seconds = time.perf_counter() - began
        _show(watch.statements, arguments.width, arguments.top)
        inside = watch.seconds
        print(
            f"\n{' '.join(command)} ended with {code} after {seconds:.2f} s, {inside:.2f} s of it in the database's "
            f"driver; processor time: {time.process_time() - worked:.2f} s gdpr, {engine.cpu() - server:.2f} s server"
        )
        if not arguments.no_python:
            stats = pstats.Stats(profiler, stream=sys.stdout).strip_dirs()
            stats.sort_stats(arguments.sort).print_stats(arguments.top)
    finally:
        engine.stop()


def _show(statements: dict[str, Statement], width: int, top: int) -> None:
    print(f"\n{'seconds':>9} {'times':>7} {'rows':>9}  statement")
    ordered = sorted(statements.items(), key=lambda each: -each[1].seconds)
    for text, one in ordered[:top]:
        shown = " ".join(text.split())
        shown = shown if len(shown) <= width else f"{shown[: width * 2 // 3]} ... {shown[-width // 3 :]}"
        print(f"{one.seconds:9.3f} {one.times:7} {one.rows:9}  {shown}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("command", choices=("purge", "scan"), nargs="?", default="purge")
    parser.add_argument("more", nargs="*", help="passed to the command; put -- before it")
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, default=Path("/tmp/gdpr-bench"))
    parser.add_argument("--today", type=dt.date.fromisoformat, default=dt.datetime.now(dt.UTC).date())
    parser.add_argument("--top", type=int, default=40, help="lines of each table")
    parser.add_argument("--width", type=int, default=300, help="characters of a statement")
    parser.add_argument("--sort", default="cumulative", help="how cProfile sorts: cumulative, tottime, ...")
    parser.add_argument(
        "--no-python", action="store_true", help="leave cProfile out, which slows Python down"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""`gdpr scan`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_if_any, read_moment, read_settings
from staffords_gdpr.cli.progress import reporter
from staffords_gdpr.errors import UsageError

ROWS_ON_A_TERMINAL = 200
STATES = ("kept", "held", "due", "undecidable", "anonymised")


def scan(
    *,
    details: Annotated[
        bool, typer.Option("--details", metavar="", help="List the rows: key, state, last day, reason.")
    ] = False,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"With --details, only rows in this state: {', '.join(STATES)}. Repeatable.",
        ),
    ] = None,
    as_of: options.AsOf = None,
    format: options.RowsFormatted = options.RowFormat.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Show how many rows are kept, held, due or undecidable, and what becomes due.

    Reads the database and writes nothing anywhere.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    wanted = _states(state or [])
    details = details or bool(wanted) or format == options.RowFormat.JSONL
    from staffords_gdpr.operations.holds import current_holds
    from staffords_gdpr.operations.scan import scan as look
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import json
    from staffords_gdpr.render import scan as view
    from staffords_gdpr.retention.states import State

    rules = load_policy(settings.policy)
    moment = read_moment(as_of, rules.zone)
    log = log_if_any(settings)
    with opened(settings, write=False) as engine, reporter() as progress:
        result = look(
            rules,
            engine,
            as_of=moment,
            holds=current_holds(log) if log else frozenset(),
            log=log,
            details=details,
            states=frozenset(State(name) for name in wanted) or None,
            progress=progress,
        )
    if format == options.RowFormat.JSONL:
        output.show_lines(json.rows(result))
    elif format == options.RowFormat.JSON:
        output.show_json(json.scan(result))
    elif details:
        output.show_page(view.details(result, at_most=ROWS_ON_A_TERMINAL if sys.stdout.isatty() else None))
    else:
        output.show_page(view.page(result, rules))


def _states(names: list[str]) -> list[str]:
    for name in names:
        if name not in STATES:
            raise UsageError(f"--state: {name!r} is no state", f"Write one of {', '.join(STATES)}.")
    return names

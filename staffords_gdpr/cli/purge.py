"""`gdpr purge`"""

from __future__ import annotations

import signal
import sys
from contextlib import nullcontext
from functools import partial
from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.notify import notifying
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_moment, read_settings
from staffords_gdpr.cli.progress import reporter
from staffords_gdpr.cli.stopping import INTERRUPTED, Stopping, stopping
from staffords_gdpr.errors import FindingsError, UsageError
from staffords_gdpr.settings import Notify


def purge(
    *,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            metavar="",
            help="Do everything up to the erasing, say what would go, and write nothing.",
        ),
    ] = False,
    confirm: Annotated[
        int | None,
        typer.Option(
            "--confirm",
            metavar="N",
            min=1,
            help="Allow up to N subjects where the brake on large runs refused, until that backlog is done.",
        ),
    ] = None,
    as_of: options.AsOf = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="SUBJECTS",
            help="Subjects in one transaction. Left out, a batch is as large as keeps its locks short.",
        ),
    ] = None,
    connections: Annotated[
        int | None,
        typer.Option(
            "--connections",
            metavar="N",
            help="Erase with so many connections at once. Left out, with 2 where there is much to do.",
        ),
    ] = None,
    max_runtime: Annotated[
        str | None,
        typer.Option(
            "--max-runtime", metavar="DURATION", help="Begin no batch after so long: 45m, 2h. The rest waits."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="HH:MM", help="Begin no batch after this time, in the policy's zone: 06:00."
        ),
    ] = None,
    pause: Annotated[
        str | None,
        typer.Option("--pause", metavar="DURATION", help="Wait so long between two batches: 50ms, 1s."),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Erase what is due, and write it to the audit log. Meant for cron.

    Run by cron it prints nothing unless something needs a person. --as-of goes
    with --dry-run only. SIGTERM or Ctrl-C ends it after the batch that it is
    at; the next run goes on from there.
    """
    if as_of is not None and not dry_run:
        raise UsageError(
            "--as-of goes with --dry-run only: a purge erases what is due now",
            "Leave --as-of out, or add --dry-run to see what would be due then.",
        )
    settings = read_settings(
        database=database, policy=policy, home=home,
        batch_size=batch_size, connections=connections, max_runtime=max_runtime, until=until, pause=pause,
    )  # fmt: skip
    rehearsal = settings.rehearsal and not dry_run
    from staffords_gdpr.operations.purge import Limits
    from staffords_gdpr.operations.purge import purge as erase
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import json
    from staffords_gdpr.render import purge as view

    with notifying(_told(settings.notify, dry_run=dry_run, rehearsal=rehearsal)) as ending:
        rules = load_policy(settings.policy)
        plan = partial(view.plan, policy=rules)
        live = not (dry_run or rehearsal)
        signals = stopping() if live else nullcontext(Stopping())
        with opened(settings, write=live) as engine, signals as stop, reporter(plan) as progress:
            result = erase(
                rules,
                engine,
                log_of(settings),
                now=read_moment(as_of, rules.zone),
                dry_run=dry_run,
                rehearsal=rehearsal,
                compare_clocks=as_of is None,
                confirm=confirm,
                limits=Limits(
                    settings.batch_size,
                    settings.hold_locks_for,
                    settings.max_runtime,
                    settings.until,
                    settings.pause,
                    settings.connections,
                ),
                stop=stop,
                progress=progress,
            )
        ending.run = result.run
        # undecidable rows alone are no failure (exit 0), but more of them than last time are worth a mail from cron
        quiet = not (sys.stdout.isatty() or dry_run or rehearsal or result.has_news)
        if format == options.Format.JSON or not quiet:
            output.show(format, page=lambda: view.page(result, rules), data=lambda: json.purge(result))
        if result.needs_person:
            ending.exit_code = FindingsError.exit_code
        elif result.ended == "signal" and stop.signal == signal.SIGINT:
            ending.exit_code = INTERRUPTED
    return ending.exit_code


def _told(commands: Notify, *, dry_run: bool, rehearsal: bool) -> Notify:
    """The commands that may hear of this run: that all went well is not for one that erases nothing."""
    if dry_run:
        return Notify()
    return Notify(failure=commands.failure) if rehearsal else commands

"""`gdpr purge`"""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.notify import notifying
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_moment, read_settings
from staffords_gdpr.cli.progress import reporter
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
            help="Subjects in one transaction. Else GDPR_BATCH_SIZE, else gdpr.toml, else 500.",
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Erase what is due, and write it to the audit log. Meant for cron.

    Run by cron it prints nothing unless something needs a person. --as-of goes
    with --dry-run only.
    """
    if as_of is not None and not dry_run:
        raise UsageError(
            "--as-of goes with --dry-run only: a purge erases what is due now",
            "Leave --as-of out, or add --dry-run to see what would be due then.",
        )
    settings = read_settings(database=database, policy=policy, home=home, batch_size=batch_size)
    from staffords_gdpr.operations.purge import purge as erase
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import json
    from staffords_gdpr.render import purge as view

    with notifying(Notify() if dry_run else settings.notify) as ending:
        rules = load_policy(settings.policy)
        plan = partial(view.plan, policy=rules)
        with opened(settings, write=not dry_run) as engine, reporter(plan) as progress:
            result = erase(
                rules,
                engine,
                log_of(settings),
                now=read_moment(as_of, rules.zone),
                dry_run=dry_run,
                confirm=confirm,
                batch_size=settings.batch_size,
                progress=progress,
            )
        ending.run = result.run
        # undecidable rows alone are no failure (exit 0), but more of them than last time are worth a mail from cron
        quiet = not (sys.stdout.isatty() or dry_run or result.has_news)
        if format == options.Format.JSON or not quiet:
            output.show(format, page=lambda: view.page(result, rules), data=lambda: json.purge(result))
        ending.exit_code = FindingsError.exit_code if result.result != "complete" else 0
    return ending.exit_code

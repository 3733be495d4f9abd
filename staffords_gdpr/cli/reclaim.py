"""`gdpr reclaim`"""

from __future__ import annotations

from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_settings
from staffords_gdpr.cli.progress import reporter
from staffords_gdpr.errors import FindingsError


def reclaim(
    *,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            metavar="",
            help="Write the tables anew, whatever the policy says. They are locked meanwhile.",
        ),
    ] = False,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Clear the traces of erased rows out of the database's files.

    Meant for a maintenance window. It does what the policy says under
    'reclaim', VACUUM at least, with every table of the policy, and writes it
    to the audit log. docs/erasure.md says what that is good for on each
    engine. Exits 3 where something could not be done.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.reclaim import reclaim as clear
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import json
    from staffords_gdpr.render import reclaim as view

    rules = load_policy(settings.policy)
    with opened(settings, write=True) as engine, reporter() as progress:
        result = clear(rules, engine, log_of(settings), now=now(), full=full, progress=progress)
    output.show(format, page=lambda: view.page(result), data=lambda: json.reclaim(result))
    return 0 if result.complete else FindingsError.exit_code

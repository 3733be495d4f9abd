"""`gdpr init` and `gdpr approve`"""

from __future__ import annotations

import platform
import re
from typing import TYPE_CHECKING, Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_key, read_settings
from staffords_gdpr.cli.progress import reporter
from staffords_gdpr.errors import GdprError, UsageError

if TYPE_CHECKING:
    from staffords_gdpr.operations.propose.guesses import Proposal
    from staffords_gdpr.settings import Settings

_LOG_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9._-]+)*")


def init(
    *,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The log's name, as in staffords.example/customer-data. Else named for this machine.",
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Make the home folder, the log's signing key and the audit log, and propose a policy.

    Asks nothing. What is there already is left as it is, so it can be run again.
    A policy is proposed where there is none and a database is named: from its
    tables and a few rows of each, read-only. No value of a row is kept or shown.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    chosen = name or f"{platform.node() or 'localhost'}/customer-data".lower()
    if not _LOG_NAME.fullmatch(chosen):
        raise UsageError(
            f"--name: {chosen!r} is no name for a log",
            "Write small letters, digits, dots and dashes: staffords.example/customer-data.",
        )
    from staffords_gdpr.auditlog.layout import Home
    from staffords_gdpr.operations.setup import init_home
    from staffords_gdpr.render import setup as view

    made = init_home(Home(settings.home), name=chosen, now=now())
    proposal = None if settings.policy.exists() or settings.database_url is None else _propose(settings)
    output.show(
        format,
        page=lambda: view.init_page(made, settings.policy, proposal, asked=name),
        data=lambda: view.init_data(made, settings.policy, proposal),
    )


def _propose(settings: Settings) -> Proposal:
    """Write a proposed policy for the database of the settings."""
    from staffords_gdpr.operations.propose import propose, write_policy
    from staffords_gdpr.render.proposal import policy_text

    try:
        with opened(settings, write=False) as engine, reporter() as progress:
            proposal = propose(engine, today=now().date(), progress=progress)
        write_policy(settings.policy, policy_text(proposal))
    except GdprError as error:
        again = "The home folder and the log are there; run gdpr init again for the proposal."
        raise type(error)(
            f"no policy was proposed: {error.message}", f"{error.hint}\n{again}".strip()
        ) from None
    return proposal


def approve(
    *,
    role: options.Role,
    key: options.KeyFile,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Approve the policy as it stands, for this database, with your signature.

    A purge runs only under a policy that was approved. 'gdpr review' ends with
    the same step.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.setup import approve as sign
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import setup as view

    rules = load_policy(settings.policy)
    log = log_of(settings)
    person = read_key(key)
    with opened(settings, write=False) as engine:
        result = sign(rules, engine, log, key=person, role=role, now=now())
    output.show(
        format,
        page=lambda: view.approval_page(result, settings.policy),
        data=lambda: view.approval_data(result),
    )

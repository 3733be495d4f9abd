"""`gdpr init` and `gdpr approve`"""

from __future__ import annotations

import platform
import re
from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_key, read_settings
from staffords_gdpr.errors import UsageError

_LOG_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9._-]+)*")


def init(
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The log's name, which stands in every entry: staffords.example/customer-data. Else this machine's name.",
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Make the home folder, the log's signing key and the audit log.

    Asks nothing. What is there already is left as it is, so it can be run again.
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

    log = init_home(Home(settings.home), name=chosen, now=now())
    made = view.Made(log.name, settings.home, log.public_key, settings.policy, settings.policy.exists())
    output.show(format, page=lambda: view.init_page(made), data=lambda: view.init_data(made))


def approve(
    role: options.Role,
    key: options.KeyFile,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Approve the policy as it stands, for this database, with your signature.

    A purge runs only under a policy that was approved. 'gdpr review' ends with the same step.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.setup import approve as sign
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import log as view

    rules = load_policy(settings.policy)
    log = log_of(settings)
    with opened(settings, write=False) as engine:
        entry = sign(rules, engine, log, key=read_key(key), role=role, now=now())
    sentence = f"Approved: {settings.policy} as it stands, by the {role}. It is entry {entry.seq} of the log."
    output.show(format, page=lambda: view.sentence(sentence), data=lambda: view.entry_data(entry))

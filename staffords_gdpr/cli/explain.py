"""`gdpr explain`"""

from __future__ import annotations

from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import holds_of, read_moment, read_settings, require_subject


def explain(
    *,
    record: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="What the policy calls its subject: customer.")
    ],
    key: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY...",
            help="The key of the row, or the value; several words, or A-17/2, for several columns.",
        ),
    ],
    as_of: options.AsOf = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Explain every row of one data subject: its dates, its last day, what holds it.

    'gdpr explain customer 123' answers "why do you still have my data?".
    Writes nothing anywhere.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.explain import explain as look
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import explain as view

    rules = load_policy(settings.policy)
    require_subject(rules, record)
    moment = read_moment(as_of, rules.zone)
    with opened(settings, write=False) as engine:
        result = look(rules, engine, subject=tuple(key), as_of=moment, holds=holds_of(settings))
    output.show(format, page=lambda: view.page(result, rules), data=lambda: view.data(result))

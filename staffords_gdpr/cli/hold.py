"""`gdpr hold`"""

from __future__ import annotations

from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_day, read_settings, require_subject
from staffords_gdpr.cli.progress import reporter

_HELP = "Legal holds: keep all of one data subject's rows while a claim or an inquiry runs."

app = typer.Typer(help=_HELP)


@app.callback(help=_HELP)
def hold() -> None:
    """Without a command of its own there is nothing to do."""


@app.command("list")
def list_all(
    format: options.Formatted = options.Format.TABLE,
    home: options.HomeFolder = None,
) -> None:
    """List the holds in force, oldest first."""
    settings = read_settings(home=home)
    from staffords_gdpr.operations.holds import current
    from staffords_gdpr.render import hold as view

    found = current(log_of(settings))
    output.show(format, page=lambda: view.page(found), data=lambda: view.data(found))


@app.command()
def add(
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
    reason_code: Annotated[
        str,
        typer.Option(
            "--reason-code", metavar="CODE", help="A short word, such as claim or tax-inquiry. No names."
        ),
    ],
    review_on: Annotated[
        str,
        typer.Option(
            "--review-on", metavar="DAY", help="When to ask whether it is needed still: 2027-05-31."
        ),
    ],
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Put a subject on hold: nothing of it is erased until the hold is released.

    The audit log knows the subject only as a keyed hash; its key and the reason
    stay in secret/holds.json. Exits 3 where the hold came too late for a batch
    of a purge that was under way.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.holding import hold_subject
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import hold as view

    rules = load_policy(settings.policy)
    require_subject(rules, record)
    day = read_day("--review-on", review_on)
    with opened(settings, write=False) as engine, reporter() as progress:
        found = hold_subject(
            rules,
            engine,
            log_of(settings),
            words=tuple(key),
            reason=reason_code,
            look_again=day,
            now=now(),
            progress=progress,
        )
    output.show(format, page=lambda: view.added(found), data=lambda: view.added_data(found))
    return found.exit_code


@app.command()
def release(
    number: Annotated[str, typer.Argument(metavar="HOLD", help="Its number, as 'gdpr hold list' shows it.")],
    format: options.Formatted = options.Format.TABLE,
    home: options.HomeFolder = None,
) -> None:
    """End a hold. From the next purge on the rules decide again."""
    settings = read_settings(home=home)
    from staffords_gdpr.operations import holds
    from staffords_gdpr.render import hold as view

    holds.release(log_of(settings), hold=number, now=now())
    output.show(format, page=lambda: view.released(number), data=lambda: {"released": number})

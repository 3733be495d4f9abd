"""`gdpr action`"""

from __future__ import annotations

from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import log_of, read_key, read_settings

app = typer.Typer(help="Corrective actions: what a review found necessary, by when, and whether it was done.")


@app.callback()
def action() -> None:
    """Corrective actions: what a review found necessary, by when, and whether it was done."""


@app.command("list")
def list_all(
    closed: Annotated[bool, typer.Option("--closed", help="Those that are closed, too.")] = False,
    format: options.Formatted = options.Format.TABLE,
    home: options.HomeFolder = None,
) -> None:
    """List the actions that are open, oldest first.

    What is to be done stands in the report of the review that opened it: the
    audit log holds only its number and its date.
    """
    settings = read_settings(home=home)
    from staffords_gdpr.operations.actions import list_actions
    from staffords_gdpr.render import action as view

    log = log_of(settings)
    found = list_actions(log, closed=closed)
    output.show(format, page=lambda: view.page(found), data=lambda: view.data(found))


@app.command()
def close(
    number: Annotated[
        str, typer.Argument(metavar="ACTION", help="Its number, as 'gdpr action list' shows it.")
    ],
    key: options.KeyFile,
    format: options.Formatted = options.Format.TABLE,
    home: options.HomeFolder = None,
) -> None:
    """Say that an action was done. Your key stands for it in the audit log."""
    settings = read_settings(home=home)
    from staffords_gdpr.operations.actions import close_action
    from staffords_gdpr.render import action as view

    log = log_of(settings)
    done = close_action(log, action=number, key=read_key(key), now=now())
    output.show(format, page=lambda: view.closed(done), data=lambda: view.action_data(done))

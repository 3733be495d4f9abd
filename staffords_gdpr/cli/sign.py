"""`gdpr sign`"""

from __future__ import annotations

from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import log_of, read_key, read_settings


def sign(
    role: options.Role,
    key: options.KeyFile,
    of: Annotated[
        int | None,
        typer.Option(
            "--of", metavar="ENTRY", min=0, help="The number of its entry in the log. Else the latest audit."
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    home: options.HomeFolder = None,
) -> None:
    """Sign off an audit or a review: you have read it and stand by it.

    An audit needs the sign-off of every role that the policy names, each by
    another person.
    """
    settings = read_settings(home=home)
    from staffords_gdpr.operations.sign import sign as sign_off
    from staffords_gdpr.render import audit as view

    log = log_of(settings)
    result = sign_off(log, key=read_key(key), role=role, of=of, now=now())
    output.show(format, page=lambda: view.signed(result), data=lambda: view.signed_data(result))

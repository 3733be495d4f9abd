"""`gdpr keys`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import ask_passphrase, log_of, read_key, read_settings
from staffords_gdpr.errors import UsageError

app = typer.Typer(help="Keys of the people who sign.")


@app.callback()
def keys() -> None:
    """Keys of the people who sign."""


@app.command()
def new(
    *,
    role: options.Role,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the new key goes. Never over a file.")
    ],
    no_passphrase: Annotated[
        bool,
        typer.Option(
            "--no-passphrase",
            metavar="",
            help="Write the key without a passphrase: for tests and demonstrations.",
        ),
    ] = False,
    by: Annotated[
        Path | None,
        typer.Option(
            "--by",
            metavar="FILE",
            help="A director's key, which signs for every person but the first of a role.",
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Make a key for a person and enrol them in the audit log under a role.

    Asks for a passphrase. The role is one that the policy names. The first person of a role is enrolled freely, later
    ones by a director.
    """
    settings = read_settings(policy=policy, home=home)
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} is there already", "Keys are never overwritten. Choose another file.")
    if settings.policy.exists():
        require_known_role(role, settings.policy)
    log = log_of(settings)
    signer = read_key(by) if by is not None else None
    from staffords_gdpr.operations.setup import new_keys
    from staffords_gdpr.render import setup as view

    passphrase = None if no_passphrase else ask_passphrase("A passphrase for the new key: ", twice=True)
    made = new_keys(log, role=role, path=out, passphrase=passphrase, by=signer, now=now())
    output.show(format, page=lambda: view.key_page(made), data=lambda: view.key_data(made))


def require_known_role(role: str, path: Path) -> None:
    """Raise UsageError for a role that the policy gives nothing to do: its key could never sign anything."""
    from staffords_gdpr.auditlog.people import DIRECTOR
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.policy.suggest import did_you_mean

    roles = load_policy(path).roles
    known = list(dict.fromkeys((*roles.audit, *roles.review, DIRECTOR)))
    if role not in known:
        hint = f"The policy names: {', '.join(known)}."
        suggestion = did_you_mean(role, known)
        raise UsageError(f"{path} names no role {role!r}", f"{suggestion} {hint}" if suggestion else hint)

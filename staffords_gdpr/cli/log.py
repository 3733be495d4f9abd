"""`gdpr log`"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_key, read_settings
from staffords_gdpr.errors import FindingsError, LogBrokenError, UsageError

if TYPE_CHECKING:
    from staffords_gdpr.auditlog import Entry

RAW_KEY_LENGTH = 32

_HELP = "The audit log: show it, verify it, settle what it leaves open."

app = typer.Typer(help=_HELP)


@app.callback(help=_HELP)
def log() -> None:
    """Without a command of its own there is nothing to do."""


@app.command()
def show(
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=0, help="Only the last N entries; 0 for all.")
    ] = 20,
    type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only entries of this type: purge.end.")
    ] = None,
    format: options.RowsFormatted = options.RowFormat.TABLE,
    home: options.HomeFolder = None,
) -> None:
    """Show the entries of the audit log, oldest first.

    Shows a log that does not verify, too, as far as it can be read, and exits 5
    with the line at which it is broken.
    """
    settings = read_settings(home=home)
    from staffords_gdpr.auditlog.entries import TYPES
    from staffords_gdpr.policy.suggest import did_you_mean
    from staffords_gdpr.render import log as view

    if type is not None and type not in TYPES:
        known = did_you_mean(type, TYPES) or f"The types are: {', '.join(TYPES)}."
        raise UsageError(f"--type: {type!r} is no type of entry", known)
    opened = log_of(settings)
    shown: deque[Entry] = deque(maxlen=last or None)
    with suppress(LogBrokenError):  # it is told below, after what can be shown
        shown.extend(entry for entry in opened.entries() if type is None or entry.type == type)
    if format == options.RowFormat.JSONL:
        output.show_lines(view.entry_data(entry) for entry in shown)
    else:
        output.show(format, page=lambda: view.page(shown), data=lambda: view.data(shown))
    opened.require_verified(full=True)


@app.command()
def verify(
    trust: Annotated[
        str | None,
        typer.Option(
            "--trust",
            metavar="KEY",
            help="The log's first public key, as you noted it down elsewhere: base64, or a file.",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="A checkpoint that was copied off this machine; shows a cut tail.",
        ),
    ] = None,
    format: options.Formatted = options.Format.TABLE,
    home: options.HomeFolder = None,
) -> int:
    """Verify the whole audit log: signatures, chain, checkpoints. Exits 5 where it is broken.

    Without --trust and --checkpoint it believes the key and the checkpoint that
    lie beside the log.
    """
    settings = read_settings(home=home)
    from staffords_gdpr.auditlog.layout import Home
    from staffords_gdpr.auditlog.verify import verify as check
    from staffords_gdpr.render import log as view

    if checkpoint is not None:
        _need_checkpoint(checkpoint)
    result = check(Home(settings.home), trust=_trusted(trust), checkpoint=checkpoint)
    output.show(format, page=lambda: view.verification(result), data=lambda: view.verification_data(result))
    return 0 if result.ok else LogBrokenError.exit_code


@app.command()
def settle(
    *,
    batch: Annotated[
        str, typer.Argument(metavar="BATCH", help="A batch with an unclear outcome: 'gdpr status' names it.")
    ],
    role: Annotated[
        str | None,
        typer.Option("--as", metavar="ROLE", help="The role in which you sign: one that the policy names."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="FILE", help="Your key. Without --as and --key it only shows what it found."
        ),
    ] = None,
    details: Annotated[
        bool,
        typer.Option("--details", metavar="", help="List the keys of the rows, gone and still there."),
    ] = False,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Close a batch whose outcome is unclear, with your signature.

    Run it without --as and --key first: it shows how many rows the batch was
    to erase, how many are gone and how many are still there, and exits 3. With
    them it closes the batch: what is gone is gone, and from the next purge on
    the rules decide anew about the rest.
    """
    if (role is None) != (key is None):
        raise UsageError("--as and --key go together", "Give both to sign, or neither to look first.")
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.purge import settlement
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import settlement as view

    rules = load_policy(settings.policy)
    opened_log = log_of(settings)
    person = read_key(key) if key is not None else None
    with opened(settings, write=False) as engine:
        if person is None or role is None:
            found = settlement.look(rules, engine, opened_log, batch=batch)
        else:
            found = settlement.settle_unclear(
                rules, engine, opened_log, batch=batch, key=person, role=role, now=now()
            )
    output.show(
        format,
        page=lambda: view.page(found, details=details),
        data=lambda: view.data(found, details=details),
    )
    return FindingsError.exit_code if found.entry is None else 0


def _need_checkpoint(path: Path) -> None:
    """Raise UsageError for a file that is no checkpoint at all: of the log it tells nothing, good or bad."""
    from staffords_gdpr.auditlog.checkpoint import CheckpointError, parse

    hint = "Name a copy of audit/checkpoint."
    if not path.is_file():
        raise UsageError(f"--checkpoint: there is no file {path}", hint)
    try:
        parse(path.read_bytes())
    except OSError as error:
        raise UsageError(f"--checkpoint: {path} cannot be read: {error.strerror}", hint) from None
    except CheckpointError as error:
        raise UsageError(f"--checkpoint: {path} is no checkpoint: {error}", hint) from None


def _trusted(text: str | None) -> bytes | None:
    """The raw public key that --trust names."""
    if text is None:
        return None
    try:
        path = Path(text)
        given = path.read_text(encoding="ascii").strip() if path.is_file() else text
        key = base64.b64decode(given, validate=True)
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise UsageError(
            f"--trust: {text!r} is neither a key in base64 nor a file that holds one", _TRUST_HINT
        ) from error
    if len(key) != RAW_KEY_LENGTH:
        raise UsageError(
            f"--trust: a public key has {RAW_KEY_LENGTH} bytes, this has {len(key)}", _TRUST_HINT
        )
    return key


_TRUST_HINT = "'gdpr init' prints the key; it stands in the first entry of the log as 'key'."

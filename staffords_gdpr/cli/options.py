"""The options that several commands share, with the same words everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

PLACES = "Where things are"


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


class RowFormat(StrEnum):
    """How a result that may list rows is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The database as a URL: sqlite:///calls.db. Else GDPR_DATABASE_URL, else gdpr.toml.",
        rich_help_panel=PLACES,
    ),
]
PolicyFile = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="The policy. Else GDPR_POLICY, else gdpr.toml, else policies/retention.yaml.",
        rich_help_panel=PLACES,
    ),
]
HomeFolder = Annotated[
    str | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="The folder that holds audit/ and secret/. Else GDPR_HOME, else gdpr.toml, else this folder.",
        rich_help_panel=PLACES,
    ),
]
Formatted = Annotated[
    Format, typer.Option("--format", help="How to print the result; json is for scripts.", show_default=True)
]
RowsFormatted = Annotated[
    RowFormat,
    typer.Option("--format", help="How to print the result; json is for scripts, jsonl is one row a line."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="Answer as of this moment, not now: 2026-11-23 is the start of that day in the policy's time "
        "zone, 2026-11-23T09:00 a time in that zone, 2026-11-23T09:00+00:00 names its own.",
    ),
]
Role = Annotated[
    str,
    typer.Option("--as", metavar="ROLE", help="The role in which you act, as the policy names it: director."),
]
KeyFile = Annotated[
    Path,
    typer.Option(
        "--key", metavar="FILE", help="Your key, made by 'gdpr keys new'. Its passphrase is asked for."
    ),
]

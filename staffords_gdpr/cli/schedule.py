"""`gdpr schedule`"""

from __future__ import annotations

import datetime as dt
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.opening import read_settings
from staffords_gdpr.errors import UsageError
from staffords_gdpr.setting_values import Value, clock_time
from staffords_gdpr.settings import FILE_NAME, load_settings


class UnitFormat(StrEnum):
    """What is printed."""

    TABLE = "table"
    CRONTAB = "crontab"
    SERVICE = "service"
    TIMER = "timer"
    JSON = "json"


def schedule(
    *,
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When in the night, in the policy's time zone.")
    ] = "02:00",
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="The account of its own that the purge runs under.")
    ] = "gdpr",
    format: Annotated[
        UnitFormat,
        typer.Option(
            "--format",
            help="table: all of it, with comments; crontab, service, timer: that alone, as a file.",
        ),
    ] = UnitFormat.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> None:
    """Print what runs the purge every night: a crontab line, a systemd service and timer.

    How often is the policy's word; a period that no calendar has, such as 10
    days, comes out a little sooner. Nothing is installed.
    """
    time = clock_time(Value(at, "--at", Path.cwd())) or dt.time(2)
    if not user or not all(letter.isalnum() or letter in "_-." for letter in user):
        raise UsageError(f"--user: {user!r} is no account", "Write the name of an account, as in gdpr.")
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.timetable import job, timetable
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import units

    rules = load_policy(settings.policy)
    when = timetable(rules.schedule.purge, time, rules.zone)
    folder = Path.cwd()
    there = load_settings({}, {}, folder, files=(folder / FILE_NAME, Path("/etc") / FILE_NAME))
    work = job(settings, there, folder=folder, command=_this_command())
    if format == UnitFormat.JSON:
        output.show_json(units.data(work, when, user))
        return
    text = {
        UnitFormat.TABLE: lambda: units.everything(work, when, user),
        UnitFormat.CRONTAB: lambda: units.crontab(work, when),
        UnitFormat.SERVICE: lambda: units.service(work, when, user),
        UnitFormat.TIMER: lambda: units.timer(when),
    }[format]()
    output.show_text(text)


def _this_command() -> tuple[str, ...]:
    """How this gdpr is started from anywhere: by its full path."""
    beside = Path(sys.executable).with_name("gdpr")
    if os.access(beside, os.X_OK):
        return (str(beside),)
    return (sys.executable, "-m", "staffords_gdpr.cli.main")

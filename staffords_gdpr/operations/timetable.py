"""When cron or systemd starts the purge, and what it needs there: `gdpr schedule`.

Neither counts periods, both know a calendar. What is chosen never lies further apart than the policy's schedule allows;
where a period does not fit the calendar it comes sooner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from staffords_gdpr.errors import UsageError
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.settings import Settings

LONGEST_SPREAD = dt.timedelta(minutes=10)
_MIDNIGHT = dt.timedelta(days=1)


@dataclass(frozen=True)
class Timetable:
    """The start of every run. `crontab` are its five fields, `calendar` is systemd's OnCalendar, `words` say both.

    Cron counts in the machine's zone, systemd in `zone`. `spread`: so long may systemd wait, on the same day still.
    """

    crontab: str
    calendar: str
    words: str
    zone: ZoneInfo
    spread: dt.timedelta


@dataclass(frozen=True)
class Job:
    """One run of `gdpr purge` as cron and systemd start it.

    `environment` holds the settings that no gdpr.toml says which they would find; `writable` the folders that a purge
    writes to; `password_file` is what may be handed over as a credential.
    """

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    writable: tuple[Path, ...]
    password_file: Path | None
    on_network: bool


def timetable(every: Period, at: dt.time, zone: ZoneInfo) -> Timetable:
    """The runs for a schedule of one purge in `every`, at this time of the clock."""
    days, months, weekday, words = _days(every)
    since_midnight = dt.timedelta(hours=at.hour, minutes=at.minute)
    return Timetable(
        crontab=f"{at.minute} {at.hour} {days} {months} {'0' if weekday else '*'}",
        calendar=f"{weekday}*-{months}-{days} {at:%H:%M}:00 {zone.key}",
        words=f"{words} at {at:%H:%M}",
        zone=zone,
        spread=max(min(LONGEST_SPREAD, _MIDNIGHT - since_midnight - dt.timedelta(minutes=5)), dt.timedelta()),
    )


def _days(every: Period) -> tuple[str, str, str, str]:
    """Day of the month, month and day of the week on which a run starts, and the same in words."""
    days = {"day": every.count, "week": 7 * every.count}.get(every.unit)
    if days == 1:
        return "*", "*", "", "every day"
    if days == 7:
        return "*", "*", "Sun ", "every Sunday"
    if days is not None and days <= 30:  # counted anew from the first of each month
        return _every(days, 31), "*", "", f"every {days} days of a month, from its first"
    months = {"month": every.count, "year": 12 * every.count}.get(every.unit, 1)
    if months == 1:
        return "1", "*", "", "on the first of every month"
    if months < 12:  # counted anew from January
        return "1", _every(months, 12), "", f"on the first of every {months} months of a year, from January"
    return "1", "1", "", "on the first of January"


def _every(step: int, last: int) -> str:
    return ",".join(str(number) for number in range(1, last + 1, step))


def job(settings: Settings, found_there: Settings, *, folder: Path, command: tuple[str, ...]) -> Job:
    """What `gdpr purge` needs under these settings, where by itself it would have those `found_there`.

    `command` starts gdpr; `folder` is where it will run. Raises UsageError where it would need a password that
    is in nobody's file.
    """
    data, password_file = _sqlite_folder(settings.database_url), settings.database_password_file
    if settings.database_password is not None and password_file is None and data is None:
        raise UsageError(
            "the database's password stands in GDPR_DATABASE_PASSWORD, which neither cron nor systemd will have",
            'Write it into a file for gdpr alone, and in gdpr.toml: database_password_file = "FILE"',
        )
    known = _variables(found_there)
    environment = {
        name: value for name, value in _variables(settings).items() if value and value != known[name]
    }
    if "GDPR_DATABASE_URL" in environment:
        _require_no_password(environment["GDPR_DATABASE_URL"])
    writable = [settings.home / "audit", settings.home / "secret", *([data] if data else [])]
    on_network = data is None or bool(settings.notify.success or settings.notify.failure)
    found = Job((*command, "purge"), folder, environment, _outermost(writable), password_file, on_network)
    for text in (*found.command, str(folder), *environment.values(), *map(str, writable)):
        if any(ord(letter) < ord(" ") for letter in text):
            raise UsageError(f"{text!r} cannot stand in a crontab or a unit", "Choose a path of one line.")
    return found


def _outermost(folders: Sequence[Path]) -> tuple[Path, ...]:
    """The folders without those that lie in another of them."""
    return tuple(path for path in folders if not any(other in path.parents for other in folders))


def _variables(settings: Settings) -> dict[str, str]:
    """What a purge does by its settings, as the variables that would say so; "" where nothing is set."""
    durations = {
        "GDPR_HOLD_LOCKS_FOR": settings.hold_locks_for,
        "GDPR_MAX_RUNTIME": settings.max_runtime,
        "GDPR_PAUSE": settings.pause,
    }
    return {
        "GDPR_DATABASE_URL": settings.database_url or "",
        "GDPR_DATABASE_PASSWORD_FILE": str(settings.database_password_file or ""),
        "GDPR_POLICY": str(settings.policy),
        "GDPR_HOME": str(settings.home),
        "GDPR_MODE": "rehearsal" if settings.rehearsal else "live",
        "GDPR_BATCH_SIZE": str(settings.batch_size or ""),
        "GDPR_CONNECTIONS": str(settings.connections or ""),
        "GDPR_UNTIL": f"{settings.until:%H:%M}" if settings.until else "",
        **{name: f"{seconds:g}s" if seconds else "" for name, seconds in durations.items()},
    }


def _require_no_password(url: str) -> None:
    try:
        known = sa.make_url(url).password is not None
    except sa.exc.ArgumentError:
        known = False  # no URL: the purge says so in better words
    if known:
        raise UsageError(
            "the database URL holds a password, which would stand in a crontab or unit that others may read",
            'Write it into a file for gdpr alone, and in gdpr.toml: database_password_file = "FILE"',
        )


def _sqlite_folder(url: str | None) -> Path | None:
    """Where a SQLite file and what it writes beside itself are; None for a server."""
    if url is None or not url.startswith("sqlite"):
        return None
    name = sa.make_url(url).database
    return Path(name).parent if name and Path(name).is_absolute() else None

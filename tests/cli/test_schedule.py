"""`gdpr schedule`: what it prints for cron and systemd runs the purge as often as the policy asks, and no freer."""

from __future__ import annotations

import configparser
import datetime as dt
import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffords_gdpr.operations.timetable import job, timetable
from staffords_gdpr.policy.periods import Period, Unit
from staffords_gdpr.render import units
from staffords_gdpr.settings import load_settings

if TYPE_CHECKING:
    from command_site import Site

LONDON = ZoneInfo("Europe/London")
AT_TWO = dt.time(2)
UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")


def run_days(crontab: str, first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """The days on which cron starts the command."""
    fields = [
        {int(number) for number in field.split(",")} if field != "*" else None for field in crontab.split()
    ]
    assert len(fields) == 5
    day = first
    while day <= last:
        found = (day.day, day.month, day.isoweekday() % 7)
        if all(wanted is None or number in wanted for wanted, number in zip(fields[2:], found, strict=True)):
            yield day
        day += dt.timedelta(days=1)


@given(st.integers(1, 100), st.sampled_from(UNITS))
def test_no_run_comes_later_after_the_one_before_than_the_policy_allows(count: int, unit: Unit) -> None:
    every = Period(count, unit)
    days = list(run_days(timetable(every, AT_TWO, LONDON).crontab, dt.date(2027, 1, 1), dt.date(2029, 3, 1)))
    assert len(days) >= 3
    assert all(later <= every.after(day) for day, later in itertools.pairwise(days))


@pytest.mark.parametrize(
    ("every", "crontab", "calendar"),
    [
        (Period(1, "day"), "5 2 * * *", "*-*-* 02:05:00 Europe/London"),
        (Period(1, "week"), "5 2 * * 0", "Sun *-*-* 02:05:00 Europe/London"),
        (Period(2, "week"), "5 2 1,15,29 * *", "*-*-1,15,29 02:05:00 Europe/London"),
        (Period(1, "month"), "5 2 1 * *", "*-*-1 02:05:00 Europe/London"),
        (Period(5, "month"), "5 2 1 1,6,11 *", "*-1,6,11-1 02:05:00 Europe/London"),
        (Period(2, "year"), "5 2 1 1 *", "*-1-1 02:05:00 Europe/London"),
    ],
    ids=str,
)
def test_cron_and_systemd_are_told_the_same_days(every: Period, crontab: str, calendar: str) -> None:
    found = timetable(every, dt.time(2, 5), LONDON)
    assert (found.crontab, found.calendar) == (crontab, calendar)
    if shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)


@pytest.mark.parametrize(("at", "minutes"), [("02:00", 10), ("23:50", 5), ("23:58", 0)])
def test_systemd_never_waits_into_the_next_day(at: str, minutes: int) -> None:
    found = timetable(Period(1, "day"), dt.time.fromisoformat(at), LONDON)
    assert found.spread == dt.timedelta(minutes=minutes)


def unit_of(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, delimiters=("=",), comment_prefixes=("#",)
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def verified(told: dict[str, str], folder: Path) -> None:
    """Where systemd is installed, it understands both units."""
    if not shutil.which("systemd-analyze"):
        return
    for kind in ("service", "timer"):
        (folder / f"gdpr-purge.{kind}").write_text(told[kind])
    files = [str(folder / f"gdpr-purge.{kind}") for kind in ("service", "timer")]
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def by_cron(line: str) -> subprocess.CompletedProcess[str]:
    """Run what the line starts, with as little around it as cron has."""
    command = line.split(maxsplit=5)[5].replace(r"\%", "%")
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_service_is_shut_in_and_may_write_what_a_purge_writes(site: Site, tmp_path: Path) -> None:
    told = site.told("schedule", "--at", "03:30")
    service = unit_of(told["service"])["Service"]
    assert service["User"] == "gdpr"
    assert service["Type"] == "oneshot"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == "true"
    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == str(site.folder)  # where the SQLite file is, with log and keys
    assert service["ExecStart"].endswith("/gdpr purge")
    assert service["WorkingDirectory"] == str(site.folder)
    timer = unit_of(told["timer"])["Timer"]
    assert timer["OnCalendar"] == "*-*-* 03:30:00 Europe/London"
    assert timer["Persistent"] == "true"
    verified(told, tmp_path)
    for style in ("crontab", "service", "timer"):
        assert site.gdpr("schedule", "--at", "03:30", "--format", style).stdout == told[style]
        assert told[style] in site.gdpr("schedule", "--at", "03:30").stdout


def test_the_crontab_line_runs_the_purge_of_this_folder(site: Site) -> None:
    done = by_cron(site.told("schedule")["crontab"])
    assert (done.returncode, "purge refused: " in done.stderr) == (4, True), done.stderr


def test_settings_that_no_gdpr_toml_says_are_handed_over_whatever_their_names(
    site: Site, tmp_path: Path
) -> None:
    odd = tmp_path / 'a "50 %" $HOME'
    odd.mkdir()
    moved = {"policy": odd / "retention.yaml", "home": odd / "home", "database": odd / "calls.db"}
    shutil.copy(site.policy, moved["policy"])
    shutil.copytree(site.folder / "audit", moved["home"] / "audit")
    shutil.copytree(site.folder / "secret", moved["home"] / "secret")
    shutil.copy(site.database, moved["database"])
    environ = {
        "GDPR_UNTIL": "06:00",
        "GDPR_PAUSE": "50ms",
        "GDPR_DATABASE_URL": f"sqlite:///{moved['database']}",
        "GDPR_HOME": str(moved["home"]),
        "GDPR_POLICY": str(moved["policy"]),
    }
    nobodys = type(site)(tmp_path)
    told = json.loads(nobodys.gdpr("schedule", "--format", "json", environ=environ).stdout)
    done = by_cron(told["crontab"])
    assert (done.returncode, "approved" in done.stderr) == (4, True), done  # a copy is another database
    assert "GDPR_UNTIL=06:00 GDPR_PAUSE=0.05s" in told["crontab"]
    assert "Environment=GDPR_UNTIL=06:00\n" in told["service"]
    verified(told, tmp_path)


def test_a_password_is_handed_over_as_a_file_and_never_printed(site: Site, tmp_path: Path) -> None:
    url = "postgresql://gdpr@db.example/calls"
    secret = tmp_path / "database password"
    secret.write_text("hunter2")
    environ = {"GDPR_DATABASE_URL": url, "GDPR_DATABASE_PASSWORD_FILE": str(secret)}
    told = json.loads(site.gdpr("schedule", "--format", "json", environ=environ).stdout)
    service = unit_of(told["service"])["Service"]
    assert service["LoadCredential"] == f"database-password:{secret}"
    assert "GDPR_DATABASE_PASSWORD_FILE=${CREDENTIALS_DIRECTORY}/database-password" in service["ExecStart"]
    assert service["Environment"] == f"GDPR_DATABASE_URL={url}"
    assert "AF_INET" in service["RestrictAddressFamilies"]
    assert service["ReadWritePaths"] == f"{site.folder}/audit {site.folder}/secret"
    verified(told, tmp_path)
    for variables in (
        {"GDPR_DATABASE_URL": url, "GDPR_DATABASE_PASSWORD": "hunter2"},
        {"GDPR_DATABASE_URL": url.replace("gdpr@", "gdpr:hunter2@")},
    ):
        done = site.gdpr("schedule", environ=variables)
        assert (done.returncode, "hunter2" in done.stdout + done.stderr) == (2, False)
        assert "database_password_file" in done.stderr


@pytest.mark.parametrize(("place", "homes"), [("/opt/gdpr/bin", "true"), ("/home/it/venv/bin", "read-only")])
def test_homes_are_out_of_sight_unless_the_program_lies_in_one(place: str, homes: str) -> None:
    settings = load_settings({}, {}, Path("/srv/gdpr"), files=())
    work = job(settings, settings, folder=Path("/srv/gdpr"), command=(f"{place}/gdpr",))
    service = unit_of(units.service(work, timetable(Period(1, "day"), AT_TWO, LONDON), "gdpr"))["Service"]
    assert service["ProtectHome"] == homes


@pytest.mark.parametrize(
    ("arguments", "said"), [(("--at", "25:00"), "no time of the clock"), (("--user", "a b"), "is no account")]
)
def test_what_is_no_time_or_account_is_refused(site: Site, arguments: tuple[str, ...], said: str) -> None:
    done = site.gdpr("schedule", *arguments)
    assert (done.returncode, said in done.stderr) == (2, True)

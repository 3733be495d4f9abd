"""A crontab line, a systemd service and its timer, as `gdpr schedule` prints them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staffords_gdpr.operations.timetable import Job, Timetable

UNIT = "gdpr-purge"
_HOMES = ("/home", "/root", "/run/user")

_HARDENED = """\
CapabilityBoundingSet=
NoNewPrivileges=true
PrivateDevices=true
PrivateTmp=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
ProtectSystem=strict
RestrictAddressFamilies={families}
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
"""


def crontab(job: Job, when: Timetable) -> str:
    """One line for the crontab of gdpr's account."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in job.environment.items()]
    command = " ".join([*settings, shlex.join(job.command)])
    line = f"cd {shlex.quote(str(job.folder))} && {command}".replace("%", r"\%")
    return f"{when.crontab}  {line}\n"


def service(job: Job, when: Timetable, user: str) -> str:
    """The service that one run is, with no more of the machine than a purge needs."""
    lines = [
        "[Unit]",
        "Description=Erase customer data whose retention period has ended (gdpr purge)",
        *(["Wants=network-online.target", "After=network-online.target"] if job.on_network else []),
        "",
        "[Service]",
        "Type=oneshot",
        f"User={user}",
        "UMask=0027",
        f"WorkingDirectory={_escaped(str(job.folder))}",
        *(f"Environment={_word(f'{name}={value}')}" for name, value in _environment(job)),
        *_start(job),
        "# 7: another run holds the lock, and does the work",
        "SuccessExitStatus=7",
        "# at SIGTERM it ends the batch that it is at, and then itself",
        "KillMode=mixed",
        "TimeoutStopSec=5min",
        "Nice=10",
        f"ReadWritePaths={' '.join(_word(str(path)) for path in job.writable)}",
        f"ProtectHome={_homes(job)}",
        _HARDENED.format(families="AF_UNIX AF_INET AF_INET6" if job.on_network else "AF_UNIX").rstrip(),
    ]
    return "\n".join(lines) + "\n"


def timer(when: Timetable) -> str:
    """The timer that starts the service; what a machine that was off has missed it makes good."""
    lines = [
        "[Unit]",
        f"Description=Run gdpr purge {when.words} ({when.zone.key})",
        "",
        "[Timer]",
        f"OnCalendar={when.calendar}",
        "Persistent=true",
        f"RandomizedDelaySec={int(when.spread.total_seconds())}",
        "FixedRandomDelay=true",
        "AccuracySec=1s",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def everything(job: Job, when: Timetable, user: str) -> str:
    """All three, each below a comment that says where it goes."""
    return f"""\
# {when.words.capitalize()}. Take cron or systemd, not both.

# -- for cron: crontab -u {user} -e   (the time is the machine's; MAILTO is who reads what needs a person)
{crontab(job, when)}
# -- for systemd: /etc/systemd/system/{UNIT}.service
{service(job, when, user)}
# -- for systemd: /etc/systemd/system/{UNIT}.timer   (then: systemctl enable --now {UNIT}.timer)
{timer(when)}"""


def data(job: Job, when: Timetable, user: str) -> dict[str, object]:
    """`gdpr schedule --format json`"""
    return {
        "crontab": crontab(job, when),
        "service": service(job, when, user),
        "timer": timer(when),
        "when": when.words,
    }


def _environment(job: Job) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in job.environment.items() if name != "GDPR_DATABASE_PASSWORD_FILE")


def _start(job: Job) -> list[str]:
    """The command. A password comes as a credential, so that its file may be root's alone."""
    words = [_word(word.replace("$", "$$")) for word in job.command]
    if job.password_file is None:
        return [f"ExecStart={' '.join(words)}"]
    handed_over = '"GDPR_DATABASE_PASSWORD_FILE=${CREDENTIALS_DIRECTORY}/database-password"'
    return [
        f"LoadCredential=database-password:{_escaped(str(job.password_file))}",
        f"ExecStart=/usr/bin/env {handed_over} {' '.join(words)}",
    ]


def _homes(job: Job) -> str:
    """Homes are out of sight, unless something that a purge needs lies in one."""
    needed = [Path(job.command[0]), job.folder, *job.writable, *map(Path, job.environment.values())]
    return "read-only" if any(path.is_relative_to(home) for path in needed for home in _HOMES) else "true"


def _word(text: str) -> str:
    """One word of a unit's setting."""
    escaped = _escaped(text)
    if all(letter.isalnum() or letter in "/._-+:=@%$,?&" for letter in escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """Without what systemd takes for a specifier."""
    return text.replace("%", "%%")

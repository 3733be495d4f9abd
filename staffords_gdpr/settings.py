"""Where the database, the policy and the home folder are: flags, then GDPR_* variables, then gdpr.toml.

A gdpr.toml is looked for here, in the user's configuration folder and in /etc; of two that set the same key
the nearer one counts. Relative paths in a gdpr.toml are relative to that file.
"""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import quote

from staffords_gdpr import setting_values as read
from staffords_gdpr.errors import UsageError
from staffords_gdpr.setting_values import Value, toml_type, words_of

FILE_NAME = "gdpr.toml"


@dataclass(frozen=True)
class Setting:
    """One thing that can be set. `variable` and `flag` are its names outside gdpr.toml; empty: none."""

    key: str
    kind: type
    default: str | int | None
    variable: str
    flag: str
    meaning: str
    in_file: bool = True
    is_path: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "database_url",
        str,
        None,
        "GDPR_DATABASE_URL",
        "--database",
        "the database, as a SQLAlchemy URL: sqlite:///calls.db",
    ),
    Setting(
        "database_password_file",
        str,
        None,
        "GDPR_DATABASE_PASSWORD_FILE",
        "",
        "a file whose first line is the database password",
        is_path=True,
    ),
    Setting(
        "database_password",
        str,
        None,
        "GDPR_DATABASE_PASSWORD",
        "",
        "the database password itself; never in gdpr.toml, which is read by too many",
        in_file=False,
    ),
    Setting(
        "policy", str, "policies/retention.yaml", "GDPR_POLICY", "--policy", "the policy file", is_path=True
    ),
    Setting(
        "home",
        str,
        ".",
        "GDPR_HOME",
        "--home",
        "the home folder: holds audit/ (the log, certificates) and secret/ (its key)",
        is_path=True,
    ),
    Setting(
        "mode",
        str,
        "live",
        "GDPR_MODE",
        "",
        "`live`, or `rehearsal`: a purge then writes to the log what it would erase, and erases nothing",
    ),
    Setting(
        "batch_size",
        int,
        None,
        "GDPR_BATCH_SIZE",
        "--batch-size",
        "subjects in one transaction of a purge; by default as many as `hold_locks_for` allows",
    ),
    Setting(
        "hold_locks_for",
        str,
        None,
        "GDPR_HOLD_LOCKS_FOR",
        "",
        "about how long a batch may hold its locks, from `10ms` to `30s`: by default `100ms`, `300ms` while "
        "nobody else writes, and on SQLite `500ms`",
    ),
    Setting(
        "connections",
        int,
        None,
        "GDPR_CONNECTIONS",
        "--connections",
        "with how many connections a purge erases at once: by default with 2 in a database of 20,000 subjects or more "
        "where no `pause` is set, else with 1; on SQLite, and on a cluster, always with 1",
    ),
    Setting(
        "max_runtime",
        str,
        None,
        "GDPR_MAX_RUNTIME",
        "--max-runtime",
        "a purge begins no batch when it has run for so long: `45m`, `2h`",
    ),
    Setting(
        "until",
        str,
        None,
        "GDPR_UNTIL",
        "--until",
        "a purge begins no batch after this time of the clock, in the policy's zone: `06:00`",
    ),
    Setting(
        "pause",
        str,
        None,
        "GDPR_PAUSE",
        "--pause",
        "how long a purge waits between two batches: `50ms`, `1s`",
    ),
    Setting(
        "notify",
        dict,
        None,
        "",
        "",
        "commands to run after a purge, as lists of words: `success` where it exited with 0, else `failure`",
    ),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Notify:
    """The commands to run after a purge that went well, and after any other; the words of each, or none."""

    success: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The settings in force. Paths are absolute, durations in seconds. `connection_url` adds the password."""

    database_url: str | None
    policy: Path
    home: Path
    batch_size: int | None = None
    hold_locks_for: float | None = None
    connections: int | None = None
    max_runtime: float | None = None
    until: dt.time | None = None
    pause: float = 0.0
    rehearsal: bool = False
    database_password: str | None = field(default=None, repr=False)
    database_password_file: Path | None = None
    notify: Notify = Notify()

    def connection_url(self) -> str:
        """The database URL with its password. Raises UsageError where no database is named."""
        if self.database_url is None:
            raise UsageError(
                "no database is named",
                'Give --database URL, set GDPR_DATABASE_URL, or write database_url = "…" in gdpr.toml. '
                "For example sqlite:///calls.db",
            )
        password = self.database_password
        if self.database_password_file is not None:
            password = _first_line(self.database_password_file)
        if password is None or self.database_url.startswith("sqlite"):
            return self.database_url
        return _with_password(self.database_url, password)


def load_settings(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    directory: Path,
    files: tuple[Path, ...] | None = None,
) -> Settings:
    """The settings in force in `directory`. A flag that is None was not given, an empty variable is not set.

    Raises UsageError, naming the file and key, the variable or the flag, for what cannot be used.
    `files` are the gdpr.toml files to read, nearest first; by default those of this machine.
    """
    found: dict[str, Value] = {
        setting.key: Value(setting.default, "the default", directory) for setting in SETTINGS
    }
    for path in reversed(settings_files(directory) if files is None else files):
        found |= _read_file(path)
    for setting in SETTINGS:
        if setting.variable and environ.get(setting.variable):
            found[setting.key] = Value(environ[setting.variable], setting.variable, directory)
        if setting.flag and flags.get(setting.key) is not None:
            found[setting.key] = Value(flags[setting.key], setting.flag, directory)
    return Settings(
        database_url=read.url(found["database_url"]),
        policy=read.path(found["policy"]) or directory,
        home=read.path(found["home"]) or directory,
        batch_size=read.count(found["batch_size"], "batch size", "subjects", read.MOST_SUBJECTS_A_BATCH),
        hold_locks_for=read.duration(found["hold_locks_for"], least=0.01, most=30),
        connections=read.count(
            found["connections"], "number of connections", "connections", read.MOST_CONNECTIONS
        ),
        max_runtime=read.duration(found["max_runtime"], least=1, most=7 * 86_400),
        until=read.clock_time(found["until"]),
        pause=read.duration(found["pause"], least=0, most=3_600) or 0.0,
        rehearsal=read.choice(found["mode"], "live", "rehearsal") == "rehearsal",
        database_password=read.text(found["database_password"]),
        database_password_file=read.path(found["database_password_file"]),
        notify=_notify(found["notify"]),
    )


def settings_files(directory: Path) -> tuple[Path, ...]:
    """The places where a gdpr.toml is looked for, nearest first."""
    import platformdirs  # noqa: PLC0415  `gdpr --help` needs no folders

    return (
        directory / FILE_NAME,
        platformdirs.user_config_path("gdpr", appauthor=False) / FILE_NAME,
        Path("/etc") / FILE_NAME,
    )


def _read_file(path: Path) -> dict[str, Value]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: not a TOML file: {error}", 'A line looks like this: database_url = "sqlite:///calls.db"'
        ) from error
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}", "Correct its permissions, or move it away."
        ) from error
    mistakes = list(_mistakes(path, data))
    if mistakes:
        known = ", ".join(setting.key for setting in SETTINGS if setting.in_file)
        raise UsageError("\n".join(mistakes), f"The keys are: {known}.")
    return {key: Value(value, f"{path}: {key}", path.parent.absolute()) for key, value in data.items()}


def _mistakes(path: Path, data: Mapping[str, object]) -> Iterator[str]:
    known = [setting.key for setting in SETTINGS if setting.in_file]
    for key, value in data.items():
        setting = _BY_KEY.get(key)
        if setting is None:
            near = difflib.get_close_matches(key, known, n=1)
            yield f"{path}: unknown key '{key}'." + (f" Did you mean '{near[0]}'?" if near else "")
        elif not setting.in_file:
            yield f"{path}: '{key}' does not belong here: use database_password_file or {setting.variable}."
        elif type(value) is not setting.kind:
            wanted = {int: "a whole number", str: "text in quotes", dict: "a table"}[setting.kind]
            yield f"{path}: '{key}' must be {wanted}, not {toml_type(value)}."
        elif isinstance(value, dict):
            yield from (f"{path}: '{key}.{mistake}" for mistake in _mistaken_commands(value))


def _mistaken_commands(table: Mapping[str, object]) -> Iterator[str]:
    known = [field.name for field in fields(Notify)]
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            yield f"{key}' is unknown." + (f" Did you mean '{near[0]}'?" if near else "")
            continue
        try:
            words = words_of(value)
        except ValueError as error:
            yield f"{key}': {error}."
            continue
        if not words or not words[0] or any("\0" in word for word in words):
            yield f'{key}\' is no command: write its words, as in ["curl", "-fsS", "https://…"].'


def _notify(value: Value) -> Notify:
    table = value.raw if isinstance(value.raw, dict) else {}
    return Notify(**{name: words_of(command) for name, command in table.items()})


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: the database password cannot be read: {error}",
            "database_password_file must name a text file that this user may read.",
        ) from error
    if not lines or not lines[0]:
        raise UsageError(f"{path}: the first line holds no password", "Write the database password there.")
    return lines[0]


def _with_password(url: str, password: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url  # not a URL: the connection says so, in better words
    end = min((i for i in (rest.find("/"), rest.find("?")) if i >= 0), default=len(rest))
    user, _, host = rest[:end].rpartition("@")
    if ":" in user:
        raise UsageError(
            "the database URL holds a password, and another one is set beside it",
            "Take the password out of the URL, or unset GDPR_DATABASE_PASSWORD and database_password_file.",
        )
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}{rest[end:]}"

"""How the values of settings are read, wherever they come from. A wrong one raises UsageError, naming its source."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from staffords_gdpr.errors import UsageError

MOST_SUBJECTS_A_BATCH = 100_000
MOST_CONNECTIONS = 16
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)? *(?:ms|s|m|h) *)+")
_PART = re.compile(r"([0-9.]+) *(ms|s|m|h)")


@dataclass(frozen=True)
class Value:
    """A value as it was found. `source` is named in error messages; a relative path is relative to `folder`."""

    raw: object
    source: str
    folder: Path


def text(value: Value) -> str | None:
    return None if value.raw is None else str(value.raw)


def path(value: Value) -> Path | None:
    """An absolute path, with ~ expanded."""
    if value.raw is None:
        return None
    written = str(value.raw)
    if not written.strip() or "\0" in written:
        raise UsageError(f"{value.source}: not a path: {written!r}", "Write the path of a file or folder.")
    try:
        found = Path(written).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{value.source}: {written!r}: {error}", "Write the path in full.") from error
    return Path(value.folder, found).absolute()


def count(value: Value, what: str, of: str, most: int) -> int | None:
    """A number of things, from 1 to `most`; None where it is left to the run."""
    if value.raw is None:
        return None
    try:
        size = int(str(value.raw))
    except ValueError:
        size = 0
    if not 1 <= size <= most:
        raise UsageError(
            f"{value.source}: {value.raw!r} is no {what}",
            f"Write a whole number of {of} from 1 to {most}, or nothing: then gdpr finds it out.",
        )
    return size


def url(value: Value) -> str | None:
    """The database URL. A SQLite file is made absolute: a gdpr.toml means the same from everywhere."""
    if value.raw is None:
        return None
    written = str(value.raw).strip()
    scheme, separator, rest = written.partition(":///")
    if (
        written.startswith("sqlite")
        and separator
        and rest
        and not rest.startswith(("/", ":memory:", "file:", "?"))
    ):
        return f"{scheme}:///{Path(value.folder, rest).absolute()}"
    return written


def duration(value: Value, *, least: float, most: float) -> float | None:
    """Seconds, from what is written as 50ms, 45m or 1h30m."""
    if value.raw is None:
        return None
    written = str(value.raw).strip()
    parts = _PART.findall(written) if _DURATION.fullmatch(written) else []
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not parts or not least <= seconds <= most:
        raise UsageError(
            f"{value.source}: {written!r} is no duration from {_shown(least)} to {_shown(most)}",
            "Write a number and its unit: 50ms, 10s, 45m, 2h.",
        )
    return seconds


def _shown(seconds: float) -> str:
    """A round number of seconds, in the largest unit that says it whole."""
    unit = next(
        unit for unit in ("h", "m", "s", "ms") if unit == "ms" or (seconds and not seconds % _SECONDS[unit])
    )
    return f"{seconds / _SECONDS[unit]:.0f}{unit}"


def clock_time(value: Value) -> dt.time | None:
    """A time of the day, without a zone."""
    if value.raw is None:
        return None
    written = str(value.raw).strip()
    try:
        return dt.datetime.strptime(written, "%H:%M").time()  # noqa: DTZ007  the zone is the policy's
    except ValueError:
        raise UsageError(
            f"{value.source}: {written!r} is no time of the clock", "Write hours and minutes, as in 06:00."
        ) from None


def choice(value: Value, *words: str) -> str:
    """One of some words."""
    if value.raw not in words:
        raise UsageError(f"{value.source}: {value.raw!r} is not known", f"Write one of: {', '.join(words)}.")
    return str(value.raw)


def words_of(value: object) -> tuple[str, ...]:
    """The words of a command. A text is divided as a shell would, but no shell sees it. Raises ValueError."""
    if isinstance(value, str):
        return tuple(shlex.split(value))
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise ValueError(f"a command is a list of texts, not {toml_type(value)}")


def toml_type(value: object) -> str:
    """What TOML would call a value."""
    names = {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a fraction",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date")

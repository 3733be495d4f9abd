"""The locks of the home folder. The log itself is never locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from staffords_gdpr.errors import LockedError, UsageError

LOCK_SECONDS = 60.0


@contextmanager
def lock(path: Path, seconds: float, what: str) -> Iterator[None]:
    """Hold the lock file at `path`; `what` says who holds it otherwise. Raises LockedError after `seconds`.

    No soft lock where the file system has no real one: it would outlive a crash, or not hold at all.
    """
    held = filelock.FileLock(path, timeout=seconds, mode=0o640, fallback_to_soft=False)
    try:
        held.acquire()
    except filelock.Timeout:
        raise LockedError(f"{path}: {what}", "Wait until it is over, then try again.") from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{path}: cannot lock: {reason}",
            "Keep the home folder on a disk of this machine that its owner can write.",
        ) from None
    try:
        yield
    finally:
        held.release()

"""Writing files so that they are there after a power failure: fsync of the file, then of its folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from staffords_gdpr.errors import GdprError, UsageError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def sync_folder(folder: Path) -> None:
    """fsync a folder, so that the names in it last."""
    with writing(folder):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folder(folder: Path, mode: int) -> None:
    """Make `folder` with this mode where it is missing, and make its name last."""
    if folder.is_dir():
        return
    with writing(folder):
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        folder.chmod(mode)
        sync_folder(folder.parent)


def write_new(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write a file that must not exist yet, durably."""
    with writing(path):
        _fill(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), data)
        sync_folder(path.parent)


def write_atomic(path: Path, data: bytes, mode: int = 0o640, *, lasting: bool = True) -> None:
    """Replace a file so that a reader, and a power failure, sees the old one or the new one, never a half. Where it
    need not be `lasting`, a power failure may leave anything of it.
    """
    draft = path.with_name(_draft_of(path.name, str(os.getpid())))
    with writing(path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        _fill(os.open(draft, flags, mode), data, lasting=lasting)
        os.replace(draft, path)
        if lasting:
            sync_folder(path.parent)


def remove_drafts(folder: Path, name: str) -> None:
    """Remove what `write_atomic` left of files with this name (a pattern) when it was cut off. Nobody may be writing
    one of them.
    """
    for draft in folder.glob(_draft_of(name, "*")):
        draft.unlink()


def append(path: Path, data: bytes) -> None:
    """Append to a file that exists, durably. A crash may leave a part of `data`."""
    with writing(path):
        _fill(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), data)


def overwrite(path: Path, data: bytes) -> None:
    """Write over the first bytes of a file that exists, in place and durably. Raises FileNotFoundError."""
    path.stat()
    with writing(path):
        _fill(os.open(path, os.O_WRONLY | os.O_CLOEXEC), data)


def tail_of(path: Path, length: int) -> bytes:
    """The last `length` bytes of a file, fewer where it is shorter, none where it is not there."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - length))
            return stream.read()
    except FileNotFoundError:
        return b""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into words about `path`: UsageError where this user cannot write it, GdprError where the disk is
    full or fails.
    """
    try:
        yield
    except OSError as error:
        what = f"{path}: cannot write: {error.strerror}"
        if error.errno in _DISK:
            raise GdprError(what, "Check the disk and its space, then run again.") from None
        raise UsageError(what, "Run as the owner of the home folder, or set GDPR_HOME to another.") from None


def _draft_of(name: str, process: str) -> str:
    return f".{name}.{process}.new"


def _fill(handle: int, data: bytes, *, lasting: bool = True) -> None:
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if lasting:
            os.fsync(handle)
    finally:
        os.close(handle)

"""A disk of a few megabytes, to fill it to the last byte."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

UNTESTED: set[str] = set()


def say_untested(what: str) -> None:
    """Have the end of the run say that something could not be tested on this machine."""
    UNTESTED.add(what)


class SmallDisk:
    """A tmpfs at a folder. Raises OSError where this user, or this container, may not mount."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip())

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self, leave: int = 0) -> None:
        """Take all the room there is, but for so many bytes."""
        free = os.statvfs(self.folder)
        with self._filler.open("ab") as filler:
            # the memory behind a page is taken only when it is written to
            filler.write(bytes(max(0, free.f_bavail * free.f_frsize - leave)))

    def give_way(self) -> None:
        self._filler.unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

"""Where the audit log's files lie, inside the home folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The home folder: `audit/` may be shown, copied and backed up; `secret/` may not."""

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))

    @property
    def audit(self) -> Path:
        return self.path / "audit"

    @property
    def secret(self) -> Path:
        return self.path / "secret"

    @property
    def log(self) -> Path:
        return self.audit / "audit.jsonl"

    @property
    def checkpoint(self) -> Path:
        return self.audit / "checkpoint"

    @property
    def checkpoints(self) -> Path:
        return self.audit / "checkpoints.txt"

    @property
    def run_lock(self) -> Path:
        return self.audit / "run.lock"

    @property
    def audit_lock(self) -> Path:
        return self.audit / "audit.lock"

    @property
    def batches(self) -> Path:
        return self.audit / "batches"

    @property
    def audits(self) -> Path:
        return self.audit / "audits"

    @property
    def reviews(self) -> Path:
        return self.audit / "reviews"

    @property
    def schemas(self) -> Path:
        """The database schemas that were approved, each under its fingerprint."""
        return self.audit / "schemas"

    @property
    def log_key(self) -> Path:
        return self.secret / "log.key"

    @property
    def snapshot(self) -> Path:
        """What the writer knew at the last checkpoint, signed. With the secrets: it vouches to us only."""
        return self.secret / "snapshot.json"

    @property
    def pending(self) -> Path:
        return self.secret / "pending"

    @property
    def batch_keys(self) -> Path:
        return self.secret / "batch-keys"

    @property
    def forgetting(self) -> Path:
        """The batches whose keys are being destroyed."""
        return self.secret / "forgetting.json"

    def statement_folder(self, entry_type: str, period: str) -> Path:
        """The folder of an audit's or a review's statement and sign-offs."""
        return (self.audits if entry_type == "audit" else self.reviews) / period

    def leaves(self, batch: str) -> Path | None:
        """The leaves file of a batch, or None. It lies under the year in which the batch was written."""
        return next(self._leaves_files(batch), None)

    def _leaves_files(self, batch: str) -> Iterator[Path]:
        if self.batches.is_dir():
            for year in sorted(self.batches.iterdir(), reverse=True):
                file = year / f"{batch}.leaves"
                if file.is_file():
                    yield file

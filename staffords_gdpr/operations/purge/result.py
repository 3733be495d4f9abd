"""What a purge did, as the person at the terminal, cron and monitoring get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from staffords_gdpr.operations.purge.brakes import Brake
from staffords_gdpr.operations.purge.reclaim import ReclaimResult
from staffords_gdpr.operations.purge.settle import Recovered

ENDED_EARLY = ("max-runtime", "until", "signal")
"""What can end a run between two batches before all its work is done. Each is a `result` of purge.end, too."""


@dataclass(frozen=True)
class PurgeResult:
    """What a purge did, or with `dry_run` or `rehearsal` would do. `erased` counts rows by record type and step.

    `brakes` is filled by a dry run only: any other raises BrakeError. `result` stands in purge.end: complete, unclear
    (the end of an earlier batch could not be found out), put-off (batches that others kept from going through), or
    what ended the run early. `held` rows of the record types are left alone for the reasons in `held_why`, which
    counts them by record type and reason; `undecidable_before` and `held_before` are what the last purge saw, None
    before the first. `left`: the subjects, and rows that belong to nobody, that were still on the list at the end.
    `reclaimed`: what was done about traces in the database's files, None where there was nothing to do.
    """

    run: str
    erased: Mapping[str, int]
    subjects_affected: int
    dry_run: bool
    held: int
    undecidable: Mapping[str, int]
    brakes: tuple[Brake, ...]
    recovered: tuple[Recovered, ...]
    result: str
    undecidable_before: Mapping[str, int] | None = None
    held_before: int | None = None
    held_why: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left: int = 0
    put_off: int = 0
    rehearsal: bool = False
    reclaimed: ReclaimResult | None = None

    @property
    def ended(self) -> str:
        """What ended the run: `done`, `max-runtime`, `until` or `signal`."""
        return self.result if self.result in ENDED_EARLY else "done"

    @property
    def needs_person(self) -> bool:
        """Whether the run found what a person must look at (exit 3)."""
        traces = self.reclaimed is not None and not self.reclaimed.complete
        unclear = self.result == "unclear" or any(one.outcome == "unclear" for one in self.recovered)
        return traces or unclear or bool(self.put_off)

    @property
    def undecidable_grew(self) -> dict[str, int]:
        """How many rows more are undecidable than when the last purge looked, by record type."""
        before = self.undecidable if self.undecidable_before is None else self.undecidable_before
        more = {name: count - before.get(name, 0) for name, count in self.undecidable.items()}
        return {name: count for name, count in more.items() if count > 0}

    @property
    def held_grew(self) -> int:
        """How many rows more are held than when the last purge looked. Legal holds count, which a person put there."""
        return 0 if self.held_before is None else max(self.held - self.held_before, 0)

    @property
    def has_news(self) -> bool:
        """Whether a person should hear of it: what exit 3 is for, or more undecidable rows than the last purge saw.

        Held rows grow on ordinary days, with open work that ends: they are told at a terminal, not mailed by cron.
        """
        return self.needs_person or bool(self.undecidable_grew)


def rows_in(held_why: Mapping[str, Mapping[str, int]]) -> int:
    """How many rows these are."""
    return sum(sum(reasons.values()) for reasons in held_why.values())

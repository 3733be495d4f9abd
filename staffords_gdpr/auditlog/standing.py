"""How things stand after the last line: what a night's purge must know of the years before it.

Kept while lines are judged, and saved in the snapshot, so that nobody reads a hundred thousand entries to learn of
the last one. Bounded by holds and open batches, not by the number of lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from staffords_gdpr.auditlog.entries import INTENT, NOT_COUNTED, OUTCOMES, RECLAIMED, SETTLED, Entry
from staffords_gdpr.auditlog.kinds import number


@dataclass
class Standing:
    """`open` and `unclear` hold the intents of batches without an outcome, and of those whose outcome is unclear and
    which no person has settled, by batch. `latest` is the newest entry of each type, `refused` the newest refusal by
    each brake, `holds` the entry of each legal hold in force. `confirmed`: up to how many subjects a person has
    allowed, less what was erased since. `traces`: the record types of which rows were erased since the files were last
    rid of such wholly, at the level `vacuum` or above, and at `full`.
    """

    open: dict[str, Entry] = field(default_factory=dict)
    unclear: dict[str, Entry] = field(default_factory=dict)
    latest: dict[str, Entry] = field(default_factory=dict)
    refused: dict[str, Entry] = field(default_factory=dict)
    holds: dict[str, Entry] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    confirmed: int = 0
    traces: dict[str, set[str]] = field(default_factory=lambda: {"vacuum": set(), "full": set()})

    @property
    def last_that_counts(self) -> Entry | None:
        """The newest entry, refusals and torn writes left out: under a wrong clock they would move its limit."""
        counting = (entry for name, entry in self.latest.items() if name not in NOT_COUNTED)
        return max(counting, key=lambda entry: entry.seq, default=None)

    def take(self, entry: Entry) -> None:
        """Take in the next entry, which has been judged."""
        fields = entry.fields
        self.latest[entry.type] = entry
        if entry.type == INTENT:
            self.open[str(fields["batch"])] = entry
        elif entry.type in OUTCOMES:
            self._outcome(entry, self.open.pop(str(fields["batch"])))
        elif entry.type == SETTLED:
            del self.unclear[str(fields["batch"])]
        elif entry.type == RECLAIMED and fields["result"] == "complete":
            for level in ("vacuum", "full") if fields["level"] == "full" else ("vacuum",):
                self.traces[level].clear()
        elif entry.type in ("purge.start", "purge.end"):
            self.confirmed = number(fields["confirm"])
        elif entry.type == "purge.refused":
            self.refused[str(fields["brake"])] = entry
        elif entry.type == "hold.add":
            self.holds[str(fields["hold"])] = entry
        elif entry.type == "hold.release":
            self.holds.pop(str(fields["hold"]), None)
            self.released.add(str(fields["hold"]))

    def _outcome(self, entry: Entry, intent: Entry) -> None:
        outcome = entry.fields.get("outcome")
        if outcome == "unclear":
            self.unclear[str(entry.fields["batch"])] = intent
        if entry.type == "purge.done" or outcome == "committed":
            self.confirmed = max(self.confirmed - number(intent.fields["subjects"]), 0)
        if entry.type == "purge.done" or outcome in ("committed", "unclear"):
            self._leave_traces(intent.fields["rows"])

    def _leave_traces(self, rows: object) -> None:
        names = {str(name).partition(".")[0] for name in rows} if isinstance(rows, Mapping) else set()
        for level in self.traces:
            self.traces[level] |= names

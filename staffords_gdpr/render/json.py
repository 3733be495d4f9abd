"""Results as JSON. The keys of scan, purge and audit are a contract with scripts, which tests hold."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staffords_gdpr.operations.drift import Drift
    from staffords_gdpr.operations.purge import PurgeResult
    from staffords_gdpr.operations.purge.reclaim import ReclaimResult
    from staffords_gdpr.operations.scan import ScanResult
    from staffords_gdpr.retention.states import Verdict


def text(data: object, *, indent: int | None = None) -> str:
    """The data as JSON in ASCII, which survives every terminal and locale."""
    return json.dumps(data, indent=indent, default=_plain)


def _plain(value: object) -> object:
    """What JSON has no type for: a database may use a decimal, a UUID or bytes as a key."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value, key=str)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return str(value)


def moment(value: dt.datetime) -> str:
    """A moment in UTC, to the second: 2026-11-23T09:00:00+00:00."""
    return value.astimezone(dt.UTC).isoformat(timespec="seconds")


def row(verdict: Verdict) -> dict[str, object]:
    """One row of `scan --details`."""
    return {
        "record": verdict.record,
        "key": list(verdict.key),
        "state": str(verdict.state),
        "last_day": verdict.last_day,
        "reason": verdict.reason,
    }


def rows(result: ScanResult) -> Iterator[dict[str, object]]:
    """The rows of `scan --details`, one after the other."""
    return (row(verdict) for verdict in result.rows or ())


def scan(result: ScanResult) -> dict[str, object]:
    """`gdpr scan --format json`. `rows` is there only with --details."""
    data: dict[str, object] = {
        "as_of": moment(result.as_of),
        "records": {
            name: {
                "kept": counts.kept,
                "held": counts.held,
                "due": counts.due,
                "undecidable": counts.undecidable,
                "anonymised": counts.anonymised,
            }
            for name, counts in result.records.items()
        },
        "subjects": result.subjects,
        "subjects_affected": result.subjects_affected,
        "oldest_due": result.oldest_due,
        "forecast": [{"until": month.until, "due": dict(month.due)} for month in result.forecast],
    }
    if result.drift.any:
        data["schema_changes"] = drift(result.drift)
    if result.rows is not None:
        data["rows"] = list(rows(result))
    return data


def drift(found: Drift) -> list[dict[str, object]]:
    """What has changed in the schema since the approval; one entry without words where it is not known."""
    if found.unknown:
        return [{"what": None, "used": True}]
    return [{"what": change.what, "used": change.used} for change in found.changes]


def purge(result: PurgeResult) -> dict[str, object]:
    """`gdpr purge --format json`."""
    return {
        "run": result.run,
        "dry_run": result.dry_run,
        "erased": dict(result.erased),
        "subjects_affected": result.subjects_affected,
        "held": result.held,
        "held_why": {name: dict(reasons) for name, reasons in result.held_why.items()},
        "held_grew": result.held_grew,
        "undecidable": dict(result.undecidable),
        "undecidable_grew": dict(result.undecidable_grew),
        "result": result.result,
        "ended": result.ended,
        "left": result.left,
        "put_off": result.put_off,
        "rehearsal": result.rehearsal,
        "reclaim": None if result.reclaimed is None else reclaim(result.reclaimed),
        "brakes": [
            {"code": brake.code, "message": brake.message, "hint": brake.hint, "seen": brake.seen}
            for brake in result.brakes
        ],
        "recovered": [
            {"batch": one.batch, "outcome": one.outcome, "rows": dict(one.rows), "left": dict(one.left)}
            for one in result.recovered
        ],
    }


def reclaim(result: ReclaimResult) -> dict[str, object]:
    """`gdpr reclaim --format json`. Sizes are in bytes, null where the engine tells none."""
    return {
        "level": result.level,
        "complete": result.complete,
        "parts": [
            {
                "what": part.what,
                "how": part.how,
                "before": part.before,
                "after": part.after,
                "failure": part.failure,
            }
            for part in result.parts
        ],
        "gone": result.guarantee.gone,
        "remains": result.guarantee.remains,
    }

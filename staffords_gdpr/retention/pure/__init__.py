"""The rules of retention once more, as a pure function over rows in memory (R9): the second opinion."""

from staffords_gdpr.retention.pure.court import Court, judge

__all__ = ["Court", "judge"]

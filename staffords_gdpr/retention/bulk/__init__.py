"""The rules of retention as set-based SQL: which rows of a whole database, or of some subjects, are due."""

from staffords_gdpr.retention.bulk.agenda import watch_together
from staffords_gdpr.retention.bulk.decision import Bulk
from staffords_gdpr.retention.bulk.parts import Outside, Part
from staffords_gdpr.retention.bulk.rows import Scope
from staffords_gdpr.retention.bulk.todo import Chunk, Todo

__all__ = ["Bulk", "Chunk", "Outside", "Part", "Scope", "Todo", "watch_together"]

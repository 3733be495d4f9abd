"""Erasing what is due: what cron runs every night."""

from staffords_gdpr.operations.purge.result import PurgeResult
from staffords_gdpr.operations.purge.run import purge
from staffords_gdpr.operations.purge.window import Limits

__all__ = ["Limits", "PurgeResult", "purge"]

"""Erasing what is due: what cron runs every night."""

from staffords_gdpr.operations.purge.run import PurgeResult, purge

__all__ = ["PurgeResult", "purge"]

"""A policy held against a database: what a person must look at before the first purge. Writes nothing."""

from staffords_gdpr.operations.check.run import CheckResult, check

__all__ = ["CheckResult", "check"]

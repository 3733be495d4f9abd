"""`gdpr audit`: did the purge do its work. Finds out, writes a certificate, and says so in the log."""

from staffords_gdpr.operations.audit.examination import AuditResult, audit

__all__ = ["AuditResult", "audit"]

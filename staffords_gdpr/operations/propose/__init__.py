"""Look at a database that nobody has described, and propose a policy for it. Changes nothing, keeps no value."""

from staffords_gdpr.operations.propose.proposal import propose, write_policy

__all__ = ["propose", "write_policy"]

"""The policy: what a person writes, as frozen models, with calendar arithmetic."""

from staffords_gdpr.policy.loader import load_policy, read_policy
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.policy.positions import Positions

__all__ = ["Policy", "Positions", "load_policy", "read_policy"]

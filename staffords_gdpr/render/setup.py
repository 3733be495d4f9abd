"""The page of `gdpr init`."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from staffords_gdpr.render.page import Page, Text, Tone


@dataclass(frozen=True)
class Made:
    """What `init` made or found."""

    name: str
    home: Path
    public_key: bytes
    policy: Path
    policy_exists: bool

    @property
    def key(self) -> str:
        """The log's public key in base64."""
        return base64.b64encode(self.public_key).decode()


def init_page(made: Made) -> Page:
    """What is there now, and what to do next."""
    if made.policy_exists:
        policy = f"The policy {made.policy} is left as it is."
    else:
        policy = f"There is no policy yet. Write {made.policy}: docs/policy.md explains every key."
    return (
        Text(f"The audit log {made.name} is in {made.home / 'audit'}, its key in {made.home / 'secret'}.", Tone.GOOD),
        Text(f"Its public key, to be noted down somewhere else, is {made.key}"),
        Text(policy),
        Text("Next: gdpr keys new --as director --out director.key, then gdpr approve --as director --key director.key"),
    )


def init_data(made: Made) -> dict[str, object]:
    """`gdpr init --format json`"""
    return {
        "log": made.name,
        "home": str(made.home),
        "key": made.key,
        "policy": str(made.policy),
        "policy_exists": made.policy_exists,
    }

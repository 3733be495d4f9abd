"""The demonstration: a folder with a database, the firm's policy and settings, and a tour of the commands."""

from staffords_gdpr.operations.demo.folder import (
    ANSWERS,
    DATABASE,
    POLICY,
    PREPARATION,
    Demo,
    Step,
    packaged_policy,
    tour,
    write_demo,
)

__all__ = [
    "ANSWERS",
    "DATABASE",
    "POLICY",
    "PREPARATION",
    "Demo",
    "Step",
    "packaged_policy",
    "tour",
    "write_demo",
]

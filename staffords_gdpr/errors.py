"""The errors that a person may see. Each class carries its exit code; `cli.main` catches the base once.

The table of exit codes in docs/commands.md is generated from these classes.
"""

from __future__ import annotations

from typing import ClassVar


class GdprError(Exception):
    """Something a person can act on: `message` says what and where, `hint` what to do next."""

    exit_code: ClassVar[int] = 1
    meaning: ClassVar[str] = "unexpected error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(GdprError):
    """A wrong option, argument or setting."""

    exit_code = 2
    meaning = "wrong usage or policy"


class PolicyError(UsageError):
    """The policy file cannot be used. `message` holds every mistake, one a line, as file:line:column."""


class FindingsError(GdprError):
    """The command did its work and found what a person must look at."""

    exit_code = 3
    meaning = "findings that need a person"


class BrakeError(GdprError):
    """A brake refused before the first row went. `code` names the brake, as it stands in purge.refused."""

    exit_code = 4
    meaning = "refused by a brake"

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class LogBrokenError(GdprError):
    """The audit log does not verify."""

    exit_code = 5
    meaning = "audit log does not verify"


class DatabaseError(GdprError):
    """The database cannot be reached, or does not permit what is needed."""

    exit_code = 6
    meaning = "database not reachable or not permitted"


class LockedError(GdprError):
    """Another run holds the lock."""

    exit_code = 7
    meaning = "another run holds the lock"


EXIT_CODES: dict[int, str] = {
    0: "done, nothing wrong",
    **{
        error.exit_code: error.meaning
        for error in (
            GdprError,
            UsageError,
            FindingsError,
            BrakeError,
            LogBrokenError,
            DatabaseError,
            LockedError,
        )
    },
}

"""Load a policy file: all of its mistakes at once, or a frozen `Policy`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy import language
from staffords_gdpr.policy.build import build
from staffords_gdpr.policy.checks import check
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.policy.read import read
from staffords_gdpr.policy.tree import MOST_BYTES, parse


def load_policy(path: Path) -> Policy:
    """Return the policy in `path`. Raises PolicyError with every mistake, one a line, as file:line:column."""
    return read_policy(_bytes(Path(path)), str(path))


def read_policy(data: bytes, file: str) -> Policy:
    """Return the policy that `data` spells. `file` is the name that messages give."""
    tree, mistakes = parse(data, file)
    document = read(language.POLICY, tree, (), mistakes)
    if isinstance(document, dict):
        check(document, mistakes)
    mistakes.raise_if_any()
    try:
        policy = build(document, path=file, sha256=hashlib.sha256(data).hexdigest())
    except ValidationError as error:
        for trouble in error.errors():
            where = tuple(str(part) for part in trouble["loc"])
            mistakes.add(
                where, f"'{'.'.join(where)}' cannot be used. See docs/policy.md for what may stand there."
            )
        mistakes.raise_if_any()
        raise
    return policy.placed(mistakes.positions)


def _bytes(path: Path) -> bytes:
    advice = "Name the policy file with --policy or GDPR_POLICY."
    try:
        if path.is_dir():
            raise PolicyError(f"{path}: this is a directory, not a policy file.", advice)
        if path.exists() and not path.is_file():
            raise PolicyError(f"{path}: this is not an ordinary file.", advice)
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise PolicyError(f"{path}: there is no such file.", advice) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise PolicyError(f"{path}: the file cannot be read: {reason}.", advice) from None
    if len(data) > MOST_BYTES:
        raise PolicyError(
            f"{path}: the file is larger than {MOST_BYTES // 1_000_000} MB; a policy never is.", advice
        )
    return data

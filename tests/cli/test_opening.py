"""What is asked on a terminal."""

from __future__ import annotations

import getpass
import sys

import pytest
from command_site import Terminal

from staffords_gdpr.cli.opening import ask_passphrase
from staffords_gdpr.errors import UsageError


@pytest.mark.parametrize("typed", [[], ["correct horse"]], ids=["at once", "when asked again"])
def test_the_end_of_input_instead_of_a_passphrase_is_wrong_usage(
    typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(typed)

    def answer(prompt: str) -> str:
        for line in lines:
            return line
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", answer)
    with pytest.raises(UsageError, match="no passphrase was given"):
        ask_passphrase("Passphrase: ", twice=True)

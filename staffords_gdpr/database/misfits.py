"""Where a policy does not fit a database: collected as they are found, and told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy.models import Policy
from staffords_gdpr.policy.positions import Place

HINT = "the policy does not fit this database: mend these lines, or check the URL. 'gdpr check' tells more"


@dataclass(frozen=True)
class Misfit:
    """One thing that does not fit. `place` is file:line:column, `what` says it, `advice` what to write instead."""

    code: str
    place: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" + (f". {self.advice}" if self.advice else "")

    @property
    def message(self) -> str:
        """What and advice as sentences."""
        return ". ".join(part for part in (self.what, self.advice) if part)


class MisfitError(PolicyError):
    """The policy cannot be used with this database; `misfits` has every reason, in the order of the file."""

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits = tuple(misfits)
        super().__init__("\n".join(map(str, self.misfits)), HINT)


class Misfits:
    """Collects what does not fit, so that a person sees all of it at once."""

    def __init__(self, policy: Policy) -> None:
        self._positions = policy.positions
        self._found: dict[Misfit, Place] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, code: str, path: Iterable[str], what: str, advice: str = "") -> None:
        """Note a misfit at the value under `path`, or at what stands nearest to it in the file."""
        place = tuple(path)
        misfit = Misfit(code, self._positions.where(*place), what, advice)
        self._found.setdefault(misfit, self._positions.place(place))

    def known(self, *path: str) -> bool:
        """Whether something stands at exactly this path of the file."""
        return path in self._positions.values

    def raise_if_any(self) -> None:
        """Raises MisfitError with everything that was noted."""
        if self._found:
            raise MisfitError(sorted(self._found, key=self._found.__getitem__))

"""The demonstration: a folder with a database, the firm's policy and settings, and a tour of the commands."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from staffords_gdpr.errors import FindingsError, UsageError
from staffords_gdpr.operations.demo.data import DemoCounts, write_database
from staffords_gdpr.policy import load_policy
from staffords_gdpr.progress import SILENT, Progress

DATABASE = "calls.db"
POLICY = "retention.yaml"
SETTINGS = "gdpr.toml"
ANSWERS = "answers.yaml"
MANAGER_KEY = "keys/manager.key"
DIRECTOR_KEY = "keys/director.key"

_SETTINGS = f"""\
# Where `gdpr` finds everything when it is started in this folder.
database_url = "sqlite:///{DATABASE}"
policy = "{POLICY}"
home = "."          # audit/ and secret/ lie here
"""


@dataclass(frozen=True)
class Step:
    """One command of the tour, to be run in the demonstration's folder. `codes`: exit codes to expect."""

    title: str
    shows: str
    argv: tuple[str, ...]
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Demo:
    """A demonstration's folder, as written."""

    directory: Path
    counts: DemoCounts

    @property
    def database(self) -> Path:
        return self.directory / DATABASE

    @property
    def preparation(self) -> tuple[Step, ...]:
        """What a site does once: the log, two people, the approval."""
        return PREPARATION


PREPARATION = (
    Step(
        "Make the audit log",
        "Makes the home folder, the key that signs the log, and its first entry.",
        ("init", "--name", "staffords.example/demo"),
    ),
    Step(
        "Enrol the call-centre manager",
        "People sign with a key of their own. Here it has no passphrase; yours should have one.",
        ("keys", "new", "--as", "call-centre-manager", "--out", MANAGER_KEY, "--no-passphrase"),
    ),
    Step(
        "Enrol a director",
        "Two people sign an audit, with two keys.",
        ("keys", "new", "--as", "director", "--out", DIRECTOR_KEY, "--no-passphrase"),
    ),
    Step(
        "Approve the policy",
        "A purge obeys only the very policy that a director has signed, for this database.",
        ("approve", "--as", "director", "--key", DIRECTOR_KEY),
    ),
)


def write_demo(
    directory: Path, *, customers: int, seed: int, today: dt.date, progress: Progress = SILENT
) -> Demo:
    """Write a demonstration into a new or empty folder: database, policy, gdpr.toml, answers for the review.

    Nothing that exists is overwritten. Raises UsageError where the folder holds anything or cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(f"{directory} is not empty.", "Name a new folder for the demonstration.")
        (directory / "keys").mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(
            f"{directory} cannot be made: {error.strerror}.", "Name a folder that you may write to."
        ) from error
    (directory / POLICY).write_bytes(packaged_policy())
    (directory / SETTINGS).write_text(_SETTINGS, encoding="utf-8")
    (directory / ANSWERS).write_text(_answers(directory / POLICY, today), encoding="utf-8")
    counts = write_database(
        directory / DATABASE, customers=customers, seed=seed, today=today, progress=progress
    )
    return Demo(directory, counts)


def packaged_policy() -> bytes:
    """The firm's policy as it is installed with the package; the same bytes as policies/retention.yaml."""
    return (resources.files(__package__) / POLICY).read_bytes()


def tour(*, confirm: int) -> tuple[Step, ...]:
    """The tour over a prepared demonstration. `confirm`: how many customers the first purge may touch."""
    findings = (0, FindingsError.exit_code)
    return (
        Step(
            "Scan: what is due?",
            "Every row is in one of five states. Changes nothing.",
            ("scan",),
            findings,
        ),
        Step(
            "Purge, dry run: what would go?",
            "Goes through all of a purge up to the erasing. It names the brakes that would stop a real one: "
            "a first purge takes years of backlog, far more than one run may.",
            ("purge", "--dry-run"),
            findings,
        ),
        Step(
            "Purge, confirmed: erase it",
            f"Someone has seen the number and allows up to {confirm} customers. Every batch is written to "
            "the log before it is erased, and after. A row that cannot be decided, as without a date, stays.",
            ("purge", "--confirm", str(confirm)),
            findings,
        ),
        Step(
            "What the log says of it",
            "Counts and hashes, signed and chained. No name, no address, no key of anybody stands in it.",
            ("log", "show", "--last", "5"),
        ),
        Step(
            "Audit: did the purge do its work?",
            "Decides every row a second time, by other code, and compares. Rows that cannot be decided are "
            "reported, for a person to put right. Writes the certificate.",
            ("audit",),
            findings,
        ),
        Step(
            "The manager signs the audit off",
            "The signature covers the finding counts, the certificate and the state of the log.",
            ("sign", "--as", "call-centre-manager", "--key", MANAGER_KEY),
        ),
        Step(
            "A director signs it off too",
            "One person cannot sign twice.",
            ("sign", "--as", "director", "--key", DIRECTOR_KEY),
        ),
        Step(
            "Review: is the policy still right?",
            "Shows what changed since the last review, takes the answers to the policy's questions, logs "
            "what has to be done, and approves the policy anew.",
            ("review", "--answers", ANSWERS, "--as", "director", "--key", DIRECTOR_KEY),
        ),
        Step(
            "Verify the log",
            "Checks every signature, the chain and the checkpoint: whoever changed, removed or reordered an "
            "entry is found out.",
            ("log", "verify"),
        ),
    )


def _answers(policy: Path, today: dt.date) -> str:
    """An answers file for the review. A question stands in JSON, which YAML reads whatever is in it."""
    questions: Sequence[str] = load_policy(policy).review_questions
    due = today + dt.timedelta(days=90)
    lines = ["# The answers that the director gives in the review of the tour.", "answers:"]
    answer = "Looked at in the demonstration, nothing to change."
    lines += [f"  {json.dumps(question, ensure_ascii=False)}: {answer}" for question in questions]
    lines += [
        "actions:",
        f'  - {{what: "Correct the rows whose dates are missing or impossible", due: {due}}}',
    ]
    return "\n".join(lines) + "\n"

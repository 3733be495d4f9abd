"""docs/audit-log.md says what the code does, and its script verifies a log without the code."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
from pathlib import Path

import pytest
from log_samples import NOW, Sample

from staffords_gdpr.auditlog import checkpoint, rows
from staffords_gdpr.auditlog.entries import table
from staffords_gdpr.auditlog.keys import ENTRY_TYPE, b64
from staffords_gdpr.auditlog.verify import verify

PAGE = (Path(__file__).parents[2] / "docs" / "audit-log.md").read_text(encoding="utf-8")


def by_hand(sample: Sample, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the page's script over the sample."""
    found = re.search(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    assert found
    script = folder / "by-hand.sh"
    script.write_text(found[1], encoding="utf-8")
    return subprocess.run(
        ["bash", script],
        cwd=sample.home.path,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_table_of_types_is_the_code_s() -> None:
    found = re.search(r"<!-- types: begin .*?-->\n(.*?)\n<!-- types: end -->", PAGE, re.DOTALL)
    assert found
    assert found[1].strip() == table().strip()


def test_the_page_names_the_type_that_is_signed_and_its_length() -> None:
    assert f"DSSEv1 {len(ENTRY_TYPE)} {ENTRY_TYPE} " in PAGE


def test_the_page_has_the_verifier_s_sentences(original: Sample) -> None:
    for result in (verify(original.home), verify(original.home, checkpoint=original.home.checkpoint)):
        assert result.sentence.replace("16", "N").replace("2026-11-23T02:00:04Z", "DATE") in PAGE


def test_the_script_verifies_a_sound_log(sample: Sample, tmp_path: Path) -> None:
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=NOW)
    with sample.home.log.open("ab") as stream:
        stream.write(b'{"entry":{"torn\n{"entry":{"and its declaration')
    log = sample.log
    log.append("hold.release", {"hold": "H1"}, now=NOW + dt.timedelta(days=1))
    log.write_checkpoint(NOW)
    result = by_hand(sample, tmp_path, KEY=b64(log.public_key))
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == [
        "22 lines, the checkpoint covers 22",
        "2 batches",
        "2 sign-offs",
        "all verified",
    ]


def edit(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("edit", "line 6"),
        ("delete", "line 5"),
        ("cut", "the tail was cut"),
        ("key", "another key"),
        ("checkpoint", "the checkpoint's signature"),
        ("leaves", "the leaves of batch"),
        ("statement", "statement.txt"),
        ("sign-off", "manager.sig"),
    ],
)
def test_the_script_finds_what_was_tampered_with(
    sample: Sample, tmp_path: Path, fault: str, words: str
) -> None:
    home, environment = sample.home, {}
    if fault == "edit":
        edit(home.log, b'"call":3', b'"call":2')
    elif fault == "delete":
        home.log.write_bytes(b"".join(sample.lines[:4] + sample.lines[5:]))
    elif fault == "cut":
        home.log.write_bytes(b"".join(sample.lines[:-1]))
    elif fault == "key":
        environment["KEY"] = b64(bytes(32))
    elif fault == "checkpoint":
        edit(home.checkpoint, b"\n17\n", b"\n16\n")
    elif fault == "leaves":
        path = next(home.batches.rglob("*.leaves"))
        path.write_bytes(bytes(32) + path.read_bytes()[32:])
    elif fault == "statement":
        edit(home.audits / "2026-H2" / "statement.txt", b"pass", b"fail")
    else:
        edit(home.audits / "2026-H2" / "manager.sig", b"U1NIU0lH", b"U1NIU0lI")
    result = by_hand(sample, tmp_path, **environment)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"FAILED: {words}" in result.stdout or words in result.stdout.splitlines()[-1]


def test_the_script_verifies_the_rows_that_are_gone_of_a_batch_that_a_person_settled(
    sample: Sample, tmp_path: Path
) -> None:
    path = settled_batch(sample, gone=2)
    assert settled_batch(sample, gone=0) is None
    sample.log.write_checkpoint(NOW)
    assert verify(sample.home).ok
    result = by_hand(sample, tmp_path)
    assert "all verified" in result.stdout, result.stdout + result.stderr
    assert path is not None
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    assert f"FAILED: the leaves of batch {path.stem}" in by_hand(sample, tmp_path).stdout


def settled_batch(sample: Sample, gone: int) -> Path | None:
    """A batch of three calls whose outcome was unclear, and of which a director says that so many are gone."""
    log, secret = sample.log, rows.new_batch_key()
    leaves = [rows.leaf(secret, "call", (row,)) for row in range(3)]
    name = rows.new_batch_id(NOW)
    batch = {"batch": name, "root": rows.root(leaves), "rows": {"call": 3}}
    log.append("purge.intent", {**batch, "run": "r9", "subjects": 2}, now=NOW)
    log.append("purge.recovered", {**batch, "run": "r9", "outcome": "unclear"}, now=NOW)
    if gone:
        rows.write_leaves(log.home, name, NOW, leaves[:gone])
    fields = {
        **batch,
        "gone": {"call": gone},
        "gone_root": rows.root(leaves[:gone]),
        "left": {"call": 3 - gone},
        "role": "director",
        "person": sample.director.fingerprint,
    }
    log.append("purge.settled", fields, now=NOW, signers=[sample.director])
    return log.home.leaves(name)


def test_the_script_takes_a_copied_checkpoint(sample: Sample, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.write_bytes(checkpoint.split(sample.home.checkpoints.read_bytes())[0][1])
    result = by_hand(sample, tmp_path, CHECKPOINT=str(older))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "17 lines, the checkpoint covers 10" in result.stdout

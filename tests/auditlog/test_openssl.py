"""The log is verified by real tools and by a few lines that share no code with the package."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from log_samples import NAME, Sample

from staffords_gdpr.auditlog.people import load_person_key, new_person_key, sign_statement, verify_statement

DER_PREFIX = bytes.fromhex("302a300506032b6570032100")
PAYLOAD_TYPE = b"application/vnd.staffords-gdpr.entry+json"


def openssl_verifies(folder: Path, raw_key: bytes, message: bytes, signature: bytes) -> bool:
    (folder / "key.der").write_bytes(DER_PREFIX + raw_key)
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
    command += ["-in", "message", "-sigfile", "signature"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def parts(line: bytes) -> tuple[bytes, list[dict[str, str]]]:
    found = re.fullmatch(rb'\{"entry":(\{.*\}),"sigs":(\[.*\])\}', line.rstrip(b"\n"))
    assert found
    return found[1], json.loads(found[2])


def pae(payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE, len(payload), payload)


def test_openssl_verifies_every_line_with_the_key_of_the_first(sample: Sample, tmp_path: Path) -> None:
    key = base64.b64decode(json.loads(sample.lines[0])["entry"]["key"])
    for line in sample.lines:
        payload, sigs = parts(line)
        assert sigs[0]["keyid"] == hashlib.sha256(key).hexdigest()[:16]
        assert openssl_verifies(tmp_path, key, pae(payload), base64.b64decode(sigs[0]["sig"]))


def test_openssl_refuses_a_line_with_one_letter_changed(sample: Sample, tmp_path: Path) -> None:
    key = base64.b64decode(json.loads(sample.lines[0])["entry"]["key"])
    payload, sigs = parts(sample.lines[5])
    changed = payload.replace(b'"call":3', b'"call":2')
    assert changed != payload
    assert not openssl_verifies(tmp_path, key, pae(changed), base64.b64decode(sigs[0]["sig"]))


def test_openssl_verifies_the_director_s_signature_on_the_approval(sample: Sample, tmp_path: Path) -> None:
    line = sample.lines[sample.line_of("policy.approve") - 1]
    payload, sigs = parts(line)
    director = next(
        base64.b64decode(json.loads(other)["entry"]["key"])
        for other in sample.lines
        if b'"role":"director"' in other and b'"type":"person.add"' in other
    )
    assert len(sigs) == 2
    assert openssl_verifies(tmp_path, director, pae(payload), base64.b64decode(sigs[1]["sig"]))


def test_the_chain_and_the_tree_root_are_recomputed_in_a_few_lines(sample: Sample) -> None:
    lines = [line.rstrip(b"\n") for line in sample.lines]
    previous = "0" * 64
    for number, line in enumerate(lines):
        entry = json.loads(line)["entry"]
        assert (entry["seq"], entry["prev"], entry["log"]) == (number, previous, NAME)
        previous = hashlib.sha256(line).hexdigest()

    def root(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return hashlib.sha256(b"\x00" + leaves[0]).digest()
        half = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()

    origin, size, encoded, *_ = sample.home.checkpoint.read_text().split("\n")
    assert (origin, int(size)) == (NAME, len(lines))
    assert base64.b64decode(encoded) == root(lines)


def test_openssl_verifies_the_checkpoint_as_a_signed_note(sample: Sample, tmp_path: Path) -> None:
    key = base64.b64decode(json.loads(sample.lines[0])["entry"]["key"])
    text, _, signatures = sample.home.checkpoint.read_bytes().partition(b"\n\n")
    dash, name, encoded = signatures.decode().split()
    signature = base64.b64decode(encoded)
    assert (dash, name) == ("—", NAME)
    assert signature[:4] == hashlib.sha256(NAME.encode() + b"\n\x01" + key).digest()[:4]
    assert openssl_verifies(tmp_path, key, text + b"\n", signature[4:])


def ssh_verifies(folder: Path, public_line: str, statement: bytes, signature: bytes) -> bool:
    (folder / "allowed").write_text(f"someone {public_line}\n")
    (folder / "sig").write_bytes(signature)
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        "someone",
        "-n",
        "staffords-gdpr",
        "-s",
        "sig",
    ]
    return (
        subprocess.run(command, cwd=folder, input=statement, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.parametrize("statement", [b"", b"audit 2026-H2\n", bytes(range(256)) * 40])
def test_ssh_keygen_verifies_our_signatures_and_refuses_other_bytes(tmp_path: Path, statement: bytes) -> None:
    key = new_person_key(tmp_path / "key", b"pass phrase")
    signature = sign_statement(key, statement)
    assert ssh_verifies(tmp_path, key.public_line, statement, signature)
    assert not ssh_verifies(tmp_path, key.public_line, statement + b" ", signature)
    assert verify_statement(key.public_key, statement, signature)
    assert not verify_statement(key.public_key, statement + b" ", signature)


def test_we_verify_what_ssh_keygen_signs_with_our_key_and_with_its_own(tmp_path: Path) -> None:
    new_person_key(tmp_path / "ours", None)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "theirs"],
        check=True,
        capture_output=True,
    )
    for name in ("ours", "theirs"):
        statement = tmp_path / f"{name}.txt"
        statement.write_bytes(b"audit 2026-H2\n")
        command = ["ssh-keygen", "-Y", "sign", "-f", tmp_path / name, "-n", "staffords-gdpr", statement]
        subprocess.run(command, check=True, capture_output=True)
        signature = (tmp_path / f"{name}.txt.sig").read_bytes()
        key = load_person_key(tmp_path / name, None)
        assert verify_statement(key.public_key, b"audit 2026-H2\n", signature)
        assert not verify_statement(key.public_key, b"audit 2026-H1\n", signature)


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path: Path) -> None:
    key = new_person_key(tmp_path / "key", None)
    printed = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], check=True, capture_output=True, text=True
    ).stdout
    assert key.fingerprint in printed.split()


def test_a_signature_for_another_namespace_does_not_count(tmp_path: Path) -> None:
    key = new_person_key(tmp_path / "key", None)
    statement = tmp_path / "statement"
    statement.write_bytes(b"x")
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", tmp_path / "key", "-n", "file", statement],
        check=True,
        capture_output=True,
    )
    assert not verify_statement(key.public_key, b"x", (tmp_path / "statement.sig").read_bytes())

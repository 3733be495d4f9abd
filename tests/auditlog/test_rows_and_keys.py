"""Leaves, trees, batch keys, pending files and people's keys."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import NAME, NOW, Sample

from staffords_gdpr.auditlog import Home, checkpoint, rows
from staffords_gdpr.auditlog.keys import b64, parse_public, unb64
from staffords_gdpr.auditlog.merkle import EMPTY, Tree, leaf_hash, tree_root
from staffords_gdpr.auditlog.people import load_person_key, new_person_key, people
from staffords_gdpr.errors import GdprError, UsageError


def rfc6962_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + rfc6962_root(leaves[:half]) + rfc6962_root(leaves[half:])).digest()


def test_the_growing_tree_has_the_root_of_rfc_6962_at_every_size() -> None:
    tree, leaves = Tree(), []
    assert tree.root() == EMPTY == rfc6962_root([])
    for number in range(140):
        leaves.append(leaf_hash(b"%d" % number))
        tree.add(leaves[-1])
        assert tree.root() == rfc6962_root(leaves)
        assert len(tree.frontier) <= 8
        assert Tree(tree.size, tree.frontier).root() == tree.root()


def test_a_known_answer_of_certificate_transparency() -> None:
    """The eight leaves of the reference implementation's test and their root."""
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    root = tree_root(leaf_hash(bytes.fromhex(text)) for text in inputs)
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_leaf_is_what_the_format_says() -> None:
    key = bytes(range(32))
    rec = b'["call",123]'
    nonce = hmac.new(key, rec, "sha256").digest()
    assert rows.leaf(key, "call", (123,)) == hashlib.sha256(b"\x00" + nonce + rec).digest()


@pytest.mark.parametrize(
    ("row_key", "text"),
    [
        ((1, "a"), b'["call",1,"a"]'),
        ((2**60,), b'["call","1152921504606846976"]'),
        ((b"\x01\xff",), b'["call","0x01ff"]'),
        ((dt.date(2026, 1, 2),), b'["call","2026-01-02"]'),
        (("K\u00e4\n",), '["call","Kä\\n"]'.encode()),
    ],
)
def test_keys_of_every_kind_have_one_spelling(row_key: tuple[object, ...], text: bytes) -> None:
    assert rows.record_bytes("call", row_key) == text


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=20), st.randoms())
def test_the_root_of_a_batch_does_not_depend_on_the_order_of_its_rows(
    leaves: list[bytes], random: object
) -> None:
    shuffled = sorted(leaves, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert rows.root(shuffled) == rows.root(leaves) == rfc6962_root(sorted(leaves)).hex()


def test_leaves_are_written_sorted_and_writing_them_again_does_no_harm(tmp_path: Path) -> None:
    home = Home(tmp_path)
    batch, leaves = rows.new_batch_id(NOW), [bytes([number]) * 32 for number in (3, 1, 2)]
    path = rows.write_leaves(home, batch, NOW, leaves)
    assert path == tmp_path / "audit" / "batches" / "2026" / f"{batch}.leaves"
    assert rows.read_leaves(path) == sorted(leaves)
    assert rows.write_leaves(home, batch, NOW + dt.timedelta(days=400), leaves) == path
    assert home.leaves(batch) == path
    assert home.leaves(rows.new_batch_id(NOW)) is None


def test_a_batch_s_key_and_pending_file_are_private_and_go_when_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    batch = rows.new_batch_id(NOW)
    assert rows.read_batch_key(home, batch) is None
    assert rows.read_pending(home, batch) is None
    assert rows.list_pending(home) == []
    key = rows.new_batch_key()
    rows.write_batch_key(home, batch, key)
    rows.write_pending(home, batch, {"call": [[1], ["ä"]]})
    assert rows.read_batch_key(home, batch) == key
    assert rows.read_pending(home, batch) == {"call": [[1], ["ä"]]}
    assert rows.list_pending(home) == [batch]
    for path in (home.batch_keys / f"{batch}.key", home.pending / f"{batch}.json"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    rows.remove_pending(home, batch)
    rows.remove_pending(home, batch)
    assert rows.list_pending(home) == []


def test_a_damaged_pending_file_is_said(tmp_path: Path) -> None:
    home = Home(tmp_path)
    rows.write_pending(home, "B", {})
    (home.pending / "B.json").write_bytes(b'{"call":')
    with pytest.raises(GdprError, match="damaged"):
        rows.read_pending(home, "B")


def test_batch_ids_are_ulids_in_the_order_of_time() -> None:
    ids = [rows.new_batch_id(NOW + dt.timedelta(milliseconds=number)) for number in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert all(len(batch) == 26 and set(batch) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for batch in ids)


# People's keys


@pytest.mark.parametrize("passphrase", [None, b"correct horse", "Grüße".encode()])
def test_a_key_is_read_back_with_its_passphrase(tmp_path: Path, passphrase: bytes | None) -> None:
    made = new_person_key(tmp_path / "key", passphrase)
    assert load_person_key(tmp_path / "key", passphrase).fingerprint == made.fingerprint
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" in (tmp_path / "key").read_bytes()


@pytest.mark.parametrize(
    ("given_phrase", "words"), [(b"wrong", "wrong passphrase"), (None, "has a passphrase")]
)
def test_a_wrong_or_missing_passphrase_is_said(
    tmp_path: Path, given_phrase: bytes | None, words: str
) -> None:
    new_person_key(tmp_path / "key", b"right")
    with pytest.raises(UsageError, match=words) as caught:
        load_person_key(tmp_path / "key", given_phrase)
    assert str(tmp_path / "key") in caught.value.message


def test_an_openssh_key_with_a_passphrase_is_read_or_refused_with_advice(tmp_path: Path) -> None:
    """It needs the package bcrypt, which is not among ours."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "key"]
    subprocess.run(command, check=True, capture_output=True)
    if find_spec("bcrypt"):
        assert load_person_key(tmp_path / "key", b"secret").public_line in (tmp_path / "key.pub").read_text()
    else:
        with pytest.raises(UsageError, match="cannot be read here") as caught:
            load_person_key(tmp_path / "key", b"secret")
        assert "bcrypt" in caught.value.hint


def test_a_passphrase_for_a_key_without_one_does_no_harm(tmp_path: Path) -> None:
    made = new_person_key(tmp_path / "key", None)
    assert load_person_key(tmp_path / "key", b"what for").fingerprint == made.fingerprint


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    for passphrase in (None, b"x"):
        with pytest.raises(UsageError):
            load_person_key(tmp_path / "key", passphrase)


def test_a_missing_key_is_said_and_an_existing_one_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_person_key(tmp_path / "key", None)
    new_person_key(tmp_path / "key", None)
    with pytest.raises(UsageError, match="exists already"):
        new_person_key(tmp_path / "key", None)


def test_people_are_told_from_the_log_by_fingerprint(original: Sample) -> None:
    found = people(original.log.entries())
    assert {fingerprint: (person.role, person.public_key) for fingerprint, person in found.items()} == {
        original.director.fingerprint: ("director", original.director.public_key),
        original.manager.fingerprint: ("manager", original.manager.public_key),
    }
    assert {person.since for person in found.values()} == {NOW}


def test_a_private_key_does_not_show_in_what_is_printed(original: Sample) -> None:
    assert "private" not in repr(original.director)


def test_a_public_key_is_read_in_each_of_its_spellings(original: Sample) -> None:
    key = original.log.public_key
    assert parse_public(b64(key)) == key
    assert parse_public(checkpoint.verifier_key(NAME, key) + "\n") == key
    for wrong in ("", "AAAA", "x" * 44, NAME, checkpoint.verifier_key(NAME, key)[:-1]):
        with pytest.raises(UsageError, match="no public key"):
            parse_public(wrong)


@given(st.binary(max_size=100), st.binary(min_size=1, max_size=4))
def test_base64_has_one_spelling(data: bytes, noise: bytes) -> None:
    assert unb64(b64(data)) == data
    other = b64(data) + noise.decode("latin-1")
    try:
        found = unb64(other)
    except ValueError:
        return
    assert b64(found) == other

"""Every way of tampering that we could think of is refused, at the right line, in words that name it.

Line numbers are those of `log_samples.build`. Cases that re-sign have the log's own key: what they break is
not the signature but a rule, which the verifier checks even so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_samples import HASH, NAME, Sample, body, build

from staffords_gdpr.auditlog import checkpoint as notes
from staffords_gdpr.auditlog.keys import load_log_key, raw_public
from staffords_gdpr.auditlog.people import sign_statement
from staffords_gdpr.auditlog.verify import Verification, verify
from staffords_gdpr.auditlog.writer import line as signed_line

LAST = 17
Tampering = Callable[[Sample], None]
CASES: list[object] = []


def case(name: str, line: int, words: str) -> Callable[[Tampering], Tampering]:
    """Register a tampering, the line at which it must be found, and a word of the reason."""

    def register(tamper: Tampering) -> Tampering:
        CASES.append(pytest.param(tamper, line, words, id=name))
        return tamper

    return register


def edit_lines(sample: Sample, change: Callable[[list[bytes]], None]) -> None:
    lines = sample.lines
    change(lines)
    sample.home.log.write_bytes(b"".join(lines))


def replace(sample: Sample, number: int, old: bytes, new: bytes) -> None:
    lines = sample.lines
    assert old in lines[number - 1], lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    sample.home.log.write_bytes(b"".join(lines))


def resign(sample: Sample, number: int, private: Ed25519PrivateKey | None = None, **changes: object) -> None:
    """Change fields of a line (None removes one) and sign it again, with the log's own key by default."""
    entry = {**body(sample.lines[number - 1]), **changes}
    entry = {name: value for name, value in entry.items() if value is not None}
    line = signed_line(entry, [private or load_log_key(sample.home.log_key)])
    edit_lines(sample, lambda lines: lines.__setitem__(number - 1, line + b"\n"))


def append_line(sample: Sample, **entry: object) -> None:
    """Append a line that the log's own key signs, with a right seq and prev."""
    lines = sample.lines
    base = {"v": 1, "log": NAME, "seq": len(lines), "time": "2026-11-23T02:00:04Z"}
    prev = hashlib.sha256(lines[-1].rstrip(b"\n")).hexdigest()
    line = signed_line({**base, "prev": prev, **entry}, [load_log_key(sample.home.log_key)])
    sample.home.log.write_bytes(b"".join([*lines, line + b"\n"]))


# Lines moved, lost and doubled


@case("swap", 6, "missing, moved or doubled")
def _(sample: Sample) -> None:
    def change(lines: list[bytes]) -> None:
        lines[5], lines[6] = lines[6], lines[5]

    edit_lines(sample, change)


@case("delete the first line", 1, "missing, moved or doubled")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__delitem__(0))


@case("delete a middle line", 5, "missing, moved or doubled")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__delitem__(4))


@case("delete the last line", LAST, "the tail was cut")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__delitem__(-1))


@case("delete everything since an earlier checkpoint", 11, "the tail was cut")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__delitem__(slice(10, None)))


@case("cut the last line in the middle", LAST, "the tail was cut")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_bytes()[:-100])


@case("cut the last line feed", LAST, "the tail was cut")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_bytes()[:-1])


@case("cut a middle line", 5, "")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__setitem__(4, lines[4][:-60] + b"\n"))


@case("empty the log", 1, "empty")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(b"")


@case("remove the log", 1, "gone")
def _(sample: Sample) -> None:
    sample.home.log.unlink()


@case("duplicate a line", 6, "missing, moved or doubled")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.insert(5, lines[4]))


@case("duplicate the last line", LAST + 1, "missing, moved or doubled")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.append(lines[-1]))


@case("join two lines", 3, "not JSON")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__setitem__(2, lines[2].rstrip(b"\n")))


# Bytes


@case("edit a number", 6, "signature is wrong")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"call":3', b'"call":4')


@case("edit a time", 10, "signature is wrong")
def _(sample: Sample) -> None:
    replace(sample, 10, b"02:00:04Z", b"02:00:05Z")


@case("uppercase hex", 6, "not SHA-256")
def _(sample: Sample) -> None:
    root = str(body(sample.lines[5])["root"])
    replace(sample, 6, root.encode(), root.upper().encode())


@case("CRLF in one line", 4, "CRLF")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__setitem__(3, lines[3][:-1] + b"\r\n"))


@case("CRLF in all lines", 1, "CRLF")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_bytes().replace(b"\n", b"\r\n"))


@case("BOM", 1, "BOM")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(b"\xef\xbb\xbf" + sample.home.log.read_bytes())


@case("UTF-16 with a mark", 1, "UTF-16")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_text().encode("utf-16"))


@case("UTF-16 without a mark", 1, "UTF-16")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_text().encode("utf-16-le"))


@case("not UTF-8", 4, "not UTF-8")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", b"c\xfflls")


@case("overlong UTF-8", 4, "not UTF-8")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", b"\xc1\xa3alls")


@case("blank line in the middle", 5, "blank")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.insert(4, b"\n"))


@case("blank line at the end", LAST + 1, "blank")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.append(b"\n"))


@case("a line of blanks", 5, "blank")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.insert(4, b"   \n"))


@case("NUL tail", LAST + 1, "NUL")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_bytes() + bytes(512))


@case("NUL tail with a line feed", LAST + 1, "NUL")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_bytes() + bytes(512) + b"\n")


@case("NUL in a line", 4, "NUL")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", b"ca\x00ls")


@case("foreign bytes at the end", LAST + 1, "foreign bytes")
def _(sample: Sample) -> None:
    sample.home.log.write_bytes(sample.home.log.read_bytes() + b"# checked by me")


@case("a 5 MB line", LAST + 1, "longer than")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.append(b'{"entry":{"a":"' + b"x" * 5_000_000 + b'"}}\n'))


@case("a 5 MB line in the middle", 8, "longer than")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.insert(7, b'{"entry":{"a":"' + b"x" * 5_000_000 + b'"}}\n'))


@case("5 MB without a line feed", LAST + 1, "longer than")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.append(b'{"entry":{"a":"' + b"x" * 5_000_000))


@case("30,000 levels of arrays", 8, "levels deep")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.insert(7, b"[" * 30_000 + b"]" * 30_000 + b"\n"))


@case("30,000 levels of arrays without an end", 8, "levels deep")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.insert(7, b"[" * 30_000 + b"\n"))


@case("6,000 levels of objects in an entry", 5, "levels deep")
def _(sample: Sample) -> None:
    replace(sample, 5, b'"dry":false', b'"dry":' + b'{"a":' * 6_000 + b"0" + b"}" * 6_000)


# JSON that says the same, or seems to


@case("duplicate keys", 6, "stands twice")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":2,"subjects":2')


@case("duplicate keys by an escape", 6, "stands twice")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":2,"\\u0073ubjects":9')


@case("duplicate entry", 6, "stands twice")
def _(sample: Sample) -> None:
    replace(sample, 6, b',"sigs":[', b',"entry":{},"sigs":[')


@case("a float", 6, "float")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":2.0')


@case("an exponent", 6, "float")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":2e0')


@case("NaN", 6, "NaN")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":NaN')


@case("Infinity", 6, "Infinity")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":-Infinity')


@case("minus zero", 10, "canonical")
def _(sample: Sample) -> None:
    replace(sample, 10, b'"held":0', b'"held":-0')


@case("an integer of 2^53", 6, "2^53")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":9007199254740992')


@case("an integer of 5,000 digits", 6, "2^53")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects":' + b"9" * 5_000)


@case("an escape of a plain letter", 4, "canonical")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", b"\\u0063alls")


@case("an escaped solidus", 4, "canonical")
def _(sample: Sample) -> None:
    replace(sample, 4, b"///calls", b"//\\/calls")


@case("an escaped control character", 4, "control")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", b"calls\\u0007")


@case("a lone surrogate", 4, "surrogate")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", b"calls\\ud800")


@case("a zero-width space", 4, "invisible")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", "ca\u200blls".encode())


@case("a right-to-left override", 4, "invisible")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", "\u202ecalls".encode())


@case("not NFC", 4, "NFC")
def _(sample: Sample) -> None:
    replace(sample, 4, b"calls", unicodedata.normalize("NFD", "cälls").encode())


@case("white space between tokens", 6, "canonical")
def _(sample: Sample) -> None:
    replace(sample, 6, b'"subjects":2', b'"subjects": 2')


@case("white space before a line", 6, "canonical")
def _(sample: Sample) -> None:
    replace(sample, 6, b'{"entry"', b' {"entry"')


@case("white space after a line", 6, "canonical")
def _(sample: Sample) -> None:
    replace(sample, 6, b"}]}\n", b"}]} \n")


@case("key order", 6, "canonical")
def _(sample: Sample) -> None:
    line = json.loads(sample.lines[5])
    turned = json.dumps({"sigs": line["sigs"], "entry": line["entry"]}, separators=(",", ":"))
    edit_lines(sample, lambda lines: lines.__setitem__(5, turned.encode() + b"\n"))


@case("something after the line's object", 6, "not JSON")
def _(sample: Sample) -> None:
    replace(sample, 6, b"}]}\n", b"}]}{}\n")


@case("a line that is no object", 6, "object")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__setitem__(5, b"[]\n"))


@case("one more key beside entry and sigs", 6, "object")
def _(sample: Sample) -> None:
    replace(sample, 6, b"}]}\n", b'}],"z":1}\n')


# Signatures


@case("a foreign signature", 6, "names another")
def _(sample: Sample) -> None:
    resign(sample, 6, Ed25519PrivateKey.generate())


@case("a foreign signature under the log's keyid", 6, "signature is wrong")
def _(sample: Sample) -> None:
    entry = body(sample.lines[5])
    foreign = signed_line(entry, [Ed25519PrivateKey.generate()])
    ours = json.loads(sample.lines[5])["sigs"][0]["keyid"]
    forged = re.sub(rb'"keyid":"[0-9a-f]{16}"', b'"keyid":"' + ours.encode() + b'"', foreign)
    edit_lines(sample, lambda lines: lines.__setitem__(5, forged + b"\n"))


@case("the signature of another entry", 6, "signature is wrong")
def _(sample: Sample) -> None:
    mine, other = (json.loads(sample.lines[number])["sigs"][0]["sig"] for number in (5, 6))
    replace(sample, 6, mine.encode(), other.encode())


@case("no signature", 6, "one or more signatures")
def _(sample: Sample) -> None:
    edit_lines(sample, lambda lines: lines.__setitem__(5, re.sub(rb'"sigs":\[.*\]', b'"sigs":[]', lines[5])))


@case("truncated base64", 6, "base64")
def _(sample: Sample) -> None:
    replace(sample, 6, b'=="}]', b'="}]')


@case("base64 with unused bits", 6, "base64")
def _(sample: Sample) -> None:
    signature = json.loads(sample.lines[5])["sigs"][0]["sig"]
    other = {"A": "B", "Q": "R", "g": "h", "w": "x"}[signature[-3]]
    assert base64.b64decode(signature) == base64.b64decode(signature[:-3] + other + "==")
    replace(sample, 6, f'{signature[-3]}=="'.encode(), f'{other}=="'.encode())


@case("base64 of the URL kind", 6, "")
def _(sample: Sample) -> None:
    signature = json.loads(sample.lines[5])["sigs"][0]["sig"]
    replace(sample, 6, signature.encode(), b"-" + signature[1:].encode())


@case("a signature of 63 bytes", 6, "64 bytes")
def _(sample: Sample) -> None:
    signature = json.loads(sample.lines[5])["sigs"][0]["sig"]
    replace(sample, 6, signature.encode(), base64.b64encode(base64.b64decode(signature)[:63]))


@case("keyid in capitals", 6, "keyid")
def _(sample: Sample) -> None:
    keyid = json.loads(sample.lines[5])["sigs"][0]["keyid"]
    replace(sample, 6, keyid.encode(), (keyid[:-1] + "F").encode())


@case("a second signature where none belongs", 6, "carries 1")
def _(sample: Sample) -> None:
    keys = [load_log_key(sample.home.log_key), sample.director.private]
    line = signed_line(body(sample.lines[5]), keys)
    edit_lines(sample, lambda lines: lines.__setitem__(5, line + b"\n"))


@case("an approval without the person's signature", 4, "carries 0")
def _(sample: Sample) -> None:
    resign(sample, 4)


@case("an approval signed by another person", 4, "may not sign")
def _(sample: Sample) -> None:
    line = signed_line(body(sample.lines[3]), [load_log_key(sample.home.log_key), sample.manager.private])
    edit_lines(sample, lambda lines: lines.__setitem__(3, line + b"\n"))


@case("an approval by somebody who is not enrolled", 4, "not enrolled")
def _(sample: Sample) -> None:
    resign(sample, 4, person="SHA256:" + "A" * 43)


@case("a person's key exchanged", 2, "")
def _(sample: Sample) -> None:
    resign(sample, 2, key=base64.b64encode(bytes(32)).decode())


@case("the log opened with another key", 1, "signature")
def _(sample: Sample) -> None:
    stranger = Ed25519PrivateKey.generate()
    replace(sample, 1, str(body(sample.lines[0])["key"]).encode(), base64.b64encode(raw_public(stranger)))


# Rules, broken with the log's own key


@case("unknown field", 6, "no field 'note'")
def _(sample: Sample) -> None:
    resign(sample, 6, note="x")


@case("missing field", 6, "lacks the field 'subjects'")
def _(sample: Sample) -> None:
    resign(sample, 6, subjects=None)


@case("unknown type", 6, "no type of entry")
def _(sample: Sample) -> None:
    resign(sample, 6, type="purge.nothing")


@case("a type kept for later", 6, "not known to this version")
def _(sample: Sample) -> None:
    resign(sample, 6, type="key.rotate")


@case("unknown version", 6, "version")
def _(sample: Sample) -> None:
    resign(sample, 6, v=2)


@case("version true", 6, "version")
def _(sample: Sample) -> None:
    resign(sample, 6, v=True)


@case("missing time", 6, "lacks time")
def _(sample: Sample) -> None:
    resign(sample, 6, time=None)


@case("a time with an offset", 6, "moment")
def _(sample: Sample) -> None:
    resign(sample, 6, time="2026-11-23T02:00:04+00:00")


@case("a negative count", 6, "rows is not")
def _(sample: Sample) -> None:
    resign(sample, 6, rows={"call": -1})


@case("a count that is true", 6, "subjects is not")
def _(sample: Sample) -> None:
    resign(sample, 6, subjects=True)


@case("wrong seq", 6, "seq is 99")
def _(sample: Sample) -> None:
    resign(sample, 6, seq=99)


@case("wrong log name", 6, "another log")
def _(sample: Sample) -> None:
    resign(sample, 6, log="elsewhere.example/log")


@case("wrong prev", 6, "prev is not")
def _(sample: Sample) -> None:
    resign(sample, 6, prev=HASH)


@case("a line rewritten and signed by the log's key", 7, "prev is not")
def _(sample: Sample) -> None:
    resign(sample, 6, subjects=1)


@case("the last line rewritten and signed by the log's key", LAST, "another tree root")
def _(sample: Sample) -> None:
    resign(sample, LAST, held=7)


@case("second outcome", LAST + 1, "no open intent")
def _(sample: Sample) -> None:
    done = body(sample.lines[6])
    append_line(sample, **{name: done[name] for name in ("type", "run", "batch", "root", "rows")})


@case("outcome without intent", LAST + 1, "no open intent")
def _(sample: Sample) -> None:
    append_line(
        sample, type="purge.aborted", run="r1", batch="0" * 26, root=HASH, rows={}, code="rows-differ"
    )


@case("outcome with other rows than its intent", 7, "not the one of its intent")
def _(sample: Sample) -> None:
    resign(sample, 7, rows={"call": 2})


@case("an intent before the last one is settled", 8, "no outcome yet")
def _(sample: Sample) -> None:
    intent = body(sample.lines[5])
    resign(sample, 7, **{**intent, "seq": 6, "prev": body(sample.lines[6])["prev"], "batch": "1" * 26})
    sample.home.log.write_bytes(b"".join(sample.lines[:7]))
    append_line(sample, type="purge.intent", run="r9", batch="2" * 26, root=HASH, rows={}, subjects=0)


@case("a second opening", LAST + 1, "only there")
def _(sample: Sample) -> None:
    append_line(sample, type="log.open", key=str(body(sample.lines[0])["key"]), tool="1")


@case("a second sign-off by the same role", LAST + 1, "second sign-off")
def _(sample: Sample) -> None:
    first = body(sample.lines[11])
    append_line(
        sample, **{name: first[name] for name in ("type", "of", "statement", "role", "person", "sig")}
    )


@case("a sign-off of what is no audit", LAST + 1, "no audit or review")
def _(sample: Sample) -> None:
    first = body(sample.lines[11])
    fields = {name: first[name] for name in ("type", "statement", "role", "person", "sig")}
    append_line(sample, of=3, **fields)


@case("torn bytes that were never there", LAST + 1, "declares these and no others")
def _(sample: Sample) -> None:
    append_line(sample, type="log.torn", hash=HASH, length=12)


# Files beside the log


@case("the checkpoint of another key", LAST, "not signed by the log's key")
def _(sample: Sample) -> None:
    checkpoint, _ = notes.parse(sample.home.checkpoint.read_bytes())
    sample.home.checkpoint.write_bytes(notes.sign(checkpoint, Ed25519PrivateKey.generate()))


@case("a checkpoint with an edited root", LAST, "its signature is wrong")
def _(sample: Sample) -> None:
    checkpoint, _ = notes.parse(sample.home.checkpoint.read_bytes())
    other = notes.Checkpoint(checkpoint.origin, checkpoint.size, bytes(32)).body()
    sample.home.checkpoint.write_bytes(sample.home.checkpoint.read_bytes().replace(checkpoint.body(), other))


@case("a checkpoint with another root, signed by the log's key", LAST, "another tree root")
def _(sample: Sample) -> None:
    note = notes.sign(notes.Checkpoint(NAME, LAST, bytes(32)), load_log_key(sample.home.log_key))
    sample.home.checkpoint.write_bytes(note)


@case("a checkpoint of another log", LAST, "another log")
def _(sample: Sample) -> None:
    checkpoint, _ = notes.parse(sample.home.checkpoint.read_bytes())
    other = notes.Checkpoint("elsewhere.example/log", LAST, checkpoint.root)
    sample.home.checkpoint.write_bytes(notes.sign(other, load_log_key(sample.home.log_key)))


@case("a removed checkpoint", LAST, "missing")
def _(sample: Sample) -> None:
    sample.home.checkpoint.unlink()


@case("an edited old checkpoint", 10, "checkpoint 2 of checkpoints.txt")
def _(sample: Sample) -> None:
    text = sample.home.checkpoints.read_bytes().split(b"\n")
    text[8] = base64.b64encode(bytes(32))
    sample.home.checkpoints.write_bytes(b"\n".join(text))


@case("checkpoints.txt emptied", LAST, "does not stand in checkpoints.txt")
def _(sample: Sample) -> None:
    sample.home.checkpoints.write_bytes(b"")


def leaves_of(sample: Sample, number: int) -> Path:
    path = sample.home.leaves(str(body(sample.lines[number - 1])["batch"]))
    assert path is not None
    return path


@case("an edited leaves file", 7, "root")
def _(sample: Sample) -> None:
    path = leaves_of(sample, 7)
    path.write_bytes(bytes(32) + path.read_bytes()[32:])


@case("a leaf removed", 9, "root")
def _(sample: Sample) -> None:
    path = leaves_of(sample, 9)
    path.write_bytes(path.read_bytes()[32:])


@case("half a leaf removed", 9, "multiple of 32")
def _(sample: Sample) -> None:
    path = leaves_of(sample, 9)
    path.write_bytes(path.read_bytes()[16:])


@case("leaves out of order", 9, "not sorted")
def _(sample: Sample) -> None:
    path = leaves_of(sample, 9)
    data = path.read_bytes()
    path.write_bytes(data[32:] + data[:32])


@case("a removed leaves file", 9, "missing")
def _(sample: Sample) -> None:
    leaves_of(sample, 9).unlink()


@case("an edited statement", 11, "statement.txt is not the file")
def _(sample: Sample) -> None:
    path = sample.home.audits / "2026-H2" / "statement.txt"
    path.write_bytes(path.read_bytes().replace(b"pass", b"fail"))


@case("a removed statement", 11, "statement.txt is missing")
def _(sample: Sample) -> None:
    (sample.home.audits / "2026-H2" / "statement.txt").unlink()


@case("an edited certificate", 11, "certificate.md is not the file")
def _(sample: Sample) -> None:
    (sample.home.audits / "2026-H2" / "certificate.md").write_bytes(b"# Better certificate\n")


@case("a removed sign-off", 13, "director.sig is missing")
def _(sample: Sample) -> None:
    (sample.home.audits / "2026-H2" / "director.sig").unlink()


@case("an edited sign-off", 12, "manager.sig is not the file")
def _(sample: Sample) -> None:
    path = sample.home.audits / "2026-H2" / "manager.sig"
    path.write_bytes(path.read_bytes() + b"\n")


@case("one person's sign-off put in another's place", 13, "director.sig is not the file")
def _(sample: Sample) -> None:
    folder = sample.home.audits / "2026-H2"
    (folder / "director.sig").write_bytes((folder / "manager.sig").read_bytes())


@case("a sign-off that another person made, logged with the log's key", 13, "no signature by SHA256:")
def _(sample: Sample) -> None:
    folder = sample.home.audits / "2026-H2"
    forged = sign_statement(sample.manager, (folder / "statement.txt").read_bytes())
    (folder / "director.sig").write_bytes(forged)
    resign(sample, 13, sig=hashlib.sha256(forged).hexdigest())


@case("a sign-off over another statement, logged with the log's key", 13, "no signature by SHA256:")
def _(sample: Sample) -> None:
    forged = sign_statement(sample.director, b"audit 2026-H2\nverdict: fail\n")
    (sample.home.audits / "2026-H2" / "director.sig").write_bytes(forged)
    resign(sample, 13, sig=hashlib.sha256(forged).hexdigest())


@pytest.mark.parametrize(("tamper", "line", "words"), CASES)
def test_tampering_is_found_at_its_line_and_named(
    sample: Sample, tamper: Tampering, line: int, words: str
) -> None:
    assert verify(sample.home).ok
    tamper(sample)
    found = verify(sample.home)
    assert not found.ok
    assert found.line == line, found
    assert words in found.problem
    assert found.sentence == f"broken at line {line}: {found.problem}"
    assert "\n" not in found.sentence


def test_the_untouched_log_verifies_with_and_without_a_pinned_key_and_a_copied_checkpoint(
    original: Sample,
) -> None:
    key = original.log.public_key
    through = f"intact through entry {LAST - 1}"
    alone = verify(original.home)
    assert (alone.ok, alone.entries, alone.line, alone.problem) == (True, LAST, None, "")
    assert alone.sentence == f"{through}; no outside checkpoint was compared, so a cut tail would not show"
    compared = verify(original.home, trust=key, checkpoint=original.home.checkpoint)
    assert compared.ok
    assert compared.sentence == f"{through}, and nothing was cut since the checkpoint of 2026-11-23T02:00:04Z"
    assert compared.notes == ()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_single_flipped_bit_anywhere_is_refused_at_its_line(sample: Sample, data: st.DataObject) -> None:
    true = b"".join(sample.lines)
    place = data.draw(st.integers(0, len(true) * 8 - 1))
    flipped = bytearray(true)
    flipped[place // 8] ^= 1 << place % 8
    try:
        sample.home.log.write_bytes(flipped)
        found = verify(sample.home)
    finally:
        sample.home.log.write_bytes(true)
    assert not found.ok
    assert found.line == true[: place // 8].count(b"\n") + 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_log_cut_anywhere_is_refused(sample: Sample, data: st.DataObject) -> None:
    true = b"".join(sample.lines)
    kept = data.draw(st.integers(0, len(true) - 1))
    try:
        sample.home.log.write_bytes(true[:kept])
        found: Verification = verify(sample.home)
    finally:
        sample.home.log.write_bytes(true)
    assert not found.ok
    assert found.line == true[:kept].count(b"\n") + 1


def test_a_log_written_anew_with_another_key_is_refused_by_a_pinned_key(
    sample: Sample, tmp_path: Path
) -> None:
    forged = build(tmp_path / "forged")  # the same events, another key
    assert verify(forged.home).ok
    found = verify(forged.home, trust=sample.log.public_key)
    assert (found.ok, found.line) == (False, 1)
    assert "another key" in found.problem


def test_a_log_written_anew_is_refused_by_a_copied_checkpoint(sample: Sample, tmp_path: Path) -> None:
    forged = build(tmp_path / "forged")  # the same events, another key
    found = verify(forged.home, checkpoint=sample.home.checkpoint)
    assert not found.ok
    assert "not signed by the log's key" in found.problem


def test_a_tail_cut_together_with_its_checkpoints_is_found_by_a_copied_checkpoint_only(
    sample: Sample, tmp_path: Path
) -> None:
    copied = tmp_path / "copied-checkpoint"
    copied.write_bytes(sample.home.checkpoint.read_bytes())
    whole, _ = notes.split(sample.home.checkpoints.read_bytes())
    sample.home.checkpoints.write_bytes(b"".join(note + b"\n" for note in whole[:-1]))
    sample.home.checkpoint.write_bytes(whole[-2])
    sample.home.log.write_bytes(b"".join(sample.lines[:10]))
    assert verify(sample.home).ok
    found = verify(sample.home, checkpoint=copied)
    assert (found.ok, found.line) == (False, 11)
    assert "the outside checkpoint covers 17 lines: the tail was cut" in found.problem


def test_an_older_copied_checkpoint_still_fits_the_log_that_grew(sample: Sample, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.write_bytes(notes.split(sample.home.checkpoints.read_bytes())[0][1])
    assert verify(sample.home, checkpoint=older).ok

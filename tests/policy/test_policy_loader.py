"""A policy loads as written, or says everything that is wrong with it."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistakes import MISTAKES, SOUND, Mistake
from pydantic import ValidationError
from wide_mistakes import ROWLESS, WIDE, WIDE_MISTAKES

from staffords_gdpr.errors import PolicyError
from staffords_gdpr.policy import Policy, load_policy, read_policy
from staffords_gdpr.policy.models import (
    Condition,
    Hop,
    Link,
    LookUp,
    OtherColumn,
    OwnColumn,
    Plus,
    RowDate,
    SubjectDate,
    Values,
)
from staffords_gdpr.policy.periods import Period
from staffords_gdpr.policy.suggest import did_you_mean
from staffords_gdpr.policy.tree import MOST_BYTES, Branch, Leaf, parse

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).with_name("example.yaml")


def messages(text: str | bytes) -> list[str]:
    """Every line that the loader says of this policy; [] where it loads."""
    data = text.encode() if isinstance(text, str) else text
    try:
        read_policy(data, "p.yaml")
    except PolicyError as error:
        return error.message.split("\n")
    return []


def refused(path: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert caught.value.exit_code == 2
    return caught.value.message


# What a sound policy says


def test_the_example_of_the_language_loads_as_written() -> None:
    policy = load_policy(EXAMPLE)
    assert policy.subject == "customer"
    assert list(policy.records) == [
        "customer", "product", "call", "repair", "consignment", "payment", "newsletter_log",
    ]  # fmt: skip
    assert "newsletter_log" not in policy.ours
    assert policy.database.empty_dates == ("1970-01-01 00:00:00", "0000-00-00")
    assert policy.schedule.audit == Period(6, "month")
    assert policy.roles.audit == ("call-centre-manager", "director")
    assert policy.owner("consignment") == "repair"
    assert policy.carrier("consignment") == "repair"
    assert policy.carrier("product") == "customer"
    received, booked, completed = policy.dates["last_contact"].latest_of
    assert (str(received), str(booked), str(completed)) == (
        "call.received_at", "repair.booked_in_at", "repair.completed_at",
    )  # fmt: skip
    assert (policy.dates["last_contact"].future, policy.dates["warranty_end"].future) == (False, True)
    repair = policy.records["repair"]
    assert repair.keep is not None
    assert repair.keep.or_until == (OtherColumn(record="product", column="warranty_until"),)
    assert repair.keep.while_ == Condition(columns={"completed_at": Values(values=(None,))})
    assert repair.anonymise == {"fault": None, "work_done": None, "customer_id": None, "product_id": None}
    card, identity = policy.records["payment"].sooner
    assert (card.name, card.keep and card.keep.for_, card.with_) == ("card", Period(13, "month"), None)
    assert (identity.name, identity.keep, identity.with_) == ("identity", None, "customer")


def test_a_bare_name_is_a_date_of_the_policy_if_there_is_one_and_an_own_column_if_not() -> None:
    call = load_policy(EXAMPLE).records["call"]
    assert call.keep is not None
    assert call.keep.after == SubjectDate(date="last_contact")
    assert call.keep.or_until == (SubjectDate(date="warranty_end"),)
    assert call.orphans is not None
    assert call.orphans.after == OwnColumn(column="received_at")


def test_what_is_not_said_has_the_documented_default() -> None:
    text = SOUND.replace('database: {timestamps_in: UTC, empty_dates: ["1970-01-01"]}\n', "")
    policy = read_policy(text.encode(), "p.yaml")
    assert policy.database.timestamps_in == "UTC"
    assert policy.database.empty_dates == ()
    assert policy.erase_at_most == 0.05
    assert policy.backups_kept is None
    assert policy.records["call"].anonymise is None


def test_references_and_keys_may_be_one_name_a_list_or_a_mapping() -> None:
    def refers(written: str) -> dict[str, tuple[dict[str, str], ...]]:
        text = SOUND.replace("refers_to: product", f"refers_to: {written}").replace(
            "customer_id: null}}", "customer_id: null, product_id: null, through: null}}"
        )
        policy = read_policy(text.encode(), "p.yaml")
        return {link.record: tuple(map(dict, link.on)) for link in policy.records["repair"].refers_to}

    assert refers("product") == {"product": ()}
    assert refers("[product, repair]") == {"product": (), "repair": ()}
    assert refers("{product: {product_id: id}}") == {"product": ({"product_id": "id"},)}
    assert refers("{product: {through: id}}") == {"product": ({"through": "id"},)}
    assert refers("{product: }") == {"product": ()}


def test_every_clause_of_a_rule_arrives() -> None:
    rule = "{for: 5 weeks, after: a, or_until: [b, last_contact, customer.c], or_else: d, future: true}"
    text = SOUND.replace("{for: 6 years, after: taken_at}", rule)
    text = text.replace(
        "{for: 13 months, after: taken_at,", "{for: 2 days, after: e, or_until: f, or_else: repair.g,"
    )
    payment = read_policy(text.encode(), "p.yaml").records["payment"]
    assert payment.keep is not None
    assert (str(payment.keep.for_), payment.keep.after) == ("5 weeks", OwnColumn(column="a"))
    assert payment.keep.or_until == (
        OwnColumn(column="b"), SubjectDate(date="last_contact"), OtherColumn(record="customer", column="c"),
    )  # fmt: skip
    assert (payment.keep.or_else, payment.keep.future) == (OwnColumn(column="d"), True)
    card = payment.sooner[0]
    assert card.keep is not None
    assert (str(card.keep.for_), str(card.keep.after), card.keep.future) == ("2 days", "e", False)
    assert card.keep.or_until == (OwnColumn(column="f"),)
    assert card.keep.or_else == OtherColumn(record="repair", column="g")
    assert card.anonymise == {"card_number": None}
    assert read_policy(SOUND.encode(), "p").dates["last_contact"].or_else == OtherColumn(
        record="customer", column="registered_at"
    )


def test_open_work_may_be_one_value_null_or_a_list_each_of_its_own_type() -> None:
    written = "while: {completed_at: null, status: [open, 7, null, true], level: on}"
    policy = read_policy(SOUND.replace("while: {completed_at: null}", written).encode(), "p.yaml")
    keep = policy.records["repair"].keep
    assert keep is not None
    assert keep.while_ is not None
    columns = {name: test.values for name, test in keep.while_.columns.items() if isinstance(test, Values)}
    assert columns == {"completed_at": (None,), "status": ("open", 7, None, True), "level": ("on",)}
    assert [type(value) for value in columns["status"]] == [str, int, type(None), bool]


def wide() -> Policy:
    return read_policy(WIDE.encode(), "p.yaml")


def test_the_forms_of_a_condition_arrive() -> None:
    policy = wide()
    role = Condition(columns={"role": Values(values=("staff", "system"), negated=True)})
    assert policy.records["customer"].where == role
    assert policy.records["call"].where == Condition(columns={"kind": Values(values=("call",))})
    assert policy.records["repair"].where == Condition(sql="kind = 'repair'")
    names = Condition(columns={"name": Values(values=("open", "new"))})
    keep = policy.records["repair"].keep
    assert keep is not None
    assert keep.while_ == Condition(columns={"state": LookUp(table="states", column="id", where=names)})
    log = policy.records["log"]
    assert (log.leave, log.where) == (
        "the operators' own notes",
        Condition(columns={"kind": Values(values=("log",))}),
    )


def test_a_look_up_may_look_something_up_and_not_may_name_one_value_or_nothing() -> None:
    inner = "{in: {table: kinds, column: id, where: {open: true, ended: {not: null}, rank: {not: 7}}}}"
    policy = read_policy(WIDE.replace("{name: [open, new]}", f"{{kind: {inner}}}").encode(), "p.yaml")
    keep = policy.records["repair"].keep
    assert keep is not None
    assert keep.while_ is not None
    outer = keep.while_.columns["state"]
    assert isinstance(outer, LookUp)
    tests = {
        "open": Values(values=(True,)),
        "ended": Values(values=(None,), negated=True),
        "rank": Values(values=(7,), negated=True),
    }
    assert outer.where.columns["kind"] == LookUp(table="kinds", column="id", where=Condition(columns=tests))


def test_a_column_may_be_called_sql() -> None:
    policy = read_policy(
        WIDE.replace("where: {kind: call}", "where: {sql: [call], kind: x}").encode(), "p.yaml"
    )
    where = policy.records["call"].where
    assert where == Condition(columns={"sql": Values(values=("call",)), "kind": Values(values=("x",))})


def test_an_expression_may_stand_on_several_lines() -> None:
    text = WIDE.replace(
        "{sql: \"kind = 'repair'\"}", "\n      sql: |\n        kind = 'repair'\n        OR old\n"
    )
    assert read_policy(text.encode(), "p.yaml").records["repair"].where == Condition(
        sql="kind = 'repair'\nOR old"
    )


def test_every_kind_of_date_of_a_row_arrives() -> None:
    way = Hop(
        table="field_values",
        on={"object_id": "nr"},
        where=Condition(columns={"field": Values(values=("closed",))}),
    )
    assert dict(wide().records["call"].dates) == {
        "opened": RowDate(name="opened", column="create_time", stored_as="epoch seconds"),
        "booked": RowDate(name="booked", column="booked", timestamps_in="Europe/Berlin"),
        "warranty": RowDate(
            name="warranty", column="bought_on", plus=Plus(unit="month", column="warranty_months")
        ),
        "closed": RowDate(name="closed", column="value", through=(way,)),
        "moved": RowDate(name="moved", sql="coalesce(moved_at, closed_at)"),
    }


@pytest.mark.parametrize(
    ("written", "plus"),
    [
        ("{days: 14}", Plus(unit="day", number=14)),
        ("{weeks: n}", Plus(unit="week", column="n")),
        ('{months: "14"}', Plus(unit="month", column="14")),
        ("{years: 200}", Plus(unit="year", number=200)),
    ],
)
def test_what_is_added_to_a_date_is_a_number_or_a_column(written: str, plus: Plus) -> None:
    policy = read_policy(WIDE.replace("{months: warranty_months}", written).encode(), "p.yaml")
    assert policy.records["call"].dates["warranty"].plus == plus


def test_a_way_to_the_owner_may_have_tables_between_and_several_ends() -> None:
    caller = Hop(
        table="participants",
        on={"ticket": "nr"},
        where=Condition(columns={"role": Values(values=("caller",))}),
    )
    policy = wide()
    assert policy.records["call"].belongs_to == Link(
        record="customer", on=({"person": "id"},), through=(caller,)
    )
    ends = ({"customer": "id"}, {"reporter": "id"})
    assert policy.records["repair"].belongs_to == Link(record="customer", on=ends)
    several = "[{table: a, on: {b: nr}}, {table: c, on: {d: e}}]"
    text = WIDE.replace("{table: participants, on: {ticket: nr}, where: {role: caller}}", several)
    link = read_policy(text.encode(), "p.yaml").records["call"].belongs_to
    assert link is not None
    assert link.through == (Hop(table="a", on={"b": "nr"}), Hop(table="c", on={"d": "e"}))


def test_replacements_may_be_left_to_the_tool_or_hold_the_key() -> None:
    policy = wide()
    call, repair = policy.records["call"], policy.records["repair"]
    assert (call.anonymise, call.generated) == ({}, ("subject", "body"))
    assert repair.anonymise == {"email": "erased-{key}", "customer": None, "reporter": None}
    assert repair.generated == ()
    assert dict(call.triggers) == {"tickets_history": "keeps the state only"}
    (names,) = read_policy(ROWLESS.encode(), "p.yaml").records["repair"].sooner
    assert (names.anonymise, names.generated) == ({}, ("signature",))


@pytest.mark.parametrize("value", ["{}", '{"erased": true}', "{ {key} }", "a { b"])
def test_braces_that_look_like_no_name_are_text(value: str) -> None:
    policy = read_policy(WIDE.replace('"erased-{key}"', f"'{value}'").encode(), "p.yaml")
    assert policy.records["repair"].anonymise == {"email": value, "customer": None, "reporter": None}


def test_a_subject_without_a_table_is_known_by_values_and_has_no_state() -> None:
    policy = read_policy(ROWLESS.encode(), "p.yaml")
    caller = policy.records["caller"]
    assert caller.values_of == (
        OtherColumn(record="call", column="email"), OtherColumn(record="repair", column="contact"),
    )  # fmt: skip
    assert (caller.table, caller.keep) == ("", None)
    assert list(policy.ours) == ["call", "repair"]
    assert policy.records["call"].belongs_to == Link(record="caller", on=({"email": "value"},))


def test_things_of_two_kinds_of_one_table_may_share_a_table_of_their_own() -> None:
    notes = "".join(
        f"  {kind}_note: {{table: notes, belongs_to: {kind}, on: {{ticket: nr}}}}\n"
        for kind in ("call", "repair")
    )
    policy = read_policy((WIDE + notes).encode(), "p.yaml")
    assert [name for name, record in policy.records.items() if record.table == "notes"] == [
        "call_note", "repair_note",
    ]  # fmt: skip
    assert messages(WIDE + notes.replace("belongs_to: repair", "belongs_to: customer")) == [
        "p.yaml:39:24: table 'notes' is record type 'call_note' already. Give each of them a 'where' of its own."
    ]


def test_the_optional_keys_of_a_policy_arrive() -> None:
    more = (
        "questions:\n  - Is it enough?\n  - Is it too much?\n"
        "backups_kept: 35 days\nerase_at_most: 2.5 %\nreclaim: full\nsubject:"
    )
    policy = read_policy(SOUND.replace("subject:", more, 1).encode(), "p.yaml")
    assert policy.review_questions == ("Is it enough?", "Is it too much?")
    assert policy.backups_kept == Period(35, "day")
    assert policy.erase_at_most == 0.025
    assert policy.reclaim == "full"


def test_no_is_a_word_and_what_counts_where_nothing_is_said() -> None:
    assert read_policy(SOUND.encode(), "p.yaml").reclaim == "no"
    assert (
        read_policy(SOUND.replace("subject:", "reclaim: no\nsubject:", 1).encode(), "p.yaml").reclaim == "no"
    )


def test_a_policy_survives_being_written_down_and_read_again() -> None:
    written = [
        EXAMPLE.read_bytes(),
        (ROOT / "policies/retention.yaml").read_bytes(),
        WIDE.encode(),
        ROWLESS.encode(),
    ]
    for data in written:
        policy = read_policy(data, "p.yaml")
        assert Policy.model_validate(policy.model_dump()) == policy
        assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_a_policy_cannot_be_changed_after_it_was_loaded() -> None:
    policy = load_policy(EXAMPLE)
    with pytest.raises(ValidationError):
        policy.records["call"].keep.for_ = Period(1, "day")  # type: ignore[union-attr,misc]


def test_the_hash_is_over_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(SOUND.replace("\n", "\r\n").encode())
    policy = load_policy(path)
    assert policy.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert policy.path == str(path)
    assert policy.records == read_policy(SOUND.encode(), "p").records


def test_an_anchor_may_be_used_again() -> None:
    text = SOUND.replace(
        "{for: 3 years, after: registered_at}", "&three {for: 3 years, after: registered_at}"
    )
    text = text.replace("{for: 3 years, after: received_at}", "*three")
    policy = read_policy(text.encode(), "p")
    assert policy.records["call"].orphans == policy.records["customer"].keep


# Mistakes


@pytest.mark.parametrize("sound", [SOUND, WIDE, ROWLESS], ids=["common", "wide", "without a subject's table"])
def test_the_policies_that_the_mistakes_are_made_in_are_sound(sound: str) -> None:
    assert messages(sound) == []


@pytest.mark.parametrize("mistake", MISTAKES + WIDE_MISTAKES, ids=lambda mistake: mistake.name)
def test_every_mistake_says_where_it_is_what_it_is_and_what_to_write(mistake: Mistake) -> None:
    assert mistake.old in mistake.sound
    assert messages(mistake.text) == [f"p.yaml:{line}" for line in mistake.said]


def test_every_message_names_a_place_and_ends_as_a_sentence() -> None:
    for mistake in MISTAKES + WIDE_MISTAKES:
        for line in mistake.said:
            assert re.fullmatch(r"\d+:\d+: .+[.?]", line), line


def test_mistakes_are_found_all_at_once_and_stand_in_the_order_of_the_file() -> None:
    text = SOUND
    chosen = [
        mistake
        for mistake in MISTAKES
        if mistake.name
        in (
            "misspelt time zone", "no roles", "half a name", "two record types with one table",
            "latest_of an unknown record type", "step that does not say when", "unknown key in a record type",
            "orphans that count from a subject's date", "a number as a title", "duplicate key in braces",
        )
    ]  # fmt: skip
    for mistake in chosen:
        assert mistake.old in text
        text = text.replace(mistake.old, mistake.new, 1)
    found = messages(text)
    places = [tuple(map(int, line.split(":")[1:3])) for line in found]
    assert len(chosen) == 10
    assert places == sorted(places)
    told = {line.split(": ", 1)[1] for mistake in chosen for line in mistake.said}
    told -= {
        "table 'calls' is record type 'call' already. Give each of them a 'where' of its own."
    }  # call lost its table
    assert {line.split(": ", 1)[1] for line in found} == told


def test_a_misspelt_key_is_not_called_missing_too() -> None:
    assert len(messages(SOUND.replace("    table: calls", "    tabel: calls"))) == 1


def test_more_mistakes_than_anybody_reads_are_counted() -> None:
    found = messages(SOUND + "".join(f"  r{n}: {{table: t{n}}}\n" for n in range(150)))
    assert len(found) == 101
    assert found[-1] == "p.yaml: and 50 more mistakes"


def test_a_validation_error_of_the_models_is_told_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from staffords_gdpr.policy import loader  # noqa: PLC0415 - patched here only

    def build_wrongly(document: dict[str, object], **more: str) -> Policy:
        return Policy.model_validate({**document, "erase_at_most": "much"})

    monkeypatch.setattr(loader, "build", build_wrongly)
    found = "\n".join(messages(SOUND))
    assert "'erase_at_most' cannot be used. See docs/policy.md" in found
    assert "pydantic" not in found
    assert "type=" not in found


# Files


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.yaml") == f"{tmp_path}/none.yaml: there is no such file."


def test_a_directory_is_no_policy(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: this is a directory, not a policy file."


def test_a_pipe_is_no_policy(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not an ordinary file" in refused(tmp_path / "pipe")


def test_a_huge_file_is_refused_without_being_parsed(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"[" * (MOST_BYTES + 1))
    assert refused(tmp_path / "huge") == f"{tmp_path}/huge: the file is larger than 1 MB; a policy never is."


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "1:1: the file is empty. Begin with 'version: 1'."),
        (b" \n\n", "1:1: the file is empty. Begin with 'version: 1'."),
        (b"# only a comment\n", "1:1: the file is empty. Begin with 'version: 1'."),
        (b"\xef\xbb\xbfversion: 1", "1:1: the file is UTF-8 with a byte order mark. Save it as"),
        ("version: 1".encode("utf-16"), "1:1: the file is UTF-16. Save it as UTF-8 without"),
        (b"version: 1\ntitle: caf\xe9\n", "2:11: byte 0xe9 is not UTF-8. Save the file as UTF-8."),
        (b"just words", "1:1: the policy must be a mapping, not 'just words'. Write keys under it"),
        (b"- a\n- b\n", "1:1: the policy must be a mapping, not a list."),
        (b"[" * 5000, "1:41: nested more than 40 deep. Write it flatter."),
        (b"version: " + b"9" * 5000, "1:10: this number is too long. Put it in quotes if it is text."),
        (b"a: b\n\tc: d\n \te: f\n", "2:1: indented with a tab. Indent with spaces."),
    ],
    ids=["empty", "blank", "comment", "BOM", "UTF-16", "Latin-1", "words", "list", "deep", "number", "tabs"],
)
def test_what_is_no_policy_at_all_is_told_so(data: bytes, said: str) -> None:
    assert any(line.startswith(f"p.yaml:{said}") for line in messages(data)), messages(data)


def test_every_line_that_is_indented_with_a_tab_is_listed() -> None:
    assert [line.split(": ")[0] for line in messages("a: b\n\tc: d\n \te: f\n")] == [
        "p.yaml:2:1",
        "p.yaml:3:2",
    ]


def test_aliases_that_multiply_are_refused() -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert "too large once its aliases" in messages(laughs)[0]


@given(
    st.sampled_from([SOUND, WIDE, ROWLESS]),
    st.integers(0, len(WIDE)),
    st.integers(0, 30),
    st.text(max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_typed_is_loaded_or_refused_at_a_place_in_the_file(
    sound: str, at: int, less: int, typed: str
) -> None:
    text = sound[:at] + typed + sound[at + less :]
    data = text.encode("utf-8", "surrogatepass")
    for line in messages(data):
        place = re.match(r"p\.yaml:(\d+):(\d+): ", line)
        assert place, line
        assert int(place[1]) <= data.count(b"\n") + data.count(b"\r") + 2


# Words and places


def test_plain_words_mean_what_yaml_1_2_says() -> None:
    written = {
        "on": "on", "off": "off", "yes": "yes", "No": "No", "y": "y", "1:30": "1:30", "1:20:30": "1:20:30",
        "2024-02-29": "2024-02-29", "2024-02-29 10:00:00": "2024-02-29 10:00:00", "1_000": "1_000",
        "null": None, "~": None, "": None, "true": True, "FALSE": False, "tRUE": "tRUE", "012": 12,
        "0o17": 15, "0x1F": 31, "-7": -7, "+7": 7, "1.5": 1.5, ".5": 0.5, "1e3": 1000.0, "3.": 3.0,
        "0b1": "0b1", "-.inf": float("-inf"),
        "'7'": "7", '"true"': "true", "=": "=", "1.2.3": "1.2.3", "٣": "٣",
    }  # fmt: skip
    for text, value in written.items():
        tree, _ = parse(f"a: {text}".encode(), "p")
        assert isinstance(tree, Branch)
        leaf = tree.entries["a"]
        assert isinstance(leaf, Leaf)
        assert (leaf.value, type(leaf.value)) == (value, type(value)), text


def test_keys_are_words_whatever_they_look_like() -> None:
    tree, _ = parse(b"{on: a, 1: b, true: c, null: d, 2024-01-01: e}", "p")
    assert isinstance(tree, Branch)
    assert list(tree.entries) == ["on", "1", "true", "null", "2024-01-01"]


def test_positions_know_every_value_and_fall_back_to_the_nearest_ancestor() -> None:
    positions = load_policy(EXAMPLE).positions
    lines = EXAMPLE.read_text().splitlines()

    def at(*path: str) -> str:
        file, line, column = positions.where(*path).rsplit(":", 2)
        assert file == str(EXAMPLE)
        return lines[int(line) - 1][int(column) - 1 :]

    assert at("records", "call", "personal", "1").startswith("resolution]")
    assert at("records", "call", "table").startswith("calls")
    assert at("records", "call", "keep").startswith("keep: {for: 3 years, after: last_contact")
    assert at("records", "call", "keep", "or_until", "0").startswith("warranty_end}")
    assert at("records", "repair", "erase", "anonymise", "work_done").startswith("null")
    assert at("records", "call", "no", "such", "key").startswith("call:")
    assert at("dates", "last_contact", "latest_of", "2").startswith("repair.completed_at]")
    assert at("records", "call", "personal", "resolution").startswith("resolution]")
    assert positions.where("nothing") == f"{EXAMPLE}:1:1"


def test_a_single_item_is_found_where_its_list_would_have_it() -> None:
    positions = wide().positions
    alone = positions.where("records", "call", "through", "table")
    assert positions.where("records", "call", "through", "0", "table") == alone
    assert positions.where("records", "call", "on", "0", "person") == positions.where(
        "records", "call", "on", "person"
    )
    closed = positions.where("records", "call", "dates", "closed", "through", "0", "where", "field")
    assert WIDE.splitlines()[int(closed.split(":")[1]) - 1][int(closed.split(":")[2]) - 1 :].startswith(
        "closed}}"
    )


def test_a_suggestion_is_near_and_otherwise_not_made() -> None:
    known = ["completed_at", "received_at", "Name"]
    assert did_you_mean("completed", known) == "Did you mean 'completed_at'?"
    assert did_you_mean("name", known) == "Did you mean 'Name'?"
    assert did_you_mean("zebra", known) == ""
    assert did_you_mean("x", []) == ""


ODD = [
    "null", "7", "-1.5", "true", "''", "'  '", "[]", "{}", "[x]", "{x: y}", "a.b", "x", "[[x]]", "[{}]",
    "on", "~", "customer", "call", "newsletter", "[customer, call]", "{customer: {}}",
    "{keep: {for: 1 day}}", "'a\nb'",
]  # fmt: skip


def spots(sound: str) -> list[tuple[int, int]]:
    """Every place of a sound policy where a value begins, as offsets of its first and last character."""
    head = 0 if sound == SOUND else sound.index("records:")
    values = re.finditer(r"[:\[,] ?([^\s\[\]{},:][^\[\]{},:\n]*)", sound)
    return [match.span(1) for match in values if match.start() >= head]


@pytest.mark.parametrize("sound", [SOUND, WIDE, ROWLESS], ids=["common", "wide", "without a subject's table"])
@pytest.mark.parametrize("odd", ODD)
def test_any_value_in_any_place_is_loaded_or_refused_in_our_words(odd: str, sound: str) -> None:
    refusals = 0
    for start, end in spots(sound):
        found = messages(sound[:start] + odd + sound[end:])
        refusals += bool(found)
        for line in found:
            assert re.match(r"p\.yaml:\d+:\d+: ", line), line
            assert "pydantic" not in line.lower()
            assert "cannot be used" not in line, f"only the models noticed: {line}"
    assert refusals > len(spots(sound)) // 4

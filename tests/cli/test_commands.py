"""The commands over a real database: the contract with scripts, exit codes, nothing written in secret."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import filelock
import pytest

from staffords_gdpr.cli.docs import AUDIT, DEADLINE, EXAMPLES, FINDING, PURGE, ROW, SCAN, STATUS
from staffords_gdpr.retention.states import State

if TYPE_CHECKING:
    from command_site import Site

STATES = {str(state) for state in State}


def has_keys_of(example: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    return set(example) == set(told)


def confirmed_purge(site: Site) -> dict[str, Any]:
    told = site.told("purge", "--confirm", "60")
    assert told["subjects_affected"] > 20
    return told


class TestScan:
    def test_json_has_the_documented_keys(self, finished_site: Site) -> None:
        told = finished_site.told("scan")
        assert has_keys_of(SCAN, told)
        assert {"customer", "call", "repair", "payment", "payment.card"} <= set(told["records"])
        for counts in told["records"].values():
            assert set(counts) == STATES
        assert len(told["forecast"]) == 12
        assert told["as_of"].endswith("+00:00")
        assert told["subjects"] == 60

    def test_details_list_every_row_that_is_counted(self, finished_site: Site) -> None:
        told = finished_site.told("scan", "--details")
        assert has_keys_of(EXAMPLES["gdpr scan --details --format json"], told)
        counted: dict[str, dict[str, int]] = {}
        for row in told["rows"]:
            assert has_keys_of(ROW, row)
            states = counted.setdefault(row["record"], dict.fromkeys(STATES, 0))
            states[row["state"]] += 1
        assert counted == {name: counts for name, counts in told["records"].items() if any(counts.values())}

    def test_a_state_narrows_the_rows_and_not_the_counts(self, finished_site: Site) -> None:
        everything = finished_site.told("scan", "--details")
        due = finished_site.told("scan", "--details", "--state", "due")
        assert due["rows"] == [row for row in everything["rows"] if row["state"] == "due"]
        assert due["records"] == everything["records"]

    def test_jsonl_has_one_row_a_line(self, finished_site: Site) -> None:
        done = finished_site.gdpr("scan", "--state", "undecidable", "--format", "jsonl")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert rows == finished_site.told("scan", "--details", "--state", "undecidable")["rows"]
        assert rows
        assert {row["last_day"] for row in rows if row["last_day"] is None} == {None}

    def test_it_writes_nothing_anywhere(self, site: Site) -> None:
        before = site.contents()
        for arguments in (["scan"], ["scan", "--details"], ["explain", "customer", "1"], ["status"]):
            assert site.gdpr(*arguments).returncode in (0, 3)
        assert site.contents() == before

    def test_it_needs_neither_log_nor_home(self, finished_site: Site) -> None:
        told = finished_site.told("scan", "--home", "/nowhere")
        assert told["subjects"] == 60

    def test_a_page_for_people_has_the_policys_titles(self, finished_site: Site) -> None:
        page = finished_site.gdpr("scan").stdout
        assert "Technical helpline call" in page
        assert "Becomes due" in page
        assert "gdpr scan --details --state undecidable" in page

    def test_as_of_says_for_which_moment_it_answers(self, finished_site: Site) -> None:
        told = finished_site.told("scan", "--as-of", "2026-07-15")
        assert told["as_of"] == "2026-07-14T23:00:00+00:00"  # summer time in London

    @pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "1066-10-14", "9999-12-31", ""])
    def test_as_of_refuses_what_is_no_moment(self, finished_site: Site, text: str) -> None:
        done = finished_site.gdpr("scan", "--as-of", text)
        assert done.returncode == 2
        assert "--as-of" in done.stderr

    def test_more_is_due_later(self, finished_site: Site) -> None:
        now = finished_site.told("scan")["records"]["call"]["due"]
        later = finished_site.told("scan", "--as-of", "2035-01-01")["records"]["call"]["due"]
        assert later > now


class TestExplain:
    def test_every_row_of_a_subject_agrees_with_scan(self, finished_site: Site) -> None:
        told = finished_site.told("explain", "customer", "1")
        assert (told["record"], told["key"]) == ("customer", [1])
        scanned = {
            (row["record"], *row["key"]): row["state"]
            for row in finished_site.told("scan", "--details")["rows"]
        }
        assert len(told["rows"]) > 1
        for row in told["rows"]:
            assert scanned[row["record"], *row["key"]] == row["state"]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("custmer", "1"), "Did you mean 'customer'?"),
            (("call", "1"), "not the subject"),
            (("customer", "999999"), "no customer 999999"),
            (("customer", "one"), "'one'"),
            (("customer", "1", "2"), "1 word"),
        ],
    )
    def test_a_subject_that_is_not_there_exits_2(
        self, finished_site: Site, arguments: tuple[str, ...], words: str
    ) -> None:
        done = finished_site.gdpr("explain", *arguments)
        assert done.returncode == 2
        assert words in done.stderr


class TestPurge:
    def test_a_dry_run_names_the_brake_and_writes_nothing(self, site: Site) -> None:
        before = site.contents()
        told = site.told("purge", "--dry-run")
        assert has_keys_of(PURGE, told)
        assert told["dry_run"] is True
        assert [brake["code"] for brake in told["brakes"]] == ["too-many"]
        assert site.contents() == before

    def test_a_brake_exits_4_and_says_how_to_go_on(self, site: Site) -> None:
        before = site.told("scan")["records"]
        done = site.gdpr("purge", "--format", "json")
        told = json.loads(done.stderr)
        assert (done.returncode, done.stdout, told["exit_code"]) == (4, "", 4)
        assert "gdpr purge --confirm" in told["hint"]
        assert site.told("scan")["records"] == before

    def test_a_rehearsal_says_under_cron_too_that_nothing_was_erased(self, site: Site) -> None:
        before = site.database.read_bytes()
        rehearsing = {"GDPR_MODE": "rehearsal"}
        done = site.gdpr("purge", "--confirm", "60", environ=rehearsing)
        assert done.returncode == 0
        assert done.stdout.startswith('REHEARSAL (mode = "rehearsal" in gdpr.toml): nothing was erased.')
        assert site.database.read_bytes() == before
        assert "Nothing is being erased" in site.gdpr("status", environ=rehearsing).stdout
        told = site.told("purge", "--confirm", "60")
        assert (told["rehearsal"], told["ended"]) == (False, "done")

    def test_a_window_that_is_over_is_no_failure_and_leaves_the_rest_to_the_next_run(
        self, site: Site
    ) -> None:
        told = site.told(
            "purge", "--confirm", "60", "--max-runtime", "1s", "--batch-size", "1", "--pause", "1s"
        )
        assert (told["ended"], told["result"]) == ("max-runtime", "max-runtime")
        assert told["left"] > 0
        rest = site.told("purge")  # what was confirmed carries over
        assert (rest["result"], rest["left"]) == ("complete", 0)
        assert any(rest["erased"].values())

    @pytest.mark.parametrize(
        ("option", "value", "said"),
        [
            ("--until", "6 pm", "--until: '6 pm' is no time of the clock"),
            ("--max-runtime", "soon", "--max-runtime: 'soon' is no duration from 1s to 168h"),
            ("--pause", "2h", "--pause: '2h' is no duration from 0ms to 1h"),
        ],
    )
    def test_a_window_that_is_none_is_refused(self, site: Site, option: str, value: str, said: str) -> None:
        done = site.gdpr("purge", option, value)
        assert done.returncode == 2
        assert said in done.stderr

    def test_what_a_dry_run_would_erase_is_what_a_purge_erases(self, site: Site) -> None:
        rehearsed = site.told("purge", "--dry-run")
        told = confirmed_purge(site)
        assert has_keys_of(PURGE, told)
        assert told["dry_run"] is False
        assert {name: n for name, n in told["erased"].items() if n} == {
            name: n for name, n in rehearsed["erased"].items() if n
        }
        left = site.told("scan")["records"]
        assert {counts["due"] for counts in left.values()} == {0}

    def test_under_cron_it_is_silent(self, site: Site) -> None:
        done = site.gdpr("purge", "--confirm", "60")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        done = site.gdpr("purge")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_json_is_printed_where_nothing_was_due_too(self, site: Site) -> None:
        confirmed_purge(site)
        assert site.told("purge")["subjects_affected"] == 0

    def test_as_of_shows_what_would_be_due_then(self, site: Site) -> None:
        now = sum(site.told("purge", "--dry-run")["erased"].values())
        later = site.told("purge", "--dry-run", "--as-of", "2035-01-01")
        assert sum(later["erased"].values()) > now

    def test_while_another_run_holds_the_lock_it_exits_7(self, site: Site) -> None:
        with filelock.FileLock(site.folder / "audit/run.lock"):
            done = site.gdpr("purge", "--confirm", "60")
        assert done.returncode == 7
        assert "Traceback" not in done.stderr

    def test_without_an_approval_it_is_refused(self, site: Site) -> None:
        site.policy.write_text(site.policy.read_text() + "\n# a word\n")
        done = site.gdpr("purge", "--confirm", "60")
        assert done.returncode == 4
        assert "gdpr approve" in done.stderr


class TestAudit:
    def test_it_passes_after_a_purge_and_takes_two_sign_offs(self, site: Site) -> None:
        confirmed_purge(site)
        told = site.told("audit")
        assert has_keys_of(AUDIT, told)
        assert told["verdict"] == "pass"
        assert all(has_keys_of(FINDING, finding) for finding in told["findings"])
        first = site.told("sign", "--as", "call-centre-manager", "--key", "keys/manager.key")
        assert first["missing"] == ["director"]
        second = site.told("sign", "--as", "director", "--key", "keys/director.key")
        assert second["missing"] == []
        again = site.gdpr("sign", "--as", "director", "--key", "keys/director.key")
        assert again.returncode == 2

    def test_a_failed_audit_exits_3(self, site: Site) -> None:
        confirmed_purge(site)
        with closing(sqlite3.connect(site.database)) as database, database:
            database.execute("ALTER TABLE payments ADD COLUMN iban TEXT")
        told = site.told("audit", code=3)
        assert told["verdict"] == "fail"
        assert "schema_changed" in {finding["code"] for finding in told["findings"]}

    def test_a_rehearsal_writes_nothing(self, site: Site) -> None:
        confirmed_purge(site)
        before = site.contents()
        done = site.gdpr("audit", "--as-of", "2026-01-01", "--format", "json")
        assert json.loads(done.stdout)["report"] is None
        assert site.contents() == before


class TestReview:
    KEY = ("--as", "director", "--key", "keys/director.key")

    def test_with_answers_it_opens_actions_and_approves(self, site: Site) -> None:
        told = site.told("review", *self.KEY, "--answers", "answers.yaml")
        assert len(told["actions"]) == 1
        assert "policy.approve" in site.gdpr("log", "show").stdout

    def test_without_answers_and_terminal_it_names_the_questions(self, site: Site) -> None:
        before = site.contents()
        done = site.gdpr("review", *self.KEY)
        assert done.returncode == 2
        assert "--answers" in done.stderr
        assert site.contents() == before

    @pytest.mark.parametrize("answers", ["", "- a list", "answers: {no such question: yes}", "{"])
    def test_answers_that_do_not_fit_are_refused(self, site: Site, answers: str) -> None:
        (site.folder / "bad.yaml").write_text(answers)
        before = site.contents()
        assert site.gdpr("review", *self.KEY, "--answers", "bad.yaml").returncode == 2
        assert site.contents() == before

    @staticmethod
    def typed(site: Site, last: str) -> str:
        """Every question answered, one change, and the last word."""
        questions = len(re.findall(r"^  - .*\?", site.policy.read_text(), re.M))
        assert questions
        return "yes\n" * questions + "Say it\n2999-01-01\n\n" + last

    def test_at_a_terminal_the_approval_is_asked_for_last(self, site: Site) -> None:
        done = site.gdpr("review", *self.KEY, typed=self.typed(site, "y\n"))
        assert done.returncode == 0, done.stderr
        assert done.stderr.rstrip().endswith("Approve this policy for this database? [y/N]:")
        assert "All of it is as it was approved on" in done.stdout
        assert site.told("log", "show", "--last", "1")["entries"][0]["type"] == "policy.approve"

    @pytest.mark.parametrize("last", ["n\n", "\n"])
    def test_without_a_yes_nothing_is_approved_or_written(self, site: Site, last: str) -> None:
        site.policy.write_text(site.policy.read_text() + "\n# a word\n")
        before = site.contents()
        done = site.gdpr("review", *self.KEY, typed=self.typed(site, last))
        assert done.returncode == 3, done.stderr
        assert "the policy was not approved, and nothing was written" in done.stderr
        # the review before shows what changed since the last review, this what changed since the approval
        shown = done.stdout.split("Database sqlite")[1]
        assert "The policy file has changed since it was approved on" in shown
        assert site.contents() == before


class TestLog:
    def test_an_intact_log_verifies(self, finished_site: Site) -> None:
        told = finished_site.told("log", "verify")
        assert told["ok"] is True
        assert told["sentence"].startswith("intact through entry")

    def test_the_key_that_init_prints_can_be_trusted(self, finished_site: Site) -> None:
        key = finished_site.told("init")["key"]
        assert finished_site.told("log", "verify", "--trust", key)["ok"] is True
        (finished_site.folder.parent / "noted").write_text(key + "\n")
        assert finished_site.told("log", "verify", "--trust", "../noted")["ok"] is True

    def test_another_key_is_not_trusted(self, finished_site: Site) -> None:
        done = finished_site.gdpr("log", "verify", "--trust", "A" * 43 + "=")
        assert done.returncode == 5

    def test_a_changed_log_exits_5_and_stops_purge_and_audit(self, site: Site) -> None:
        site.log.write_bytes(site.log.read_bytes().replace(b"director", b"directer", 1))
        done = site.gdpr("log", "verify", "--format", "json")
        assert done.returncode == 5
        assert json.loads(done.stdout)["ok"] is False
        before = site.contents()
        for command in ("purge", "audit", "status"):
            assert site.gdpr(command).returncode == 5
        assert site.contents() == before

    @pytest.mark.parametrize("name", ["gdpr.toml", "calls.db", "audit/checkpoints.txt"])
    def test_a_file_that_is_no_checkpoint_says_nothing_of_the_log(
        self, finished_site: Site, name: str
    ) -> None:
        done = finished_site.gdpr("log", "verify", "--checkpoint", name)
        assert done.returncode == 2
        assert f"{name} is no checkpoint" in done.stderr
        assert done.stdout == ""

    def test_a_checkpoint_that_contradicts_the_log_exits_5(self, site: Site) -> None:
        copied = site.folder / "copied"
        copied.write_bytes((site.folder / "audit/checkpoint").read_bytes())
        assert site.gdpr("log", "verify", "--checkpoint", "copied").returncode == 0
        origin, _, rest = copied.read_text(encoding="utf-8").partition("\n")
        copied.write_text(f"{origin}\n1{rest}", encoding="utf-8")  # ten lines more than it was signed for
        assert site.gdpr("log", "verify", "--checkpoint", "copied").returncode == 5

    @pytest.mark.parametrize(
        ("old", "new", "kept"),
        [(b"director", b"directer", True), (b'{"entry":{', b'{"entry":', False)],
        ids=["changed", "unreadable"],
    )
    def test_a_log_that_does_not_verify_is_shown_as_far_as_it_reads(
        self, site: Site, old: bytes, new: bytes, kept: bool
    ) -> None:
        shown = site.gdpr("log", "show", "--last", "0", "--format", "jsonl").stdout.splitlines()
        head, last = site.log.read_bytes().rstrip(b"\n").rsplit(b"\n", 1)
        assert old in last
        site.log.write_bytes(head + b"\n" + last.replace(old, new) + b"\n")
        done = site.gdpr("log", "show", "--last", "0", "--format", "jsonl")
        assert done.returncode == 5
        assert len(done.stdout.splitlines()) == len(shown) - (not kept)
        assert f"broken at line {len(shown)}" in done.stderr

    def test_entries_are_shown_as_lines_and_by_type(self, finished_site: Site) -> None:
        done = finished_site.gdpr("log", "show", "--last", "0", "--format", "jsonl")
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        assert [entry["seq"] for entry in entries] == list(range(len(entries)))
        added = finished_site.told("log", "show", "--type", "person.add")["entries"]
        assert [entry["role"] for entry in added] == ["call-centre-manager", "director"]


class TestDatabaseAndFiles:
    def test_a_missing_database_exits_6(self, finished_site: Site) -> None:
        done = finished_site.gdpr("scan", "--database", "sqlite:///nowhere.db")
        assert done.returncode == 6
        assert "nowhere.db" in done.stderr

    def test_a_file_that_is_no_database_exits_6(self, site: Site) -> None:
        (site.folder / "text.db").write_text("this is no database, " * 100)
        assert site.gdpr("scan", "--database", "sqlite:///text.db").returncode == 6

    def test_no_database_at_all_exits_2_and_says_where_to_name_one(self, site: Site) -> None:
        (site.folder / "gdpr.toml").write_text('policy = "retention.yaml"')
        done = site.gdpr("scan")
        assert done.returncode == 2
        assert "GDPR_DATABASE_URL" in done.stderr

    def test_variables_name_everything(self, finished_site: Site) -> None:
        environ = {
            "GDPR_DATABASE_URL": f"sqlite:///{finished_site.database}",
            "GDPR_POLICY": str(finished_site.policy),
            "GDPR_HOME": str(finished_site.folder),
        }
        assert finished_site.parent.gdpr("scan", environ=environ).returncode == 0

    def test_a_mistake_in_the_policy_exits_2_with_its_line(self, site: Site) -> None:
        site.policy.write_text(site.policy.read_text().replace("table: calls", "table: cals"))
        done = site.gdpr("scan")
        assert done.returncode == 2
        assert "retention.yaml:" in done.stderr
        assert "Did you mean 'calls'?" in done.stderr

    def test_a_wrong_passphrase_is_said_in_words(self, site: Site) -> None:
        new = ["keys", "new", "--as", "director", "--out", "second.key", "--by", "keys/director.key"]
        assert site.gdpr(*new, given="correct horse\n").returncode == 0
        approving = ["approve", "--as", "director", "--key", "second.key"]
        wrong = site.gdpr(*approving, given="battery staple\n")
        assert wrong.returncode == 2
        assert "passphrase" in wrong.stderr
        assert site.gdpr(*approving, given="").returncode == 2
        assert site.gdpr(*approving, given="correct horse\n").returncode == 0

    def test_a_key_is_never_written_over_a_file(self, site: Site) -> None:
        before = site.contents()
        done = site.gdpr("keys", "new", "--as", "director", "--out", "keys/director.key", "--no-passphrase")
        assert done.returncode == 2
        assert site.contents() == before


class TestSettingUp:
    def test_a_role_that_the_policy_does_not_name_gets_no_key(self, site: Site) -> None:
        done = site.gdpr("keys", "new", "--as", "boss", "--out", "boss.key", "--no-passphrase")
        assert done.returncode == 2
        assert "call-centre-manager, director" in done.stderr
        assert not (site.folder / "boss.key").exists()

    def test_without_a_policy_file_any_role_gets_one(self, site: Site) -> None:
        site.policy.unlink()
        done = site.gdpr("keys", "new", "--as", "boss", "--out", "boss.key", "--no-passphrase")
        assert done.returncode == 0
        assert (site.folder / "boss.key").exists()

    def test_a_log_keeps_its_name_and_init_says_so(self, finished_site: Site) -> None:
        name = finished_site.told("init")["log"]
        assert "name stays" not in finished_site.gdpr("init", "--name", name).stdout
        other = finished_site.gdpr("init", "--name", "other.example/data")
        assert other.returncode == 0
        assert f"name stays {name}" in " ".join(other.stdout.split())
        assert finished_site.told("init")["log"] == name


def test_the_status_as_json_has_the_documented_keys_and_tells_of_rehearsals(site: Site) -> None:
    told = site.told("status")
    assert has_keys_of(STATUS, told)
    assert all(has_keys_of(DEADLINE, told[task]) for task in ("purge", "audit", "review"))
    with (site.folder / "gdpr.toml").open("a") as settings:
        settings.write('\nmode = "rehearsal"\n')
    assert site.told("status")["mode"] == "rehearsal"
    assert "Nothing is being erased" in site.gdpr("status").stdout.splitlines()[0]


def test_every_column_of_the_status_has_a_head(finished_site: Site) -> None:
    head = next(line for line in finished_site.gdpr("status").stdout.splitlines() if "Every" in line)
    assert head.split() == ["Task", "Every", "Last", "Due", "by", "State"]

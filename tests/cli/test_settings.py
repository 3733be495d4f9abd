"""Settings: where they come from, which one wins, and what is said of one that cannot be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from staffords_gdpr.errors import UsageError
from staffords_gdpr.settings import Notify, Settings, load_settings, settings_files


def load(
    folder: Path,
    toml: str | None = None,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    file = folder / "gdpr.toml"
    if toml is not None:
        file.write_text(toml, encoding="utf-8")
    return load_settings(flags or {}, environ or {}, folder, files=(file,))


def refusal(folder: Path, toml: str) -> str:
    with pytest.raises(UsageError) as caught:
        load(folder, toml)
    assert caught.value.exit_code == 2
    assert str(folder / "gdpr.toml") in caught.value.message
    return str(caught.value)


def test_without_any_setting_everything_is_here(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.database_url is None
    assert settings.policy == tmp_path / "policies/retention.yaml"
    assert settings.home == tmp_path
    assert settings.batch_size is None
    assert (settings.max_runtime, settings.until, settings.pause) == (None, None, 0)
    assert not settings.rehearsal


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path) -> None:
    toml = 'database_url = "sqlite:////file"\npolicy = "file.yaml"\nhome = "file"'
    environ = {"GDPR_DATABASE_URL": "sqlite:////variable", "GDPR_POLICY": "variable.yaml"}
    settings = load(
        tmp_path, toml, environ=environ, flags={"database_url": "sqlite:////flag", "policy": None}
    )
    assert settings.database_url == "sqlite:////flag"
    assert settings.policy == tmp_path / "variable.yaml"
    assert settings.home == tmp_path / "file"


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, 'home = "site"', environ={"GDPR_HOME": ""}).home == tmp_path / "site"


def test_the_nearer_file_counts_key_by_key(tmp_path: Path) -> None:
    near, far = tmp_path / "near.toml", tmp_path / "etc" / "far.toml"
    far.parent.mkdir()
    near.write_text('home = "near"')
    far.write_text('home = "far"\npolicy = "far.yaml"')
    settings = load_settings({}, {}, tmp_path, files=(near, far))
    assert settings.home == tmp_path / "near"
    assert settings.policy == tmp_path / "etc" / "far.yaml"


def test_relative_paths_in_a_file_are_relative_to_that_file(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "gdpr.toml").write_text('database_url = "sqlite:///calls.db"\npolicy = "rules.yaml"\nhome = "."')
    settings = load_settings({}, {}, tmp_path, files=(site / "gdpr.toml",))
    assert settings.database_url == f"sqlite:///{site}/calls.db"
    assert settings.policy == site / "rules.yaml"
    assert settings.home == site


@pytest.mark.parametrize(
    "url", ["sqlite:////abs/calls.db", "sqlite:///:memory:", "postgresql+psycopg://h/calls"]
)
def test_a_url_without_a_relative_file_is_left_alone(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, environ={"GDPR_DATABASE_URL": url}).database_url == url


def test_a_home_directory_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load(tmp_path, 'home = "~/gdpr"').home == Path("/home/somebody/gdpr")


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    message = refusal(tmp_path, 'databse_url = "sqlite:///x"')
    assert "unknown key 'databse_url'. Did you mean 'database_url'?" in message
    assert "batch_size" in message


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "policy = 3\nhome = true\nbatch_size = 'many'\ncolour = 'red'")
    assert "'policy' must be text in quotes, not a number." in message
    assert "'home' must be text in quotes, not true or false." in message
    assert "'batch_size' must be a whole number, not text." in message
    assert "unknown key 'colour'" in message


def test_a_boolean_is_no_batch_size(tmp_path: Path) -> None:
    assert "'batch_size' must be a whole number, not true or false." in refusal(tmp_path, "batch_size = true")


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, 'home = "x"\npolicy: rules.yaml\n')


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gdpr.toml").write_bytes(b"\xff\xfe\x00home")
    with pytest.raises(UsageError, match="not a TOML file"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gdpr.toml").mkdir()  # unreadable even for root
    with pytest.raises(UsageError, match=r"gdpr\.toml: cannot be read"):
        load(tmp_path)


def test_a_password_does_not_belong_in_the_file(tmp_path: Path) -> None:
    assert "database_password_file" in refusal(tmp_path, 'database_password = "hunter2"')


@pytest.mark.parametrize("size", ["0", "-5", "many", "1e3", "100001", "3.5"])
def test_a_batch_size_that_is_none_is_refused_by_the_name_of_its_source(tmp_path: Path, size: str) -> None:
    with pytest.raises(UsageError, match="GDPR_BATCH_SIZE"):
        load(tmp_path, environ={"GDPR_BATCH_SIZE": size})


@pytest.mark.parametrize(("size", "number"), [("1", 1), ("100000", 100_000)])
def test_the_limits_of_a_batch_size_are_allowed(tmp_path: Path, size: str, number: int) -> None:
    assert load(tmp_path, environ={"GDPR_BATCH_SIZE": size}).batch_size == number


@pytest.mark.parametrize(
    ("written", "seconds"), [("50ms", 0.05), ("10s", 10), ("45m", 2700), ("1h30m", 5400), ("1.5 h", 5400)]
)
def test_a_duration_is_numbers_with_their_units(tmp_path: Path, written: str, seconds: float) -> None:
    assert load(tmp_path, f"pause = '{written}'" if seconds <= 3600 else "").pause in (seconds, 0)
    if seconds >= 1:
        assert load(tmp_path, environ={"GDPR_MAX_RUNTIME": written}).max_runtime == seconds


@pytest.mark.parametrize("written", ["", "45", "0s", "1.2.3s", "-1h", "2 days", "8000h", "m"])
def test_what_is_no_duration_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(UsageError, match=r"max_runtime: .* is no duration from 1s to 168h"):
        load(tmp_path, f"max_runtime = '{written}'")


def test_a_time_of_the_clock_is_hours_and_minutes(tmp_path: Path) -> None:
    assert load(tmp_path, "until = '06:05'").until == dt.time(6, 5)
    for written in ("6", "24:00", "06:00:00", "6 am"):
        with pytest.raises(UsageError, match=r"GDPR_UNTIL.*no time of the clock"):
            load(tmp_path, environ={"GDPR_UNTIL": written})


def test_a_mode_that_is_not_known_never_means_live(tmp_path: Path) -> None:
    assert load(tmp_path, "mode = 'rehearsal'").rehearsal
    assert not load(tmp_path, "mode = 'live'").rehearsal
    with pytest.raises(UsageError, match="'rehersal' is not known"):
        load(tmp_path, "mode = 'rehersal'")


def test_an_empty_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--home: not a path"):
        load(tmp_path, flags={"home": " "})


def test_no_database_says_where_one_can_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path).connection_url()
    for way in ("--database", "GDPR_DATABASE_URL", "gdpr.toml"):
        assert way in caught.value.hint


URL = "postgresql+psycopg://gdpr@db.example:5432/calls?sslmode=require"


def test_the_password_of_a_variable_is_merged_when_connecting(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={"GDPR_DATABASE_URL": URL, "GDPR_DATABASE_PASSWORD": "p@ss/w:rd"})
    assert settings.database_url == URL
    assert settings.connection_url() == URL.replace("gdpr@", "gdpr:p%40ss%2Fw%3Ard@")
    assert "p@ss" not in repr(settings)


def test_the_password_of_a_file_is_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\nsomething else\n")
    settings = load(tmp_path, f'database_url = "{URL}"\ndatabase_password_file = "password"')
    assert settings.connection_url() == URL.replace("gdpr@", "gdpr:secret@")


@pytest.mark.parametrize("content", [None, "", "\nsecret"])
def test_a_password_file_without_a_password_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "password").write_text(content)
    settings = load(tmp_path, f'database_url = "{URL}"\ndatabase_password_file = "password"')
    with pytest.raises(UsageError, match="password"):
        settings.connection_url()


def test_two_passwords_are_one_too_many(tmp_path: Path) -> None:
    url = URL.replace("gdpr@", "gdpr:one@")
    settings = load(tmp_path, environ={"GDPR_DATABASE_URL": url, "GDPR_DATABASE_PASSWORD": "two"})
    with pytest.raises(UsageError, match="another one"):
        settings.connection_url()


def test_a_url_without_a_user_takes_a_password_too(tmp_path: Path) -> None:
    environ = {"GDPR_DATABASE_URL": "postgresql:///calls", "GDPR_DATABASE_PASSWORD": "x"}
    assert load(tmp_path, environ=environ).connection_url() == "postgresql://:x@/calls"


def test_sqlite_has_no_password(tmp_path: Path) -> None:
    environ = {"GDPR_DATABASE_URL": "sqlite:////calls.db", "GDPR_DATABASE_PASSWORD": "x"}
    assert load(tmp_path, environ=environ).connection_url() == "sqlite:////calls.db"


def test_files_are_looked_for_here_then_at_the_users_then_in_etc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    here = tmp_path / "here"
    assert settings_files(here) == (
        here / "gdpr.toml",
        tmp_path / "config/gdpr/gdpr.toml",
        Path("/etc/gdpr.toml"),
    )


def test_the_commands_of_notify_are_lists_of_words_or_texts_that_no_shell_sees(tmp_path: Path) -> None:
    toml = '[notify]\nsuccess = ["curl", "-fsS", "https://x/a b"]\nfailure = "mail -s \'it failed; $X\' it@x"'
    found = load(tmp_path, toml).notify
    assert found.success == ("curl", "-fsS", "https://x/a b")
    assert found.failure == ("mail", "-s", "it failed; $X", "it@x")
    assert load(tmp_path, "").notify == Notify()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("success = 3", "'notify.success': a command is a list of texts, not a number"),
        ('success = ["a", 3]', "'notify.success': a command is a list of texts, not a list"),
        ('failure = "echo \'a"', "'notify.failure': No closing quotation"),
        ('failure = ""', "'notify.failure' is no command"),
    ],
)
def test_what_is_no_command_is_refused_by_its_key(tmp_path: Path, line: str, said: str) -> None:
    assert said in refusal(tmp_path, f"[notify]\n{line}")
    assert "'notify' must be a table, not text" in refusal(tmp_path, 'notify = "true"')

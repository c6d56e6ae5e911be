"""Where settings come from, which one wins, and what a bad one says."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from runqy_tui.config import DEFAULT_URL, config_path, load_settings
from runqy_tui.model.errors import ConfigError


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment that names an empty config file."""
    file = tmp_path / "config.toml"
    file.write_text("", encoding="utf-8")
    return {"RUNQY_TUI_CONFIG": str(file)}


def write(env: dict[str, str], text: str) -> None:
    Path(env["RUNQY_TUI_CONFIG"]).write_text(text, encoding="utf-8")


def complaint(env: dict[str, str], **flags: float | str | bool) -> str:
    with pytest.raises(ConfigError) as raised:
        load_settings(env, **flags)  # type: ignore[arg-type]
    return str(raised.value)


def test_defaults(env: dict[str, str]) -> None:
    settings = load_settings(env)
    assert (settings.url, settings.url_source) == (DEFAULT_URL, "the default")
    assert (settings.interval_s, settings.timeout_s, settings.mouse) == (2.0, 3.0, True)
    assert dict(settings.keys) == {}


def test_each_source_of_the_url_yields_to_the_one_above_it(env: dict[str, str]) -> None:
    write(env, 'url = "redis://from-file:1/0"')
    env |= {
        "REDIS_HOST": "from-parts",
        "REDIS_URL": "redis://from-redis-url:1/0",
        "RUNQY_REDIS_URL": "redis://from-runqy:1/0",
    }
    flag = load_settings(env, url="redis://from-flag:1/0")
    assert (flag.url, flag.url_source) == ("redis://from-flag:1/0", "--url")
    seen = []
    for name in ("RUNQY_REDIS_URL", "REDIS_URL", "REDIS_HOST"):
        settings = load_settings(env)
        seen.append((settings.url, settings.url_source))
        del env[name]
    assert seen == [
        ("redis://from-runqy:1/0", "RUNQY_REDIS_URL"),
        ("redis://from-redis-url:1/0", "REDIS_URL"),
        ("redis://from-parts:6379/0", "REDIS_HOST"),
    ]
    last = load_settings(env)
    assert (last.url, last.url_source) == ("redis://from-file:1/0", "config.toml")


def test_an_empty_variable_is_not_set(env: dict[str, str]) -> None:
    env |= {"RUNQY_REDIS_URL": "", "REDIS_URL": "", "REDIS_HOST": "", "REDIS_PASSWORD": ""}
    assert load_settings(env).url == DEFAULT_URL


def test_flags_win_over_the_file(env: dict[str, str]) -> None:
    write(env, "interval = 5\ntimeout = 1.5\nmouse = false\n[keys]\nquit = 'x'")
    from_file = load_settings(env)
    assert (from_file.interval_s, from_file.timeout_s, from_file.mouse) == (5.0, 1.5, False)
    assert isinstance(from_file.interval_s, float)
    assert dict(from_file.keys) == {"quit": "x"}
    flags = load_settings(env, interval=0.5, timeout=9.0, mouse=True)
    assert (flags.interval_s, flags.timeout_s, flags.mouse) == (0.5, 9.0, True)


@pytest.mark.parametrize("value", [0.2, 3600.0])
def test_the_bounds_themselves_are_allowed(env: dict[str, str], value: float) -> None:
    assert load_settings(env, interval=value, timeout=value).interval_s == value


@pytest.mark.parametrize("value", [0.0, 0.19, -1.0, 3600.1, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["interval", "timeout"])
def test_seconds_out_of_range_name_flag_value_and_range(
    env: dict[str, str], name: str, value: float
) -> None:
    text = complaint(env, **{name: value})
    assert text == f"--{name} {value} is out of range: 0.2 to 3600 s."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("interval = 'fast'", "config.toml: interval must be a number of seconds, not 'fast'."),
        ("timeout = true", "config.toml: timeout must be a number of seconds, not True."),
        ("interval = 0", "config.toml: interval 0 is out of range: 0.2 to 3600 s."),
        ("interval = nan", "config.toml: interval nan is out of range: 0.2 to 3600 s."),
        ("mouse = 1", "config.toml: mouse must be true or false, not 1."),
        ("rules = 3", "config.toml: rules must be the name of a file, not 3."),
        ("notify = 'beep'", "config.toml: notify must be one of none, bell, osc9, not 'beep'."),
        ("url = 6379", "config.toml: url must be a string, as in redis://host:6379/0."),
        ("keys = 'q'", 'config.toml: [keys] maps a binding to keys, as in "app.quit" = "q,f10".'),
        (
            "[keys]\nquit = 3",
            'config.toml: [keys] maps a binding to keys, as in "app.quit" = "q,f10".',
        ),
    ],
)
def test_a_bad_value_in_the_file_names_setting_value_and_mend(
    env: dict[str, str], text: str, says: str
) -> None:
    write(env, text)
    assert complaint(env) == says


def test_a_value_that_may_hold_a_password_is_not_shown(env: dict[str, str]) -> None:
    for name in ("interval", "mouse", "notify", "colour", "profile"):
        write(env, f"{name} = ['redis://:s3cret@h']")
        text = complaint(env)
        assert name in text
        assert "s3cret" not in text


def test_a_relative_name_of_a_file_begins_beside_the_file(
    env: dict[str, str], tmp_path: Path
) -> None:
    write(env, "rules = 'my/rules.toml'")
    assert load_settings(env).rules == tmp_path / "my" / "rules.toml"
    write(env, "rules = '/etc/rules.toml'")
    assert load_settings(env).rules == Path("/etc/rules.toml")
    assert load_settings(env, rules=Path("here.toml")).rules == Path("here.toml")


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_of_any_length_is_only_out_of_range(env: dict[str, str], digits: int) -> None:
    write(env, f"interval = {'9' * digits}")
    text = complaint(env)
    assert "out of range" in text or "not valid TOML" in text
    assert len(text) < 300


def test_an_unknown_setting_is_named_with_the_nearest_or_all(env: dict[str, str]) -> None:
    write(env, "intervall = 2")
    where = env["RUNQY_TUI_CONFIG"]
    assert complaint(env) == f"{where}: unknown setting 'intervall'; did you mean 'interval'?"
    write(env, "color = 'red'")
    assert complaint(env).endswith("unknown setting 'color'; did you mean 'colour'?")
    write(env, "wombat = 1")
    text = complaint(env)
    assert (
        "unknown setting 'wombat'; known settings: budget, client_name, colour, colours, " in text
    )
    assert text.endswith(" url, username.")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"interval =", "is not valid TOML"),
        (b"url = '\xff'", "is not valid UTF-8"),
        (b"keys = " + b"[" * 5_000 + b"]" * 5_000, "is not valid TOML"),
    ],
)
def test_a_file_that_is_no_toml(env: dict[str, str], content: bytes, says: str) -> None:
    Path(env["RUNQY_TUI_CONFIG"]).write_bytes(content)
    text = complaint(env)
    assert says in text
    assert env["RUNQY_TUI_CONFIG"] in text


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    text = complaint({"RUNQY_TUI_CONFIG": str(tmp_path)})
    assert text == f"{tmp_path} cannot be read: Is a directory."


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    text = complaint({"RUNQY_TUI_CONFIG": str(missing)})
    assert text == f"RUNQY_TUI_CONFIG names {missing}, which does not exist."


def test_without_a_name_the_usual_place_may_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    for env in ({}, {"RUNQY_TUI_CONFIG": ""}):
        assert load_settings(env).url == DEFAULT_URL
        assert config_path(env).name == "config.toml"
        assert str(config_path(env)).startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []  # looking creates nothing


def test_a_url_in_the_file_is_read_and_hidden(env: dict[str, str]) -> None:
    write(env, 'url = "rediss://me:s3cret@redis.internal:6380/2"')
    settings = load_settings(env)
    assert settings.url == "rediss://me:s3cret@redis.internal:6380/2"
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)

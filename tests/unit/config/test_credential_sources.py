"""Credentials and TLS: where they may stand, which one wins, and what a bad one says."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import UsageError
from tests.unit.config.settings_desk import SECRET, Desk

TLS_URL = "rediss://h/0"


def test_each_setting_from_flags_environment_profile_and_file(desk: Desk) -> None:
    """Every field of Access, strongest source first; the weaker one is seen once it is gone."""
    for name in ("f.pem", "e.pem", "p.pem", "t.pem"):
        desk.secret_file("PEM", name)
    letters = {"flag": "f", "env": "e", "profile": "p", "top": "t"}

    def of(source: str) -> dict[str, object]:
        pem = desk.folder / f"{letters[source]}.pem"
        return {
            "username": f"user-{source}",
            "sentinel_username": f"sentinel-{source}",
            "tls_ca": pem,
            "tls_cert": pem,
            "tls_key": pem,
            "tls_server_name": f"name.{source}",
            "client_name": f"me-{source}",
        }

    def toml(source: str) -> str:
        return "\n".join(f'{name} = "{value}"' for name, value in of(source).items())

    environment = {f"RUNQY_REDIS_{n.upper()}": str(v) for n, v in of("env").items()}
    profile = f"[profiles.p]\n{toml('profile')}"
    desk.write(f'url = "{TLS_URL}"\n{toml("top")}\n{profile}')

    def seen(env: dict[str, str], **flags: object) -> dict[str, object]:
        access = desk.load(env, **flags).access
        return {name: getattr(access, name) for name in of("env")}

    default = environment | {"RUNQY_TUI_PROFILE": "p"}
    assert seen(default, url=TLS_URL, **of("flag")) == of("flag")
    with_url = default | {"RUNQY_REDIS_URL": TLS_URL}
    assert seen(with_url) == of("env")
    assert seen(default) == of("env")
    assert seen({"RUNQY_TUI_PROFILE": "p"}) == of("profile")
    assert seen({}) == of("top")
    assert seen(environment, profile="p") == of("profile"), "named by a flag: counts as one"
    passwords = {"password", "sentinel_password", "tls_insecure"}
    assert {field.name for field in fields(Credentials)} == set(of("top")) | passwords


@pytest.mark.parametrize("name", ["password", "sentinel_password"])
def test_a_password_from_every_source(desk: Desk, name: str) -> None:
    by_flag = desk.secret_file("by-flag\n", "flag")
    by_env = desk.secret_file("by-env-file", "env")
    desk.secret_file("by-file\r\n", "file")
    desk.write(f'{name}_file = "file"')
    variable = f"RUNQY_REDIS_{name.upper()}"
    flag = {f"{name}_file": by_flag}
    assert getattr(desk.load({variable: "by-env"}, **flag).access, name) == "by-flag"
    assert getattr(desk.load({variable: "by-env"}).access, name) == "by-env"
    assert getattr(desk.load({f"{variable}_FILE": str(by_env)}).access, name) == "by-env-file"
    assert getattr(desk.load().access, name) == "by-file"
    desk.write(f'{name} = "in-file"')
    assert getattr(desk.load().access, name) == "in-file"
    assert "in-file" not in repr(desk.load())


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"pw", "pw"),
        (b"pw\n", "pw"),
        (b"pw\r\n", "pw"),
        (b"pw\n\n", "pw\n"),
        (b" p w \n", " p w "),
        ("pä€\n".encode(), "pä€"),
        (b"\npw", "\npw"),
    ],
)
def test_one_newline_at_the_end_of_a_password_file_is_not_the_password(
    desk: Desk, content: bytes, password: str
) -> None:
    assert desk.load(password_file=desk.secret_file(content)).access.password == password


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty: it must contain the password."),
        (b"\n", "is empty: it must contain the password."),
        (b"\xff" + SECRET.encode(), "is not valid UTF-8: save it as UTF-8."),
        (SECRET.encode() * 10_000, "is larger than 64 KiB, the limit for a password."),
    ],
)
def test_a_password_file_that_holds_none(desk: Desk, content: bytes, says: str) -> None:
    path = desk.secret_file(content)
    assert desk.complaint(password_file=path) == f"--password-file: {path} {says}"
    variable = {"RUNQY_REDIS_SENTINEL_PASSWORD_FILE": str(path)}
    assert desk.complaint(variable) == f"RUNQY_REDIS_SENTINEL_PASSWORD_FILE: {path} {says}"
    desk.write('[profiles.x]\npassword_file = "pw"')
    where = "config.toml: profiles.x.password_file"
    assert desk.complaint(profile="x") == f"{where}: {path} {says}"


def test_files_that_cannot_be_read_name_their_setting(desk: Desk) -> None:
    missing = desk.folder / "none"
    why = f"{missing} cannot be read: No such file or directory."
    assert desk.complaint(password_file=missing) == f"--password-file: {why}"
    assert desk.complaint(url=TLS_URL, tls_ca=missing) == f"--tls-ca: {why}"
    env = {"RUNQY_REDIS_TLS_CERT": str(missing), "RUNQY_REDIS_URL": TLS_URL}
    assert desk.complaint(env) == f"RUNQY_REDIS_TLS_CERT: {why}"
    folder = f"{desk.folder} cannot be read: Is a directory."
    assert desk.complaint(password_file=desk.folder) == f"--password-file: {folder}"


def test_standard_input_may_hold_the_password(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"piped\n")
    os.close(writing)
    before = os.dup(0)
    try:
        os.dup2(reading, 0)
        assert desk.load(password_file=Path("-")).access.password == "piped"
        monkeypatch.setattr(os, "isatty", lambda _: True)
        assert "Use --ask-password" in desk.complaint(password_file=Path("-"))
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reading)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("password = 5", "config.toml: password must be a password in quotes, and not empty."),
        ("password = ''", "config.toml: password must be a password in quotes, and not empty."),
        (f"username = ['{SECRET}']", "config.toml: username must be a name in one line"),
        ('username = "a\\nb"', "config.toml: username must be a name in one line, and not empty."),
        ("tls_insecure = 'yes'", "config.toml: tls_insecure must be true or false, not 'yes'."),
        ("client_name = 'two words'", "config.toml: client_name must be 1 to 64 printable"),
        ("password_file = 1", "config.toml: password_file must be the name of a file, not 1."),
        (
            f"password = '{SECRET}'\npassword_file = 'pw'",
            "config.toml: password and config.toml: password_file are both set: remove one",
        ),
        ("read_only = false", "config.toml: read_only cannot be false: this program never writes"),
        ("tls_key = 'pw'", "config.toml: tls_key requires a certificate"),
        ("tls_ca = 'pw'", ""),
    ],
)
def test_a_bad_value_names_setting_and_fix(desk: Desk, text: str, says: str) -> None:
    desk.secret_file("pem")
    desk.write(f"url = '{TLS_URL}'\n{text}")
    if says:
        assert desk.complaint().startswith(says)
    else:
        desk.load()


def test_a_word_of_the_environment_is_true_or_false(desk: Desk) -> None:
    env = {"RUNQY_REDIS_URL": TLS_URL}
    for word, insecure in (("1", True), ("TRUE", True), ("no", False), ("", False)):
        settings = desk.load(env | {"RUNQY_REDIS_TLS_INSECURE": word})
        assert settings.access.tls_insecure is insecure
        assert settings.unverified is insecure
    text = desk.complaint(env | {"RUNQY_REDIS_TLS_INSECURE": "maybe"})
    assert text == "RUNQY_REDIS_TLS_INSECURE='maybe' must be true or false."


@pytest.mark.parametrize(
    "url", ["redis://h", "unix:///s", "redis+sentinel://h/m", "redis+cluster://h"]
)
def test_tls_settings_are_never_dropped_in_silence(desk: Desk, url: str) -> None:
    ca = desk.secret_file("PEM", "ca.pem")
    for flags in ({"tls_ca": ca}, {"tls_insecure": True}, {"tls_server_name": "n"}):
        (name,) = flags
        text = desk.complaint(url=url, **flags)
        assert text.startswith(f"--{name.replace('_', '-')} requires TLS, but the URL (--url)")
    assert not desk.load({"RUNQY_REDIS_TLS_INSECURE": "0"}, url=url).unverified
    encrypted = url.replace("redis", "rediss", 1)
    if "unix" not in url:
        assert desk.load(url=encrypted, tls_ca=ca).access.tls_ca == ca


@pytest.mark.parametrize(
    ("url", "unverified"),
    [
        ("rediss://h/0?ssl_cert_reqs=none", True),
        ("rediss+cluster://h?db=0&ssl_cert_reqs=none", True),
        ("rediss://h/0?ssl_cert_reqs=required", False),
        ("rediss://ssl_cert_reqs=none@h", False),
    ],
)
def test_a_url_that_waives_the_check_is_known_before_the_first_answer(
    desk: Desk, url: str, unverified: bool
) -> None:
    assert desk.load(url=url).unverified is unverified


# A password meets only the host that it was written for


def test_what_a_stronger_url_says_itself_is_not_overridden(desk: Desk) -> None:
    env = {"RUNQY_REDIS_USERNAME": "other", "RUNQY_REDIS_PASSWORD": "other-password"}
    whole = desk.load(env, url="redis://me:mine@h/0").access
    assert (whole.username, whole.password) == (None, None), "the URL's own are used"
    bare = desk.load(env, url="redis://h/0").access
    assert (bare.username, bare.password) == ("other", "other-password")
    named = desk.load(env, url="redis://me@h/0").access
    assert (named.username, named.password) == (None, "other-password")
    same = desk.load(env | {"RUNQY_REDIS_URL": "redis://me:mine@h/0"}).access
    assert (same.username, same.password) == ("other", "other-password")
    insecure = {"RUNQY_REDIS_TLS_INSECURE": "1"}
    strict = desk.load(insecure, url="rediss://h/0?ssl_cert_reqs=required")
    assert not strict.unverified


def test_the_environments_password_goes_with_flags_and_profiles(desk: Desk) -> None:
    desk.write('[profiles.x]\nurl = "redis://x"\nusername = "mon"')
    access = desk.load({"RUNQY_REDIS_PASSWORD": "p"}, profile="x").access
    assert (access.username, access.password) == ("mon", "p")


@pytest.mark.parametrize(
    ("env", "flags"),
    [
        ({}, {"url": "redis://elsewhere"}),
        ({"RUNQY_REDIS_URL": "redis://elsewhere"}, {}),
        ({"REDIS_HOST": "elsewhere"}, {}),
    ],
)
def test_nothing_of_the_file_goes_to_an_address_from_elsewhere(
    desk: Desk, env: dict[str, str], flags: dict[str, str]
) -> None:
    table = f'url = "redis://home"\nusername = "me"\npassword = "{SECRET}"\nname = "home"'
    more = 'sentinel_username = "s"\ncolour = "red"\ninterval = 5'
    for text in (f"{table}\n{more}", f'profile = "x"\n[profiles.x]\n{table}\n{more}'):
        desk.write(text)
        at_home = desk.load()
        assert (at_home.access.password, at_home.name, at_home.colour) == (SECRET, "home", "red")
        away = desk.load(env, **flags)
        assert "elsewhere" in away.url
        assert away.access == Credentials()
        assert (away.name, away.profile, away.colour) == (None, None, None)
        assert away.interval_s == 5.0, "a habit goes along"


# Asking


def test_asking_comes_last_and_wins(desk: Desk) -> None:
    asked = []

    def ask() -> str:
        asked.append(True)
        return "typed"

    desk.write(f'password = "{SECRET}"')
    settings = desk.load({"RUNQY_REDIS_PASSWORD": "e"}, ask_password=ask)
    assert (settings.access.password, len(asked)) == ("typed", 1)
    desk.complaint(ask_password=ask, interval=0.0)
    desk.complaint(ask_password=ask, url="redis://h", tls_insecure=True)
    with pytest.raises(UsageError, match="remove one"):
        desk.load(ask_password=ask, password_file=desk.secret_file("x"))
    desk.load(connect=False, ask_password=ask)
    assert len(asked) == 1, "nobody types a password for settings that are refused"


# Who else may read it


def test_a_secret_that_all_may_read_is_used_with_a_warning(desk: Desk) -> None:
    says = "contains a password and is readable by all users: run chmod 600 on it."
    path = desk.secret_file("pw", mode=0o644)
    settings = desk.load(password_file=path)
    assert (settings.access.password, settings.warnings) == ("pw", (f"{path} {says}",))
    path.chmod(0o640)
    assert desk.load(password_file=path).warnings == ()
    for text in (f'password = "{SECRET}"', f'url = "redis://:{SECRET}@h"'):
        desk.write(text, mode=0o644)
        assert desk.load().warnings == (f"{desk.config} {says}",)
        assert desk.load(url="redis://h").warnings == (), "it is not in force"
        desk.write(text)
        assert desk.load().warnings == ()
    desk.write('url = "redis://me@h/0"\npassword_file = "pw"', mode=0o644)
    assert desk.load().warnings == ()

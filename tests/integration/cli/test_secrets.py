"""A password that was given to the program in any way is in nothing that it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import Cli, Result

Run = Callable[..., Result]

SECRET = "hunter2"
DEAD = "127.0.0.1:1"


def silent_about_it(run: Run, *args: str, **env: str) -> int:
    result = run(*args, **env)
    printed = result.raw.decode() + result.err
    assert SECRET not in printed
    assert "Traceback" not in printed
    return result.code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"http://me:{SECRET}@{DEAD}", 78),
        (f"redis://me:{SECRET}@{DEAD}/0", 69),
        (f"redis://me:{SECRET}@{DEAD}/zero", 78),
        (f"redis://me:{SECRET}@{DEAD}/0?decode={SECRET}", 78),
        (f"redis://me:{SECRET}@127.0.0.1:port", 78),
        (f"redis://:12?{SECRET}@{DEAD}", 78),
        (f"redis://:12#{SECRET}@{DEAD}", 78),
        (f"redis://:a/{SECRET}@{DEAD}", 78),
        (f"rediss://me:{SECRET}@{DEAD}?ssl_ca_certs=/nonexistent", 78),
        (f"unix://me:{SECRET}@/nonexistent.sock", 69),
        (f"redis://me:{SECRET}\udcff@{DEAD}", 78),
    ],
)
def test_a_url_that_leads_nowhere(here: Run, url: str, code: int) -> None:
    assert silent_about_it(here, "--url", url, "snapshot") == code


def test_a_url_in_the_environment_that_leads_nowhere(cli: Cli) -> None:
    env = {"RUNQY_REDIS_URL": f"redis://me:{SECRET}@{DEAD}/0"}
    assert silent_about_it(cli, "task", "id", "--json", **env) == 69
    env = {"REDIS_URL": f"redis://me:{SECRET}@{DEAD}/0?decode={SECRET}"}
    assert silent_about_it(cli, "snapshot", **env) == 78


@pytest.mark.parametrize(
    "args",
    [
        [f"redis://:{SECRET}@h"],
        ["snapshot", f"redis://:{SECRET}@h"],
        ["--interval", f"redis://:{SECRET}@h", "snapshot"],
        ["--ulr", f"redis://:{SECRET}@h", "snapshot"],
        [f"--json=redis://:{SECRET} x@h", "snapshot"],
        ["snapshot", f"--json=redis://:{SECRET}@h"],
        ["--demo-speed", f"redis://:{SECRET}@h", "--demo"],
    ],
)
def test_a_url_in_the_wrong_place(here: Run, args: list[str]) -> None:
    assert silent_about_it(here, *args) == 2


def test_a_wrong_password(cli: Cli, locked_at: str) -> None:
    url = f"redis://monitor:{SECRET}@{locked_at}/0"
    assert silent_about_it(cli, "--url", url, "snapshot") == 77
    host, _, port = locked_at.partition(":")
    parts = {"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_PASSWORD": SECRET}
    assert silent_about_it(cli, "snapshot", "--json", **parts) == 77


@pytest.mark.parametrize("args", [["--help"], ["task", "--help"]])
def test_help_shows_no_environment(cli: Cli, args: list[str]) -> None:
    env = {"RUNQY_REDIS_URL": f"redis://:{SECRET}@h", "REDIS_PASSWORD": SECRET}
    assert silent_about_it(cli, "--url", f"redis://:{SECRET}@h", *args, **env) == 0


def test_what_is_printed_of_a_server_with_a_password(cli: Cli, locked_at: str) -> None:
    """The address alone, in JSON and in text."""
    env = {"RUNQY_REDIS_URL": f"redis://monitor:right@{locked_at}/0"}
    seen = cli("snapshot", "--json", **env)
    assert seen.json["redis"]["address"] == locked_at
    assert b"right" not in seen.raw
    assert cli("snapshot", **env).out.startswith(f"{locked_at}  ")


def test_a_password_in_a_bad_file(here: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for text in (
        f'url = "redis://:{SECRET}@h',
        f'url = ["redis://:{SECRET}@h"]',
        f'redis = "redis://:{SECRET}@h"',
    ):
        file.write_text(text, encoding="utf-8")
        assert silent_about_it(here, "snapshot", RUNQY_TUI_CONFIG=str(file)) == 78

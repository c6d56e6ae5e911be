"""A secret that was given in any way is in no line, and a fault of our own shows none either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runqy_tui.redis.checkup import steps as checkup
from tests.integration.commands.doctor.conftest import Doctor
from tests.integration.conftest import Result
from tests.support.servers import RealServer, embedded

SECRET = "hunter2"
DEAD = "127.0.0.1:1"
Run = Callable[..., Result]


def silent(run: Run, *args: str, **env: str) -> int:
    for form in ([], ["--json"]):
        result = run(*args, "doctor", *form, **env)
        printed = result.raw.decode() + result.err
        assert "program" in printed, "it went on to the end"
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
        (f"redis://:a/{SECRET}@{DEAD}", 78),
        (f"rediss://me:{SECRET}@{DEAD}", 69),
        (f"unix://me:{SECRET}@/nonexistent.sock", 69),
        (f"redis+sentinel://me:{SECRET}@{DEAD}/mymaster/0", 69),
        (f"redis+cluster://me:{SECRET}@{DEAD}", 69),
    ],
)
def test_in_a_url(here: Run, url: str, code: int) -> None:
    assert silent(here, "--url", url) == code
    assert silent(here, RUNQY_REDIS_URL=url) == code


def test_in_runqy_s_own_variables(here: Run) -> None:
    where = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"}
    assert silent(here, **where, REDIS_PASSWORD=SECRET) == 69


def test_in_a_file(here: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    for text, code in (
        (f'url = "redis://:{SECRET}@{DEAD}/0"', 69),
        (f'url = "redis://:{SECRET}@h', 78),
        (f'redis = "redis://:{SECRET}@h"', 78),
    ):
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        assert silent(here, RUNQY_TUI_CONFIG=str(file)) == code


@pytest.fixture(scope="module")
def locked_url() -> Any:
    with RealServer(embedded(), {"requirepass": "right"}) as server:
        yield server.url


def test_a_password_that_is_wrong_or_right(here: Run, locked_url: str) -> None:
    wrong = locked_url.replace("://", f"://:{SECRET}@")
    assert silent(here, RUNQY_REDIS_URL=wrong) == 77
    assert silent(here, "--url", locked_url) == 77
    result = here("doctor", RUNQY_REDIS_URL=locked_url.replace("://", "://:right@"))
    assert result.code == 0
    assert "right" not in result.out


def test_a_fault_of_our_own_is_a_line_without_its_text(
    doctor: Doctor, locked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError(f"redis://:{SECRET}@h")

    monkeypatch.setattr(checkup, "try_commands", broken)
    report = doctor(RUNQY_REDIS_URL=locked_url.replace("://", "://:right@"))
    assert report.code == 70
    assert report.one("commands", "fail") == ("internal error in runqy-tui: KeyError")
    assert report.one("server").startswith("valkey")

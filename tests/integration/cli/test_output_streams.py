"""Standard output that is a pipe without a reader, a full disk, closed, or not UTF-8."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from runqy_tui.text.terminal_encoding import for_encoding
from tests.integration.conftest import DEADLINE_S, Cli, Result
from tests.support import dialect_writers

FULL = Path("/dev/full")
NO_UTF8_MODE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
"""A C locale as other programs have it: Python would make UTF-8 of it by itself."""


@pytest.fixture
def odd_task(writer: redis.Redis, redis_url: str) -> list[str]:
    """Arguments that print a task with signs beyond ASCII."""
    message = dialect_writers.message(type="日本 ✖ é", payload="zażółć · \x1b".encode())
    dialect_writers.queue(writer, "a")
    dialect_writers.task(writer, "a", "odd", msg=message, state="pending")
    return ["--url", redis_url, "task", "odd"]


def onto(cli: Cli, stdout: int, *args: str) -> Result:
    with cli.popen(*args, stdout=stdout) as running:
        _, err = running.communicate(timeout=DEADLINE_S)
    return Result(running.returncode, b"", err.decode())


@pytest.mark.parametrize("command", [["snapshot"], ["snapshot", "--json"], ["task", "here"]])
def test_a_pipe_that_nobody_reads(
    cli: Cli, writer: redis.Redis, redis_url: str, command: list[str]
) -> None:
    dialect_writers.pending(writer, "a", "here")
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        result = onto(cli, theirs, "--url", redis_url, *command)
    finally:
        os.close(theirs)
    assert (result.code, result.err) == (141, "")


def test_help_into_a_pipe_that_nobody_reads(cli: Cli) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        assert "Traceback" not in onto(cli, theirs, "--help").err
    finally:
        os.close(theirs)


def test_the_first_line_of_many(cli: Cli, writer: redis.Redis, redis_url: str) -> None:
    writer.sadd("asynq:queues", *(f"queue-{n:05}.default" for n in range(3000)))
    with cli.popen("--url", redis_url, "snapshot", stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"unix:")
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""
        assert running.wait(DEADLINE_S) == 141


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
def test_a_full_disk(cli: Cli, redis_url: str) -> None:
    with FULL.open("wb") as full:
        result = onto(cli, full.fileno(), "--url", redis_url, "snapshot", "--json")
    assert result.failed(74) == "Standard output cannot be written: No space left on device."


def test_a_closed_output(cli: Cli, redis_url: str) -> None:
    command = [sys.executable, "-m", "runqy_tui", "--url", redis_url, "snapshot"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command],
        stderr=subprocess.PIPE,
        env=cli.environment(),
        timeout=DEADLINE_S,
    )
    error_line = Result(done.returncode, b"", done.stderr.decode()).failed(74)
    assert error_line.startswith("Standard output is closed")


@pytest.mark.parametrize("env", [{"LANG": "C"}, {"LC_ALL": "C"}])
def test_a_c_locale_prints_the_same(cli: Cli, odd_task: list[str], env: dict[str, str]) -> None:
    usual = cli(*odd_task)
    assert "日本 ✖ é" in usual.out
    assert "  zażółć · ␛" in usual.out
    assert cli(*odd_task, **env) == usual


@pytest.mark.parametrize("env", [NO_UTF8_MODE, {"PYTHONIOENCODING": "latin-1"}])
def test_without_utf8_the_text_is_ascii(cli: Cli, odd_task: list[str], env: dict[str, str]) -> None:
    usual = cli(*odd_task)
    plain = cli(*odd_task, **env)
    assert (plain.code, plain.err) == (0, "")
    assert plain.raw.decode("ascii") == for_encoding(usual.out, "ascii")
    assert "type           ?? X ?" in plain.out
    json = [*odd_task, "--json"]
    assert cli(*json, **env) == cli(*json)


def test_an_error_without_utf8(cli: Cli) -> None:
    result = cli("--url", "redis://127.0.0.1:1", "task", "✖é", **NO_UTF8_MODE)
    result.failed(69)
    assert result.err.isascii()

"""Exit codes, and the one line on standard error that goes with each."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
import redis

from runqy_tui import __version__
from tests.integration.conftest import DEADLINE_S, Cli, Result
from tests.support import dialect_writers

DEAD = "redis://127.0.0.1:1/0"
WRONG = "wr0ng-secret"


def test_zero(cli: Cli, redis_url: str) -> None:
    assert cli("--url", redis_url, "snapshot").code == 0


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["snapshot", "-h"], ["task", "--help"]])
def test_help_needs_no_server_and_no_valid_settings(cli: Cli, args: list[str]) -> None:
    result = cli(*args, RUNQY_TUI_CONFIG="/nonexistent", RUNQY_REDIS_URL=f"x://:{WRONG}@h")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage: runqy-tui")
    assert WRONG not in result.out


def test_version(cli: Cli) -> None:
    result = cli("--version")
    assert (result.code, result.out, result.err) == (0, f"runqy-tui, version {__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["watch"], "No such command 'watch'. Try: runqy-tui --help"),
        (["task"], "Missing argument 'ID'. Try: runqy-tui task --help"),
        (["snapshot", "--yaml"], "No such option '--yaml'. Try: runqy-tui snapshot --help"),
        (["--interval", "soon", "snapshot"], "'soon' is not a valid float."),
        (["--demo", "snapshot"], "--demo opens the monitor; it cannot be combined with a command."),
        (["--demo", "--url", "redis://h"], "--demo uses its own server"),
        ([DEAD], "No such command 'redis://… A Redis URL goes after --url."),
    ],
)
def test_two_for_usage(here: Callable[..., Result], args: list[str], says: str) -> None:
    assert says in here(*args).failed(2)


def test_two_for_a_monitor_without_a_terminal(cli: Cli) -> None:
    error_line = cli("--url", DEAD).failed(2)
    assert error_line.startswith("The monitor needs a terminal, and standard input is not one.")
    assert error_line.endswith("runqy-tui snapshot --json")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_two_for_a_terminal_that_cannot(cli: Cli, term: str) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "runqy_tui", "--url", DEAD],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            env=cli.environment(TERM=term),
            timeout=DEADLINE_S,
        )
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)  # not a byte for a terminal that could not show it
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"runqy-tui: TERM={term!r} cannot show the monitor.")


def test_69_where_nothing_listens(cli: Cli) -> None:
    for command in (["snapshot"], ["snapshot", "--json"], ["task", "id"]):
        error_line = cli("--url", DEAD, *command).failed(69)
        assert error_line.startswith("Redis at 127.0.0.1:1 refuses the connection")
    assert "unix:/no.sock" in cli("--url", "unix:///no.sock", "snapshot").failed(69)


@pytest.fixture
def silent() -> socket.socket:
    """A host that takes connections and never says a word."""
    return socket.create_server(("127.0.0.1", 0))


def test_69_where_nobody_answers_in_time(cli: Cli, silent: socket.socket) -> None:
    with silent:
        port = silent.getsockname()[1]
        error_line = cli(
            "--url", f"redis://127.0.0.1:{port}", "--timeout", "0.3", "snapshot"
        ).failed(69)
    assert error_line.startswith(f"Redis at 127.0.0.1:{port} does not answer within 0.3 s: ")


def test_an_interrupt_ends_it_at_once(cli: Cli, silent: socket.socket) -> None:
    with silent:
        port = silent.getsockname()[1]
        url = f"redis://127.0.0.1:{port}"
        with cli.popen("--url", url, "snapshot", stdout=subprocess.PIPE) as running:
            connection, _ = silent.accept()
            connection.recv(1)  # it waits for an answer now
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=DEADLINE_S)
            connection.close()
    # Killed by the signal, which a shell reports as 130.
    assert (running.returncode, out, err) == (-signal.SIGINT, b"", b"")


@pytest.mark.parametrize("user", ["", "monitor", "nobody"])
def test_77_for_a_wrong_password(cli: Cli, locked_at: str, user: str) -> None:
    error_line = cli("snapshot", RUNQY_REDIS_URL=f"redis://{user}:{WRONG}@{locked_at}/0").failed(77)
    name = user or "default"
    assert error_line.startswith(f'Redis at {locked_at} refuses the password for user "{name}"')
    assert WRONG not in error_line


def test_77_for_no_password_and_for_no_rights(cli: Cli, locked_at: str) -> None:
    error_line = cli("--url", f"redis://{locked_at}/0", "snapshot").failed(77)
    assert error_line.startswith(f"Redis at {locked_at} requires a password: ")
    error_line = cli("snapshot", RUNQY_REDIS_URL=f"redis://blind:right@{locked_at}/0").failed(77)
    assert "does not let this user run" in error_line
    assert "`runqy-tui acl`" in error_line


def test_a_right_password_in_each_of_its_places(cli: Cli, locked_at: str) -> None:
    host, _, port = locked_at.partition(":")
    assert cli("snapshot", RUNQY_REDIS_URL=f"redis://monitor:right@{locked_at}/0").code == 0
    assert cli("snapshot", REDIS_HOST=host, REDIS_PORT=port, REDIS_PASSWORD="right").code == 0


def test_a_password_of_special_characters(
    cli: Cli, locked_at: str, locked_admin: redis.Redis
) -> None:
    odd = "p@:/?#[]% é\t\"'&=+"
    locked_admin.config_set("requirepass", odd)
    host, _, port = locked_at.partition(":")
    assert cli("snapshot", REDIS_HOST=host, REDIS_PORT=port, REDIS_PASSWORD=odd).code == 0


@pytest.mark.parametrize(
    ("args", "env", "says"),
    [
        ([], {"RUNQY_TUI_CONFIG": "/nonexistent"}, "RUNQY_TUI_CONFIG names /nonexistent"),
        (["--interval", "0"], {}, "--interval 0.0 is out of range"),
        (["--url", "http://h"], {}, "--url: The Redis URL must start with redis://"),
        ([], {"REDIS_URL": "redis://h:x"}, "REDIS_URL: The Redis URL has no valid port"),
        ([], {"REDIS_HOST": "h", "REDIS_PORT": "x"}, "REDIS_PORT='x' must be a number"),
    ],
)
def test_78_for_a_bad_setting(
    here: Callable[..., Result], args: list[str], env: dict[str, str], says: str
) -> None:
    assert here(*args, "snapshot", **env).failed(78).startswith(says)


def test_2_and_78_as_a_process(cli: Cli) -> None:
    cli("watch").failed(2)
    cli("snapshot", RUNQY_TUI_CONFIG="/nonexistent").failed(78)


def test_1_is_only_for_a_task_that_is_not_there(
    cli: Cli, writer: redis.Redis, redis_url: str
) -> None:
    dialect_writers.pending(writer, "a", "here")
    assert cli("--url", redis_url, "task", "here").code == 0
    cli("--url", redis_url, "task", "there").failed(1)
    cli("--url", DEAD, "task", "there").failed(69)

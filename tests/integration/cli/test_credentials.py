"""Ways in: flags, environment and prompt against real servers, with and without TLS."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
import trustme

from tests.integration.conftest import DEADLINE_S, Cli, Result
from tests.support.servers import RealServer, debian, free_port

Run = Callable[..., Result]

WARNS = "contains a password and is readable by all users: run chmod 600 on it."


@pytest.fixture
def pw(tmp_path: Path) -> Path:
    """A file with the locked server's password, for its owner alone."""
    path = tmp_path / "pw"
    path.write_text("right\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def test_user_and_password_beside_the_url(here: Run, locked_at: str, pw: Path) -> None:
    url = ("--url", f"redis://{locked_at}/0")
    user = ("--username", "monitor")
    assert here(*url, *user, "--password-file", str(pw), "snapshot").code == 0
    env = {"RUNQY_REDIS_USERNAME": "monitor", "RUNQY_REDIS_PASSWORD": "right"}
    assert here(*url, "snapshot", "--json", **env).code == 0
    error_line = here(*url, *user, "snapshot", RUNQY_REDIS_PASSWORD="wr0ng").failed(77)
    assert '"monitor"' in error_line
    assert "wr0ng" not in error_line


def test_a_password_that_all_may_read_breaks_no_script(here: Run, locked_at: str, pw: Path) -> None:
    pw.chmod(0o644)
    args = ("--url", f"redis://{locked_at}/0", "--password-file", str(pw), "snapshot", "--json")
    seen = here(*args)
    assert (seen.code, seen.err) == (0, f"runqy-tui: warning: {pw} {WARNS}\n")
    assert seen.json["redis"]["address"] == locked_at


def test_a_password_from_a_pipe(cli: Cli, locked_at: str) -> None:
    url = ("--url", f"redis://{locked_at}/0")
    done = subprocess.run(
        [sys.executable, "-m", "runqy_tui", *url, "--password-file", "-", "snapshot", "--json"],
        input=b"right\n",
        capture_output=True,
        env=cli.environment(),
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_flag_that_means_nothing_is_refused(here: Run, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    cases = (
        (("--password-file", missing, "snapshot"), f"--password-file: {missing} cannot be read"),
        (("--tls-ca", missing, "--url", "rediss://h", "snapshot"), f"--tls-ca: {missing} cannot"),
        (("--tls-insecure", "snapshot"), "--tls-insecure requires TLS, but the URL (the default)"),
        (("--client-name", "a b", "snapshot"), "--client-name must be 1 to 64 printable"),
    )
    for args, says in cases:
        assert here(*args).failed(78).startswith(says)
    for flag in ("--username=x", "--tls-insecure", "--ask-password", "--no-profile"):
        assert f"remove {flag.partition('=')[0]} or" in here("--demo", flag).failed(2)


# Asked on the terminal


def test_asking_without_a_terminal(cli: Cli) -> None:
    """A process without a controlling terminal, and none on any stream."""
    done = subprocess.run(
        [sys.executable, "-m", "runqy_tui", "--ask-password", "snapshot"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=cli.environment(),
        start_new_session=True,
        timeout=DEADLINE_S,
    )
    error_line = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert error_line.startswith(
        "runqy-tui: --ask-password requires a terminal, and there is none."
    )
    assert error_line.count("\n") == 1


@dataclass
class Asked:
    """A command that asks on a pty of its own, its output in a pipe."""

    process: subprocess.Popen[bytes]
    terminal: int
    shown: bytes = b""

    def reads(self, sign: bytes) -> None:
        deadline = monotonic() + DEADLINE_S
        while sign not in self.shown:
            assert monotonic() < deadline, self.shown
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.shown += os.read(self.terminal, 4096)

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def types(self, keys: bytes) -> tuple[int, bytes, bytes]:
        """Answer once the echo is off; gives exit code, output and errors."""
        self.reads(b"Redis password: ")
        assert not self.echoes
        os.write(self.terminal, keys)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, err


@pytest.fixture
def asked(cli: Cli, locked_at: str) -> Iterator[Callable[..., Asked]]:
    """Starts commands with ``--ask-password``."""
    ours, theirs = pty.openpty()
    running: list[subprocess.Popen[bytes]] = []

    def start(*args: str) -> Asked:
        own = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        own += "os.execv(sys.executable, [sys.executable, '-m', 'runqy_tui', *sys.argv[1:]])"
        url = f"redis://monitor@{locked_at}/0"
        process = subprocess.Popen(
            [sys.executable, "-c", own, "--url", url, "--ask-password", *args],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=cli.environment(),
            start_new_session=True,
        )
        running.append(process)
        return Asked(process, ours)

    yield start
    for process in running:
        process.kill()
        process.communicate()
    os.close(ours)
    os.close(theirs)


def test_a_typed_password_is_used_and_never_shown(asked: Callable[..., Asked]) -> None:
    prompt = asked("snapshot", "--json")
    code, out, err = prompt.types(b"right\n")
    assert (code, err) == (0, b"")
    assert out.startswith(b"{")
    assert prompt.echoes
    assert b"right" not in prompt.shown


def test_an_empty_answer_and_an_interrupt(asked: Callable[..., Asked]) -> None:
    code, out, err = asked("snapshot").types(b"\n")
    assert (code, out) == (2, b"")
    assert err == b"runqy-tui: --ask-password: the password that was typed is empty.\n"
    interrupted = asked("check")
    code, out, err = interrupted.types(b"\x03")
    assert (code, out, err.strip()) == (130, b"", b"")
    assert interrupted.echoes, "the terminal is given back"


# TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """``rediss://`` of a server whose certificate names redis.test, and its CA's file."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("redis.test")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    port = free_port()
    options = {
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(folder / "cert.pem"),
        "tls-key-file": str(folder / "key.pem"),
        "tls-auth-clients": "no",
    }
    with RealServer(debian(), options):
        yield f"rediss://127.0.0.1:{port}/0", folder / "ca.pem"


def test_tls_by_flags(here: Run, tls: tuple[str, Path]) -> None:
    url, ca = tls
    sure = here("--url", url, "--tls-ca", str(ca), "--tls-server-name", "redis.test", "snapshot")
    assert (sure.code, sure.err) == (0, "")
    assert "UNVERIFIED" not in sure.out
    here("--url", url, "--tls-ca", str(ca), "snapshot").failed(69)


def test_an_unverified_server_is_said_to_be(here: Run, tls: tuple[str, Path]) -> None:
    url, _ = tls
    seen = here("--url", url, "--tls-insecure", "snapshot")
    address = url.removeprefix("rediss://").removesuffix("/0")
    assert seen.out.startswith(f"{address}  TLS UNVERIFIED  ")

"""The command as a user runs it: another process, its own environment, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from runqy_tui.cli import main
from runqy_tui.demo.embedded_server import EmbeddedServer
from tests.support.leftovers import inherited

DEADLINE_S = 60


@dataclass(frozen=True)
class Result:
    """What one run left behind."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    def failed(self, code: int) -> str:
        """One clear line on standard error, nothing on standard output; gives the line."""
        assert (self.code, self.raw) == (code, b""), self.err
        assert self.err.startswith("runqy-tui: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("runqy-tui: ").rstrip("\n")


@dataclass(frozen=True)
class Cli:
    """Runs ``python -m runqy_tui`` without the settings of whoever runs the tests."""

    home: Path

    def environment(self, **env: str) -> dict[str, str]:
        # Without PYTHONDONTWRITEBYTECODE: imports from source take several times as long.
        base = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        base |= {"XDG_CONFIG_HOME": str(self.home / "config"), "TERM": "xterm"}
        return base | inherited() | env

    def popen(self, *args: str | bytes, stdout: int, **env: str) -> subprocess.Popen[bytes]:
        """Start it, with standard output where the test wants it."""
        return subprocess.Popen(
            [sys.executable, "-m", "runqy_tui", *args],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=self.environment(**env),
        )

    def __call__(self, *args: str | bytes, **env: str) -> Result:
        """Run it to the end. Keywords are environment variables."""
        with self.popen(*args, stdout=subprocess.PIPE, **env) as running:
            out, err = running.communicate(timeout=DEADLINE_S)
        return Result(running.returncode, out, err.decode("utf-8"))

    def python(self, program: str, *args: str, **env: str) -> Result:
        """Run a small program with the package at hand."""
        done = subprocess.run(
            [sys.executable, "-c", program, *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environment(**env),
            timeout=DEADLINE_S,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode("utf-8"))


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Runs the entry point in this process: for many short cases that only say something."""

    def run(*args: str, **env: str) -> Result:
        monkeypatch.setattr(os, "environ", Cli(tmp_path).environment(**env))
        monkeypatch.setattr(sys, "argv", ["runqy-tui", *args])
        code: Any = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code
        output = capsys.readouterr()
        return Result(code, output.out.encode(), output.err)

    return run


@pytest.fixture(scope="session")
def locked() -> Iterator[EmbeddedServer]:
    """A server on TCP whose default user has a password, with a few users of its own."""
    with EmbeddedServer(tcp=True) as server:
        with redis.Redis.from_url(server.url) as client:
            client.acl_setuser(
                "monitor", enabled=True, passwords=["+right"], keys=["*"], categories=["+@all"]
            )
            client.acl_setuser(
                "blind", enabled=True, passwords=["+right"], categories=["+@connection"]
            )
            client.config_set("requirepass", "right")
        yield server


@pytest.fixture
def locked_admin(locked: EmbeddedServer) -> Iterator[redis.Redis]:
    """A client of the locked server that may do everything; the default password is put back."""
    with redis.Redis.from_url(locked.url, username="monitor", password="right") as client:
        yield client
        client.config_set("requirepass", "right")


@pytest.fixture
def locked_at(locked: EmbeddedServer) -> str:
    """``127.0.0.1:PORT`` of the locked server."""
    return locked.url.removeprefix("redis://").removesuffix("/0")

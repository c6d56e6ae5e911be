"""Real servers with whatever options a test needs, on free ports of 127.0.0.1, stopped by pid."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pytest
import redis

from runqy_tui.demo.embedded_server import find_server

_DEADLINE_S = 30.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def embedded() -> Path:
    """The wheel's own server: a Valkey."""
    return find_server()


def debian(name: str = "redis-server") -> Path:
    """A program of Debian's redis packages, or skip the test with the reason."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine: apt-get install redis-server redis-sentinel")
    return Path(found)


class RealServer:
    """One server process. ``options`` are those of its configuration file, by name.

    It keeps its directory and port over :meth:`kill` and :meth:`start`, so that it can go and come
    back; ``with`` stops it and removes the directory.
    """

    def __init__(
        self,
        binary: Path | None = None,
        options: Mapping[str, str] | None = None,
        *,
        sentinel: bool = False,
    ) -> None:
        self.binary = binary or embedded()
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="runqy-tui-test-"))
        self.sentinel = sentinel
        self.options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RealServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Of the server itself."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """``redis://127.0.0.1:PORT/0``, without credentials."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "server.log").read_text(errors="replace")

    def start(self, *, wait: bool = True) -> None:
        """Start it on its port; with ``wait`` until it takes connections."""
        base = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.directory)}
        if not self.sentinel:
            base |= {"save": '""', "appendonly": "no"}
        lines = [f"{name} {value}" for name, value in (base | self.options).items()]
        config = self.directory / "server.conf"
        if not (self.sentinel and config.exists()):  # a Sentinel keeps what it learned there
            config.write_text("\n".join(lines) + "\n")
        program = [str(self.binary), str(config), *(["--sentinel"] if self.sentinel else [])]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                program, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self._await_port()

    def kill(self) -> None:
        """End it as a crash does; a frozen one too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it where it is: its connections stay open and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self, **settings: object) -> redis.Redis:
        """A client of the test's own."""
        made: redis.Redis = redis.Redis(host="127.0.0.1", port=self.port, **settings)  # type: ignore[arg-type]
        return made

    def _await_port(self) -> None:
        assert self._process is not None
        port = int(self.options.get("tls-port", self.port))
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"the server did not start: {self.log[-2000:]}")

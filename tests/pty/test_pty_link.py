"""Redis disconnects, reconnects or refuses: the screen shows it, and no secret."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

import pytest
import redis

from runqy_tui.demo.embedded_server import find_server
from tests.app import scenes
from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import PATIENCE_S
from tests.support import dialect_writers

SECRET = "wr0ng-secret"


class Server:
    """A server that may die and come back on the same socket."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._folder = folder
        self._running = running

    def start(self) -> redis.Redis:
        """Start it, empty; gives a client of it."""
        options = {"port": "0", "save": "", "unixsocket": self.socket, "dir": self._folder}
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self.process = self._running.enter_context(
            subprocess.Popen([str(find_server(None)), *words], stdout=subprocess.DEVNULL)
        )
        self._running.callback(self.process.kill)
        client = redis.Redis.from_url(self.url)
        self._running.callback(client.close)
        deadline = monotonic() + PATIENCE_S
        while not self._answers(client):
            assert monotonic() < deadline
            sleep(0.02)
        return client

    def _answers(self, client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


@pytest.fixture
def mortal(short_folder: Path) -> Iterator[Server]:
    """A server that is not running yet."""
    with ExitStack() as running:
        yield Server(short_folder, running)


def test_a_server_that_dies_and_comes_back(monitor: Monitor, mortal: Server) -> None:
    scenes.small_fleet(mortal.start())
    seen = monitor.watch(mortal.url, "--interval", "0.5")
    seen.sees("sick:2", "beta-1")
    mortal.process.kill()
    seen.sees("✖ connection lost · data ", "refuses the connection")
    seen.press("w")
    seen.sees("All findings", "Data as of ")
    seen.press("\x1b")
    seen.misses("All findings")
    seen.sees(*PANES, "sick:2", "alpha.high", "beta-1")
    again = mortal.start()
    dialect_writers.pending(again, "returned.default", "task-1")
    dialect_writers.worker(again, "new:9", dialect_writers.now_of(again), "map[returned.default:1]")
    seen.sees("live · data", "No problems: 1 worker, 1 queue.", "new:9", "sick:2 was removed")
    seen.press("2", "g")
    seen.sees("3 Tasks ─ returned.default", "task-1")


def test_a_server_that_is_not_there_yet(monitor: Monitor, mortal: Server) -> None:
    seen = monitor.run("--url", mortal.url)
    seen.sees("✖ no connection", "redis.sock: there is no such socket", *PANES)
    seen.press("?")
    seen.sees("Esc closes")
    seen.press("\x1b")
    scenes.small_fleet(mortal.start())
    seen.sees("live · data", "sick:2")


def test_a_server_that_hangs(monitor: Monitor, mortal: Server) -> None:
    """Keys work all the same, and leaving does not wait for an answer."""
    scenes.small_fleet(mortal.start())
    seen = monitor.watch(mortal.url, "--interval", "0.5", "--timeout", "0.5")
    os.kill(mortal.process.pid, signal.SIGSTOP)
    try:
        seen.sees("connection lost", "does not answer within 0.5 s")
        seen.press("1")
        seen.sees("▌✖ sick:2")
        seen.press("q")
        assert seen.ends() == 0
        seen.restored()
    finally:
        os.kill(mortal.process.pid, signal.SIGCONT)


def test_a_password_that_is_refused(monitor: Monitor, locked_url: str) -> None:
    url = locked_url.replace("redis://", f"redis://monitor:{SECRET}@")
    seen = monitor.run(env={"RUNQY_REDIS_URL": url})
    seen.sees("✖ no connection", 'refuses the password for user "monitor"')
    secretive(seen.raw)
    seen.press("w")
    seen.sees("All findings")
    seen.press("q")
    seen.misses("All findings")
    seen.press("q")
    assert seen.ends() == 0
    secretive(seen.raw)


def test_a_password_where_nobody_listens(monitor: Monitor) -> None:
    seen = monitor.run("--url", f"redis://user:{SECRET}@127.0.0.1:1/0")
    seen.sees("✖ no connection", "Redis at 127.0.0.1:1 refuses the connection")
    seen.signal(signal.SIGTERM)
    assert seen.ends() == 143
    secretive(seen.raw)


def test_a_password_that_is_right(monitor: Monitor, locked_url: str) -> None:
    secret = "right"
    seen = monitor.watch(locked_url.replace("redis://", f"redis://:{secret}@"))
    seen.sees("sick:2", "127.0.0.1:")
    assert secret.encode() not in seen.raw


def secretive(raw: bytes) -> None:
    """Assert that no part of the secret came through."""
    assert re.search(SECRET[:6].encode(), raw) is None

"""Fixtures of the terminal tests: the monitor as a user starts it, on a pty of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from tests.app import scenes
from tests.pty.terminal import Terminal, terminal
from tests.support.leftovers import inherited

PANES = ("1 Workers", "2 Queues", "3 Tasks")


@dataclass(frozen=True)
class Monitor:
    """Starts ``python -m runqy_tui`` without the settings of whoever runs the tests."""

    home: Path
    open_terminal: Callable[[int, int], Terminal]

    @property
    def environment(self) -> dict[str, str]:
        # Without PYTHONDONTWRITEBYTECODE: imports from source take several times as long.
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        } | inherited()

    def run(
        self,
        *args: str,
        size: tuple[int, int] = (120, 40),
        env: dict[str, str] | None = None,
        program: tuple[str, ...] = (sys.executable, "-m", "runqy_tui"),
        **options: Any,
    ) -> Terminal:
        """Start the monitor, or another program, with arguments in a new terminal."""
        seen = self.open_terminal(*size)
        env = self.environment | (env or {})
        seen.spawn(*program, *args, env=env, cwd=self.home, **options)
        return seen

    def watch(self, url: str, *args: str, **options: Any) -> Terminal:
        """Start the monitor and wait for its first answer from Redis."""
        return self.watch_for("live · data", url, *args, **options)

    def watch_for(self, sign: str, url: str, *args: str, **options: Any) -> Terminal:
        """Start the monitor and wait for a sign."""
        seen = self.run("--url", url, *args, **options)
        seen.sees(sign)
        return seen


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    """Starts monitors; their terminals are closed in the end."""
    with ExitStack() as terminals:
        yield Monitor(tmp_path, lambda *size: terminals.enter_context(terminal(*size)))


@pytest.fixture(scope="session")
def locked_url() -> Iterator[str]:
    """``redis://127.0.0.1:PORT/0`` of a server with a fleet, whose password is ``right``."""
    with EmbeddedServer(tcp=True) as server, redis.Redis.from_url(server.url) as client:
        scenes.small_fleet(client)
        client.config_set("requirepass", "right")
        yield server.url


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A directory with a name that is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tui-") as folder:
        yield Path(folder)


@pytest.fixture
def fleet_url(writer: redis.Redis, redis_url: str) -> str:
    """URL of a server with three workers and four queues."""
    scenes.small_fleet(writer)
    return redis_url

"""Starts and stops the demo: a private server and a simulated fleet that writes to it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import runqy_tui
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.text.safe import safe_line

_STOP_DEADLINE = 2.0
_PACKAGE_ROOT = Path(runqy_tui.__file__).parents[1]


class DemoRun:
    """A simulated fleet on an embedded server, for as long as this process lives.

    :meth:`start` returns when the server answers (about 40 ms); the fleet then writes its history.

    Args:
        redis_server: the server binary; ``None`` finds one.
        speed: how many times faster than real time the storyline runs.
        seed: of all random numbers: the same seed repeats everything but the wall clock.
        tcp: listen on 127.0.0.1 instead of a Unix socket.
        healthy: without incidents and unusual data.

    Raises:
        UsageError: from :meth:`start`, where no server binary is found.
        ConnectionFailedError: from :meth:`start`, where the server does not start.
    """

    def __init__(
        self,
        redis_server: Path | None = None,
        speed: float = 1.0,
        seed: int = 7,
        *,
        tcp: bool = False,
        healthy: bool = False,
    ) -> None:
        self._server = EmbeddedServer(redis_server, tcp=tcp)
        self._speed = speed
        self._seed = seed
        self._healthy = healthy
        self._fleet: subprocess.Popen[bytes] | None = None
        self._ready = False

    def __enter__(self) -> DemoRun:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """URL of the server."""
        return self._server.url

    @property
    def directory(self) -> Path:
        """The private directory of server and fleet; removed when they stop."""
        return self._server.directory

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the server and of the fleet."""
        return (self._server.pid, *([self._fleet.pid] if self._fleet else []))

    def start(self) -> None:
        """Start both; do nothing if they are running. Raises as described above."""
        if self._fleet is not None:
            return
        self._server.start()
        command = [sys.executable, "-P", "-m", "runqy_tui.demo.simulated_fleet", self._server.url]
        command += ["--speed", str(self._speed), "--seed", str(self._seed)]
        command += ["--healthy"] if self._healthy else []
        path = os.environ.get("PYTHONPATH")
        try:
            with self._error_log.open("wb") as error_log:
                self._fleet = subprocess.Popen(  # noqa: S603
                    command,
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=error_log,
                    cwd="/",
                    # -P keeps the user's directory off the path; the package itself remains on it.
                    env=os.environ
                    | {"PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), path]))},
                    start_new_session=True,
                )
        except BaseException:
            self._server.stop()
            raise

    def stop(self) -> None:
        """Stop both and remove their directory. May be called more than once."""
        fleet, self._fleet = self._fleet, None
        self._ready = False
        if fleet is not None:
            with suppress(ProcessLookupError):
                fleet.terminate()  # it has no state to save
            try:
                fleet.wait(_STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                fleet.kill()
                fleet.wait()
            for stream in (fleet.stdin, fleet.stdout):
                if stream is not None:
                    stream.close()
        self._server.stop()

    def wait_ready(self, timeout: float = 5.0) -> bool:
        """Wait up to ``timeout`` seconds until the history is written; return whether it is."""
        if self._fleet is None or self._fleet.stdout is None:
            return False
        if not self._ready and select.select([self._fleet.stdout], [], [], timeout)[0]:
            self._ready = self._fleet.stdout.readline() == b"ready\n"
        return self._ready

    def problem(self) -> str | None:
        """One line on what has ended early, ``None`` while both run."""
        if self._fleet is None:
            return None
        if not self._server.running:
            return "the demo's server has ended"
        code = self._fleet.poll()
        if code is None:
            return None
        reason = ""
        with suppress(OSError):
            lines = self._error_log.read_text(errors="replace").strip().splitlines()
            reason = f": {safe_line(lines[-1])}" if lines else ""
        return f"the simulated fleet has ended (exit code {code}){reason}"

    @property
    def _error_log(self) -> Path:
        return self._server.directory / "fleet.log"

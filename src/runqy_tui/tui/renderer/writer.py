"""Output to the terminal: non-blocking writes, and standard output in whatever encoding."""

from __future__ import annotations

import asyncio
import codecs
import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TextIO

from rich.cells import get_character_cell_size

from runqy_tui.text import terminal_encoding

_SUBSTITUTE = "runqy-tui.ascii"
_ASCII = {
    char: ascii_char
    for chars, ascii_char in (
        ("─━═┄┈╌▁▔", "-"),
        ("│┃║┆┊╎▏▕", "|"),
        ("╭╮╯╰┌┐┘└├┤┬┴┼╔╗╚╝", "+"),
        ("█▇▆▅▉▊▋", "#"),
        ("▌▐▄▀▃▂▍▎", ">"),
        ("░▒▓", ":"),
        ("●•", "*"),
        ("○", "o"),
        ("✖×", "X"),
        ("·", "."),
        ("–—−", "-"),
        ("…±≈", "~"),
        ("▲△↑", "^"),
        ("▼▽↓", "v"),
        ("◀←⏎↵", "<"),
        ("▶→", ">"),
        ("‹", "<"),
        ("›", ">"),
    )
    for char in chars
}


class OutputStream:
    """Standard output; once it fails all is dropped, so that nobody waits for it in vain.

    What its encoding cannot say becomes ASCII of the same width.

    Args:
        lost: called from the writing thread, at the first failure.
    """

    def __init__(self, file: TextIO, lost: Callable[[], None]) -> None:
        if isinstance(file, io.TextIOWrapper):
            codecs.register_error(_SUBSTITUTE, _substitute)
            encoding = terminal_encoding.of_terminal(file.encoding, os.environ)
            file.reconfigure(encoding=encoding, errors=_SUBSTITUTE)
        self.fileno = file.fileno
        self._file = file
        self._lost = lost
        self._failed = False
        self.outlet: object = None

    def write(self, text: str) -> None:
        """Write a text."""
        self._attempt(self._file.write, text)

    def flush(self) -> None:
        """Write what is still in a buffer."""
        self._attempt(self._file.flush)

    def to_bytes(self, text: str) -> bytes:
        """The text as this output encodes it."""
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        return text.encode(encoding, getattr(self._file, "errors", None) or "replace")

    def _attempt(self, write: Callable[..., object], *text: str) -> None:
        if not self._failed:
            try:
                write(*text)
            except OSError:
                self._failed = True
                self._lost()


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    chars = error.object[error.start : error.end]
    return "".join(
        _ASCII.get(char) or "?" * get_character_cell_size(char) for char in chars
    ), error.end


_LARGEST_WRITE = 65_536


def open_terminal(fileno: int) -> int | None:
    """A descriptor of our own for the same terminal, one that never blocks.

    To make the given one non-blocking would do it to every process that shares it, the shell
    included. ``None`` where the terminal has no name that this process may open.
    """
    try:
        return os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None


class TerminalWriter:
    """Writes in the order in which it is told to, as fast as the terminal takes it.

    Args:
        descriptor: non-blocking; closed by :meth:`close`.
        lost: called in the loop at the first failure. All later output is dropped.
    """

    def __init__(
        self, descriptor: int, loop: asyncio.AbstractEventLoop, lost: Callable[[], None]
    ) -> None:
        self.written = 0
        self._descriptor = descriptor
        self._loop = loop
        self._lost = lost
        self._thread = threading.get_ident()
        self._waiting: deque[bytes] = deque()
        self._failed = False
        self._watching = False
        self._blocked_at: float | None = None
        self._when_clear: Callable[[], None] | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing is written any more."""
        return self._failed

    @property
    def backlog(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return sum(map(len, self._waiting))

    @property
    def waiting_s(self) -> float:
        """Seconds since when the terminal takes less than it is given; 0 where it takes all."""
        return 0.0 if self._blocked_at is None else monotonic() - self._blocked_at

    def write(self, data: bytes) -> None:
        """Write now what goes, the rest when it goes. May be called from any thread."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.write, data)
        elif data and not self._failed:
            self._waiting.append(data)
            if not self._watching:
                self._send()

    def when_clear(self, callback: Callable[[], None]) -> None:
        """Have this called once, as soon as everything has been taken."""
        self._when_clear = callback

    def drain(self, patience: float) -> bool:
        """Wait, at most ``patience`` seconds, until everything is taken; for the end only."""
        deadline = monotonic() + patience
        self._unwatch()
        while self._waiting and not self._failed and (left := deadline - monotonic()) > 0:
            select.select([], [self._descriptor], [], left)
            self._push()
        return not self._waiting

    def close(self) -> None:
        """Write nothing more."""
        self._failed = True
        self._unwatch()
        with suppress(OSError):
            os.close(self._descriptor)

    def _send(self) -> None:
        self._push()
        if self._waiting and not self._watching:
            self._loop.add_writer(self._descriptor, self._send)
            self._watching = True
            self._blocked_at = monotonic()
        elif not self._waiting:
            self._unwatch()
            if self._when_clear is not None:
                callback, self._when_clear = self._when_clear, None
                callback()

    def _push(self) -> None:
        waiting = self._waiting
        try:
            while waiting:
                taken = os.write(self._descriptor, waiting[0][:_LARGEST_WRITE])
                self.written += taken
                if taken < len(waiting[0]):
                    waiting[0] = waiting[0][taken:]
                else:
                    waiting.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._failed = True
            waiting.clear()
            self._unwatch()
            self._lost()

    def _unwatch(self) -> None:
        if self._watching:
            self._loop.remove_writer(self._descriptor)
            self._watching = False
            self._blocked_at = None

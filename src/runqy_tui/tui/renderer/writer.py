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

_ERROR_HANDLER = "runqy-tui.ascii"
_ASCII_FOR = {
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
    """Standard output, encoded; after the first failure all output is dropped.

    Characters that the encoding lacks become ASCII of the same width.

    Args:
        on_failure: called from the writing thread, at the first failure.
    """

    def __init__(self, file: TextIO, on_failure: Callable[[], None]) -> None:
        if isinstance(file, io.TextIOWrapper):
            codecs.register_error(_ERROR_HANDLER, _to_ascii)
            encoding = terminal_encoding.of_terminal(file.encoding, os.environ)
            file.reconfigure(encoding=encoding, errors=_ERROR_HANDLER)
        self.fileno = file.fileno
        self._file = file
        self._on_failure = on_failure
        self._failed = False
        self.writer: object = None

    def write(self, text: str) -> None:
        """Write a text."""
        self._try(self._file.write, text)

    def flush(self) -> None:
        """Write what is buffered."""
        self._try(self._file.flush)

    def to_bytes(self, text: str) -> bytes:
        """Encode a text for this output."""
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        return text.encode(encoding, getattr(self._file, "errors", None) or "replace")

    def _try(self, write: Callable[..., object], *text: str) -> None:
        if not self._failed:
            try:
                write(*text)
            except OSError:
                self._failed = True
                self._on_failure()


def _to_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    chars = error.object[error.start : error.end]
    return "".join(
        _ASCII_FOR.get(char) or "?" * get_character_cell_size(char) for char in chars
    ), error.end


_LARGEST_WRITE = 65_536


def open_terminal(fileno: int) -> int | None:
    """Open the same terminal again, non-blocking; ``None`` if this process may not open it.

    Making the given descriptor non-blocking would affect every process that shares it, the shell
    included.
    """
    try:
        return os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None


class TerminalWriter:
    """Queues output and writes it in order, as fast as the terminal reads it, without blocking.

    Args:
        descriptor: non-blocking; closed by :meth:`close`.
        on_failure: called in the loop at the first failure. All later output is dropped.
    """

    def __init__(
        self, descriptor: int, loop: asyncio.AbstractEventLoop, on_failure: Callable[[], None]
    ) -> None:
        self.written = 0
        self._descriptor = descriptor
        self._loop = loop
        self._on_failure = on_failure
        self._thread = threading.get_ident()
        self._queue: deque[bytes] = deque()
        self._failed = False
        self._is_watched = False
        self._blocked_at: float | None = None
        self._on_drained: Callable[[], None] | None = None

    @property
    def closed(self) -> bool:
        """Whether output is dropped, after a failure or :meth:`close`."""
        return self._failed

    @property
    def backlog(self) -> int:
        """Bytes that are not written yet."""
        return sum(map(len, self._queue))

    @property
    def blocked_s(self) -> float:
        """Seconds for which output has been queued; 0 where there is none."""
        return 0.0 if self._blocked_at is None else monotonic() - self._blocked_at

    def write(self, data: bytes) -> None:
        """Write what the terminal accepts now, and queue the rest. Thread-safe."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.write, data)
        elif data and not self._failed:
            self._queue.append(data)
            if not self._is_watched:
                self._send()

    def call_when_drained(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, as soon as the queue is empty."""
        self._on_drained = callback

    def drain(self, timeout_s: float) -> bool:
        """Block for at most ``timeout_s`` seconds until the queue is empty; return whether it is.

        For the exit only: the event loop does not run meanwhile.
        """
        deadline = monotonic() + timeout_s
        self._stop_watching()
        while self._queue and not self._failed and (left := deadline - monotonic()) > 0:
            select.select([], [self._descriptor], [], left)
            self._push()
        return not self._queue

    def close(self) -> None:
        """Drop all further output, and close the descriptor."""
        self._failed = True
        self._stop_watching()
        with suppress(OSError):
            os.close(self._descriptor)

    def _send(self) -> None:
        self._push()
        if self._queue and not self._is_watched:
            self._loop.add_writer(self._descriptor, self._send)
            self._is_watched = True
            self._blocked_at = monotonic()
        elif not self._queue:
            self._stop_watching()
            if self._on_drained is not None:
                callback, self._on_drained = self._on_drained, None
                callback()

    def _push(self) -> None:
        waiting = self._queue
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
            self._stop_watching()
            self._on_failure()

    def _stop_watching(self) -> None:
        if self._is_watched:
            self._loop.remove_writer(self._descriptor)
            self._is_watched = False
            self._blocked_at = None

"""What the driver writes to: standard output, in whatever encoding, until it fails."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Callable
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

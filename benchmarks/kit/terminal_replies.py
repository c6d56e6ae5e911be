"""What a modern terminal replies to queries, and which modes a program has switched on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from benchmarks.kit.emulator import SequenceSplitter

_PRIVATE_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_MODE_QUERY = re.compile(rb"\x1b\[\?(\d+)\$p")
_KEYBOARD_PUSH = re.compile(rb"\x1b\[>\d*u")
_KEYBOARD_POP = re.compile(rb"\x1b\[<(\d*)u")
_COLOUR_QUERY = re.compile(rb"\x1b\](10|11|12|4;\d+);\?(?:\x07|\x1b\\)")
_CURSOR_QUERY = re.compile(rb"\x1b\[(\??)6n")
_FIXED = {
    b"\x1b[c": b"\x1b[?62;22c",  # primary device attributes
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[>c": b"\x1b[>41;388;0c",  # secondary
    b"\x1b[>0c": b"\x1b[>41;388;0c",
    b"\x1b[>q": b"\x1bP>|benchmark(1)\x1b\\",  # name and version
    b"\x1b[>0q": b"\x1bP>|benchmark(1)\x1b\\",
    b"\x1b[5n": b"\x1b[0n",  # status: in order
    b"\x1b[?u": b"\x1b[?0u",  # keyboard protocol: supported, nothing set
}
_MODE_STATES = {b"2026": b"2"}
"""Synchronized output is supported and off; other modes are not recognized (0)."""

_ON_AT_START = frozenset({7, 8, 25})
"""Autowrap, key repeat, cursor."""

_HARMLESS = frozenset({3, 4, 12, 40, 1034, 1048})
"""Modes that no shell notices."""

_APPLICATION_CURSOR_KEYS = 1


class TerminalReplies:
    """Follows a program's output. ``cursor`` returns the column and row of the cursor, from 0."""

    def __init__(self, cursor: Callable[[], tuple[int, int]]) -> None:
        self._cursor = cursor
        self._splitter = SequenceSplitter()
        self._modes: dict[int, bool] = {}
        self._keyboard_depth = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the replies to the queries in the output."""
        for is_sequence, sequence in self._splitter.split(data):
            if is_sequence:
                self._follow(sequence)
                if (reply := self._reply(sequence)) is not None:
                    yield reply

    def _follow(self, sequence: bytes) -> None:
        if mode := _PRIVATE_MODE.fullmatch(sequence):
            for number in mode[1].split(b";"):
                self._modes[int(number)] = mode[2] == b"h"
        elif _KEYBOARD_PUSH.fullmatch(sequence):
            self._keyboard_depth += 1
        elif popped := _KEYBOARD_POP.fullmatch(sequence):
            self._keyboard_depth = max(0, self._keyboard_depth - int(popped[1] or 1))

    def _reply(self, sequence: bytes) -> bytes | None:
        if sequence in _FIXED:
            return _FIXED[sequence]
        if mode := _MODE_QUERY.fullmatch(sequence):
            return b"\x1b[?%s;%s$y" % (mode[1], _MODE_STATES.get(mode[1], b"0"))
        if cursor := _CURSOR_QUERY.fullmatch(sequence):
            column, row = self._cursor()
            return b"\x1b[%s%d;%dR" % (cursor[1], row + 1, column + 1)
        if colour := _COLOUR_QUERY.fullmatch(sequence):
            return b"\x1b]%s;rgb:1e1e/1e1e/2e2e\x1b\\" % colour[1]
        return None

    @property
    def application_cursor_keys(self) -> bool:
        """Whether arrow keys are sent as ``ESC O`` instead of ``ESC [``."""
        return self._modes.get(_APPLICATION_CURSOR_KEYS, False)

    def leftovers(self) -> list[str]:
        """Modes that a shell would inherit if the program ended now."""
        found = [
            f"?{mode}{'h' if on else 'l'}"
            for mode, on in sorted(self._modes.items())
            if on != (mode in _ON_AT_START) and mode not in _HARMLESS
        ]
        if self._keyboard_depth:
            found.append(f"{self._keyboard_depth} keyboard modes pushed")
        return found

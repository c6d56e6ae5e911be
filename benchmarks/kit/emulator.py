"""A terminal emulator for recorded output: pyte, with what pyte lacks.

Sequences that pyte would print as text (device queries, keyboard protocols, OSC and DCS strings)
are removed before it sees them. A sequence that is not complete yet waits for its remainder.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

try:
    import pyte
except ImportError:
    raise SystemExit("this benchmark needs pyte: pip install '.[test]'") from None

SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    rb"|\x1b[P_^X][^\x1b]*(?:\x1b(?!\\)[^\x1b]*)*\x1b\\"  # DCS, APC, PM, SOS
    rb"|\x1b[ -/]+[0-~]"  # character sets
    rb"|\x1b[0-OQ-WYZ\\`-~]"  # two bytes
)
_INCOMPLETE = re.compile(
    rb"\x1b(?:$|\[[0-?]*[ -/]*$|\][^\x07\x1b]*\x1b?$"
    rb"|[P_^X][^\x1b]*(?:\x1b(?!\\)[^\x1b]*)*\x1b?$|[ -/]+$)"
)
_LONGEST_SEQUENCE = 65_536
_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b(?:[P_^X\]]"  # strings
    rb"|\[[<=>]|\[[0-?]*[ -/]"  # CSI with a private prefix or an intermediate byte
    rb"|\[\??[0-9;]*[utqxWZ]$)"  # finals without a meaning for the picture
)
_UNDERLINE_STYLE = re.compile(rb"4:\d+")
_ALTERNATE_SCREEN = frozenset({47, 1047, 1049})

Row = tuple[Any, ...]
"""One line of the screen: a ``pyte.screens.Char`` for each column."""


class SequenceSplitter:
    """Splits a stream of bytes into escape sequences and text; keeps an incomplete sequence."""

    def __init__(self) -> None:
        self._pending = b""

    def split(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """Yield ``(is_sequence, bytes)`` for what is complete."""
        data, at = self._pending + data, 0
        self._pending = b""
        while (escape := data.find(b"\x1b", at)) >= 0:
            if escape > at:
                yield False, data[at:escape]
            if found := SEQUENCE.match(data, escape):
                at = found.end()
                yield True, found.group()
            elif _INCOMPLETE.match(data, escape) and len(data) - escape < _LONGEST_SEQUENCE:
                self._pending = data[escape:]
                return
            else:
                at = escape + 1
                yield True, data[escape:at]
        if at < len(data):
            yield False, data[at:]


class Emulator:
    """The screen that a stream of bytes has drawn."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = _Screen(columns, rows)
        self.truecolor = False
        self._stream = _Stream(self.screen)
        self._splitter = SequenceSplitter()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._blanks: dict[str, Any] = {}

    def feed(self, data: bytes) -> None:
        """Draw the next bytes of the stream."""
        known = [
            self._for_pyte(part) if is_sequence else part
            for is_sequence, part in self._splitter.split(data)
        ]
        self._stream.feed(self._decoder.decode(b"".join(known)))

    def _for_pyte(self, sequence: bytes) -> bytes:
        if _UNKNOWN_TO_PYTE.match(sequence):
            return b""
        if sequence.endswith(b"m"):
            self.truecolor = self.truecolor or b"8;2;" in sequence
            return _UNDERLINE_STYLE.sub(b"4", sequence).replace(b":", b";")
        return sequence

    def lines(self) -> list[str]:
        """The text of every line, without trailing blanks."""
        return [line.rstrip() for line in self.screen.display]

    def text(self) -> str:
        """The whole screen as one text."""
        return "\n".join(self.lines())

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        return self.screen.cursor.x, self.screen.cursor.y

    def cells(self) -> list[Row]:
        """A copy of every cell. Of a blank only the background counts: nothing else is seen."""
        screen, columns = self.screen, range(self.screen.columns)
        return [
            tuple(self._normalized(screen.buffer[y].get(x, screen.default_char)) for x in columns)
            for y in range(screen.lines)
        ]

    def _normalized(self, cell: Any) -> Any:
        if cell.data != " " or cell.underscore or cell.reverse or cell.strikethrough:
            return cell
        if cell.bg not in self._blanks:
            self._blanks[cell.bg] = pyte.screens.Char(" ", bg=cell.bg)
        return self._blanks[cell.bg]


class _Screen(pyte.Screen):
    """Adds repetition and scrolling, and clears the alternate screen when it is entered."""

    _last = " "

    def draw(self, data: str) -> None:
        self._last = data[-1:] or self._last
        super().draw(data)

    def repeat(self, count: int = 1, **_: Any) -> None:
        super().draw(self._last * max(1, count))

    def scroll_up(self, count: int = 1, **_: Any) -> None:
        self._scroll(count, self._margins()[1], self.index)

    def scroll_down(self, count: int = 1, **_: Any) -> None:
        self._scroll(count, self._margins()[0], self.reverse_index)

    def _margins(self) -> tuple[int, int]:
        return self.margins or (0, self.lines - 1)

    def _scroll(self, count: int, line: int, step: Any) -> None:
        before, self.cursor.y = self.cursor.y, line
        for _ in range(max(1, count)):
            step()
        self.cursor.y = before

    def report_device_status(self, *_: Any, **__: Any) -> None:
        """Queries are answered by the session, not here."""

    def report_device_attributes(self, *_: Any, **__: Any) -> None:
        """Queries are answered by the session, not here."""

    def set_mode(self, *modes: int, **options: Any) -> None:
        if options.get("private") and _ALTERNATE_SCREEN.intersection(modes):
            self.erase_in_display(2)
        super().set_mode(*modes, **options)

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)


class _Stream(pyte.Stream):
    csi = {**pyte.Stream.csi, "b": "repeat", "S": "scroll_up", "T": "scroll_down"}  # noqa: RUF012
    events = pyte.Stream.events | {"repeat", "scroll_up", "scroll_down"}

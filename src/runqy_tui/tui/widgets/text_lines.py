"""Bytes as a hex dump, line by line: offset, 16 bytes, and what is printable of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from textual.cache import LRUCache

from runqy_tui.text.safe import encode
from runqy_tui.tui.safe_text import ELLIPSIS, line, split_cells

ROW = 16
"""Bytes on one line."""

_SHOWN = "".join(chr(code) if 0x20 <= code < 0x7F else "." for code in range(256))


def hex_rows(data: bytes) -> int:
    """Count the lines of a dump."""
    return (len(data) + ROW - 1) // ROW


def text_column(size: int) -> int:
    """Character of each line at which the text of the bytes starts, in a dump of ``size`` bytes."""
    return _digits(size) + 2 + 3 * ROW + 2


def _digits(size: int) -> int:
    return max(4, len(f"{size:x}"))


def hex_line(data: bytes, row: int) -> str:
    """Line ``row`` of a dump: printable ASCII, of the same width for all full lines."""
    at = row * ROW
    part = data[at : at + ROW]
    pairs = f"{part[:8].hex(' ')}  {part[8:].hex(' ')}"
    return f"{at:0{_digits(len(data))}x}  {pairs:<48}  {''.join(_SHOWN[code] for code in part)}"


def hexdump(data: bytes) -> Iterator[str]:
    """Yield the lines of a dump."""
    return (hex_line(data, row) for row in range(hex_rows(data)))


_LONGEST_ODD_LINE = 4_096
"""Characters shown of a line that is not plain ASCII: its width has to be measured."""

_LONG_LINE = 256
"""Characters from which on it pays to remember what a line consists of."""

_SGR = re.compile(r"\x1b\[[0-9;:]*m")


class Lines(Protocol):
    """Lines of a text, safe to show."""

    @property
    def mark_from(self) -> int:
        """First character of a line in which matches of a search are marked."""
        ...

    def __len__(self) -> int:
        """Count the lines."""
        ...

    def shown(self, index: int) -> str:
        """Give a line as it is shown, in one piece."""
        ...

    def pieces(self, index: int, cells: int) -> list[str]:
        """Give a line as it is wrapped, for lines that :meth:`simple` is ``False`` for."""
        ...

    def simple(self, index: int) -> bool:
        """Whether each character of the line is one cell, so that wrapping is arithmetic."""
        ...

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Find line and first character of every match, in order."""
        ...


class TextLines:
    """Lines of a text; ``colored`` ones may hold SGR sequences, which are left out."""

    mark_from = 0

    def __init__(self, text: str, colored: bool = False) -> None:
        self._raw = text.split("\n") if text else []
        self._colored = colored
        self._simple: dict[int, bool] = {}
        self._shown: LRUCache[int, str] = LRUCache(2_048)
        self._pieces: LRUCache[tuple[int, int], list[str]] = LRUCache(2_048)

    def __len__(self) -> int:
        return len(self._raw)

    def extend(self, lines: Iterable[str]) -> None:
        """Add lines at the end; a newline inside one is shown as a picture."""
        self._raw += lines

    def drop(self, count: int) -> None:
        """Forget the first lines."""
        del self._raw[:count]
        self._simple.clear()
        self._shown.clear()
        self._pieces.clear()

    def simple(self, index: int) -> bool:
        """Whether the line is printable ASCII."""
        raw = self._raw[index]
        if len(raw) < _LONG_LINE:
            return raw.isascii() and raw.isprintable()
        simple = self._simple.get(index)
        if simple is None:
            simple = self._simple[index] = raw.isascii() and raw.isprintable()
        return simple

    def shown(self, index: int) -> str:
        """Make a line safe; the very long ones that need measuring are cut, and say so."""
        raw = self._raw[index]
        if self.simple(index):
            return raw
        shown = self._shown.get(index)
        if shown is None:
            shown = self._shown[index] = self._make_safe(raw)
        return shown

    def _make_safe(self, raw: str) -> str:
        raw = raw.removesuffix("\r")
        if self._colored and "\x1b" in raw:
            raw = _SGR.sub("", raw)
        more = len(raw) - _LONGEST_ODD_LINE
        if more <= 0 or (raw.isascii() and raw.isprintable()):
            return line(raw.expandtabs(4))
        cut = line(raw[:_LONGEST_ODD_LINE].expandtabs(4))
        return f"{cut}{ELLIPSIS} ({more:,} more characters on this line)"

    def pieces(self, index: int, cells: int) -> list[str]:
        """Wrap a line by measuring its characters."""
        key = (index, cells)
        pieces = self._pieces.get(key)
        if pieces is None:
            pieces = self._pieces[key] = split_cells(self.shown(index), cells)
        return pieces

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Find matches in what is shown."""
        for index in range(len(self._raw)):
            for match in pattern.finditer(self.shown(index)):
                yield index, match.start()


class HexLines:
    """A hex dump; nothing is computed but the lines that are looked at."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.mark_from = text_column(len(data))

    def __len__(self) -> int:
        return hex_rows(self._data)

    def simple(self, index: int) -> bool:  # noqa: ARG002
        """Tell that a dump is ASCII."""
        return True

    def shown(self, index: int) -> str:
        """Dump 16 bytes."""
        return hex_line(self._data, index)

    def pieces(self, index: int, cells: int) -> list[str]:
        """Cut a line by its characters."""
        return split_cells(self.shown(index), cells)

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Find text in the bytes themselves: matches need not keep to lines of 16."""
        found = re.compile(encode(pattern.pattern), pattern.flags & re.IGNORECASE)
        for match in found.finditer(self._data):
            yield match.start() // ROW, 0

"""Lines of a text or of a hex dump, and the rows that they wrap into."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Protocol

from textual.cache import LRUCache

from runqy_tui.text.safe import encode
from runqy_tui.tui.safe_text import ELLIPSIS, line, split_cells

HEX_ROW_BYTES = 16
"""Bytes on one line of a hex dump."""

_SHOWN = "".join(chr(code) if 0x20 <= code < 0x7F else "." for code in range(256))


def hex_rows(data: bytes) -> int:
    """Return the number of lines of a dump."""
    return (len(data) + HEX_ROW_BYTES - 1) // HEX_ROW_BYTES


def text_column(size: int) -> int:
    """Return the character at which the text column starts, in a dump of ``size`` bytes."""
    return _digits(size) + 2 + 3 * HEX_ROW_BYTES + 2


def _digits(size: int) -> int:
    return max(4, len(f"{size:x}"))


def hex_line(data: bytes, row: int) -> str:
    """Format line ``row`` of a dump: offset, 16 bytes, and those that are printable as text.

    Printable ASCII, of the same width for all full lines.
    """
    at = row * HEX_ROW_BYTES
    part = data[at : at + HEX_ROW_BYTES]
    pairs = f"{part[:8].hex(' ')}  {part[8:].hex(' ')}"
    return f"{at:0{_digits(len(data))}x}  {pairs:<48}  {''.join(_SHOWN[code] for code in part)}"


def hexdump(data: bytes) -> Iterator[str]:
    """Yield the lines of a dump."""
    return (hex_line(data, row) for row in range(hex_rows(data)))


_LONGEST_WIDE_LINE = 4_096
"""Characters shown of a line that is not plain ASCII: its width must be measured."""

_LONG_LINE = 256
"""Characters from which on it is cached whether a line is plain ASCII."""

_SGR = re.compile(r"\x1b\[[0-9;:]*m")


class Lines(Protocol):
    """Lines of a text, safe to draw."""

    @property
    def mark_from(self) -> int:
        """First character of a line in which matches of a search are marked."""
        ...

    def __len__(self) -> int:
        """Return the number of lines."""
        ...

    def display_text(self, index: int) -> str:
        """Return a line as it is drawn, unwrapped."""
        ...

    def pieces(self, index: int, cells: int) -> list[str]:
        """Return a line wrapped at ``cells``; not for lines of single-width characters."""
        ...

    def is_single_width(self, index: int) -> bool:
        """Whether each character of a line is one cell, so that it is wrapped by arithmetic."""
        ...

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Yield line and first character of every match, in order."""
        ...


class TextLines:
    """Lines of a text; from ``colored`` ones SGR sequences are removed."""

    mark_from = 0

    def __init__(self, text: str, colored: bool = False) -> None:
        self._raw = text.split("\n") if text else []
        self._colored = colored
        self._single_width: dict[int, bool] = {}
        self._display_texts: LRUCache[int, str] = LRUCache(2_048)
        self._pieces: LRUCache[tuple[int, int], list[str]] = LRUCache(2_048)

    def __len__(self) -> int:
        return len(self._raw)

    def extend(self, lines: Iterable[str]) -> None:
        """Add lines at the end; a newline inside one is shown as a visible picture."""
        self._raw += lines

    def drop(self, count: int) -> None:
        """Remove the first ``count`` lines."""
        del self._raw[:count]
        self._single_width.clear()
        self._display_texts.clear()
        self._pieces.clear()

    def is_single_width(self, index: int) -> bool:
        """Whether the line is printable ASCII."""
        raw = self._raw[index]
        if len(raw) < _LONG_LINE:
            return raw.isascii() and raw.isprintable()
        is_single_width = self._single_width.get(index)
        if is_single_width is None:
            is_single_width = self._single_width[index] = raw.isascii() and raw.isprintable()
        return is_single_width

    def display_text(self, index: int) -> str:
        """Return a line made safe; very long ones that need measuring are cut, with a remark."""
        raw = self._raw[index]
        if self.is_single_width(index):
            return raw
        display_text = self._display_texts.get(index)
        if display_text is None:
            display_text = self._display_texts[index] = self._make_safe(raw)
        return display_text

    def _make_safe(self, raw: str) -> str:
        raw = raw.removesuffix("\r")
        if self._colored and "\x1b" in raw:
            raw = _SGR.sub("", raw)
        more = len(raw) - _LONGEST_WIDE_LINE
        if more <= 0 or (raw.isascii() and raw.isprintable()):
            return line(raw.expandtabs(4))
        cut = line(raw[:_LONGEST_WIDE_LINE].expandtabs(4))
        return f"{cut}{ELLIPSIS} ({more:,} more characters on this line)"

    def pieces(self, index: int, cells: int) -> list[str]:
        """Return a line wrapped by the widths of its characters."""
        key = (index, cells)
        pieces = self._pieces.get(key)
        if pieces is None:
            pieces = self._pieces[key] = split_cells(self.display_text(index), cells)
        return pieces

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Yield matches in the lines as drawn."""
        for index in range(len(self._raw)):
            for match in pattern.finditer(self.display_text(index)):
                yield index, match.start()


class HexLines:
    """A hex dump; only the lines that are read are formatted."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.mark_from = text_column(len(data))

    def __len__(self) -> int:
        return hex_rows(self._data)

    def is_single_width(self, index: int) -> bool:  # noqa: ARG002
        """Always true: a dump is ASCII."""
        return True

    def display_text(self, index: int) -> str:
        """Return the dump of 16 bytes."""
        return hex_line(self._data, index)

    def pieces(self, index: int, cells: int) -> list[str]:
        """Return a line wrapped by its characters."""
        return split_cells(self.display_text(index), cells)

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Yield matches in the bytes themselves, which may span lines of the dump."""
        found = re.compile(encode(pattern.pattern), pattern.flags & re.IGNORECASE)
        for match in found.finditer(self._data):
            yield match.start() // HEX_ROW_BYTES, 0


_SLICE = 0.005


class Wrapping:
    """Rows of lines that are wrapped at ``cells``; 0 does not wrap: a row is a line.

    Wrapping two megabytes of wide characters takes a third of a second, too long for a key to wait:
    lines are measured from the top in slices, and the rows known so far can be shown meanwhile.
    """

    def __init__(self, lines: Lines, cells: int = 0) -> None:
        self._lines = lines
        self.cells = cells
        self._ends: list[int] = []

    @property
    def rows(self) -> int:
        """Rows known so far."""
        if not self.cells:
            return len(self._lines)
        return self._ends[-1] if self._ends else 0

    @property
    def complete(self) -> bool:
        """Whether all lines are measured."""
        return not self.cells or len(self._ends) == len(self._lines)

    def measure(self, seconds: float | None = None) -> None:
        """Measure more lines for about ``seconds``; ``None`` measures all."""
        if not self.cells:
            return
        lines, cells, ends = self._lines, self.cells, self._ends
        end = ends[-1] if ends else 0
        until = None if seconds is None else perf_counter() + seconds
        for index in range(len(ends), len(lines)):
            if lines.is_single_width(index):
                end += -(-len(lines.display_text(index)) // cells) or 1
            else:
                end += len(lines.pieces(index, cells))
            ends.append(end)
            if until is not None and not index % 32 and perf_counter() > until:
                return

    def locate(self, row: int) -> tuple[int, int]:
        """Return line and piece of a row that is known."""
        if not self.cells:
            return row, 0
        index = bisect_right(self._ends, row)
        return index, row - (self._ends[index - 1] if index else 0)

    def row_of(self, index: int, char: int = 0) -> int:
        """Return the row that shows a character of a line, measuring up to it."""
        if not self.cells or index >= len(self._lines):
            return index
        while len(self._ends) <= index:
            self.measure(_SLICE)
        row = self._ends[index - 1] if index else 0
        if self._lines.is_single_width(index):
            return row + char // self.cells
        for piece in self._lines.pieces(index, self.cells):
            char -= len(piece)
            if char < 0:
                break
            row += 1
        return min(row, self._ends[index] - 1)

    def piece(self, index: int, piece: int) -> tuple[str, int]:
        """Return the text of a piece, and the character of the line at which it starts."""
        display_text = self._lines.display_text(index)
        if not self.cells:
            return display_text, 0
        if self._lines.is_single_width(index):
            start = piece * self.cells
            return display_text[start : start + self.cells], start
        pieces = self._lines.pieces(index, self.cells)
        return pieces[piece], sum(map(len, pieces[:piece]))

    def dropped(self, count: int) -> int:
        """Remove the first ``count`` lines; return the number of their rows."""
        if not self.cells:
            return count
        gone = min(count, len(self._ends))
        rows = self._ends[gone - 1] if gone else 0
        self._ends = [end - rows for end in self._ends[count:]]
        return rows

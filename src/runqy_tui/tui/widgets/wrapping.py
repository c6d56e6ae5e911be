"""Which row of the screen shows which piece of which line, measured a bit at a time.

Wrapping two megabytes of wide characters takes a third of a second: too long for a key to wait.
So lines are measured from the top in slices; the rows that are known can be shown meanwhile.
"""

from __future__ import annotations

from bisect import bisect_right
from time import perf_counter

from runqy_tui.tui.widgets.text_lines import Lines

_SLICE = 0.005


class Wrapping:
    """Rows of lines that are wrapped at ``cells``; 0 does not wrap: a row is a line."""

    def __init__(self, lines: Lines, cells: int = 0) -> None:
        self._lines = lines
        self.cells = cells
        self._ends: list[int] = []

    @property
    def rows(self) -> int:
        """Rows that are known so far."""
        if not self.cells:
            return len(self._lines)
        return self._ends[-1] if self._ends else 0

    @property
    def complete(self) -> bool:
        """Whether all lines are measured."""
        return not self.cells or len(self._ends) == len(self._lines)

    def measure(self, seconds: float | None = None) -> None:
        """Measure more lines, for about ``seconds``; ``None`` measures them all."""
        if not self.cells:
            return
        lines, cells, ends = self._lines, self.cells, self._ends
        end = ends[-1] if ends else 0
        until = None if seconds is None else perf_counter() + seconds
        for index in range(len(ends), len(lines)):
            if lines.simple(index):
                end += -(-len(lines.shown(index)) // cells) or 1
            else:
                end += len(lines.pieces(index, cells))
            ends.append(end)
            if until is not None and not index % 32 and perf_counter() > until:
                return

    def locate(self, row: int) -> tuple[int, int]:
        """Return line and piece of a known row."""
        if not self.cells:
            return row, 0
        index = bisect_right(self._ends, row)
        return index, row - (self._ends[index - 1] if index else 0)

    def row_of(self, index: int, char: int = 0) -> int:
        """Row that shows a character of a line, measuring up to it."""
        if not self.cells or index >= len(self._lines):
            return index
        while len(self._ends) <= index:
            self.measure(_SLICE)
        row = self._ends[index - 1] if index else 0
        if self._lines.simple(index):
            return row + char // self.cells
        for piece in self._lines.pieces(index, self.cells):
            char -= len(piece)
            if char < 0:
                break
            row += 1
        return min(row, self._ends[index] - 1)

    def piece(self, index: int, piece: int) -> tuple[str, int]:
        """Return the text of a piece and the character of its line that it starts with."""
        shown = self._lines.shown(index)
        if not self.cells:
            return shown, 0
        if self._lines.simple(index):
            start = piece * self.cells
            return shown[start : start + self.cells], start
        pieces = self._lines.pieces(index, self.cells)
        return pieces[piece], sum(map(len, pieces[:piece]))

    def dropped(self, count: int) -> int:
        """Take note that the first lines are gone; return the rows that went with them."""
        if not self.cells:
            return count
        gone = min(count, len(self._ends))
        rows = self._ends[gone - 1] if gone else 0
        self._ends = [end - rows for end in self._ends[count:]]
        return rows

"""The shortest way from one cell to another. Rows and columns count from 0."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from runqy_tui.tui.renderer.cell_frame import CellFrame, CellRow, is_half, trusted
from runqy_tui.tui.renderer.style_encoder import PLAIN, CellStyle, change

_MOST_BACKSPACES = 3


@lru_cache(maxsize=2048)
def move(row: int | None, column: int | None, to_row: int, to_column: int) -> str:
    """The shortest sequence that moves the cursor; ``None`` where it is not known to be."""
    ways = [_absolute(to_row, to_column)]
    if row is not None:
        if row == to_row:
            ways.append(_along(column, to_column))
        else:
            ways.append(_down(row, to_row) + _along(column, to_column))
            if 0 < to_row - row <= 2:
                ways.append("\r" + "\n" * (to_row - row) + _along(0, to_column))
    return min(ways, key=len)


def _absolute(row: int, column: int) -> str:
    if column:
        return f"\x1b[{row + 1};{column + 1}H"
    return f"\x1b[{row + 1}H" if row else "\x1b[H"


def _down(row: int, to_row: int) -> str:
    distance = abs(to_row - row)
    letter = "B" if to_row > row else "A"
    relative = f"\x1b[{letter}" if distance == 1 else f"\x1b[{distance}{letter}"
    return min(relative, f"\x1b[{to_row + 1}d", key=len)


def _along(column: int | None, to_column: int) -> str:
    if column == to_column:
        return ""
    ways = [f"\x1b[{to_column + 1}G" if to_column else "\r"]
    if to_column:
        ways.append("\r" + _right(to_column))
    if column is not None:
        distance = to_column - column
        if distance > 0:
            ways.append(_right(distance))
        else:
            ways.append(f"\x1b[{-distance}D" if distance < -1 else "\x1b[D")
            if -distance <= _MOST_BACKSPACES:
                ways.append("\b" * -distance)
    return min(ways, key=len)


def _right(distance: int) -> str:
    return "\x1b[C" if distance == 1 else f"\x1b[{distance}C"


_NEAR = 8
"""Cells between two changes that may be cheaper to write again than to jump over."""
_ERASE_FROM = 4
"""Blanks up to the end of a line from which on erasing is shorter than writing them."""


class Encoder:
    """Remembers the terminal: its cells, where the cursor is, and the pen in force.

    Args:
        erases_with_colour: whether erased cells take the background of the pen (terminfo's
            ``bce``). Where not, only plain cells are erased.
    """

    def __init__(self, *, erases_with_colour: bool = True) -> None:
        self._erases_with_colour = erases_with_colour
        self._shown: CellFrame | None = None
        self._out: list[str] = []
        self._pen: CellStyle | None = None
        self._row: int | None = None
        self._column: int | None = None

    def forget(self) -> None:
        """Somebody else has written to the terminal: the next frame starts afresh."""
        self._shown = self._pen = self._row = self._column = None

    def encode(self, frame: CellFrame) -> str:
        """The sequence that turns what is shown into ``frame``; empty where nothing differs.

        Rows that were not touched since the last frame are taken to be the same; ``touched`` is
        emptied.
        """
        self._out = []
        shown = self._shown
        if shown is None or (shown.width, shown.height) != (frame.width, frame.height):
            shown = self._start(frame)
            rows = list(range(frame.height))
        else:
            rows = sorted(frame.touched)
        for y in rows:
            wanted, old = frame.rows[y], shown.rows[y]
            if not wanted.same_as(old):
                self._line(y, wanted, old)
                old.copy_from(wanted)
        frame.touched.clear()
        if self._pen is not None and self._pen.link:
            self._take(PLAIN)  # whatever is written next must not become part of the link
        return "".join(self._out)

    def park(self, row: int, column: int) -> str:
        """Move the cursor, for what the terminal shows at it (an input method's window)."""
        if (self._row, self._column) == (row, column):
            return ""
        way = move(self._row, self._column, row, column)
        self._row, self._column = row, column
        return way

    def _start(self, frame: CellFrame) -> CellFrame:
        """Clear the terminal in the colour that most of the frame has."""
        self._pen = self._row = self._column = None
        ground = PLAIN
        if self._erases_with_colour:
            ground = _ground(frame)
        self._take(ground)
        self._out.append("\x1b[H\x1b[J")
        self._row = self._column = 0
        shown = self._shown = CellFrame(frame.width, frame.height)
        for row in shown.rows:
            row.pens[:] = [ground] * frame.width
        return shown

    def _line(self, y: int, wanted: CellRow, old: CellRow) -> None:
        texts, pens = wanted.texts, wanted.pens
        width = len(texts)
        tail = self._erasable(wanted)
        x = 0
        while x < width:
            if texts[x] == old.texts[x] and pens[x] == old.pens[x]:
                x += 1
                continue
            while is_half(texts[x]):
                x -= 1
            if x >= tail and _differing(wanted, old, x) >= _ERASE_FROM:
                self._go(y, x, wanted)
                self._take_for_blank(pens[x])
                self._out.append("\x1b[K")
                return
            self._go(y, x, wanted)
            x = self._write(wanted, x)

    def _go(self, y: int, x: int, wanted: CellRow) -> None:
        if self._row == y and self._column is not None and 0 < x - self._column <= _NEAR:
            between = self._rewritten(wanted, self._column, x)
            way = move(self._row, self._column, y, x)
            if between is not None and len(between.encode()) <= len(way):
                self._out.append(between)
                self._column = x
                return
        if (self._row, self._column) != (y, x):
            self._out.append(move(self._row, self._column, y, x))
            self._row, self._column = y, x

    def _rewritten(self, wanted: CellRow, start: int, stop: int) -> str | None:
        """The cells in between as text, where the pen in force draws them as they are."""
        pen = self._pen
        if pen is None:
            return None
        for x in range(start, stop):
            text, needed = wanted.texts[x], wanted.pens[x]
            if is_half(text) or not trusted(text) or len(text.encode()) > 2:
                return None
            if needed != pen and not (text == " " and pen.draws_blank_like(needed)):
                return None
        return "".join(wanted.texts[start:stop])

    def _write(self, wanted: CellRow, x: int) -> int:
        """Write one cell; gives the column behind it."""
        text, pen = wanted.texts[x], wanted.pens[x]
        if text == " ":
            self._take_for_blank(pen)
        else:
            self._take(pen)
        self._out.append(text)
        end = x + 1
        while end < len(wanted.texts) and is_half(wanted.texts[end]):
            end += 1
        # In the last column the cursor waits for the next character, or not: terminals differ.
        known = trusted(text) and end < len(wanted.texts)
        self._column = end if known else None
        return end

    def _take_for_blank(self, pen: CellStyle) -> None:
        if self._pen is None or not self._pen.draws_blank_like(pen):
            self._take(pen)

    def _take(self, pen: CellStyle) -> None:
        if self._pen is not pen:
            self._out.append(change(self._pen, pen))
            self._pen = pen

    def _erasable(self, row: CellRow) -> int:
        """Where the blanks begin that reach to the end of a line and can be erased."""
        x = len(row.texts)
        if not x:
            return 0
        last = row.pens[-1]
        if last.blank != last or last != last._replace(fg="39", flags=0, link=""):
            return x
        if not self._erases_with_colour and last != PLAIN:
            return x
        while x and row.texts[x - 1] == " " and row.pens[x - 1] == last:
            x -= 1
        return x


def _differing(wanted: CellRow, old: CellRow, start: int) -> int:
    """How many cells from the first to the last one that differs."""
    for x in range(len(wanted.texts) - 1, start - 1, -1):
        if wanted.texts[x] != old.texts[x] or wanted.pens[x] != old.pens[x]:
            return x - start + 1
    return 0


def _ground(frame: CellFrame) -> CellStyle:
    counted = Counter(
        pen
        for row in frame.rows
        for text, pen in zip(row.texts, row.pens, strict=True)
        if text == " " and not pen.flags and not pen.link
    )
    return counted.most_common(1)[0][0] if counted else PLAIN

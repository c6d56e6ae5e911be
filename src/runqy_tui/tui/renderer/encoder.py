"""Encodes the difference between two frames in few bytes. Rows and columns count from 0."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from runqy_tui.tui.renderer.cell_frame import CellFrame, CellRow, has_certain_width, is_continuation
from runqy_tui.tui.renderer.style_encoder import PLAIN, CellStyle, style_change

_MOST_BACKSPACES = 3


@lru_cache(maxsize=2048)
def move_cursor(row: int | None, column: int | None, to_row: int, to_column: int) -> str:
    """Return the shortest sequence that moves the cursor; ``None`` is an unknown row or column."""
    sequences = [_absolute(to_row, to_column)]
    if row is not None:
        if row == to_row:
            sequences.append(_to_column(column, to_column))
        else:
            sequences.append(_to_row(row, to_row) + _to_column(column, to_column))
            if 0 < to_row - row <= 2:
                sequences.append("\r" + "\n" * (to_row - row) + _to_column(0, to_column))
    return min(sequences, key=len)


def _absolute(row: int, column: int) -> str:
    if column:
        return f"\x1b[{row + 1};{column + 1}H"
    return f"\x1b[{row + 1}H" if row else "\x1b[H"


def _to_row(row: int, to_row: int) -> str:
    distance = abs(to_row - row)
    letter = "B" if to_row > row else "A"
    relative = f"\x1b[{letter}" if distance == 1 else f"\x1b[{distance}{letter}"
    return min(relative, f"\x1b[{to_row + 1}d", key=len)


def _to_column(column: int | None, to_column: int) -> str:
    if column == to_column:
        return ""
    sequences = [f"\x1b[{to_column + 1}G" if to_column else "\r"]
    if to_column:
        sequences.append("\r" + _forward(to_column))
    if column is not None:
        distance = to_column - column
        if distance > 0:
            sequences.append(_forward(distance))
        else:
            sequences.append(f"\x1b[{-distance}D" if distance < -1 else "\x1b[D")
            if -distance <= _MOST_BACKSPACES:
                sequences.append("\b" * -distance)
    return min(sequences, key=len)


def _forward(distance: int) -> str:
    return "\x1b[C" if distance == 1 else f"\x1b[{distance}C"


_NEAR = 8
"""Cells between two changes that may be shorter to write again than to move over."""
_ERASE_FROM = 4
"""Blanks up to the end of a line from which on erasing them is shorter than writing them."""


class Encoder:
    """Knows the state of the terminal: its cells, the position of the cursor, the current style.

    Args:
        erases_with_colour: whether erased cells take the current background colour (terminfo's
            ``bce``). Where not, only cells without a style are erased.
    """

    def __init__(self, *, erases_with_colour: bool = True) -> None:
        self._erases_with_colour = erases_with_colour
        self._shown: CellFrame | None = None
        self._out: list[str] = []
        self._cell_style: CellStyle | None = None
        self._row: int | None = None
        self._column: int | None = None

    def invalidate(self) -> None:
        """Discard the state: the terminal may show anything, and the next frame is sent whole."""
        self._shown = self._cell_style = self._row = self._column = None

    def encode(self, frame: CellFrame) -> str:
        """Return the sequence that makes the terminal show ``frame``; empty if it does already.

        Only the rows in ``frame.touched`` are compared; it is cleared.
        """
        self._out = []
        shown = self._shown
        if shown is None or (shown.width, shown.height) != (frame.width, frame.height):
            shown = self._clear(frame)
            rows = list(range(frame.height))
        else:
            rows = sorted(frame.touched)
        for y in rows:
            wanted, old = frame.rows[y], shown.rows[y]
            if not wanted.equals(old):
                self._encode_row(y, wanted, old)
                old.copy_from(wanted)
        frame.touched.clear()
        if self._cell_style is not None and self._cell_style.link:
            self._use_style(PLAIN)  # what is written next must not become part of the link
        return "".join(self._out)

    def park_cursor(self, row: int, column: int) -> str:
        """Return the sequence that leaves the cursor there, for an input method's window."""
        if (self._row, self._column) == (row, column):
            return ""
        sequence = move_cursor(self._row, self._column, row, column)
        self._row, self._column = row, column
        return sequence

    def _clear(self, frame: CellFrame) -> CellFrame:
        """Clear the terminal, in the background colour that most of the frame has."""
        self._cell_style = self._row = self._column = None
        background = PLAIN
        if self._erases_with_colour:
            background = _commonest_background(frame)
        self._use_style(background)
        self._out.append("\x1b[H\x1b[J")
        self._row = self._column = 0
        shown = self._shown = CellFrame(frame.width, frame.height)
        for row in shown.rows:
            row.styles[:] = [background] * frame.width
        return shown

    def _encode_row(self, y: int, wanted: CellRow, old: CellRow) -> None:
        texts, styles = wanted.texts, wanted.styles
        width = len(texts)
        tail = self._erasable_from(wanted)
        x = 0
        while x < width:
            if texts[x] == old.texts[x] and styles[x] == old.styles[x]:
                x += 1
                continue
            while is_continuation(texts[x]):
                x -= 1
            if x >= tail and _span_length(wanted, old, x) >= _ERASE_FROM:
                self._move_to(y, x, wanted)
                self._use_style_for_blank(styles[x])
                self._out.append("\x1b[K")
                return
            self._move_to(y, x, wanted)
            x = self._write(wanted, x)

    def _move_to(self, y: int, x: int, wanted: CellRow) -> None:
        if self._row == y and self._column is not None and 0 < x - self._column <= _NEAR:
            between = self._text_between(wanted, self._column, x)
            sequence = move_cursor(self._row, self._column, y, x)
            if between is not None and len(between.encode()) <= len(sequence):
                self._out.append(between)
                self._column = x
                return
        if (self._row, self._column) != (y, x):
            self._out.append(move_cursor(self._row, self._column, y, x))
            self._row, self._column = y, x

    def _text_between(self, wanted: CellRow, start: int, stop: int) -> str | None:
        """The cells ``[start, stop)`` as text; ``None`` if the current style would change them."""
        cell_style = self._cell_style
        if cell_style is None:
            return None
        for x in range(start, stop):
            text, needed = wanted.texts[x], wanted.styles[x]
            if is_continuation(text) or not has_certain_width(text) or len(text.encode()) > 2:
                return None
            if needed != cell_style and not (text == " " and cell_style.draws_blank_like(needed)):
                return None
        return "".join(wanted.texts[start:stop])

    def _write(self, wanted: CellRow, x: int) -> int:
        """Write one cell; return the column after it."""
        text, cell_style = wanted.texts[x], wanted.styles[x]
        if text == " ":
            self._use_style_for_blank(cell_style)
        else:
            self._use_style(cell_style)
        self._out.append(text)
        end = x + 1
        while end < len(wanted.texts) and is_continuation(wanted.texts[end]):
            end += 1
        # In the last column terminals differ on whether the cursor has moved.
        known = has_certain_width(text) and end < len(wanted.texts)
        self._column = end if known else None
        return end

    def _use_style_for_blank(self, cell_style: CellStyle) -> None:
        if self._cell_style is None or not self._cell_style.draws_blank_like(cell_style):
            self._use_style(cell_style)

    def _use_style(self, cell_style: CellStyle) -> None:
        if self._cell_style is not cell_style:
            self._out.append(style_change(self._cell_style, cell_style))
            self._cell_style = cell_style

    def _erasable_from(self, row: CellRow) -> int:
        """Column from which on there are only blanks that can be erased; the width without any."""
        x = len(row.texts)
        if not x:
            return 0
        last = row.styles[-1]
        if last.blank != last or last != last._replace(fg="39", flags=0, link=""):
            return x
        if not self._erases_with_colour and last != PLAIN:
            return x
        while x and row.texts[x - 1] == " " and row.styles[x - 1] == last:
            x -= 1
        return x


def _span_length(wanted: CellRow, old: CellRow, start: int) -> int:
    """Cells from ``start`` to the last one that differs."""
    for x in range(len(wanted.texts) - 1, start - 1, -1):
        if wanted.texts[x] != old.texts[x] or wanted.styles[x] != old.styles[x]:
            return x - start + 1
    return 0


def _commonest_background(frame: CellFrame) -> CellStyle:
    counted = Counter(
        cell_style
        for row in frame.rows
        for text, cell_style in zip(row.texts, row.styles, strict=True)
        if text == " " and not cell_style.flags and not cell_style.link
    )
    return counted.most_common(1)[0][0] if counted else PLAIN

"""A screen of cells, filled from the strips that Textual draws."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import east_asian_width

from rich.cells import cell_len, get_character_cell_size, split_graphemes
from rich.segment import Segment

from runqy_tui.tui.renderer.style_encoder import PLAIN, CellStyle, StyleEncoder

_UNSENDABLE: dict[int, str | None] = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
_UNSENDABLE |= dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
"""Control characters have no cell, and must never reach the terminal from a text."""

_HALF = ""
"""The text of a cell that the wide character on its left covers."""


class CellRow:
    """One line: the text of each cell, and the pen that draws it."""

    __slots__ = ("pens", "texts")

    def __init__(self, width: int, pen: CellStyle = PLAIN) -> None:
        self.texts: list[str] = [" "] * width
        self.pens: list[CellStyle] = [pen] * width

    def copy_from(self, other: CellRow) -> None:
        """Become the same."""
        self.texts[:] = other.texts
        self.pens[:] = other.pens

    def same_as(self, other: CellRow) -> bool:
        """Whether both look the same."""
        return self.texts == other.texts and self.pens == other.pens


class CellFrame:
    """``height`` rows of ``width`` cells. ``touched`` holds the rows written since it was emptied.

    A cell holds one grapheme; a wide one takes two cells, of which the second is empty.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.rows = [CellRow(width) for _ in range(height)]
        self.touched: set[int] = set()

    def put(self, y: int, x: int, segments: Iterable[Segment], pens: StyleEncoder) -> None:
        """Write segments from a cell on; what does not fit is left out."""
        if not 0 <= y < self.height or x < 0:
            return
        row = self.rows[y]
        self.touched.add(y)
        for text, style, control in segments:
            if control or not text:
                continue
            if x >= self.width:
                return
            pen, blank = pens.of(style)
            if not text.isprintable():
                text = text.translate(_UNSENDABLE)  # noqa: PLW2901
            if text.isascii() or (cell_len(text) == len(text) and _plain(text)):
                x = self._put_simple(row, x, text, pen, blank)
            else:
                x = self._put_graphemes(row, x, text, pen, blank)

    def _put_simple(self, row: CellRow, x: int, text: str, pen: CellStyle, blank: CellStyle) -> int:
        room = self.width - x
        if len(text) > room:
            text = text[:room]
        end = x + len(text)
        _clear_halves(row, x, end)
        row.texts[x:end] = text
        if pen is blank or " " not in text:
            row.pens[x:end] = [pen] * (end - x)
        else:
            row.pens[x:end] = [blank if char == " " else pen for char in text]
        return end

    def _put_graphemes(
        self, row: CellRow, x: int, text: str, pen: CellStyle, blank: CellStyle
    ) -> int:
        for start, stop, width in split_graphemes(text)[0]:
            grapheme = text[start:stop]
            if width == 0:
                if x > 0 and grapheme.isprintable():
                    _join(row, x - 1, grapheme)
                continue
            end = x + width
            if end > self.width or grapheme == " ":  # half of a wide one has no place
                end = min(end, self.width)
                cells, drawn = [" "] * (end - x), blank
            else:
                cells, drawn = [grapheme, *[_HALF] * (width - 1)], pen
            _clear_halves(row, x, end)
            row.texts[x:end] = cells
            row.pens[x:end] = [drawn] * (end - x)
            x = end
            if x >= self.width:
                break
        return x


def _plain(text: str) -> bool:
    """Whether each character has one cell, given that there are as many cells as characters."""
    return all(get_character_cell_size(char) == 1 for char in text)


def _join(row: CellRow, x: int, mark: str) -> None:
    if row.texts[x] == _HALF and x > 0:
        x -= 1
    row.texts[x] += mark


def _clear_halves(row: CellRow, x: int, end: int) -> None:
    """Writing over one half of a wide character leaves a blank of the other, as terminals do."""
    texts = row.texts
    if x < len(texts) and texts[x] == _HALF and x > 0:
        texts[x - 1] = " "
        row.pens[x - 1] = row.pens[x - 1].blank
    if end < len(texts) and texts[end] == _HALF:
        texts[end] = " "
        row.pens[end] = row.pens[end].blank


def is_half(text: str) -> bool:
    """Whether a cell is covered by the wide character on its left."""
    return text == _HALF


def trusted(text: str) -> bool:
    """Whether every terminal is known to agree on the width of a cell's text."""
    if len(text) != 1:
        return False
    return text.isascii() or east_asian_width(text) not in "WF" or text.isalpha()

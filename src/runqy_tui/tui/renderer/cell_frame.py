"""A screen as cells, filled from the segments that Textual draws."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import east_asian_width

from rich.cells import cell_len, get_character_cell_size, split_graphemes
from rich.segment import Segment

from runqy_tui.tui.renderer.style_encoder import PLAIN, CellStyle, StyleEncoder

_UNSENDABLE: dict[int, str | None] = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
_UNSENDABLE |= dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
"""Control characters are removed: they have no cell and must not reach the terminal."""

_CONTINUATION = ""
"""The text of a cell that is the second half of a wide character."""


class CellRow:
    """One line: the text and the style of each cell."""

    __slots__ = ("styles", "texts")

    def __init__(self, width: int, cell_style: CellStyle = PLAIN) -> None:
        self.texts: list[str] = [" "] * width
        self.styles: list[CellStyle] = [cell_style] * width

    def copy_from(self, other: CellRow) -> None:
        """Copy texts and styles of a row of the same width."""
        self.texts[:] = other.texts
        self.styles[:] = other.styles

    def equals(self, other: CellRow) -> bool:
        """Whether texts and styles are the same."""
        return self.texts == other.texts and self.styles == other.styles


class CellFrame:
    """``height`` rows of ``width`` cells. ``touched`` holds the rows written since it was cleared.

    A cell holds one grapheme; a wide one takes two cells, of which the second is empty.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.rows = [CellRow(width) for _ in range(height)]
        self.touched: set[int] = set()

    def put(self, y: int, x: int, segments: Iterable[Segment], style_encoder: StyleEncoder) -> None:
        """Write segments from a cell on; what exceeds the frame is left out."""
        if not 0 <= y < self.height or x < 0:
            return
        row = self.rows[y]
        self.touched.add(y)
        for text, style, control in segments:
            if control or not text:
                continue
            if x >= self.width:
                return
            cell_style, blank = style_encoder.encode(style)
            if not text.isprintable():
                text = text.translate(_UNSENDABLE)  # noqa: PLW2901
            if text.isascii() or (cell_len(text) == len(text) and _plain(text)):
                x = self._put_narrow(row, x, text, cell_style, blank)
            else:
                x = self._put_graphemes(row, x, text, cell_style, blank)

    def _put_narrow(
        self, row: CellRow, x: int, text: str, cell_style: CellStyle, blank: CellStyle
    ) -> int:
        room = self.width - x
        if len(text) > room:
            text = text[:room]
        end = x + len(text)
        _split_wide_characters(row, x, end)
        row.texts[x:end] = text
        if cell_style is blank or " " not in text:
            row.styles[x:end] = [cell_style] * (end - x)
        else:
            row.styles[x:end] = [blank if char == " " else cell_style for char in text]
        return end

    def _put_graphemes(
        self, row: CellRow, x: int, text: str, cell_style: CellStyle, blank: CellStyle
    ) -> int:
        for start, stop, width in split_graphemes(text)[0]:
            grapheme = text[start:stop]
            if width == 0:
                if x > 0 and grapheme.isprintable():
                    _join(row, x - 1, grapheme)
                continue
            end = x + width
            if end > self.width or grapheme == " ":  # half a wide character cannot be shown
                end = min(end, self.width)
                cells, drawn = [" "] * (end - x), blank
            else:
                cells, drawn = [grapheme, *[_CONTINUATION] * (width - 1)], cell_style
            _split_wide_characters(row, x, end)
            row.texts[x:end] = cells
            row.styles[x:end] = [drawn] * (end - x)
            x = end
            if x >= self.width:
                break
        return x


def _plain(text: str) -> bool:
    """Whether each character is one cell wide, given a text of as many cells as characters."""
    return all(get_character_cell_size(char) == 1 for char in text)


def _join(row: CellRow, x: int, mark: str) -> None:
    if row.texts[x] == _CONTINUATION and x > 0:
        x -= 1
    row.texts[x] += mark


def _split_wide_characters(row: CellRow, x: int, end: int) -> None:
    """Make the other half of an overwritten wide character a blank, as terminals do."""
    texts = row.texts
    if x < len(texts) and texts[x] == _CONTINUATION and x > 0:
        texts[x - 1] = " "
        row.styles[x - 1] = row.styles[x - 1].blank
    if end < len(texts) and texts[end] == _CONTINUATION:
        texts[end] = " "
        row.styles[end] = row.styles[end].blank


def is_continuation(text: str) -> bool:
    """Whether a cell is the second half of the wide character on its left."""
    return text == _CONTINUATION


def has_certain_width(text: str) -> bool:
    """Whether all terminals agree on the width of a cell's text."""
    if len(text) != 1:
        return False
    return text.isascii() or east_asian_width(text) not in "WF" or text.isalpha()

"""Lines of a table as comparable values, and how they are drawn as strips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import LRUCache
from textual.strip import Strip

from runqy_tui.tui.safe_text import ELLIPSIS, fit, line, split_cells, width
from runqy_tui.tui.widgets.columns import GAP, ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell

GUTTER = 1
"""Cells on the left for the sign of the cursor."""
CACHED_LINES = 128
"""Drawn lines that are cached: a few screens full."""

ColumnSlots = Sequence[tuple[ColumnLayout, int]]
LineKind = Literal["header", "row", "loading", "placeholder", "blank"]
StyleLookup = Callable[[str, str], RichStyle]
"""``style_of(line_name, cell_name)``: the style of a cell on a kind of line."""


class Glyphs(NamedTuple):
    """Signs of the table itself, one cell each."""

    cursor: str = "▌"
    blurred: str = "▏"
    up: str = "▲"
    down: str = "▼"
    ellipsis: str = ELLIPSIS


UNICODE = Glyphs()
ASCII = Glyphs(cursor=">", blurred="-", up="^", down="v", ellipsis="~")


class TableLine(NamedTuple):
    """All that determines how a line is drawn, except for geometry and theme."""

    kind: LineKind
    cells: tuple[Cell, ...] = ()
    cursor: Literal["", "cursor", "blurred"] = ""


BLANK = TableLine("blank")


def header_line(
    slots: ColumnSlots, sort_key: str | None, descending: bool, glyphs: Glyphs = UNICODE
) -> TableLine:
    """Build the header: the titles, and an arrow on the column that is sorted by."""
    cells = []
    for column, cells_wide in slots:
        title = column.title
        if column.key == sort_key:
            room = min(width(line(title)), cells_wide - 1)
            title = fit(title, room, mark=glyphs.ellipsis) + (
                glyphs.down if descending else glyphs.up
            )
        cells.append(Cell(title))
    return TableLine("header", tuple(cells))


def placeholder_lines(text: str, cells_wide: int, height: int) -> list[TableLine]:
    """Lay out the text of an empty table: wrapped, after a third of the blank lines."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap(line(paragraph), max(1, cells_wide))
    above = max(0, (height - len(lines)) // 3)
    drawn = [BLANK] * above + [TableLine("placeholder", (Cell(text),)) for text in lines]
    return drawn[:height]


def _wrap(text: str, cells_wide: int) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        if width(longer) <= cells_wide:
            current = longer
            continue
        if current:
            lines.append(current)
        *full, current = split_cells(word, cells_wide)
        lines += full
    lines.append(current)
    return lines


def changed_span(
    old: TableLine, new: TableLine, slots: ColumnSlots, cells_wide: int
) -> tuple[int, int]:
    """Cells ``[start, end)`` in which two lines of the same layout may differ."""
    if old[0] != new[0] or old[2] != new[2] or len(old.cells) != len(new.cells):
        return 0, cells_wide
    if new.kind not in ("row", "header"):
        return 0, cells_wide
    start, end, at = cells_wide, 0, GUTTER
    for (_, size), before, after in zip(slots, old.cells, new.cells, strict=False):
        if before != after:
            start = min(start, at)
            end = at + size + GAP  # with the gap: combining characters may follow the text
        at += size + GAP
    return (start, min(end, cells_wide)) if start < end else (0, cells_wide)


class Painter:
    """Draws lines, and caches the segments of the latest.

    Not their strips: a strip caches every piece that was cut from it, for every size and window.
    """

    def __init__(self, style_of: StyleLookup, glyphs: Glyphs = UNICODE) -> None:
        self._style_of = style_of
        self._glyphs = glyphs
        self._cache: LRUCache[TableLine, list[Segment]] = LRUCache(CACHED_LINES)
        self._geometry: tuple[ColumnSlots, int] = ((), 0)

    def clear(self) -> None:
        """Clear the cache: the theme or the focus has changed."""
        self._cache.clear()

    def draw(self, drawn: TableLine, slots: ColumnSlots, cells_wide: int) -> Strip:
        """Return the strip of a line, ``cells_wide`` cells long."""
        geometry = (slots, cells_wide)
        if geometry != self._geometry:
            self._cache.clear()
            self._geometry = geometry
        segments = self._cache.get(drawn)
        if segments is None:
            segments = list(self._draw_line(drawn, slots, cells_wide))
            self._cache[drawn] = segments
        return Strip(segments, max(0, cells_wide))

    def _draw_line(self, drawn: TableLine, slots: ColumnSlots, cells_wide: int) -> Strip:
        if cells_wide <= 0:
            return Strip([], 0)
        line_name = drawn.cursor or drawn.kind
        plain = self._style_of(line_name, "")
        if drawn.kind == "blank":
            return Strip.blank(cells_wide, plain)
        if drawn.kind == "placeholder":
            text = drawn.cells[0].text
            left = " " * max(0, (cells_wide - width(text)) // 2)
            return _strip([Segment(fit(left + text, cells_wide), plain)], cells_wide, plain)
        sign = {"cursor": self._glyphs.cursor, "blurred": self._glyphs.blurred}.get(drawn.cursor)
        segments = [Segment(sign or " ", self._style_of(line_name, "gutter"))]
        if drawn.kind == "loading":
            segments.append(Segment(self._glyphs.ellipsis, self._style_of(line_name, "dim")))
            return _strip(segments, cells_wide, plain)
        for at, ((column, size), cell) in enumerate(zip(slots, drawn.cells, strict=False)):
            if at:
                segments.append(Segment(" " * GAP, plain))
            text = fit(cell[0], size, column.align, mark=self._glyphs.ellipsis)
            segments.append(Segment(text, self._style_of(line_name, cell[1])))
        return _strip(segments, cells_wide, plain)


def _strip(segments: list[Segment], cells_wide: int, plain: RichStyle) -> Strip:
    merged = list(Segment.simplify(segments))
    return Strip(merged).adjust_cell_length(cells_wide, plain)

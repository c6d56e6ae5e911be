"""The look of a text view: which rows are visible, what is on them and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import LRUCache
from textual.geometry import Size
from textual.strip import Strip

from runqy_tui.tui.widgets.finder import Finder
from runqy_tui.tui.widgets.highlight import TONES, Kind, Span, spans
from runqy_tui.tui.widgets.lineview import LineView
from runqy_tui.tui.widgets.textlines import Lines, TextLines
from runqy_tui.tui.widgets.wrapping import Wrapping


class Row(NamedTuple):
    """What one row shows: its text, the spans in it, and the cells cut off on its left."""

    text: str
    spans: tuple[Span, ...]
    skip: int


class TextRows(LineView[Row], inherit_bindings=False):
    """Draws lines; :class:`~runqy_tui.tui.widgets.textview.TextView` moves through them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"text--{tone}" for tone in TONES}
    DEFAULT_CSS = """
    TextRows {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .text--key { color: $text-primary; }
        & > .text--string { color: $text-success; }
        & > .text--number { color: $text-accent; }
        & > .text--literal { color: $text-accent; }
        & > .text--path { color: $text-primary; }
        & > .text--error { color: $text-error; }
        & > .text--warning { color: $text-warning; }
        & > .text--dim { color: $text-muted; }
        & > .text--match { text-style: bold underline; }
        & > .text--current { text-style: bold reverse; }
    }
    """

    def __init__(
        self,
        kind: Kind,
        wrap: bool,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._kind: Kind = kind
        self._wrap = wrap
        self._source: Lines = TextLines("")
        self._rows = Wrapping(self._source)
        self._finder = Finder(self._source)
        self._left = 0
        self._strips: LRUCache[tuple[Row, int], Strip] = LRUCache(512)

    def extent(self) -> int:
        """Count the rows that are measured."""
        return self._rows.rows

    def frame(self, size: Size) -> Sequence[Row]:
        """Compute the visible rows."""
        first = self.top
        last = min(self._rows.rows, first + size.height)
        return [self._row(row, size.width) for row in range(first, last)]

    def _row(self, row: int, cells: int) -> Row:
        index, piece = self._rows.locate(row)
        text, start = self._rows.piece(index, piece)
        skip = 0
        if not self._rows.cells and self._source.simple(index):
            start = self._left
            text = text[start : start + cells]
        elif not self._rows.cells:
            skip = self._left  # by cells, not by characters: the drawn row is cut
        end = start + len(text)
        found = (
            *spans(self._kind, self._source.shown(index)),
            *self._finder.spans(index, start, end),
        )
        here = tuple(
            Span(max(span.start, start) - start, min(span.end, end) - start, span.tone)
            for span in found
            if span.start < end and span.end > start
        )
        return Row(text, here, skip)

    def draw(self, line: Row | None, cells: int) -> Strip:
        """Draw one row."""
        if line is None or cells <= 0:
            return Strip.blank(max(0, cells), self.style_of())
        strip = self._strips.get((line, cells))
        if strip is None:
            plain = self.style_of()
            whole = Strip(self._segments(line, plain))
            strip = whole.crop(line.skip, line.skip + cells).adjust_cell_length(cells, plain)
            self._strips[line, cells] = strip
        return strip

    def _segments(self, row: Row, plain: RichStyle) -> list[Segment]:
        cuts = {0, len(row.text)}
        for span in row.spans:
            cuts |= {span.start, span.end}
        segments = []
        for start, end in pairwise(sorted(cuts)):
            tones = [span.tone for span in row.spans if span.start <= start < span.end]
            style = self.style_of(*(f"text--{tone}" for tone in tones)) if tones else plain
            segments.append(Segment(row.text[start:end], style))
        return segments

    def forget_drawn(self) -> None:
        """Drop the strips of another theme."""
        self._strips.clear()

"""How a text is drawn: its visible rows, highlighting, and the matches of a search."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import LRUCache
from textual.geometry import Size
from textual.strip import Strip

from runqy_tui.tui.widgets.highlight import TONES, Kind, Span, highlight_spans
from runqy_tui.tui.widgets.line_view import LineView
from runqy_tui.tui.widgets.text_lines import Lines, TextLines, Wrapping

MOST_MATCHES = 9_999
"""Most matches that are counted."""


class MatchFinder:
    """Matches of one query in the lines of a text, one of them the current one."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._query = ""
        self._pattern: re.Pattern[str] | None = None
        self._matches_found: list[tuple[int, int]] | None = None
        self._at = -1

    def search(self, query: str) -> int:
        """Search a query literally; return the number of matches."""
        self._query = query
        flags = re.IGNORECASE if query == query.lower() else 0
        self._pattern = re.compile(re.escape(query), flags) if query else None
        self._matches_found = None
        self._at = -1
        return len(self._matches())

    def lines_changed(self, lines: Lines) -> None:
        """Search the same query in other lines, when matches are next read."""
        self._lines = lines
        self._matches_found = None

    @property
    def position(self) -> tuple[int, int]:
        """Number of the current match, from 1, and count of all."""
        count = len(self._matches())
        return (min(self._at + 1, count), count)

    def first_from(self, line: int) -> tuple[int, int] | None:
        """Make the first match on or after a line the current one, else the very first."""
        matches = self._matches()
        if not matches:
            return None
        self._at = bisect_left(matches, (line, 0)) % len(matches)
        return matches[self._at]

    def step(self, delta: int) -> tuple[int, int] | None:
        """Make another match the current one, wrapping around."""
        matches = self._matches()
        if not matches:
            return None
        self._at = (self._at + delta) % len(matches) if self._at >= 0 else 0
        return matches[self._at]

    def match_spans(self, index: int, start: int, end: int) -> list[Span]:
        """Return the matches that overlap the characters ``[start, end)`` of a line."""
        if self._pattern is None:
            return []
        line = self._lines.display_text(index)
        first = max(self._lines.mark_from, start - len(self._query))
        last = min(len(line), end + len(self._query))
        matches = self._matches()
        current = matches[self._at] if 0 <= self._at < len(matches) else None
        return [
            Span(
                match.start(),
                match.end(),
                "current" if (index, match.start()) == current else "match",
            )
            for match in self._pattern.finditer(line, first, last)
        ]

    def _matches(self) -> list[tuple[int, int]]:
        if self._matches_found is None:
            found = self._lines.search(self._pattern) if self._pattern is not None else iter(())
            self._matches_found = list(islice(found, MOST_MATCHES))
        return self._matches_found


class TextRow(NamedTuple):
    """A row: its text, the spans in it, and the cells cut off on its left."""

    text: str
    spans: tuple[Span, ...]
    skip: int


class TextRows(LineView[TextRow], inherit_bindings=False):
    """Draws lines; :class:`~runqy_tui.tui.widgets.text_view.TextView` moves through them."""

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
        self._finder = MatchFinder(self._source)
        self._left = 0
        self._strips: LRUCache[tuple[TextRow, int], Strip] = LRUCache(512)

    def line_count(self) -> int:
        """Return the number of rows known so far."""
        return self._rows.rows

    def visible_lines(self, size: Size) -> Sequence[TextRow]:
        """Compute the visible rows."""
        first = self.top
        last = min(self._rows.rows, first + size.height)
        return [self._row(row, size.width) for row in range(first, last)]

    def _row(self, row: int, cells: int) -> TextRow:
        index, piece = self._rows.locate(row)
        text, start = self._rows.piece(index, piece)
        skip = 0
        if not self._rows.cells and self._source.is_single_width(index):
            start = self._left
            text = text[start : start + cells]
        elif not self._rows.cells:
            skip = self._left  # cells, not characters: the drawn row is cut
        end = start + len(text)
        found = (
            *highlight_spans(self._kind, self._source.display_text(index)),
            *self._finder.match_spans(index, start, end),
        )
        here = tuple(
            Span(max(span.start, start) - start, min(span.end, end) - start, span.tone)
            for span in found
            if span.start < end and span.end > start
        )
        return TextRow(text, here, skip)

    def draw(self, line: TextRow | None, cells: int) -> Strip:
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

    def _segments(self, row: TextRow, plain: RichStyle) -> list[Segment]:
        cuts = {0, len(row.text)}
        for span in row.spans:
            cuts |= {span.start, span.end}
        segments = []
        for start, end in pairwise(sorted(cuts)):
            tones = [span.tone for span in row.spans if span.start <= start < span.end]
            style = self.style_of(*(f"text--{tone}" for tone in tones)) if tones else plain
            segments.append(Segment(row.text[start:end], style))
        return segments

    def clear_drawn(self) -> None:
        """Clear the cache of drawn rows."""
        self._strips.clear()

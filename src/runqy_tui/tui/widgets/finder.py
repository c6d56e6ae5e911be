"""Search inside a text: all matches, which one is current, and what to mark on a line."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import islice

from runqy_tui.tui.widgets.highlight import Span
from runqy_tui.tui.widgets.textlines import Lines

MOST = 9_999
"""Matches that are counted."""


class Finder:
    """Matches of one query in some lines."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._query = ""
        self._pattern: re.Pattern[str] | None = None
        self._found: list[tuple[int, int]] | None = None
        self._at = -1

    def search(self, query: str) -> int:
        """Find a query, as text and not as a pattern; return the number of matches."""
        self._query = query
        flags = re.IGNORECASE if query == query.lower() else 0
        self._pattern = re.compile(re.escape(query), flags) if query else None
        self._found = None
        self._at = -1
        return len(self._matches())

    def lines_changed(self, lines: Lines) -> None:
        """Find the same query in other lines, when the matches are asked for."""
        self._lines = lines
        self._found = None

    @property
    def position(self) -> tuple[int, int]:
        """Number of the current match, from 1, and of all."""
        count = len(self._matches())
        return (min(self._at + 1, count), count)

    def first_from(self, line: int) -> tuple[int, int] | None:
        """Make the first match on or after a line the current one, else the first of all."""
        matches = self._matches()
        if not matches:
            return None
        self._at = bisect_left(matches, (line, 0)) % len(matches)
        return matches[self._at]

    def step(self, delta: int) -> tuple[int, int] | None:
        """Go on to another match, around the ends."""
        matches = self._matches()
        if not matches:
            return None
        self._at = (self._at + delta) % len(matches) if self._at >= 0 else 0
        return matches[self._at]

    def spans(self, index: int, start: int, end: int) -> list[Span]:
        """Matches that touch the characters ``[start, end)`` of a line."""
        if self._pattern is None:
            return []
        line = self._lines.shown(index)
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
        if self._found is None:
            found = self._lines.search(self._pattern) if self._pattern is not None else iter(())
            self._found = list(islice(found, MOST))
        return self._found

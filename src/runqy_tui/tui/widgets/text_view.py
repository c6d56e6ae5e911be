"""The viewer of large texts: payloads, results, tracebacks, raw bytes and logs.

Opening a text splits it into lines; everything else is done for the visible lines only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType

from runqy_tui.text.safe import decode, encode
from runqy_tui.tui.input.global_bindings import hidden_binding
from runqy_tui.tui.safe_text import width
from runqy_tui.tui.widgets.highlight import Kind
from runqy_tui.tui.widgets.text_lines import HexLines, Lines, TextLines, Wrapping
from runqy_tui.tui.widgets.text_rows import TextRows

_SLICE = 0.008
"""Seconds of measuring before the event loop continues."""


class TextView(TextRows, can_focus=True, inherit_bindings=False):
    """Shows a text, which may be large and untrusted, wrapped or scrolled sideways."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_binding("down,j", "scroll_rows(1)", "Down", "text.down"),
        hidden_binding("up,k", "scroll_rows(-1)", "Up", "text.up"),
        hidden_binding("home,g", "scroll_first", "Top", "text.first"),
        hidden_binding(
            "end,G", "scroll_last", "End", "text.last", "Go to the end and follow new lines"
        ),
        hidden_binding("ctrl+d", "scroll_pages(0.5)", "Half page down", "text.half-page-down"),
        hidden_binding("ctrl+u", "scroll_pages(-0.5)", "Half page up", "text.half-page-up"),
        hidden_binding("pagedown", "scroll_pages(1)", "Page down", "text.page-down"),
        hidden_binding("pageup", "scroll_pages(-1)", "Page up", "text.page-up"),
        hidden_binding(
            "shift+right,>",
            "scroll_aside(1)",
            "Right",
            "text.right",
            "Scroll right (unwrapped text)",
        ),
        hidden_binding(
            "shift+left,<", "scroll_aside(-1)", "Left", "text.left", "Scroll left (unwrapped text)"
        ),
        hidden_binding("W", "toggle_wrap", "Wrap", "text.wrap", "Wrap long lines: on / off"),
    ]

    def __init__(
        self,
        text: str | bytes = "",
        kind: Kind = "plain",
        wrap: bool = True,
        *,
        follow: bool = False,
        keep: int = 20_000,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """``follow`` scrolls to lines that are added; about the last ``keep`` lines are kept."""
        super().__init__(kind, wrap, name=name, id=id, classes=classes)
        self._follow = follow
        self._pinned = follow
        self._keep = keep
        self._text: str | bytes = ""
        self._measuring = False
        self.set_text(text, kind)

    # Called by screens

    def set_text(self, text: str | bytes, kind: Kind = "plain", wrap: bool | None = None) -> None:
        """Show a text; another one of the same kind keeps the scroll position.

        ``hex`` dumps bytes (a ``str`` is encoded as it was decoded); the other kinds are text. From
        a ``log`` well-formed SGR sequences are removed; all else that is not printable is shown as
        a visible picture.
        """
        if wrap is not None and wrap != self._wrap:
            self.action_toggle_wrap()
        if (text, kind) == (self._text, self._kind):
            return
        if kind != self._kind:
            self._pinned = self._follow
        top = self.top if kind == self._kind else 0
        self._text, self._kind = text, kind
        if kind == "hex":
            self._source = HexLines(encode(text) if isinstance(text, str) else text)
        else:
            display_text = decode(text) if isinstance(text, bytes) else text
            self._source = TextLines(display_text, colored=kind == "log")
        self._reset_wrapping()
        self._remeasure(top)

    def append_lines(self, lines: Iterable[str]) -> None:
        """Add lines at the end; scroll there if the end is in view and ``follow`` is on.

        Raises:
            TypeError: the text is a hex dump.
        """
        source = self._source
        if not isinstance(source, TextLines):
            raise TypeError("a hex dump has no lines to add to")
        source.extend(lines)
        self._text = b""  # the next set_text() shows another text
        top = self.top
        surplus = len(source) - self._keep
        if surplus > self._keep // 4:
            top -= self._rows.dropped(surplus)
            source.drop(surplus)
        self._finder.lines_changed(source)
        self._remeasure(top)

    @property
    def follow(self) -> bool:
        """Whether the view scrolls on when lines are added while the end is in view."""
        return self._follow

    @follow.setter
    def follow(self, value: bool) -> None:
        self._follow = value
        if value:
            self.action_scroll_last()

    @property
    def kind(self) -> Kind:
        """Kind of the text."""
        return self._kind

    @property
    def wrap(self) -> bool:
        """Whether long lines are wrapped."""
        return self._wrap

    @property
    def lines(self) -> Lines:
        """Lines of the text, before wrapping."""
        return self._source

    @property
    def at_end(self) -> bool:
        """Whether the last line is in view."""
        return self._rows.complete and self.top >= self._rows.rows - self.page_height

    def search(self, query: str) -> int:
        """Mark all matches of a text, and go to the first one from the visible lines on.

        Case matters only if the query has capitals; an empty query ends the search. Returns the
        number of matches, at most 9,999; with 0 the view does not scroll.
        """
        count = self._finder.search(query)
        self._show_match(self._finder.first_from(self._top_line()))
        return count

    def search_next(self) -> bool:
        """Go to the next match, wrapping around; return ``False`` if there is none."""
        return self._show_match(self._finder.step(1))

    def search_prev(self) -> bool:
        """Go to the previous match, wrapping around; return ``False`` if there is none."""
        return self._show_match(self._finder.step(-1))

    @property
    def search_position(self) -> tuple[int, int]:
        """Number of the current match, from 1, and count of all; ``(0, 0)`` without any."""
        return self._finder.position

    # Actions

    def action_scroll_rows(self, delta: int) -> None:
        """Scroll by rows."""
        self._scroll_rows(self.top + delta)

    def action_scroll_pages(self, pages: float) -> None:
        """Scroll by a fraction of the visible rows."""
        self._scroll_rows(self.top + int(self.page_height * pages))

    def action_scroll_first(self) -> None:
        """Go to the first line."""
        self._scroll_rows(0)

    def action_scroll_last(self) -> None:
        """Go to the last line; measures all lines."""
        self._rows.measure()
        self.update_extent()
        self._scroll_rows(self._rows.rows)

    def action_scroll_aside(self, direction: int) -> None:
        """Scroll by half the width, as far as the visible lines reach."""
        if self._rows.cells:
            return
        size = self.view_size
        last = min(self._rows.rows, self.top + size.height)
        longest = max(
            (width(self._source.display_text(at)) for at in range(self.top, last)), default=0
        )
        step = max(1, size.width // 2)
        self._left = max(0, min(self._left + direction * step, longest - step))
        self.update_lines()

    def action_toggle_wrap(self) -> None:
        """Wrap long lines, or scroll sideways; keeps the first visible line in place."""
        line = self._top_line()
        self._wrap = not self._wrap
        self._reset_wrapping()
        self._remeasure(self._rows.row_of(line))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow while the end is in view, and not after the user has scrolled away."""
        super().watch_scroll_y(old_value, new_value)
        self._pinned = self.at_end

    def _scroll_rows(self, top: int) -> None:
        self.scroll_to_line(top)
        self._pinned = self.at_end
        self.update_lines()

    def _show_match(self, match: tuple[int, int] | None) -> bool:
        if match is not None:
            row = self._rows.row_of(*match)
            self.update_extent()
            if not self.top <= row < self.top + self.page_height:
                self.scroll_to_line(row - self.page_height // 3)
                self._pinned = self.at_end
            cells = self.view_size.width
            if not self._rows.cells and not self._left <= match[1] < self._left + cells:
                self._left = max(0, match[1] - cells // 2)
        self.update_lines()
        return match is not None

    # Wrapping

    def fit_to_size(self) -> None:
        """Wrap at the new width; keeps the first visible line in place."""
        if self._wrap_cells() != self._rows.cells:
            line = self._top_line()
            self._reset_wrapping()
            self._remeasure(self._rows.row_of(line))
        super().fit_to_size()
        if self._follow and self._pinned:
            self.action_scroll_last()

    def _top_line(self) -> int:
        return self._rows.locate(self.top)[0]

    def _wrap_cells(self) -> int:
        return max(0, self.view_size.width) if self._wrap and self._kind != "hex" else 0

    def _reset_wrapping(self) -> None:
        self._left = 0
        self._rows = Wrapping(self._source, self._wrap_cells())
        self._finder.lines_changed(self._source)

    def _remeasure(self, top: int) -> None:
        following = self._follow and self._pinned
        self._rows.measure(None if following else _SLICE)
        self.update_extent()
        self.scroll_to_line(self._rows.rows if following else top)
        self.update_lines()
        self._schedule_measuring()

    def _schedule_measuring(self) -> None:
        """Schedule measuring of further lines between other events."""
        if not self._measuring and not self._rows.complete and self.is_running:
            self._measuring = True
            self.call_later(self._measure_slice)

    def _measure_slice(self) -> None:
        self._measuring = False
        self._rows.measure(_SLICE)
        self.update_extent()
        self.update_lines()
        self._schedule_measuring()

"""The viewer of large texts: payloads, results, tracebacks, raw bytes and logs.

Opening costs a split into lines; everything else is done for the lines in view alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType

from runqy_tui.text.safe import decode, encode
from runqy_tui.tui.input.global_bindings import quiet
from runqy_tui.tui.safe_text import width
from runqy_tui.tui.widgets.highlight import Kind
from runqy_tui.tui.widgets.text_lines import HexLines, Lines, TextLines, Wrapping
from runqy_tui.tui.widgets.text_rows import TextRows

_SLICE = 0.008
"""Seconds of measuring before other events get their turn."""


class TextView(TextRows, can_focus=True, inherit_bindings=False):
    """Shows a text that may be large and hostile, wrapped or scrolled sideways."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        quiet("down,j", "scroll_rows(1)", "Down", "text.down"),
        quiet("up,k", "scroll_rows(-1)", "Up", "text.up"),
        quiet("home,g", "scroll_first", "Top", "text.first"),
        quiet("end,G", "scroll_last", "End", "text.last", "Go to the end and follow new lines"),
        quiet("ctrl+d", "scroll_pages(0.5)", "Half page down", "text.half-page-down"),
        quiet("ctrl+u", "scroll_pages(-0.5)", "Half page up", "text.half-page-up"),
        quiet("pagedown", "scroll_pages(1)", "Page down", "text.page-down"),
        quiet("pageup", "scroll_pages(-1)", "Page up", "text.page-up"),
        quiet(
            "shift+right,>",
            "scroll_aside(1)",
            "Right",
            "text.right",
            "Scroll right (unwrapped text)",
        ),
        quiet(
            "shift+left,<", "scroll_aside(-1)", "Left", "text.left", "Scroll left (unwrapped text)"
        ),
        quiet("W", "toggle_wrap", "Wrap", "text.wrap", "Wrap long lines: on / off"),
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
        """``follow`` stays at the end when lines are added; about ``keep`` lines stay."""
        super().__init__(kind, wrap, name=name, id=id, classes=classes)
        self._follow = follow
        self._pinned = follow
        self._keep = keep
        self._text: str | bytes = ""
        self._measuring = False
        self.set_text(text, kind)

    # What the screens call

    def set_text(self, text: str | bytes, kind: Kind = "plain", wrap: bool | None = None) -> None:
        """Show a text; the same one again changes nothing, another of the same kind stays put.

        ``hex`` dumps bytes (a ``str`` is encoded as it was decoded); the other kinds are text.
        In ``log`` well-formed SGR sequences are left out; all else that is not printable is
        shown as a picture.
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
            shown = decode(text) if isinstance(text, bytes) else text
            self._source = TextLines(shown, colored=kind == "log")
        self._wrap_anew()
        self._refit(top)

    def append_lines(self, lines: Iterable[str]) -> None:
        """Add lines at the end; the view follows if it shows the end.

        Raises:
            TypeError: the text is a hex dump.
        """
        source = self._source
        if not isinstance(source, TextLines):
            raise TypeError("a hex dump has no lines to add to")
        source.extend(lines)
        self._text = b""  # whatever is set next is another text
        top = self.top
        surplus = len(source) - self._keep
        if surplus > self._keep // 4:
            top -= self._rows.dropped(surplus)
            source.drop(surplus)
        self._finder.lines_changed(source)
        self._refit(top)

    @property
    def follow(self) -> bool:
        """Whether the view stays at the end when lines are added, once it is there."""
        return self._follow

    @follow.setter
    def follow(self, value: bool) -> None:
        self._follow = value
        if value:
            self.action_scroll_last()

    @property
    def kind(self) -> Kind:
        """What is shown."""
        return self._kind

    @property
    def wrap(self) -> bool:
        """Whether long lines are wrapped."""
        return self._wrap

    @property
    def lines(self) -> Lines:
        """The lines of the text, before wrapping."""
        return self._source

    @property
    def at_end(self) -> bool:
        """Whether the last line is in view."""
        return self._rows.complete and self.top >= self._rows.rows - self.page_height

    def search(self, query: str) -> int:
        """Mark a text (case counts only if it has capitals) and go to its first match from here.

        Returns the number of matches, at most 9,999; 0 leaves the view where it is. An empty
        query ends the search.
        """
        count = self._finder.search(query)
        self._show_match(self._finder.first_from(self._top_line()))
        return count

    def search_next(self) -> bool:
        """Go to the next match, after the last to the first; ``False`` if there is none."""
        return self._show_match(self._finder.step(1))

    def search_prev(self) -> bool:
        """Go to the match before, from the first to the last; ``False`` if there is none."""
        return self._show_match(self._finder.step(-1))

    @property
    def search_position(self) -> tuple[int, int]:
        """Number of the current match, from 1, and of all; ``(0, 0)`` if there is none."""
        return self._finder.position

    # Actions

    def action_scroll_rows(self, delta: int) -> None:
        """Scroll by rows."""
        self._scroll_rows(self.top + delta)

    def action_scroll_pages(self, pages: float) -> None:
        """Scroll by a part of what is visible."""
        self._scroll_rows(self.top + int(self.page_height * pages))

    def action_scroll_first(self) -> None:
        """Go to the first line."""
        self._scroll_rows(0)

    def action_scroll_last(self) -> None:
        """Go to the last line, for which all lines have to be measured."""
        self._rows.measure()
        self.update_extent()
        self._scroll_rows(self._rows.rows)

    def action_scroll_aside(self, direction: int) -> None:
        """Scroll by half the width, as far as the lines in view go."""
        if self._rows.cells:
            return
        size = self.view_size
        last = min(self._rows.rows, self.top + size.height)
        longest = max((width(self._source.shown(at)) for at in range(self.top, last)), default=0)
        step = max(1, size.width // 2)
        self._left = max(0, min(self._left + direction * step, longest - step))
        self.update_lines()

    def action_toggle_wrap(self) -> None:
        """Wrap long lines, or scroll sideways; the first line in view stays."""
        line = self._top_line()
        self._wrap = not self._wrap
        self._wrap_anew()
        self._refit(self._rows.row_of(line))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow again once the user has scrolled to the end, and no more when away from it."""
        super().watch_scroll_y(old_value, new_value)
        self._pinned = self.at_end

    def _scroll_rows(self, top: int) -> None:
        self.go_to(top)
        self._pinned = self.at_end
        self.update_lines()

    def _show_match(self, match: tuple[int, int] | None) -> bool:
        if match is not None:
            row = self._rows.row_of(*match)
            self.update_extent()
            if not self.top <= row < self.top + self.page_height:
                self.go_to(row - self.page_height // 3)
                self._pinned = self.at_end
            cells = self.view_size.width
            if not self._rows.cells and not self._left <= match[1] < self._left + cells:
                self._left = max(0, match[1] - cells // 2)
        self.update_lines()
        return match is not None

    # Wrapping

    def resized(self) -> None:
        """Wrap at the new width; the first line in view stays."""
        if self._wrap_cells() != self._rows.cells:
            line = self._top_line()
            self._wrap_anew()
            self._refit(self._rows.row_of(line))
        super().resized()
        if self._follow and self._pinned:
            self.action_scroll_last()

    def _top_line(self) -> int:
        return self._rows.locate(self.top)[0]

    def _wrap_cells(self) -> int:
        return max(0, self.view_size.width) if self._wrap and self._kind != "hex" else 0

    def _wrap_anew(self) -> None:
        self._left = 0
        self._rows = Wrapping(self._source, self._wrap_cells())
        self._finder.lines_changed(self._source)

    def _refit(self, top: int) -> None:
        following = self._follow and self._pinned
        self._rows.measure(None if following else _SLICE)
        self.update_extent()
        self.go_to(self._rows.rows if following else top)
        self.update_lines()
        self._measure_on()

    def _measure_on(self) -> None:
        """Measure the rest between other events."""
        if not self._measuring and not self._rows.complete and self.is_running:
            self._measuring = True
            self.call_later(self._measure_slice)

    def _measure_slice(self) -> None:
        self._measuring = False
        self._rows.measure(_SLICE)
        self.update_extent()
        self.update_lines()
        self._measure_on()

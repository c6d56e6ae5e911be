"""What all windows above the main screen have in common."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, Screen
from textual.strip import Strip

from runqy_tui.tui.compat.hooks import mark_dirty, rendered_strips, take_dirty
from runqy_tui.tui.compat.private_names import BACKDROP
from runqy_tui.tui.screens.base_screen import BaseScreen

_MOST_STYLES = 2_000
"""A screen has some dozens; a hostile one, with colours of its own, is started afresh."""


class BaseModal(BaseScreen, ModalScreen[None]):
    """A window above the screen it was opened from, which shows through its margins."""

    _veil: Backdrop | None = None

    def render_line(self, y: int) -> Strip:
        """Draw a line of what lies below, by the order in which the windows were opened.

        Textual takes what lies below from a list that shrinks with every screen it draws. One
        that is still drawn from before takes none, and those below it take a wrong one: with four
        windows, two drew each other without end. And it draws all of it through Rich's console
        for every change of a cell: a third of the CPU of opening a window.
        """
        stack, colour = self.app.screen_stack, self.styles.background
        if self not in stack[1:] or colour.a == 1 or not BACKDROP.is_available:
            return super().render_line(y)
        if self._veil is None or self._veil.colour != colour:
            self._veil = Backdrop(colour)
            mark_dirty(self)
        if take_dirty(self):
            self._veil.look(stack[stack.index(self) - 1])
        return self._veil.line(y, self.size.width)


class Backdrop:
    """A screen seen through a colour, without links and actions: line by line, where asked."""

    def __init__(self, colour: Color) -> None:
        self.colour = colour
        self._strips: list[Strip] = []
        self._styles: dict[Style | None, Style] = {}

    def look(self, screen: Screen[object]) -> None:
        """Take in what the screen shows now."""
        self._strips = rendered_strips(screen)

    def line(self, y: int, cells: int) -> Strip:
        """One line, in exactly as many cells."""
        if y >= len(self._strips):
            return Strip.blank(cells)
        if len(self._styles) > _MOST_STYLES:
            self._styles.clear()
        styles, segments = self._styles, []
        for text, style, control in self._strips[y]:
            seen = styles.get(style)
            if seen is None:
                seen = styles[style] = self._through(style)
            segments.append(Segment(text, seen, control))
        return Strip(segments).adjust_cell_length(cells)

    def _through(self, style: Style | None) -> Style:
        """A style behind the veil, by Textual's own arithmetic."""
        (part,) = BackgroundScreen.process_segments([Segment(" ", style)], self.colour)
        return part.style or Style()

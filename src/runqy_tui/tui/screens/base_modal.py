"""Base of all windows above the main screen."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, Screen
from textual.strip import Strip

from runqy_tui.tui.compat.hooks import mark_dirty, rendered_strips, take_dirty
from runqy_tui.tui.compat.private_names import BACKDROP
from runqy_tui.tui.screens.base_screen import BaseScreen

SMALL = (80, 24)
"""Terminals with fewer columns or lines: a window covers the whole screen there."""

_STYLE_CACHE_SIZE = 2_000
"""A screen has some dozens of styles; above this, as with hostile colours, the cache is cleared."""


class BaseModal(BaseScreen, ModalScreen[None]):
    """A window above the screen it was opened from, which stays visible around it."""

    _backdrop: Backdrop | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Set the class ``-small`` on small terminals."""
        self.set_class(event.size.width < SMALL[0] or event.size.height < SMALL[1], "-small")

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen below, chosen by the order in which the windows were opened.

        Textual chooses it from a list that shrinks with every screen it draws. A screen that is
        still cached takes none, and those below it then take a wrong one: with four windows, two
        drew each other endlessly. It also renders all of it through Rich's console for every
        changed cell, a third of the CPU time of opening a window.
        """
        stack, colour = self.app.screen_stack, self.styles.background
        if self not in stack[1:] or colour.a == 1 or not BACKDROP.is_available:
            return super().render_line(y)
        if self._backdrop is None or self._backdrop.colour != colour:
            self._backdrop = Backdrop(colour)
            mark_dirty(self)
        if take_dirty(self):
            self._backdrop.update(stack[stack.index(self) - 1])
        return self._backdrop.render_line(y, self.size.width)


class Backdrop:
    """A screen blended with a translucent colour, without links and actions, line by line."""

    def __init__(self, colour: Color) -> None:
        self.colour = colour
        self._strips: list[Strip] = []
        self._blended: dict[Style | None, Style] = {}

    def update(self, screen: Screen[object]) -> None:
        """Copy what the screen shows now."""
        self._strips = rendered_strips(screen)

    def render_line(self, y: int, cells: int) -> Strip:
        """Return line ``y`` in exactly ``cells`` cells."""
        if y >= len(self._strips):
            return Strip.blank(cells)
        if len(self._blended) > _STYLE_CACHE_SIZE:
            self._blended.clear()
        blended, segments = self._blended, []
        for text, style, control in self._strips[y]:
            result = blended.get(style)
            if result is None:
                result = blended[style] = self._blend(style)
            segments.append(Segment(text, result, control))
        return Strip(segments).adjust_cell_length(cells)

    def _blend(self, style: Style | None) -> Style:
        """Return the style blended with the colour, by Textual's own arithmetic."""
        (part,) = BackgroundScreen.process_segments([Segment(" ", style)], self.colour)
        return part.style or Style()

"""A scrolling view whose lines are comparable values: only lines that differ are repainted.

Textual's scroll views repaint everything when they scroll or grow: 24,000 bytes for a refresh that
changed a few cells, instead of a few hundred.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from rich.style import Style as RichStyle
from textual import events
from textual.color import Color
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from runqy_tui.tui.compat.hooks import clear_visual_styles, refresh_scrollbars

LineType = TypeVar("LineType", bound=Hashable)


class LineView(ScrollView, Generic[LineType], inherit_bindings=False):
    """Base of the views that draw by line; subclasses compute and draw the lines.

    A line is a value that determines how it is drawn, except for the width of the view and the
    theme.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: Sequence[LineType] = ()
        self._drawn_size = Size(0, 0)
        self._style_cache: dict[tuple[str, ...], RichStyle] = {}
        self._background: tuple[Color, Color] | None = None

    # Provided by subclasses

    def visible_lines(self, size: Size) -> Sequence[LineType]:
        """Compute the visible lines, at most ``size.height``."""
        raise NotImplementedError

    def draw(self, line: LineType | None, cells: int) -> Strip:
        """Draw a line in ``cells`` cells; ``None`` is an empty one below the last."""
        raise NotImplementedError

    def changed_span(self, old: LineType, new: LineType, cells: int) -> tuple[int, int]:  # noqa: ARG002
        """Return the cells ``[start, end)`` in which two different lines may differ."""
        return 0, cells

    def clear_drawn(self) -> None:
        """Clear what is cached of drawn lines: styles have changed."""

    def line_count(self) -> int:
        """Return the number of all scrolling lines."""
        raise NotImplementedError

    @property
    def header_height(self) -> int:
        """Lines at the top that do not scroll."""
        return 0

    def fit_to_size(self) -> None:
        """Adapt to a new size, before the lines are computed for it."""
        self.update_extent()
        self.scroll_to_line(self.top)

    # Used by subclasses

    @property
    def view_size(self) -> Size:
        """Size without border, padding and scrollbar, in cells and lines."""
        return self.scrollable_content_region.size

    @property
    def page_height(self) -> int:
        """Scrolling lines that fit into the view, at least one."""
        return max(1, self.view_size.height - self.header_height)

    @property
    def top(self) -> int:
        """Index of the first visible scrolling line."""
        return self.scroll_offset.y

    def style_of(self, *names: str) -> RichStyle:
        """Combine component classes, later ones first, on the background of the view."""
        style = self._style_cache.get(names)
        if style is None:
            style = self.get_visual_style(*names).rich_style
            for name in names:  # a visual style has no reverse attribute
                style += RichStyle(reverse=self.get_component_styles(name).text_style.reverse)
            self._style_cache[names] = style
        return style

    def update_extent(self) -> None:
        """Fit the scrollbar to the number of lines; the position may then be beyond the end."""
        count = self.line_count()
        size = Size(0, count + self.header_height if count else 0)
        if size != self.virtual_size:
            # The reactive itself would repaint the whole view.
            self.set_reactive(Widget.virtual_size, size)
        if not self.container_size:
            return
        refresh_scrollbars(self)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.window_size = self.container_size.height

    def scroll_to_line(self, top: int) -> None:
        """Scroll to a line without painting; :meth:`update_lines` has to follow."""
        if not self.is_mounted:
            return
        top = max(0, min(top, self.max_scroll_y))
        self.app.animator.force_stop_animation(self, "scroll_y")
        self.set_scroll(None, top)
        self.set_reactive(Widget.scroll_target_y, top)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = top

    def update_lines(self) -> None:
        """Compute the visible lines, and repaint those that differ."""
        size = self.view_size
        if not size:
            self._drawn_size = size
            self.refresh()  # not displayed: repaint everything once it is
            return
        old, same_size = self._lines, size == self._drawn_size
        self._lines, self._drawn_size = self.visible_lines(size), size
        if not same_size:
            self.refresh()
            return
        regions = []
        for y in range(max(len(old), len(self._lines))):
            before = old[y] if y < len(old) else None
            after = self._lines[y] if y < len(self._lines) else None
            if before != after:
                start, end = 0, size.width
                if before is not None and after is not None:
                    start, end = self.changed_span(before, after, size.width)
                regions.append(Region(start, y, end - start, 1))
        if regions:
            self.refresh(*regions)

    # Called by Textual

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        size = self.view_size
        if size != self._drawn_size:  # painted before the resize event
            self._lines, self._drawn_size = self.visible_lines(size), size
        return self.draw(self._lines[y] if y < len(self._lines) else None, size.width)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint only the lines that scrolling changed."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.update_lines()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the lines to the new size."""
        self.fit_to_size()
        self.update_lines()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw on the current background: that of a parent may have changed."""
        background = self.background_colors
        if background != self._background:
            self._background = background
            self._clear_styles()
        return super().render_lines(crop)

    def notify_style_update(self) -> None:
        """Repaint if the theme, the focus or a class has changed styles."""
        super().notify_style_update()
        if self.is_running:  # Textual computes the component classes after this
            self.call_next(self._repaint_if_restyled)

    def _repaint_if_restyled(self) -> None:
        before = self._style_cache.copy()
        self._clear_styles()
        if any(self.style_of(*names) != style for names, style in before.items()):
            self.refresh()

    def _clear_styles(self) -> None:
        clear_visual_styles(self)
        self._style_cache.clear()
        self.clear_drawn()

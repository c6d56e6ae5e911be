"""A scrolling view made of lines that are values: only those that differ are painted again.

Stock scroll views repaint everything when they scroll or grow. Over SSH that is the difference
between 24,000 bytes and a few hundred for a refresh that changed a handful of cells.
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

L = TypeVar("L", bound=Hashable)


class LineView(ScrollView, Generic[L], inherit_bindings=False):
    """Base of the views that draw by line; subclasses say what is on a line and how it looks.

    A line is a value that says everything that decides its look, but for the width of the view
    and the theme.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: Sequence[L] = ()
        self._drawn_size = Size(0, 0)
        self._style_cache: dict[tuple[str, ...], RichStyle] = {}
        self._background: tuple[Color, Color] | None = None

    # What a subclass provides

    def frame(self, size: Size) -> Sequence[L]:
        """Compute what the visible lines show now, at most ``size.height`` of them."""
        raise NotImplementedError

    def draw(self, line: L | None, cells: int) -> Strip:
        """Draw a line (``None`` is below the last one) into ``cells`` cells."""
        raise NotImplementedError

    def changed(self, old: L, new: L, cells: int) -> tuple[int, int]:  # noqa: ARG002
        """Cells ``[start, end)`` in which two different lines may differ."""
        return 0, cells

    def forget_drawn(self) -> None:
        """Drop what was drawn with the styles of before."""

    def extent(self) -> int:
        """Count the scrolling lines there are in all."""
        raise NotImplementedError

    @property
    def head_height(self) -> int:
        """Lines at the top that do not scroll."""
        return 0

    def resized(self) -> None:
        """React to a new size, before the lines are computed for it."""
        self.update_extent()
        self.go_to(self.top)

    # What it gives them

    @property
    def view_size(self) -> Size:
        """Cells and lines inside border, padding and scrollbar."""
        return self.scrollable_content_region.size

    @property
    def page_height(self) -> int:
        """Scrolling lines that are visible at once, at least one."""
        return max(1, self.view_size.height - self.head_height)

    @property
    def top(self) -> int:
        """Index of the first visible scrolling line."""
        return self.scroll_offset.y

    def style_of(self, *names: str) -> RichStyle:
        """Combine component classes, the last one winning, over the background of the view."""
        style = self._style_cache.get(names)
        if style is None:
            style = self.get_visual_style(*names).rich_style
            for name in names:  # a visual style knows no reverse
                style += RichStyle(reverse=self.get_component_styles(name).text_style.reverse)
            self._style_cache[names] = style
        return style

    def update_extent(self) -> None:
        """Fit the scrollbar to the number of lines; may leave the position beyond the end."""
        count = self.extent()
        size = Size(0, count + self.head_height if count else 0)
        if size != self.virtual_size:
            # The reactive itself would repaint the whole view.
            self.set_reactive(Widget.virtual_size, size)
        if not self.container_size:
            return
        refresh_scrollbars(self)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.window_size = self.container_size.height

    def go_to(self, top: int) -> None:
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
        """Compute the visible lines anew and have those painted that differ."""
        size = self.view_size
        if not size:
            self._drawn_size = size
            self.refresh()  # not displayed: what was painted is no longer true when it is again
            return
        old, same_size = self._lines, size == self._drawn_size
        self._lines, self._drawn_size = self.frame(size), size
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
                    start, end = self.changed(before, after, size.width)
                regions.append(Region(start, y, end - start, 1))
        if regions:
            self.refresh(*regions)

    # Textual's side

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        size = self.view_size
        if size != self._drawn_size:  # painted before the resize event came
            self._lines, self._drawn_size = self.frame(size), size
        return self.draw(self._lines[y] if y < len(self._lines) else None, size.width)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint what scrolling changed, not everything."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.update_lines()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the lines to the new size."""
        self.resized()
        self.update_lines()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw with the background of now: one further up may have changed."""
        background = self.background_colors
        if background != self._background:
            self._background = background
            self._forget_styles()
        return super().render_lines(crop)

    def notify_style_update(self) -> None:
        """Learn that the theme, the focus or the like may have changed styles."""
        super().notify_style_update()
        if self.is_running:  # Textual computes the component classes only after this
            self.call_next(self._restyle)

    def _restyle(self) -> None:
        before = self._style_cache.copy()
        self._forget_styles()
        if any(self.style_of(*names) != style for names, style in before.items()):
            self.refresh()

    def _forget_styles(self) -> None:
        clear_visual_styles(self)
        self._style_cache.clear()
        self.forget_drawn()

"""The footer: the keys of the current screen in one line, drawn by a single widget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from runqy_tui.tui import safe_text

_EDGE = "▏"
_GAP = " "
_DIM = Style(dim=True)
_WHEEL = 4
"""Cells per notch of the wheel by which keys scroll that do not fit."""


class LiveKey(NamedTuple):
    """A key as the footer shows it; not ``enabled`` while its action is unavailable."""

    key: str
    display: str
    description: str
    enabled: bool

    @property
    def width(self) -> int:
        """Width in cells, without the gap behind it."""
        return safe_text.width(self.display) + 1 + safe_text.width(self.description)


class KeysFooter(Widget, can_focus=False):
    """Shows the keys, and presses the one that is clicked; repainted only when they differ.

    Textual's own footer is a widget per key, created again whenever the focus moves: at 120 columns
    that took half of the CPU of moving to another pane, and more of opening a window.

    Args:
        palette: whether the command palette's key is shown at the right end.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"keysfooter--{name}" for name in ("key", "description", "edge")
    }
    DEFAULT_CSS = """
    KeysFooter {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $panel;
        & > .keysfooter--key {
            color: $footer-key-foreground;
            background: $footer-key-background;
            text-style: bold;
        }
        & > .keysfooter--description {
            color: $footer-description-foreground;
            background: $footer-description-background;
        }
        & > .keysfooter--edge { color: $foreground 20%; }
    }
    """

    def __init__(self, *, palette: bool = True) -> None:
        super().__init__()
        self._palette = palette
        self._keys: tuple[LiveKey, ...] = ()
        self._palette_key: LiveKey | None = None
        self._scrolled_cells = 0
        self._update_scheduled = False

    @property
    def palette(self) -> bool:
        """Whether the command palette's key is shown at the right end."""
        return self._palette

    @palette.setter
    def palette(self, shown: bool) -> None:
        if shown != self._palette:
            self._palette = shown
            self.refresh()

    def on_mount(self) -> None:
        """Subscribe to changes of the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def on_unmount(self) -> None:
        """Unsubscribe."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        shown = self.app.app_focus and self.is_attached and screen is self.screen
        if self._update_scheduled or not shown:
            return
        self._update_scheduled = self.call_after_refresh(self.update_keys)

    def update_keys(self) -> None:
        """Show the current keys."""
        self._update_scheduled = False
        if not self.is_attached:
            return
        keys, palette_key = self._live_keys()
        if (keys, palette_key) != (self._keys, self._palette_key):
            self._keys, self._palette_key, self._scrolled_cells = keys, palette_key, 0
            self.refresh()

    def _live_keys(self) -> tuple[tuple[LiveKey, ...], LiveKey | None]:
        """The keys to show, one per action, and the command palette's."""
        active = self.screen.active_bindings
        shown: dict[str, LiveKey] = {}
        for _, binding, enabled, _ in active.values():
            if binding.show and binding.action not in shown:
                display = self.app.get_key_display(binding)
                shown[binding.action] = LiveKey(binding.key, display, binding.description, enabled)
        palette_key = None
        if (active_binding := active.get(self.app.COMMAND_PALETTE_BINDING)) is not None:
            binding = active_binding.binding
            display = self.app.get_key_display(binding)
            palette_key = LiveKey(binding.key, display, binding.description, active_binding.enabled)
        return tuple(shown.values()), palette_key

    # Drawing

    @property
    def _keys_width(self) -> int:
        """Cells for the keys: all but those of the palette's key."""
        palette_key = self._palette_key if self._palette else None
        return self.size.width - (0 if palette_key is None else palette_key.width + 2)

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        width, keys_width = self.size.width, self._keys_width
        if y or width <= 0:
            return Strip.blank(width, self.rich_style)
        keys = Strip(self._segments(self._keys))
        line = keys.crop(self._scrolled_cells, self._scrolled_cells + max(0, keys_width))
        line = line.adjust_cell_length(max(0, keys_width), self.rich_style)
        if self._palette and self._palette_key is not None:
            edge = Segment(_EDGE, self._style("edge"))
            palette = Strip([edge, *self._segments([self._palette_key])])
            line = Strip.join([line, palette]).crop(0, width)
        return line

    def _segments(self, keys: Sequence[LiveKey]) -> Iterator[Segment]:
        key, description = self._style("key"), self._style("description")
        for live_key in keys:
            yield Segment(live_key.display, key if live_key.enabled else key + _DIM)
            text = f" {live_key.description}"
            yield Segment(text, description if live_key.enabled else description + _DIM)
            yield Segment(_GAP, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_visual_style(f"keysfooter--{name}").rich_style

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key under the pointer."""
        live_key = self._key_at(event.x)
        if live_key is not None and live_key.enabled:
            self.app.simulate_key(live_key.key)
        elif live_key is not None:
            self.app.bell()

    def _key_at(self, x: int) -> LiveKey | None:
        keys_width = max(0, self._keys_width)
        if x >= keys_width:
            return self._palette_key
        at = -self._scrolled_cells
        for live_key in self._keys:
            if at <= x < at + live_key.width:
                return live_key
            at += live_key.width + len(_GAP)
        return None

    def on_mouse_scroll_down(self) -> None:
        """Scroll to the keys that are cut off on the right."""
        self._scroll_keys(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Scroll back to the left."""
        self._scroll_keys(-_WHEEL)

    def _scroll_keys(self, cells: int) -> None:
        full = sum(live_key.width + len(_GAP) for live_key in self._keys)
        offset = max(0, min(self._scrolled_cells + cells, full - self._keys_width))
        if offset != self._scrolled_cells:
            self._scrolled_cells = offset
            self.refresh()

"""The live keys of the screen in one line, drawn by a single widget."""

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
"""Cells that a notch of the wheel moves keys for which there is no room."""


class LiveKey(NamedTuple):
    """A key as the footer shows it; ``live`` is false where it could do nothing at present."""

    key: str
    display: str
    description: str
    live: bool

    @property
    def width(self) -> int:
        """Cells it takes, without the gap behind it."""
        return safe_text.width(self.display) + 1 + safe_text.width(self.description)


class KeysFooter(Widget, can_focus=False):
    """Shows the keys and presses the one that is clicked. It repaints only when they differ.

    Textual's own footer is a widget for each key, made anew whenever the focus moves: at 120
    columns that took half of the CPU of going to another pane, and more of opening a window.

    Args:
        palette: whether the palette's key stands at the right end.
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
        self._last: LiveKey | None = None
        self._shift = 0
        self._due = False

    @property
    def palette(self) -> bool:
        """Whether the palette's key stands at the right end."""
        return self._palette

    @palette.setter
    def palette(self, shown: bool) -> None:
        if shown != self._palette:
            self._palette = shown
            self.refresh()

    def on_mount(self) -> None:
        """Learn when keys may have changed."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_unmount(self) -> None:
        """Listen no more."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _changed(self, screen: Screen[object]) -> None:
        if self._due or not (self.app.app_focus and self.is_attached and screen is self.screen):
            return
        self._due = self.call_after_refresh(self.renew)

    def renew(self) -> None:
        """Show the keys of now."""
        self._due = False
        if not self.is_attached:
            return
        keys, last = self._live_keys()
        if (keys, last) != (self._keys, self._last):
            self._keys, self._last, self._shift = keys, last, 0
            self.refresh()

    def _live_keys(self) -> tuple[tuple[LiveKey, ...], LiveKey | None]:
        """What to show, one key for each action, and the palette's."""
        active = self.screen.active_bindings
        shown: dict[str, LiveKey] = {}
        for _, binding, enabled, _ in active.values():
            if binding.show and binding.action not in shown:
                display = self.app.get_key_display(binding)
                shown[binding.action] = LiveKey(binding.key, display, binding.description, enabled)
        last = None
        if (found := active.get(self.app.COMMAND_PALETTE_BINDING)) is not None:
            binding = found.binding
            display = self.app.get_key_display(binding)
            last = LiveKey(binding.key, display, binding.description, found.enabled)
        return tuple(shown.values()), last

    # Drawing

    @property
    def _room(self) -> int:
        """Cells for the keys: all but those of the palette's."""
        last = self._last if self._palette else None
        return self.size.width - (0 if last is None else last.width + 2)

    def render_line(self, y: int) -> Strip:
        """Draw the only line there is."""
        width, room = self.size.width, self._room
        if y or width <= 0:
            return Strip.blank(width, self.rich_style)
        keys = Strip(self._segments(self._keys))
        line = keys.crop(self._shift, self._shift + max(0, room))
        line = line.adjust_cell_length(max(0, room), self.rich_style)
        if self._palette and self._last is not None:
            edge = Segment(_EDGE, self._style("edge"))
            last = Strip([edge, *self._segments([self._last])])
            line = Strip.join([line, last]).crop(0, width)
        return line

    def _segments(self, keys: Sequence[LiveKey]) -> Iterator[Segment]:
        key, description = self._style("key"), self._style("description")
        for one in keys:
            yield Segment(one.display, key if one.live else key + _DIM)
            said = f" {one.description}"
            yield Segment(said, description if one.live else description + _DIM)
            yield Segment(_GAP, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_visual_style(f"keysfooter--{name}").rich_style

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key under the pointer."""
        one = self._key_at(event.x)
        if one is not None and one.live:
            self.app.simulate_key(one.key)
        elif one is not None:
            self.app.bell()

    def _key_at(self, x: int) -> LiveKey | None:
        room = max(0, self._room)
        if x >= room:
            return self._last
        at = -self._shift
        for one in self._keys:
            if at <= x < at + one.width:
                return one
            at += one.width + len(_GAP)
        return None

    def on_mouse_scroll_down(self) -> None:
        """Bring what is cut off on the right into view."""
        self._move(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """And back."""
        self._move(-_WHEEL)

    def _move(self, cells: int) -> None:
        full = sum(one.width + len(_GAP) for one in self._keys)
        shift = max(0, min(self._shift + cells, full - self._room))
        if shift != self._shift:
            self._shift = shift
            self.refresh()

"""Hooks for an app and its screens, and functions for single private names of Textual and Rich."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeVar

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from runqy_tui.tui.compat.private_names import (
    CACHES,
    COLOURS,
    ERRORS,
    FRAME_TIMER,
    FRAMES,
    LINES,
    STYLES,
    TOASTS,
    StylesCache,
    Toast,
)

ReturnType = TypeVar("ReturnType")


class HookedApp(App[ReturnType]):
    """An app whose drawing and error handling a subclass replaces by public methods."""

    @property
    def driver(self) -> Driver | None:
        """The driver in use, ``None`` while the app does not run."""
        return getattr(self, "_driver", None)

    @property
    def first_error(self) -> Exception | None:
        """The error that ended the app; ``None`` if none did."""
        return getattr(self, "_exception", None)

    @property
    def accepts_frames(self) -> bool:
        """Whether the app runs and no batch of updates is open."""
        return not self._batch_count and self._running and not self._closed

    @property
    def terminal_synchronises(self) -> bool:
        """Whether the terminal has reported that it knows synchronised output (mode 2026)."""
        return self._sync_available

    @property
    def draws_frames(self) -> bool:
        """Whether :meth:`draw_update` is used; then Textual sends no synchronisation brackets."""
        return False

    def draw_update(self, update: RenderableType | None) -> bool:  # noqa: ARG002
        """Draw an update of the compositor. Return ``False`` to have Textual draw it."""
        return False

    def handles_error(self, error: Exception) -> bool:  # noqa: ARG002
        """Return ``True`` for an unhandled exception after which the app continues."""
        return False

    # Called by Textual, perhaps with other arguments where a feature is not available.

    def _display(self, *args: Any, **options: Any) -> None:
        if FRAMES.is_available:
            self._draw_or_display(*args, **options)
        else:
            super()._display(*args, **options)

    def _draw_or_display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if self.draw_update(renderable):
            self.post_display_hook()
        else:
            super()._display(screen, renderable)

    def _begin_update(self, *args: Any, **options: Any) -> None:
        if not (FRAMES.is_available and self.draws_frames):
            super()._begin_update(*args, **options)

    def _end_update(self, *args: Any, **options: Any) -> None:
        if not (FRAMES.is_available and self.draws_frames):
            super()._end_update(*args, **options)

    def _handle_exception(self, error: Exception, *args: Any, **options: Any) -> None:
        if not (ERRORS.is_available and self.handles_error(error)):
            super()._handle_exception(error, *args, **options)

    def _fatal_error(self, *args: Any, **options: Any) -> None:
        # Textual would print a traceback with all local variables, credentials included.
        if ERRORS.is_available:
            self._close_messages_no_wait()
        else:
            super()._fatal_error(*args, **options)


def fail(app: App[Any], error: Exception) -> None:
    """Handle an exception as Textual does one in a message handler: the app decides, or ends."""
    app._handle_exception(error)  # noqa: SLF001


def is_ready(app: App[Any]) -> bool:
    """Whether the app has a screen, on which updates can be delayed."""
    return app._dom_ready  # noqa: SLF001


def write_to_terminal(app: App[Any], data: str) -> None:
    """Write a control sequence through the driver; does nothing where there is none."""
    driver = getattr(app, "_driver", None)
    if driver is not None:
        driver.write(data)


def set_colour_system(console: Console, colours: ColorSystem) -> None:
    """Set the colours that a console draws with."""
    if COLOURS.is_available:
        console._color_system = colours  # noqa: SLF001


if TYPE_CHECKING:
    _Screen = Screen[Any]
else:  # of several bases, Textual takes styles only from the first that is one of its own
    _Screen = object


class HookedScreen(_Screen):
    """Mixin of a screen that has a frame timer of its own and selects the sizes it accepts."""

    @property
    def frame_timer(self) -> Any:
        """What is used in place of Textual's update timer: has ``pause`` and ``resume``."""
        raise NotImplementedError

    def accepts_size(self, size: Size) -> bool:  # noqa: ARG002
        """Whether to lay the screen out at a reported size."""
        return True

    def paint_now(self) -> None:
        """Draw what has changed; an exception goes to the app, as from a timer of Textual."""
        if not self.is_running:
            return
        try:
            self._on_timer_update()
        except Exception as error:  # noqa: BLE001 -- the app decides
            fail(self.app, error)

    @property
    def _update_timer(self) -> Any:
        return self.frame_timer if FRAME_TIMER.is_available else super()._update_timer

    def _screen_resized(self, size: Size, *args: Any, **options: Any) -> None:
        if not FRAME_TIMER.is_available or self.accepts_size(size):
            super()._screen_resized(size, *args, **options)


def rendered_strips(screen: Screen[Any]) -> list[Strip]:
    """All lines of a screen as they would be drawn now."""
    return screen._compositor.render_strips()  # noqa: SLF001


def mark_dirty(widget: Widget) -> None:
    """Have :func:`take_dirty` return ``True`` next time."""
    widget._dirty_regions.add(widget.size.region)  # noqa: SLF001


def take_dirty(widget: Widget) -> bool:
    """Whether anything of a widget is to be drawn again; it counts as drawn afterwards."""
    dirty = bool(widget._dirty_regions)  # noqa: SLF001
    widget._dirty_regions.clear()  # noqa: SLF001
    return dirty


def refresh_scrollbars(widget: Widget) -> None:
    """Show or hide scrollbars as the virtual size needs, without drawing the widget."""
    if LINES.is_available:
        widget._refresh_scrollbars()  # noqa: SLF001
    else:
        widget.refresh(layout=True)


def clear_visual_styles(widget: Widget) -> None:
    """Have the styles of component classes computed again, over the background of now."""
    if LINES.is_available:
        widget._visual_style_cache.clear()  # noqa: SLF001


def style_attributes(style: Style) -> int:
    """Attributes of a style that are on: bit 0 is bold, in the order of :attr:`ATTRIBUTES`."""
    if STYLES.is_available:
        return style._attributes & style._set_attributes  # noqa: SLF001
    return sum(bool(getattr(style, name)) << bit for bit, name in enumerate(ATTRIBUTES))


ATTRIBUTES = (
    *("bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal", "strike"),
    *("underline2", "frame", "encircle", "overline"),
)
"""Rich's attributes in the order of their bits, which is that of their SGR codes."""


def set_least_timeout(toast: Toast, least_s: float) -> None:
    """Have a toast stay for at least so many seconds from when it is shown."""
    toast._timeout = max(least_s, toast._timeout)  # noqa: SLF001


def replace_toast(toast: type[Toast]) -> None:
    """Have Textual show messages as these."""
    if TOASTS.is_available:
        vars(importlib.import_module("textual.widgets._toast"))["Toast"] = toast


def clear_drawn_caches() -> None:
    """Drop lines of closed windows, and pieces of lines that were once cut.

    Textual caches the colours of a thousand widgets by the object that holds the widget's lines:
    what was drawn of the last hundred windows, and of all that came and went in them, would remain.
    Rich keeps the last 16,384 texts that were cut in two, with both halves: ten megabytes, which
    fill up within an hour or two.
    """
    if CACHES.is_available:
        for cached in (StylesCache.get_inner_outer, Segment._split_cells):  # noqa: SLF001
            cached.cache_clear()

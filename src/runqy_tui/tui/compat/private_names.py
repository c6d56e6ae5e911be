"""The private names in use by feature, and whether the installed Textual and Rich have them.

Each use is a :class:`Feature`. Where the installed Textual differs from the tested one in a name
that a feature needs, only that feature is off: Textual's own way is taken, and
:func:`differences` returns a sentence about it that the app shows.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.widget import Widget

__all__ = [
    "BACKDROP",
    "CACHES",
    "COLOURS",
    "DRIVER",
    "ERRORS",
    "FEATURES",
    "FRAMES",
    "FRAME_TIMER",
    "LINES",
    "STYLES",
    "TESTED",
    "TOASTS",
    "ChopsUpdate",
    "Compositor",
    "Feature",
    "LayoutUpdate",
    "PrivateName",
    "StylesCache",
    "Toast",
    "ToastHolder",
    "WriterThread",
    "differences",
]

TESTED = "8.2"
"""Series of Textual whose private names these are."""


def _load(module: str, name: str) -> Any:
    """A class of a private module of Textual; an empty class of that name where it is missing."""
    missing = type(name, (), {})
    try:
        return getattr(importlib.import_module(module), name, missing)
    except ImportError:
        return missing


if TYPE_CHECKING:
    from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
    from textual._styles_cache import StylesCache
    from textual.drivers._writer_thread import WriterThread
    from textual.widgets._toast import Toast, ToastHolder
else:
    ChopsUpdate = _load("textual._compositor", "ChopsUpdate")
    Compositor = _load("textual._compositor", "Compositor")
    LayoutUpdate = _load("textual._compositor", "LayoutUpdate")
    StylesCache = _load("textual._styles_cache", "StylesCache")
    WriterThread = _load("textual.drivers._writer_thread", "WriterThread")
    Toast = _load("textual.widgets._toast", "Toast")
    ToastHolder = _load("textual.widgets._toast", "ToastHolder")


class PrivateName(NamedTuple):
    """A private name and where it belongs.

    ``parameters`` are those of a method, ``self`` included; ``None`` for an attribute, which a
    class may have itself, in its slots, or by an assignment in ``__init__``.
    """

    owner: Any
    name: str
    parameters: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """The name as a reader of Textual's source would write it."""
        return f"{getattr(self.owner, '__name__', self.owner)}.{self.name}"

    @property
    def is_as_tested(self) -> bool:
        """Whether the installed version has it, with these parameters."""
        if self.parameters is None:
            return hasattr(self.owner, self.name) or any(
                self.name in _code_of(vars(base).get("__init__")).co_names
                for base in getattr(self.owner, "__mro__", ())
            )
        code = _code_of(getattr(self.owner, self.name, None))
        return bool(code.co_varnames[: code.co_argcount] == self.parameters)


def _code_of(function: object) -> Any:
    return getattr(getattr(function, "__wrapped__", function), "__code__", _code_of.__code__)


class Feature:
    """A use of private names.

    Args:
        fallback: what happens without it, as the end of a sentence.
        names: all of them are needed.
    """

    def __init__(self, fallback: str, *names: PrivateName) -> None:
        self.fallback = fallback
        self.names = names

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Labels of the names that differ; checked at the first use."""
        return tuple(name.label for name in self.names if not name.is_as_tested)

    @property
    def is_available(self) -> bool:
        """Whether all names are as tested."""
        return not self.missing


def _attributes(owner: Any, *names: str) -> Iterator[PrivateName]:
    return (PrivateName(owner, name) for name in names)


FRAMES = Feature(
    "Textual draws the screen itself, with more output per refresh",
    PrivateName(App, "_display", ("self", "screen", "renderable")),
    PrivateName(App, "_begin_update", ("self",)),
    PrivateName(App, "_end_update", ("self",)),
    *_attributes(App, "_driver", "_batch_count", "_running", "_closed", "_sync_available"),
    PrivateName(LayoutUpdate, "__init__", ("self", "strips", "region")),
    PrivateName(ChopsUpdate, "__init__", ("self", "chops", "spans", "chop_ends")),
)
FRAME_TIMER = Feature(
    "Textual's own timer decides when a frame is drawn",
    PrivateName(Screen, "_update_timer"),
    PrivateName(Screen, "_on_timer_update", ("self",)),
    PrivateName(Screen, "_screen_resized", ("self", "size")),
    PrivateName(App, "_handle_exception", ("self", "error")),
)
BACKDROP = Feature(
    "Textual draws what lies below a window",
    *_attributes(Screen, "_compositor", "_dirty_regions"),
    PrivateName(Compositor, "render_strips"),
)
ERRORS = Feature(
    "Textual handles errors itself",
    PrivateName(App, "_handle_exception", ("self", "error")),
    PrivateName(App, "_fatal_error", ("self",)),
    PrivateName(App, "_close_messages_no_wait", ("self",)),
    *_attributes(App, "_exception"),
)
DRIVER = Feature(
    "Textual's own terminal driver is used",
    *(
        PrivateName(LinuxDriver, name, ("self",))
        for name in (
            *("_enable_mouse_support", "_disable_mouse_support", "_enable_mouse_pixels"),
            *("_sigtstp_application", "_sigcont_application"),
            *("_get_terminal_size", "_run_input_thread"),
        )
    ),
    *_attributes(LinuxDriver, "_app", "_loop", "_file", "_mouse", "_mouse_pixels"),
    *_attributes(LinuxDriver, "_writer_thread", "_in_band_window_resize", "_auto_restart"),
    *_attributes(LinuxDriver, "_must_signal_resume"),
    *_attributes(linux_driver, "WriterThread", "getincrementaldecoder"),
    *_attributes(App, "_dom_ready", "_handle_exception"),
)
TOASTS = Feature(
    "messages disappear after the time that Textual sets",
    *_attributes(Toast, "_timeout"),
    *_attributes(ToastHolder, "remove"),
)
LINES = Feature(
    "lists are laid out again whenever they grow",
    PrivateName(Widget, "_refresh_scrollbars", ("self",)),
    *_attributes(Widget, "_visual_style_cache"),
)
CACHES = Feature(
    "memory grows by what Textual keeps of closed windows",
    *_attributes(StylesCache, "get_inner_outer"),
    *_attributes(Segment, "_split_cells"),
)
STYLES = Feature(
    "attributes of text are read one by one, which is slower",
    *_attributes(Style, "_attributes", "_set_attributes"),
)
COLOURS = Feature(
    "the number of colours cannot be set",
    *_attributes(Console, "_color_system"),
)
FEATURES = (FRAMES, FRAME_TIMER, BACKDROP, ERRORS, DRIVER, TOASTS, LINES, CACHES, STYLES, COLOURS)


def differences() -> list[str]:
    """A sentence for each feature that the installed Textual or Rich does not allow."""
    off = [feature for feature in FEATURES if not feature.is_available]
    if not off:
        return []
    from importlib.metadata import version  # slow to load, and seldom needed

    installed = f"Textual {version('textual')} (Rich {version('rich')})"
    return [
        f"{installed} differs from {TESTED} in {', '.join(feature.missing)}: {feature.fallback}."
        for feature in off
    ]

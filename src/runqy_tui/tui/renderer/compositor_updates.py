"""What Textual's compositor wants drawn, put into a frame; and whether this Textual is understood.

The compositor's updates have no public form. They are read here and nowhere else, and
:func:`misfit` says before the first frame whether they still look as they did.
"""

from __future__ import annotations

import inspect

from textual import _compositor
from textual.app import App
from textual.strip import Strip

from runqy_tui.tui.renderer.cell_frame import CellFrame
from runqy_tui.tui.renderer.style_encoder import StyleEncoder

TESTED = ("8.2",)
"""Series of Textual that the tests of this folder have passed with."""

_SHAPES = (
    (_compositor.LayoutUpdate.__init__, ("self", "strips", "region")),
    (_compositor.ChopsUpdate.__init__, ("self", "chops", "spans", "chop_ends")),
    (App._display, ("self", "screen", "renderable")),  # noqa: SLF001
    (App._begin_update, ("self",)),  # noqa: SLF001
    (App._end_update, ("self",)),  # noqa: SLF001
)


def misfit() -> str | None:
    """Why updates of the installed Textual cannot be read, ``None`` where they can."""
    for function, parameters in _SHAPES:
        if tuple(inspect.signature(function).parameters) != parameters:
            return _other("draws")
    return None if hasattr(Strip([]), "_segments") else _other("keeps its strips")


def _other(does: str) -> str:
    from importlib.metadata import version  # slow to load, and seldom wanted

    return f"Textual {version('textual')} {does} in another way than {TESTED[-1]} does"


def understood(update: object) -> bool:
    """Whether :func:`take` can read an update."""
    return isinstance(update, _compositor.LayoutUpdate | _compositor.ChopsUpdate)


def take(update: object, frame: CellFrame, pens: StyleEncoder) -> None:
    """Put an update into a frame."""
    if isinstance(update, _compositor.LayoutUpdate):
        _take_layout(update, frame, pens)
    elif isinstance(update, _compositor.ChopsUpdate):
        _take_chops(update, frame, pens)


def _take_layout(update: _compositor.LayoutUpdate, frame: CellFrame, pens: StyleEncoder) -> None:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            frame.put(y, x, strip, pens)
            x += strip.cell_length


def _take_chops(update: _compositor.ChopsUpdate, frame: CellFrame, pens: StyleEncoder) -> None:
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            if x < x1 or end > x2:
                # The whole chop is known: what of it lies beside the span is the same anyway.
                strip = strip.crop(0, min(end, x2) - x)  # noqa: PLW2901
            frame.put(y, x, strip, pens)

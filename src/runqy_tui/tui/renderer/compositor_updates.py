"""Reads what Textual's compositor wants drawn into a frame."""

from __future__ import annotations

from runqy_tui.tui.compat.private_names import ChopsUpdate, LayoutUpdate
from runqy_tui.tui.renderer.cell_frame import CellFrame
from runqy_tui.tui.renderer.style_encoder import StyleEncoder


def understood(update: object) -> bool:
    """Whether :func:`take` can read an update."""
    return isinstance(update, LayoutUpdate | ChopsUpdate)


def take(update: object, frame: CellFrame, pens: StyleEncoder) -> None:
    """Put an update into a frame."""
    if isinstance(update, LayoutUpdate):
        _take_layout(update, frame, pens)
    elif isinstance(update, ChopsUpdate):
        _take_chops(update, frame, pens)


def _take_layout(update: LayoutUpdate, frame: CellFrame, pens: StyleEncoder) -> None:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            frame.put(y, x, strip, pens)
            x += strip.cell_length


def _take_chops(update: ChopsUpdate, frame: CellFrame, pens: StyleEncoder) -> None:
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            if x < x1 or end > x2:
                # The whole chop is known: what of it lies beside the span is the same anyway.
                strip = strip.crop(0, min(end, x2) - x)  # noqa: PLW2901
            frame.put(y, x, strip, pens)

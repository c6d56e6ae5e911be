"""What Textual and Rich keep of what was drawn, dropped before it adds up."""

from __future__ import annotations

from rich.segment import Segment
from textual._styles_cache import StylesCache

EVERY_S = 60.0
"""How often to drop it while no window is closed: ages make other texts of the same lines."""


def forget_drawn() -> None:
    """Drop lines that are kept of closed windows, and pieces of lines that were once cut.

    Textual caches the colours of a thousand widgets by the object that holds the widget's lines:
    what was drawn of the last hundred windows, and of all that came and went in them, stayed.
    Rich keeps the last 16,384 texts that were cut in two, with both halves: ten megabytes, which
    fill up within an hour or two.
    """
    for cached in (StylesCache.get_inner_outer, getattr(Segment, "_split_cells", None)):
        forget = getattr(cached, "cache_clear", None)
        if forget is not None:
            forget()

"""A screen that takes the size the terminal has, and none that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.geometry import Size
from textual.screen import Screen

if TYPE_CHECKING:
    _Screen = Screen[Any]
else:  # of several bases, Textual takes styles only from the first that is one of its own
    _Screen = object


class Settled(_Screen):
    """For a screen that is to be laid out at the present size of the terminal only.

    Textual's screens tell themselves each size that they were laid out at. With two sizes on the
    way at once, as where a window is dragged while the program is busy, each brings the other
    back: for ever, without a turn for anybody else, or until the wrong one stays.
    """

    def _screen_resized(self, size: Size) -> None:
        if size == self.app.size:  # another one is past, and the present one is on its way
            super()._screen_resized(size)

"""A screen that what comes late does no harm to: a size that is past, a click after its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.await_complete import AwaitComplete
from textual.geometry import Size
from textual.screen import Screen

if TYPE_CHECKING:
    _Screen = Screen[Any]
else:  # of several bases, Textual takes styles only from the first that is one of its own
    _Screen = object


class Settled(_Screen):
    """For a screen that takes the present size of the terminal only, and is closed only once.

    Textual's screens tell themselves each size that they were laid out at. With two sizes on the
    way at once, as where a window is dragged while the program is busy, each brings the other
    back: for ever, without a turn for anybody else, or until the wrong one stays.

    To dismiss a screen takes whatever is on top from the screens. The second click of two beside
    the palette took the window below it, or found none and ended the app.
    """

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close this screen, if it is the one in front."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def _screen_resized(self, size: Size) -> None:
        if size == self.app.size:  # another one is past, and the present one is on its way
            super()._screen_resized(size)

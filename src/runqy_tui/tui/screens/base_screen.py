"""A screen that what comes late does no harm to: a size that is past, a click after its end.

And that is not late itself: see :class:`~runqy_tui.tui.renderer.frame_timer.FrameTimer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.await_complete import AwaitComplete
from textual.geometry import Size
from textual.screen import Screen

from runqy_tui.model.reader_protocol import InView
from runqy_tui.tui.renderer.frame_timer import FrameTimer

if TYPE_CHECKING:
    _Screen = Screen[Any]
else:  # of several bases, Textual takes styles only from the first that is one of its own
    _Screen = object


class BaseScreen(_Screen):
    """For a screen that takes the present size of the terminal only, and is closed only once.

    Textual's screens tell themselves each size that they were laid out at. With two sizes on the
    way at once, as where a window is dragged while the program is busy, each brings the other
    back: for ever, without a turn for anybody else, or until the wrong one stays.

    To dismiss a screen takes whatever is on top from the screens. The second click of two beside
    the palette took the window below it, or found none and ended the app.
    """

    _beat: FrameTimer | None = None

    @property
    def beat(self) -> FrameTimer:
        """What decides when this screen paints."""
        if self._beat is None:
            self._beat = FrameTimer(self._paint_now)
        return self._beat

    @property
    def _update_timer(self) -> Any:
        return self.beat

    def _paint_now(self) -> None:
        if not self.is_running:
            return
        try:
            self._on_timer_update()
        except Exception as error:  # noqa: BLE001 -- as Textual's timers do: the app decides
            self.app._handle_exception(error)  # noqa: SLF001

    def in_view(self) -> InView:
        """What this screen shows that is to be read at every poll."""
        return InView()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close this screen, if it is the one in front."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def _screen_resized(self, size: Size) -> None:
        # Another one than the app's is past, and the present one is on its way; for the same one
        # again, which each layout of a new size brings, all is laid out as it should be.
        if size == self.app.size and size != self.outer_size:
            super()._screen_resized(size)

"""Base of all screens: ignores sizes, dismissals and errors that arrive too late.

It also paints in step with the terminal, see
:class:`~runqy_tui.tui.renderer.frame_timer.FrameTimer`.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import Any

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.geometry import Size
from textual.screen import Screen
from textual.worker import WorkerFailed

from runqy_tui.model.reader_protocol import InView
from runqy_tui.tui.compat.hooks import HookedScreen
from runqy_tui.tui.renderer.frame_timer import FrameTimer


class BaseScreen(HookedScreen):
    """A screen that only accepts the terminal's present size and that closes only once.

    Textual's screens post themselves each size that they were laid out at. When two sizes are in
    flight at once, as while a terminal window is dragged and the program is busy, each restores
    the other: endlessly, starving the event loop, or until the wrong one remains.

    Dismissing a screen in Textual pops whichever screen is on top. The second of two clicks beside
    the palette closed the window below it, or found none and ended the app.
    """

    _frame_timer: FrameTimer | None = None

    @property
    def frame_timer(self) -> FrameTimer:
        """Decides when this screen paints."""
        if self._frame_timer is None:
            self._frame_timer = FrameTimer(self.paint_now)
        return self._frame_timer

    def in_view(self) -> InView:
        """Return the objects this screen shows, which every poll has to read."""
        return InView()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close this screen if it is the one in front; otherwise do nothing."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def accepts_size(self, size: Size) -> bool:
        """Return whether ``size`` is the app's present one and not laid out yet.

        A size other than the app's is outdated, and the present one is on its way. An unchanged
        size, which every layout of a new size posts once more, needs no further layout.
        """
        return size == self.app.size and size != self.outer_size


def is_late_error(error: BaseException, open_screens: list[Screen[object]]) -> bool:
    """Return whether ``error`` only means that the widgets of a closed window are gone.

    That is so if it is a ``NoMatches`` and every node in its traceback belongs to a screen that is
    not in ``open_screens``. Textual's own palette queries its widgets without checking for them.
    """
    cause = error.error if isinstance(error, WorkerFailed) else error
    if not isinstance(cause, NoMatches):
        return False
    owners = [frame.f_locals.get("self") for frame, _ in walk_tb(cause.__traceback__)]
    nodes = [owner for owner in owners if isinstance(owner, DOMNode)]
    return bool(nodes) and not any(_is_open(node, open_screens) for node in nodes)


def _is_open(node: DOMNode, open_screens: list[Screen[object]]) -> bool:
    """Return whether ``node`` is part of an open screen, or is the app itself."""
    ancestors = node.ancestors_with_self
    screens = [ancestor for ancestor in ancestors if isinstance(ancestor, Screen)]
    return screens[0] in open_screens if screens else isinstance(ancestors[-1], App)

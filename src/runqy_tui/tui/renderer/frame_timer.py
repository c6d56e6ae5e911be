"""When a screen paints: soon after something changed, and at once after a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from textual.constants import MAX_FPS

GAP_S = 1 / MAX_FPS
"""Least time from one frame to the next, in seconds."""
HASTE_S = 2 * GAP_S
"""Least time from one hurried frame to the next, so that a rush of keys is half more at most."""


class FrameTimer:
    """Stands in for the timer by which a Textual screen paints, with the methods it is used by.

    That timer ticks in step with a clock of its own: once it has rested, the second frame comes
    one to two periods behind the first. A key that was typed right after a poll had been painted
    waited up to 33 ms for its frame. Here a frame follows the one before after a gap, and the
    first one after a key does not wait at all.

    The first frame waits for a gap too: what a new screen mounts meanwhile is painted together.

    Args:
        paint: called in the loop, in the context of whoever asked first.
        clock: seconds, for the gaps.
    """

    def __init__(self, paint: Callable[[], None], clock: Callable[[], float] = monotonic) -> None:
        self._paint = paint
        self._clock = clock
        self._last = clock()
        self._hurried = float("-inf")
        self._in_haste = False
        self._held_until = float("-inf")
        self._due: asyncio.TimerHandle | None = None

    def hold(self, patience_s: float) -> None:
        """Let frames wait for so long, or until :meth:`release`: more is just coming.

        Nobody who hurries is held up.
        """
        self._hold_until(self._clock() + patience_s)

    def release(self) -> None:
        """All is there: let the frame that waits follow."""
        self._hold_until(float("-inf"))

    def _hold_until(self, moment: float) -> None:
        self._held_until = moment
        if self._due is not None:
            self.pause()
            self.resume()

    def hurry(self) -> None:
        """Let the next frame that is asked for follow at once: somebody waits for it."""
        self._in_haste = True

    def resume(self) -> None:
        """Ask for a frame."""
        at_once = self._in_haste and self._clock() - self._hurried >= HASTE_S
        if at_once:
            self.pause()
        if self._due is None:
            earliest = max(self._last + GAP_S, self._held_until)
            wait = 0.0 if at_once else max(0.0, earliest - self._clock())
            self._due = asyncio.get_running_loop().call_later(wait, self._run)
            if at_once:
                self._in_haste, self._hurried = False, self._clock()

    def pause(self) -> None:
        """Ask for none any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _run(self) -> None:
        self._due = None
        self._last = self._clock()
        self._paint()

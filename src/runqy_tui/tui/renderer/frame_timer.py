"""Schedules the frames of a screen: soon after a change, and immediately after a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from textual.constants import MAX_FPS

GAP_S = 1 / MAX_FPS
"""Shortest time between two frames, in seconds."""
URGENT_GAP_S = 2 * GAP_S
"""Shortest time between two urgent frames: many keys at once add half as many frames at most."""


class FrameTimer:
    """Replaces the update timer of a Textual screen; has the methods that Textual calls.

    Textual's timer fires at fixed periods: after a pause, the second frame is drawn one to two
    periods behind the first, and a key typed right after a poll was painted waited up to 33 ms.
    This one draws a frame :data:`GAP_S` after the last, and the first one after a key immediately.

    The first frame of a screen waits for :data:`GAP_S` too, so that all that is mounted by then is
    painted together.

    Args:
        paint: draws a frame; called in the loop, in the context of the first request.
        clock: seconds, for the gaps.
    """

    def __init__(self, paint: Callable[[], None], clock: Callable[[], float] = monotonic) -> None:
        self._paint = paint
        self._clock = clock
        self._last_frame = clock()
        self._last_urgent = float("-inf")
        self._is_urgent = False
        self._held_until = float("-inf")
        self._scheduled: asyncio.TimerHandle | None = None

    def hold(self, longest_s: float) -> None:
        """Delay frames for ``longest_s`` seconds or until :meth:`release`, as more changes follow.

        Urgent frames are not delayed.
        """
        self._hold_until(self._clock() + longest_s)

    def release(self) -> None:
        """End :meth:`hold`: draw the delayed frame."""
        self._hold_until(float("-inf"))

    def _hold_until(self, moment: float) -> None:
        self._held_until = moment
        if self._scheduled is not None:
            self.pause()
            self.resume()

    def expedite(self) -> None:
        """Have the next requested frame drawn immediately: it answers a key or the mouse."""
        self._is_urgent = True

    def resume(self) -> None:
        """Request a frame."""
        immediately = self._is_urgent and self._clock() - self._last_urgent >= URGENT_GAP_S
        if immediately:
            self.pause()
        if self._scheduled is None:
            earliest = max(self._last_frame + GAP_S, self._held_until)
            wait = 0.0 if immediately else max(0.0, earliest - self._clock())
            self._scheduled = asyncio.get_running_loop().call_later(wait, self._run)
            if immediately:
                self._is_urgent, self._last_urgent = False, self._clock()

    def pause(self) -> None:
        """Cancel the requested frame."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def _run(self) -> None:
        self._scheduled = None
        self._last_frame = self._clock()
        self._paint()

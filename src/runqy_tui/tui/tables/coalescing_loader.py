"""Readings that take turns: one at a time, of what is wanted when its turn comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

T = TypeVar("T")

REST_S = 0.1
"""From one change of what is wanted to the next that is read, in seconds: keys may be held down."""
STUCK_S = 1.0
"""A reading of something else that takes longer than this is broken off, in seconds."""


class CoalescingLoader(Generic[T]):
    """Reads what is wanted, once more if it was asked for meanwhile.

    A reading under way goes on even when something else is wanted: to break it off costs its
    connection, on which the replies are still to come. A cursor key held down on a Redis 20 ms
    away had thirty connections a second made, and nothing read until it was let go.

    Args:
        owner: runs the readings as its workers.
        wanted: what to read now; ``None`` for nothing.
        read: reads it; must not raise but for a fault of our own.
    """

    def __init__(
        self, owner: Widget, wanted: Callable[[], T | None], read: Callable[[T], Awaitable[None]]
    ) -> None:
        self._owner = owner
        self._wanted = wanted
        self._read = read
        self._running: Worker[None] | None = None
        self._of: T | None = None
        self._began = float("-inf")
        self._again = False
        self._timer: Timer | None = None

    def change(self) -> None:
        """Something else is wanted: read it at once, unless that was so a moment ago."""
        wait = self._began + REST_S - monotonic()
        if wait <= 0:
            self.ask()
        elif self._timer is None:
            self._timer = self._owner.set_timer(wait, self._rested)

    def _rested(self) -> None:
        if self._timer is not None:  # else it was stopped when its message was on its way
            self._stop_timer()
            self.change()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def ask(self) -> None:
        """Read now, or as soon as what is being read is there."""
        self._stop_timer()
        wanted = self._wanted()
        if wanted is None:
            return
        running = self._running
        if running is not None and not running.is_finished:
            if wanted == self._of or monotonic() - self._began < STUCK_S:
                self._again = True
                return
            running.cancel()
        self._again = False
        self._of, self._began = wanted, monotonic()
        self._running = self._owner.run_worker(partial(self._turn, wanted), group="turns")

    async def _turn(self, wanted: T) -> None:
        await self._read(wanted)
        if self._again:
            self._running = None
            self.ask()

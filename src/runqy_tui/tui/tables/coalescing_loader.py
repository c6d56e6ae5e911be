"""Loads one target at a time; targets that change meanwhile coalesce to the latest."""

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
"""Least time between two loads after changes of the target, in seconds: keys may be held down."""
STUCK_S = 1.0
"""A load of another target that takes longer than this is cancelled, in seconds."""


class CoalescingLoader(Generic[T]):
    """Loads the current target, and again afterwards if that was requested meanwhile.

    A load in progress continues even if the target changes: cancelling it costs its connection,
    whose replies are outstanding. With cancelling, a cursor key held down on a Redis 20 ms away
    opened thirty connections a second and loaded nothing until it was released.

    Args:
        owner: runs the loads as its workers.
        target: returns what to load now; ``None`` for nothing.
        read: loads it; must not raise, except for programming errors.
    """

    def __init__(
        self, owner: Widget, target: Callable[[], T | None], read: Callable[[T], Awaitable[None]]
    ) -> None:
        self._owner = owner
        self._target = target
        self._read = read
        self._running: Worker[None] | None = None
        self._loading: T | None = None
        self._began = float("-inf")
        self._again = False
        self._timer: Timer | None = None

    def change(self) -> None:
        """Load the changed target now, or shortly after the previous load started."""
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
        """Load now, or as soon as the load in progress has ended."""
        self._stop_timer()
        target = self._target()
        if target is None:
            return
        running = self._running
        if running is not None and not running.is_finished:
            if target == self._loading or monotonic() - self._began < STUCK_S:
                self._again = True
                return
            running.cancel()
        self._again = False
        self._loading, self._began = target, monotonic()
        self._running = self._owner.run_worker(partial(self._load, target), group="turns")

    async def _load(self, target: T) -> None:
        await self._read(target)
        if self._again:
            self._running = None
            self.ask()

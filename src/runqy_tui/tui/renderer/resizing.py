"""Sizes of the terminal: a storm of them costs a few frames, and the last one counts."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable

from textual.events import Resize

SETTLE_S = 0.1
"""Sizes that follow each other within this are one change, in seconds."""
PATIENCE_S = 0.5
"""How long a storm may go on without a frame at a size of its own, in seconds."""


class Resizing:
    """Passes sizes on: a single one at once, of many the newest. Lives in the loop's thread.

    Args:
        deliver: takes a size that was reported, or ``None``: look at the terminal yourself.
    """

    def __init__(self, loop: AbstractEventLoop, deliver: Callable[[Resize | None], None]) -> None:
        self._loop = loop
        self._deliver = deliver
        self._newest: Resize | None = None
        self._waiting = False
        self._due = self._latest = self._delivered = 0.0

    def take(self, size: Resize | None = None) -> None:
        """Note that the terminal has another size."""
        self._newest = size
        now = self._loop.time()
        if self._waiting:
            self._due = min(now + SETTLE_S, self._latest)
        elif now - self._delivered > SETTLE_S:
            self._pass_on()
        else:
            self._waiting = True
            self._due, self._latest = now + SETTLE_S, now + PATIENCE_S
            self._loop.call_at(self._due, self._settle)

    def _settle(self) -> None:
        if self._loop.time() < self._due:
            self._loop.call_at(self._due, self._settle)
        else:
            self._waiting = False
            self._pass_on()

    def _pass_on(self) -> None:
        self._delivered = self._loop.time()
        self._deliver(self._newest)

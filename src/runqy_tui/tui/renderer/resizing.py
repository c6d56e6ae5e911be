"""Coalesces changes of the terminal's size: many in a row cost a few frames."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable

from textual.events import Resize

SETTLE_S = 0.1
"""Sizes that follow each other within this time are one change, in seconds."""
PATIENCE_S = 0.5
"""Longest time for which sizes are held back while more follow, in seconds."""


class Resizing:
    """Delivers a single size immediately, and of many in a row the newest. Not thread-safe.

    Args:
        deliver: called with a reported size, or with ``None`` to have it read from the terminal.
    """

    def __init__(self, loop: AbstractEventLoop, deliver: Callable[[Resize | None], None]) -> None:
        self._loop = loop
        self._deliver = deliver
        self._newest: Resize | None = None
        self._waiting = False
        self._due = self._deadline = self._delivered = 0.0

    def observe(self, size: Resize | None = None) -> None:
        """Record that the terminal has another size; ``None`` if it was only signalled."""
        self._newest = size
        now = self._loop.time()
        if self._waiting:
            self._due = min(now + SETTLE_S, self._deadline)
        elif now - self._delivered > SETTLE_S:
            self._deliver_newest()
        else:
            self._waiting = True
            self._due, self._deadline = now + SETTLE_S, now + PATIENCE_S
            self._loop.call_at(self._due, self._settle)

    def _settle(self) -> None:
        if self._loop.time() < self._due:
            self._loop.call_at(self._due, self._settle)
        else:
            self._waiting = False
            self._deliver_newest()

    def _deliver_newest(self) -> None:
        self._delivered = self._loop.time()
        self._deliver(self._newest)

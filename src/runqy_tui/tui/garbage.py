"""When to look for garbage: not while somebody types, and not at everything in between.

Python looks through all objects whenever a quarter of them has come anew. With 5,000 workers
that is at every other poll, and each time keys wait for a tenth of a second. Nearly nothing is
found: what a poll replaces goes at once, by itself. Garbage that has to be looked for is what
closed windows leave behind, and that can wait for a quiet moment.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

FIRST_S = 5.0
"""The first fleet is on the screen by then: what is there now is here to stay."""

EVERY_S = 30.0
QUIET_S = 1.0
LATEST_S = 30.0
"""Who never rests does not put it off for longer."""

_YOUNG = 1_000
_MIDDLE = 4
_NEVER = 1_000_000_000


class Sweeper:
    """Looks for garbage when nobody has typed for a moment. Times are of ``clock``, in seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._due_at = clock() + FIRST_S
        self._typed_at = clock()
        self._first = True

    def typed(self) -> None:
        """Somebody is at work."""
        self._typed_at = self._clock()

    def tick(self) -> None:
        """Look for garbage, if it is time and nobody would notice; called about once a second."""
        now = self._clock()
        busy = now - self._typed_at < QUIET_S and now < self._due_at + LATEST_S
        if now < self._due_at or busy:
            return
        gc.collect()
        if self._first:
            gc.freeze()
            self._first = False
        self._due_at = self._clock() + EVERY_S


@contextmanager
def sweeping() -> Iterator[Sweeper]:
    """Leave all but the newest objects to a sweeper until the end of the block."""
    usual = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
    try:
        yield Sweeper()
    finally:
        gc.set_threshold(*usual)

"""For how long a queue has been growing: followed poll by poll, in constant memory."""

from __future__ import annotations

_MINUTE_S = 60.0
STILL_S = 300.0
"""A queue that stood still for longer no longer grows."""


class Growth:
    """One queue's pending. Waves within a minute are no end of growth, a real fall is."""

    __slots__ = ("_began", "_floor", "_last", "_low", "_minute", "_rose", "_top")

    def __init__(self) -> None:
        self._restart(0.0, None)

    def _restart(self, at: float, pending: float | None) -> None:
        self._began: float | None = None
        self._rose = at
        self._last = at
        self._minute = at // _MINUTE_S
        self._top = self._low = self._floor = pending

    def see(self, at: float, pending: float | None) -> None:
        """Take in a poll."""
        if not pending or self._top is None or self._low is None or self._floor is None:
            self._restart(at, pending)
            return
        if at // _MINUTE_S > self._minute:
            self._minute = at // _MINUTE_S
            self._floor, self._low = self._low, pending
        if pending < self._floor or at - self._rose > STILL_S:
            self._restart(at, pending)
            return
        self._low = min(self._low, pending)
        if pending > self._top:
            if self._began is None:
                self._began = self._last
            self._top, self._rose = pending, at
        self._last = at

    def lasted_s(self, begin: float) -> float | None:
        """How long it has grown, at most since ``begin``; ``None`` if it does not grow."""
        if self._began is None:
            return None
        return self._rose - max(self._began, min(begin, self._rose))

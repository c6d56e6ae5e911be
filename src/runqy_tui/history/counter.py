"""A counter of Redis as one that never falls."""

from __future__ import annotations

_FADE = 0.9


class Counter:
    """Follows one counter poll by poll, and carries it on over resets.

    After a fall it counts from zero anew, but never more at once than it rose of late: a counter
    restored to an old value, or read from a replica that lags, makes no spike. Where it comes
    back above the value it had fallen from, only the rest is new.
    """

    __slots__ = ("_high", "_last", "_step", "total")

    def __init__(self) -> None:
        self.total: float | None = None
        self._last = 0.0
        self._high = 0.0
        self._step = 0.0

    def see(self, value: float | None) -> float | None:
        """Take in a reading; gives the carried-on value, ``None`` for an unknown reading."""
        if value is None:
            return None
        if self.total is None:
            self.total = value
        elif value < self._last:
            self.total += max(0.0, min(value, self._step))  # there are negative ones, too
        else:
            rise = value - (self._high if self._last < self._high <= value else self._last)
            self._step = max(rise, self._step * _FADE)
            self.total += rise
        self._high = max(self._high, value)
        self._last = value
        return self.total

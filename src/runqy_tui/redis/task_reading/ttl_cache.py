"""What was read of tasks a moment ago, so that nobody asks again for what does not change.

The same tasks stand in the lists poll after poll, and to read one of them takes four to six
commands. Whether a task is still listed is asked each time, and whatever may be wrong with one is
never kept.
"""

from __future__ import annotations

from time import monotonic
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class TTLCache(Generic[_Key, _Value]):
    """Keeps values for some seconds, and so many of them at most once :meth:`forget` was called."""

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds = seconds
        self.most = most
        self._kept: dict[_Key, tuple[_Value, float]] = {}

    def get(self, key: _Key) -> _Value | None:
        """The value, unless it is too old."""
        kept = self._kept.get(key)
        return None if kept is None or monotonic() >= kept[1] else kept[0]

    def put(self, key: _Key, value: _Value) -> None:
        """Keep a value from now on."""
        self._kept.pop(key, None)  # the newest stand at the end
        self._kept[key] = value, monotonic() + self.seconds

    def forget(self) -> None:
        """Drop what is too old, and of the rest the oldest where there are too many."""
        at = monotonic()
        kept = [(key, value) for key, value in self._kept.items() if at < value[1]]
        self._kept = dict(kept[-self.most :])

"""A cache whose entries expire, for tasks that were read a moment ago.

The lists hold the same tasks poll after poll, and reading one takes four to six commands. Whether
a task is still listed is read every time, and a task with a fault is never cached.
"""

from __future__ import annotations

from time import monotonic
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class TTLCache(Generic[_Key, _Value]):
    """Keeps values for ``seconds``; :meth:`evict` bounds it to the ``most`` newest ones."""

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds = seconds
        self.most = most
        self._kept: dict[_Key, tuple[_Value, float]] = {}

    def get(self, key: _Key) -> _Value | None:
        """The value; ``None`` if there is none or it has expired."""
        kept = self._kept.get(key)
        return None if kept is None or monotonic() >= kept[1] else kept[0]

    def put(self, key: _Key, value: _Value) -> None:
        """Store a value; its time starts now."""
        self._kept.pop(key, None)  # the newest are at the end
        self._kept[key] = value, monotonic() + self.seconds

    def evict(self) -> None:
        """Drop expired values, and the oldest of the rest beyond ``most``."""
        at = monotonic()
        kept = [(key, value) for key, value in self._kept.items() if at < value[1]]
        self._kept = dict(kept[-self.most :])

"""The position of a search in a list that changes meanwhile, without I/O.

A list is counted from its tail, where workers take: what producers push at its head moves nothing.
A sorted set is counted from its highest score. As either may shift between two steps, a step reads
some entries again, and continues after the last one it knows. If it knows none of them it steps
back once by a whole window. So every entry that remains is searched, and the collector of the
hits drops those that were searched twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

OVERLAP = 32
"""Entries read again at each step."""

REACH = 256
"""Smallest number of entries of a window, and of a step back: entries may have moved by many."""

_MOST_LOSSES = 64

ANCHORS = 8
"""Number of entries remembered to recognise the position."""


class ListCursor:
    """A position in one list or, with ``scored``, sorted set, newest first.

    ``uncertain``: it moved by more than a window between two steps, so that tasks may have been
    passed over.
    """

    def __init__(self, length: int, *, scored: bool) -> None:
        self.scored = scored
        self.length = length
        self.uncertain = False
        self._at = 0 if scored else length
        self._anchors: deque[bytes] = deque(maxlen=ANCHORS)
        self._step_back_at: int | None = None
        self._losses = 0
        self._asked = (0, 0)

    @property
    def left(self) -> int:
        """Number of entries not searched yet."""
        return max(0, self.length - self._at if self.scored else self._at)

    @property
    def anchors(self) -> tuple[bytes, ...]:
        """Entries by which the next step recognises its position."""
        return tuple(self._anchors)

    def window(self, amount: int) -> tuple[int, int]:
        """Arguments of ZREVRANGE, or of LRANGE, for the next ``amount`` entries."""
        again = OVERLAP if self._anchors else 0
        amount = max(REACH, amount)
        if self.scored:
            start = max(0, self._at - again)
            self._asked = (start, amount)
            return start, self._at + amount - 1
        start = self._at + again
        self._asked = (start, amount)
        return -start, -max(0, self._at - amount) - 1

    def start_in(self, ids: Sequence[bytes]) -> int | None:
        """Index of the first unknown entry of a window; ``None`` if no entry of it is known."""
        if not self._anchors:
            return 0
        known = set(self._anchors)
        for index in range(len(ids) - 1, -1, -1):
            if ids[index] in known:
                return index + 1
        return None

    def advance(self, length: int, start: int | None, searched: int, last: Sequence[bytes]) -> None:
        """Update by a step: the length, where in the window it began, and its last entries.

        ``start`` is ``None`` if the position was lost; nothing was searched then.
        """
        asked, amount = self._asked
        self.length = length
        if start is None:
            self._lost(amount)
            return
        if self.scored:
            self._at = asked + start + searched
        else:
            self._at = min(asked, length) - start - searched
        self._anchors.extend(last)

    def abandon(self) -> None:
        """End the search of this list: nothing of it is left."""
        self._at = self.length if self.scored else 0

    def _lost(self, amount: int) -> None:
        self._anchors.clear()
        self._losses += 1
        if self._losses > _MOST_LOSSES:
            self.uncertain = True
            self.abandon()
            return
        if not self.scored and self._at > self.length:
            self._at = self.length
            return
        before = self._step_back_at
        further = before is None or (self._at > before if self.scored else self._at < before)
        if not further:
            self.uncertain = True  # continue: stepping back again and again would never end
            return
        self._step_back_at = self._at
        if self.scored:
            self._at = max(0, self._at - amount)
        else:
            self._at = min(self.length, self._at + amount)

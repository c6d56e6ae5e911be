"""Which queues a poll reads where the command budget does not allow for all of them.

First those on the screen. Then those that move or give cause for alarm, and the others: within
each kind whom nobody read for longest comes first, and a quarter is kept for the others, so that
an incident in every queue at once delays all alike and starves none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import attrgetter
from time import monotonic

from runqy_tui.model import QueueKey
from runqy_tui.redis.polling.queue_state import CachedQueue

HOT_S = 30.0
"""A queue is hot for so long after its numbers changed."""

MOST_WATCHED = 200
"""Queues, and workers, on the screen that are taken at their word; no screen has as many lines."""

LEAST_S = 0.2
"""What a poll may send at the least, in seconds' worth: the rotation never stands still."""

_MOST_S = 30.0
_QUIET_SHARE = 4


class Budget:
    """How many commands a poll may send: so many per second, and what earlier polls left over."""

    def __init__(self, per_s: int) -> None:
        self.per_s = per_s
        self._saved = float(per_s)
        self._at = monotonic()

    def allowance(self) -> int:
        """For the poll that starts now."""
        now = monotonic()
        self._saved = min(self._saved + self.per_s * (now - self._at), self.per_s * _MOST_S)
        self._at = now
        return int(max(self._saved, self.per_s * LEAST_S))

    def spend(self, commands: int) -> None:
        """Take off what a poll has sent; what is too much the next ones have less."""
        self._saved = max(-float(self.per_s), self._saved - commands)


def choose(
    memories: Iterable[CachedQueue], watched: Collection[QueueKey], room: int, now: float
) -> list[QueueKey]:
    """Queues for about ``room`` commands; those on the screen in any case."""
    chosen: list[CachedQueue] = []
    busy: list[CachedQueue] = []
    quiet: list[CachedQueue] = []
    for memory in memories:
        if memory.reading is None or memory.key in watched:
            chosen.append(memory)
        else:
            (busy if _presses(memory, now) else quiet).append(memory)
    room = max(0, room - _cost(chosen))
    kept = min(_cost(quiet), room // _QUIET_SHARE)
    taken = _longest_unread(busy, room - kept)
    taken += _longest_unread(quiet, room - _cost(taken))
    return [memory.key for memory in (*chosen, *taken)]


def _longest_unread(memories: list[CachedQueue], room: int) -> list[CachedQueue]:
    """As many as there is room for, and one at the least."""
    taken: list[CachedQueue] = []
    for memory in sorted(memories, key=attrgetter("read_at")):
        if taken and memory.cost > room:
            break
        taken.append(memory)
        room -= memory.cost
    return taken


def _cost(memories: Iterable[CachedQueue]) -> int:
    return sum(memory.cost for memory in memories)


def _presses(memory: CachedQueue, now: float) -> bool:
    """Whether it moves, or something may be wrong with it."""
    queue = memory.queue
    if (
        queue is None
        or memory.warnings
        or not memory.registered
        or now - memory.changed_at <= HOT_S
    ):
        return True
    # Where work waits and nobody takes it, that is the alarm; where somebody does, it moves.
    return bool(queue.counts.pending or queue.counts.active)

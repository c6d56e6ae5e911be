"""Which queues a poll reads where the command budget does not allow for all of them.

First those on the screen. Then those that change or may be in trouble, and the others: of each
kind the longest unread come first, and a quarter is reserved for the others, so that an incident
in every queue at once delays all alike and starves none.
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
"""Queues, and workers, on the screen that are read at every poll; no screen has as many lines."""

LEAST_S = 0.2
"""Least that a poll may send, in seconds of the budget: the rotation never stops."""

_MOST_S = 30.0
_QUIET_SHARE = 4


class Budget:
    """Commands that a poll may send: so many per second, and what earlier polls saved."""

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
        """Subtract what a poll has sent; the next ones pay for an excess."""
        self._saved = max(-float(self.per_s), self._saved - commands)


def select_queues(
    memories: Iterable[CachedQueue], watched: Collection[QueueKey], room: int, now: float
) -> list[QueueKey]:
    """Select queues for about ``room`` commands, and those on the screen in any case."""
    selected: list[CachedQueue] = []
    busy: list[CachedQueue] = []
    quiet: list[CachedQueue] = []
    for memory in memories:
        if memory.reading is None or memory.key in watched:
            selected.append(memory)
        else:
            (busy if _is_urgent(memory, now) else quiet).append(memory)
    room = max(0, room - _cost(selected))
    reserved = min(_cost(quiet), room // _QUIET_SHARE)
    rest = _longest_unread(busy, room - reserved)
    rest += _longest_unread(quiet, room - _cost(rest))
    return [memory.key for memory in (*selected, *rest)]


def _longest_unread(memories: list[CachedQueue], room: int) -> list[CachedQueue]:
    """As many as there is room for, and one at the least."""
    found: list[CachedQueue] = []
    for memory in sorted(memories, key=attrgetter("read_at")):
        if found and memory.cost > room:
            break
        found.append(memory)
        room -= memory.cost
    return found


def _cost(memories: Iterable[CachedQueue]) -> int:
    return sum(memory.cost for memory in memories)


def _is_urgent(memory: CachedQueue, now: float) -> bool:
    """Whether a queue changes, or something may be wrong with it."""
    queue = memory.queue
    if (
        queue is None
        or memory.warnings
        or not memory.registered
        or now - memory.changed_at <= HOT_S
    ):
        return True
    # Waiting tasks are an alarm without a consumer, and change with one.
    return bool(queue.counts.pending or queue.counts.active)

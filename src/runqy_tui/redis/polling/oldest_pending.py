"""The age of the oldest pending task, in one round trip per poll.

Reading since when a task waits takes two steps: its id from the list, then its hash. A warm poll
has one round trip, so it reads the hash of the id that the last poll found at the tail. Where
workers are quick that task has started meanwhile; then ids further from the tail are noted as
well, and the first that still waits is a close lower bound of the age.
"""

from __future__ import annotations

from collections.abc import Sequence

from redis.exceptions import ResponseError

from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.wire.replies import Reply, data, items

_SEARCH = (4, 16, 64, 256, 1024, 4096)
_CARRY_POLLS = 3
_CLOSE_S = 15.0
"""Polls further apart than this bound an age too loosely to be of use."""

NEWEST = 0
"""Depth of the head of the list: when that was taken, everything now in it is newer."""


class OldestPendingProbe:
    """The ids seen at the tail of one queue's pending list, and since when the oldest waits.

    ``since`` is the unix second since when the oldest task waits, ``estimated`` whether it is a
    bound rather than that very task's.
    """

    __slots__ = ("_at", "_carried", "_depth", "_known", "_pending", "_quiet", "estimated", "since")

    def __init__(self) -> None:
        self.since: float | None = None
        self.estimated = False
        self._depth = 1
        self._known: list[tuple[int, bytes]] = []
        self._pending: int | None = None
        self._at: float | None = None
        self._carried = 0
        self._quiet = False

    def depths(self) -> list[int]:
        """Depths to note beside the tail, counted from it; :data:`NEWEST` is the head."""
        most = (self._pending or 0) // 2
        if self._depth == 1:
            return []
        near: tuple[int, ...] = _SEARCH
        if self._depth > 1:
            near = (self._depth // 4, self._depth, self._depth * 4)
        return [*(depth for depth in near if 1 < depth <= most), NEWEST]

    def ids(self) -> list[bytes]:
        """Ids whose ``state`` and ``pending_since`` the next poll is to read, tail first."""
        return [task_id for _, task_id in self._known]

    def note(self, pending: int | None, noted: list[tuple[int, bytes]], now: float) -> None:
        """Note the ids of a first read, before anything is known of their tasks."""
        self._known, self._pending, self._at = noted, pending, now

    def update(
        self,
        pending: int | None,
        noted: list[tuple[int, bytes]],
        fates: Sequence[Reply],
        now: float,
    ) -> None:
        """Update with a poll: the length, the ids noted now, and the fates of :meth:`ids`."""
        self._quiet = (not pending or self._known == noted) and self._pending == pending
        if not pending:
            self.since, self.estimated, self._carried, self._depth = None, False, 0, 1
        else:
            self._update_from_fates(noted, fates, now)
        self.note(pending, noted, now)

    def is_unchanged(self, now: float) -> bool:
        """Return True, and note the moment, if the same replies as last time change nothing."""
        if self._quiet:
            self._at = now
        return self._quiet

    def _update_from_fates(
        self, noted: list[tuple[int, bytes]], fates: Sequence[Reply], now: float
    ) -> None:
        still = {task_id for _, task_id in noted}
        for (depth, task_id), fate in zip(self._known, fates, strict=False):
            if task_id in still or _is_waiting(fate):
                tail = noted[0][1] if noted and noted[0][0] == 1 else None
                fields = items(fate)
                self.since = (
                    field_parsing.pending_since(data(fields[1])) if len(fields) == 2 else None
                )
                self.estimated = task_id != tail and self.since is not None
                self._carried = 0
                self._depth = depth
                return
        self._quiet = False
        self._all_taken(now)

    def _all_taken(self, now: float) -> None:
        close = self._at is not None and now - self._at <= _CLOSE_S
        deepest = {depth for depth, _ in self._known}
        emptied = NEWEST in deepest or (self._pending or 0) <= max(deepest, default=0)
        if self._known:
            self._depth = NEWEST
        if emptied and close and self._pending is not None:
            self.since, self.estimated, self._carried = self._at, True, 0
            return
        self._carried += 1
        if self._carried > _CARRY_POLLS or self.since is None:
            self.since, self.estimated = None, False
        else:
            self.estimated = True


def _is_waiting(fate: Reply) -> bool:
    """Whether a task is still pending, by its hash; an unreadable one is not taken for gone."""
    if isinstance(fate, ResponseError):
        return True
    fields = items(fate)
    if len(fields) != 2:
        return False
    return data(fields[0]) == b"pending" or (fields[0] is None and fields[1] is not None)

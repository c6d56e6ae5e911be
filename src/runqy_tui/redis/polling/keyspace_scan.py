"""What stands in no index, found by a bounded SCAN that goes on a step with each poll.

Brace-less lists (the documented dialect), queues that are missing in ``asynq:queues``, and worker
hashes outside ``asynq:workers`` (cleanly stopped ones, old ones, ghosts) have no other trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from runqy_tui.model import QueueKey
from runqy_tui.redis import keys
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.replies import Reply, ReplySlot, integer, refused, scan_page
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

STEP_COLD = 4_000
STEP_WARM = 1_000
REST_S = 60.0
"""Pause between two walks through the key space."""

_WORKERS = b"asynq:workers:*"
_LISTS = b"asynq:*:[pa][ec]*"
_NOT_QUEUES = (keys.WORKER_PREFIX, b"asynq:schedulers:", keys.SERVER_PREFIX, b"asynq:t:")


@dataclass(slots=True)
class _Walk:
    """One SCAN through the key space, in steps."""

    match: bytes
    kind: bytes
    cursor: int = 0
    looked_at: int = 0
    finished_at: float | None = None
    slot: ReplySlot[Reply] | None = None
    found: list[bytes] = field(default_factory=list)
    refusal: Reply = None

    def ask(self, batch: Batch, step: int) -> None:
        self.slot = None
        self.found = []
        if self.finished_at is not None and monotonic() - self.finished_at < REST_S:
            return
        self.slot = batch.ask(
            "SCAN", self.cursor, "MATCH", self.match, "COUNT", step, "TYPE", self.kind
        )
        self.looked_at = step + (self.looked_at if self.cursor else 0)

    def read(self, replies: list[Reply]) -> None:
        if self.slot is None:
            return
        reply = replies[self.slot]
        page = scan_page(reply)
        self.refusal = reply if page is None else None
        if page is None:
            self.finished_at = monotonic()
            return
        self.cursor, self.found = page
        self.finished_at = monotonic() if self.cursor == 0 else None


class KeyspaceScan:
    """Two walks, each with its own cursor. ``queues`` and ``workers``: found by the last step."""

    def __init__(self) -> None:
        self._workers = _Walk(_WORKERS, b"hash")
        self._lists = _Walk(_LISTS, b"list")
        self._whole_once = False
        self._size: ReplySlot[int | None] | None = None
        self.size: int | None = None
        self.queues: set[QueueKey] = set()
        self.workers: set[str] = set()

    def ask(self, batch: Batch, step: int) -> None:
        """Add the next step of each walk that is not at rest, and the number of keys."""
        self._workers.ask(batch, step)
        self._lists.ask(batch, step)
        self._size = batch.ask("DBSIZE", parse=integer)

    def read(self, replies: list[Reply]) -> None:
        """Take the replies in."""
        for walk in (self._workers, self._lists):
            walk.read(replies)
        self.size = None if self._size is None else self._size.value(replies)
        self.workers = {
            decode(key[len(keys.WORKER_PREFIX) :])
            for key in self._workers.found
            if not key.endswith(keys.LOGS_SUFFIX) and key[len(keys.WORKER_PREFIX) :][:1] != b"{"
        }
        self.queues = {
            queue
            for key in self._lists.found
            if not key.startswith(_NOT_QUEUES) and (queue := keys.queue_of_list(key))
        }
        walks = (self._workers, self._lists)
        self._whole_once |= all(walk.finished_at is not None for walk in walks)

    @property
    def allowed(self) -> bool:
        """Whether the walks may go at all."""
        return not any(refused(walk.refusal) for walk in (self._workers, self._lists))

    def warn(self, warnings: Warnings) -> None:
        """Say what was refused, and how much of the key space the first walk has yet to see."""
        for walk in (self._workers, self._lists):
            warnings.reply(walk.refusal, b"The key space")
        if self._whole_once or not self.size:
            return
        looked_at = min(self._workers.looked_at, self._lists.looked_at, self.size)
        warnings.add(
            f"Looked at {looked_at:,} of {self.size:,} keys so far for lists without braces "
            "and for workers outside the index"
        )

"""What is remembered of a queue between polls, and the commands that read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from runqy_tui.model import Counts, Dialect, Queue, QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling.oldest_pending import OldestPendingProbe
from runqy_tui.redis.polling.queue_counters import QueueCounters, ask_strings, ask_types
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch, Packed
from runqy_tui.text.safe import decode

LISTS = (TaskState.PENDING, TaskState.ACTIVE)
SCORED = (TaskState.SCHEDULED, TaskState.RETRY, TaskState.ARCHIVED, TaskState.COMPLETED)
MOST_GROUPS = 1_000
"""Groups of one queue that are counted."""


class TailKey(NamedTuple):
    """What a tail asks for: as long as it is the same, so are the commands."""

    ids: tuple[bytes, ...]
    groups: tuple[bytes, ...]
    due: tuple[TaskState, ...]
    suspects: tuple[int, ...]
    day: str


@dataclass(slots=True)
class TailReading:
    """What one poll read of one queue."""

    counts: dict[TaskState, int | None]
    groups: tuple[str, ...] = ()
    groups_whole: bool = True
    strings: QueueCounters = field(default_factory=QueueCounters)
    day: str = ""
    noted: list[tuple[int, bytes]] = field(default_factory=list)
    aggregating: int | None = None
    due_at: dict[TaskState, float | None] = field(default_factory=dict)
    unreachable: bool = False
    depths: tuple[int, ...] = ()

    @property
    def pending(self) -> int | None:
        """Length of the pending list."""
        return self.counts.get(TaskState.PENDING)

    @property
    def empty(self) -> bool:
        """Whether none of its keys holds a task."""
        return not (any(self.counts.values()) or self.groups or self.unreachable)


@dataclass(slots=True)
class CachedQueue:
    """What is remembered of a queue between polls.

    ``fresh``: read by this poll; ``read_at`` and ``changed_at`` are when it was read last and when
    that told something new (Redis's clock). ``plain``: its ``replies`` have no error and nothing
    that needs a second look, so that the same replies give the same reading. ``said``: the
    warnings of its last read, which hold until the next. ``queue`` was made of ``made_of``;
    ``current_for``: what is not read belongs to it, and nothing new was read since.
    ``settled`` is what its tail told, with the reading and the questions that belong to it;
    ``still``: all of that, and the reading, were the same again at the last poll.
    """

    key: QueueKey
    registered: bool = False
    dialect: Dialect | None = None
    probe: OldestPendingProbe = field(default_factory=OldestPendingProbe)
    groups: dict[bytes, int] = field(default_factory=dict)
    due: tuple[TaskState, ...] = ()
    suspects: tuple[int, ...] = ()
    packed: Packed | None = None
    day: str = ""
    reading: TailReading | None = None
    fresh: bool = False
    plain: bool = False
    read_at: float = -inf
    changed_at: float = -inf
    replies: list[Reply] = field(default_factory=list)
    said: Warnings = field(default_factory=Warnings)
    tail: tuple[TailKey, Packed] | None = None
    settled: tuple[TailReading, TailKey | None, list[Reply]] | None = None
    still: bool = False
    queue: Queue | None = None
    current_for: tuple[object, ...] | None = None
    made_of: tuple[object, ...] = ()
    holds: tuple[object, ...] = ()

    @property
    def cost(self) -> int:
        """Commands that it takes to read it."""
        own = 2 if self.packed is None else self.packed.count
        return own + (0 if self.tail is None else self.tail[1].count)

    def commands(self, day: str) -> Packed:
        """The reads of this queue, encoded once a day."""
        if self.packed is None or self.day != day:
            self.packed, self.day = _commands(self.key, day), day
        return self.packed


def counts_of(reading: TailReading) -> Counts:
    """The counts of a queue as the model has them."""
    found = {state.value: value for state, value in reading.counts.items()}
    return Counts(**found, aggregating=reading.aggregating)


def counter(reading: TailReading, place: int) -> int | None:
    """A counter string; an absent one is 0, since both writers create it with the first task."""
    if not reading.strings.tell(place):
        return None
    raw = reading.strings.values[place]
    return 0 if raw is None else field_parsing.whole(raw)


def _commands(key: QueueKey, day: str) -> Packed:
    batch = Batch()
    for state in LISTS:
        batch.ask("LLEN", keys.state_key(key, state))
    if key.braced:
        prefix = keys.queue_prefix(key)
        for state in SCORED:
            batch.ask("ZCARD", keys.state_key(key, state))
        batch.ask("SSCAN", prefix + b"groups", 0, "COUNT", MOST_GROUPS)
        ask_strings(batch, key, day)
        batch.ask("LINDEX", keys.state_key(key, TaskState.PENDING), -1)
    return batch.packed()


def tail_commands(key: QueueKey, wanted: TailKey) -> Packed:
    """The reads that hang on an earlier reply."""
    batch = Batch()
    for task_id in wanted.ids:
        batch.ask("HMGET", keys.task(key, decode(task_id)), "state", "pending_since")
    for name in wanted.groups:
        batch.ask("ZCARD", keys.group(key, decode(name)))
    for state in wanted.due:
        batch.ask("ZRANGE", keys.state_key(key, state), 0, 0, "WITHSCORES")
    ask_types(batch, key, wanted.day, wanted.suspects)
    return batch.packed()

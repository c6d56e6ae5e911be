"""The ``paused`` mark and the counters of a queue, and which of them cannot be known.

MGET returns nil for a key of another type as for one that does not exist: 0 and "not paused" would
be wrong then. EXISTS in the same trip counts the keys. Where there are more than MGET had values
for, those without one are unknown, and the next poll asks TYPE which of them it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from math import inf
from typing import NamedTuple

from runqy_tui.model import Counts, Dialect, Queue, QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling.oldest_pending import NEWEST, OldestPendingProbe
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.replies import Reply, data, integer, items
from runqy_tui.redis.wire.transport import Batch, Packed
from runqy_tui.text.safe import decode


class CounterKey(IntEnum):
    """The five string keys of a queue, in the order in which they are read."""

    PAUSED = 0
    PROCESSED = 1
    FAILED = 2
    PROCESSED_TODAY = 3
    FAILED_TODAY = 4


_SOUND_TYPES = (b"string", b"none")


@dataclass(slots=True)
class QueueCounters:
    """``values`` in the order of :class:`CounterKey`, empty where the read was refused.

    ``unread``: those whose key may hold another type; ``wrong``: those of which that is certain.
    ``excess``: how many keys must be of another type.
    """

    values: list[bytes | None] = field(default_factory=list)
    unread: tuple[CounterKey, ...] = ()
    wrong: tuple[CounterKey, ...] = ()
    excess: int = 0

    def is_known(self, which: CounterKey) -> bool:
        """Whether the value, nil too, is what the key holds."""
        return which < len(self.values) and which not in self.unread

    def count(self, which: CounterKey) -> int | None:
        """A counter; an absent one is 0, since both writers create it with the first task."""
        if not self.is_known(which):
            return None
        raw = self.values[which]
        return 0 if raw is None else field_parsing.whole(raw)

    @property
    def paused(self) -> bool | None:
        """Whether the queue is paused, ``None`` where that cannot be read."""
        known = self.is_known(CounterKey.PAUSED)
        return self.values[CounterKey.PAUSED] is not None if known else None

    @property
    def paused_at(self) -> float | None:
        """Unix seconds since when the queue is paused, ``None`` where it is not or is unknown."""
        return field_parsing.moment(self.values[CounterKey.PAUSED]) if self.paused else None

    def narrow_down(self, types: Mapping[CounterKey, bytes | None]) -> None:
        """Use the replies to TYPE of some keys: where they explain all, the others are absent."""
        self.wrong = tuple(
            which for which in self.unread if (types.get(which) or b"none") not in _SOUND_TYPES
        )
        doubtful = tuple(which for which in self.unread if types.get(which) not in _SOUND_TYPES)
        self.unread = self.wrong if len(self.wrong) >= self.excess else doubtful

    def warn(self, queue: QueueKey, day: str, warnings: Warnings) -> None:
        """Warn of the keys of another type; until they are known, of where they are."""
        names = [decode(name) for name in counter_names(queue, day)]
        for which in self.wrong:
            warnings.add(f"{names[which]} has another type than it should: left out")
        if self.unread and not self.wrong:
            warnings.add(
                f"{names[CounterKey.PAUSED]} or a counter of this queue has another type than it "
                "should: left out"
            )


def counter_names(queue: QueueKey, day: str) -> tuple[bytes, ...]:
    """The keys in the order of :class:`CounterKey`; ``day`` is a UTC day, ``YYYY-MM-DD``."""
    prefix = keys.queue_prefix(queue)
    names = ("paused", "processed", "failed", f"processed:{day}", f"failed:{day}")
    return tuple(prefix + name.encode() for name in names)


def ask_counters(batch: Batch, queue: QueueKey, day: str) -> None:
    """Add EXISTS and MGET: in this order, a key made between them is no excess."""
    names = counter_names(queue, day)
    batch.ask("EXISTS", *names)
    batch.ask("MGET", *names)


def ask_types(batch: Batch, queue: QueueKey, day: str, which: tuple[CounterKey, ...]) -> None:
    """Add TYPE of some of the keys."""
    names = counter_names(queue, day) if which else ()
    for one in which:
        batch.ask("TYPE", names[one])


def parse_counters(existing: Reply, values: Reply) -> QueueCounters:
    """Parse the replies to :func:`ask_counters`."""
    found = [data(value) for value in items(values)]
    if len(found) != len(CounterKey):
        return QueueCounters()
    absent = tuple(which for which in CounterKey if found[which] is None)
    excess = (integer(existing) or 0) - (len(CounterKey) - len(absent))
    return QueueCounters(found, absent, (), excess) if excess > 0 else QueueCounters(found)


SCORED = (TaskState.SCHEDULED, TaskState.RETRY, TaskState.ARCHIVED, TaskState.COMPLETED)
MAX_GROUPS = 1_000
"""Groups of one queue that are counted."""


class QueueReplies(NamedTuple):
    """Replies to :meth:`CachedQueue.commands`; a queue without braces has the first two only.

    ``existing`` and ``counters``: EXISTS and MGET of the counters; ``tail``: the last pending id.
    """

    pending: Reply
    active: Reply
    scheduled: Reply = None
    retry: Reply = None
    archived: Reply = None
    completed: Reply = None
    groups: Reply = None
    existing: Reply = None
    counters: Reply = None
    tail: Reply = None

    def lengths(self, *, braced: bool) -> Iterator[tuple[TaskState, Reply]]:
        """Each state that the queue has, and the reply with the number of its tasks."""
        return zip((*keys.LIST_STATES, *SCORED) if braced else keys.LIST_STATES, self, strict=False)


class TailReplies(NamedTuple):
    """Replies to the commands of a :class:`TailKey`, by what was asked."""

    fates: Sequence[Reply]
    group_sizes: Sequence[Reply]
    first_due: Sequence[Reply]
    types: Sequence[Reply]


class TailKey(NamedTuple):
    """What depends on an earlier reply: as long as it is the same, so are the commands.

    ``ids`` of tasks near the tail, names of ``groups``, states whose first score is wanted
    (``due``), and the counters that may have another type (``suspects``).
    """

    ids: tuple[bytes, ...]
    groups: tuple[bytes, ...]
    due: tuple[TaskState, ...]
    suspects: tuple[CounterKey, ...]
    day: str

    def commands(self, key: QueueKey) -> Packed:
        """The reads of a queue's tail, in the order of :class:`TailReplies`."""
        batch = Batch()
        for task_id in self.ids:
            batch.ask("HMGET", keys.task(key, decode(task_id)), "state", "pending_since")
        for name in self.groups:
            batch.ask("ZCARD", keys.group(key, decode(name)))
        for state in self.due:
            batch.ask("ZRANGE", keys.state_key(key, state), 0, 0, "WITHSCORES")
        ask_types(batch, key, self.day, self.suspects)
        return batch.packed()

    def split(self, replies: Sequence[Reply]) -> TailReplies:
        """Sort the replies to :meth:`commands` by what was asked."""
        rest = iter(replies)
        asked = (self.ids, self.groups, self.due, self.suspects)
        return TailReplies(*(list(islice(rest, len(some))) for some in asked))


@dataclass(slots=True)
class QueueReading:
    """What one poll read of one queue.

    ``tail_ids`` are depths in the pending list and the ids found there, ``depths`` those asked for
    beside the tail. ``due_at`` has the lowest score of a state.
    """

    counts: dict[TaskState, int | None]
    groups: tuple[str, ...] = ()
    groups_whole: bool = True
    counters: QueueCounters = field(default_factory=QueueCounters)
    day: str = ""
    tail_ids: list[tuple[int, bytes]] = field(default_factory=list)
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

    def model_counts(self) -> Counts:
        """The counts as the model has them."""
        found = {state.value: value for state, value in self.counts.items()}
        return Counts(**found, aggregating=self.aggregating)


@dataclass(slots=True)
class CachedQueue:
    """What is remembered of a queue between polls.

    ``fresh``: read by this poll; ``read_at`` and ``changed_at`` are when it was read last and when
    that was something new (Redis's clock). ``is_plain``: its ``replies`` have no error and nothing
    that needs a second read, so that the same replies mean the same reading. ``warnings`` are
    those of its last read, which hold until the next. ``settled_tail`` is what its tail replied,
    with the reading and the questions that belong to it; ``is_unchanged``: all of that, and the
    reading, were the same again at the last poll. ``queue`` was built with ``built_for``, ``None``
    as soon as something new was read.
    """

    key: QueueKey
    registered: bool = False
    dialect: Dialect | None = None
    probe: OldestPendingProbe = field(default_factory=OldestPendingProbe)
    groups: dict[bytes, int] = field(default_factory=dict)
    due: tuple[TaskState, ...] = ()
    suspects: tuple[CounterKey, ...] = ()
    packed: Packed | None = None
    day: str = ""
    reading: QueueReading | None = None
    fresh: bool = False
    is_plain: bool = False
    read_at: float = -inf
    changed_at: float = -inf
    replies: list[Reply] = field(default_factory=list)
    warnings: Warnings = field(default_factory=Warnings)
    tail: tuple[TailKey, Packed] | None = None
    settled_tail: tuple[QueueReading, TailKey | None, list[Reply]] | None = None
    is_unchanged: bool = False
    queue: Queue | None = None
    built_for: tuple[object, ...] | None = None

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

    def depths(self) -> tuple[int, ...]:
        """Depths of the pending list whose ids the next read is to note, beside the tail."""
        if self.is_unchanged and self.reading is not None:
            return self.reading.depths
        return tuple(self.probe.depths()) if self.key.braced else ()

    def ask_depths(self, batch: Batch, depths: tuple[int, ...]) -> None:
        """Add the reads of the ids at these depths."""
        pending = keys.state_key(self.key, TaskState.PENDING) if depths else b""
        for depth in depths:
            batch.ask("LINDEX", pending, 0 if depth == NEWEST else -depth)

    def update_tail(self, groups: tuple[bytes, ...]) -> None:
        """Have what depends on earlier replies asked: ``tail`` is ``None`` where nothing does."""
        wanted = TailKey(tuple(self.probe.ids()), groups, self.due, self.suspects, self.day)
        if not any(wanted[:-1]):
            self.tail = None
        elif self.tail is None or self.tail[0] != wanted:
            self.tail = wanted, wanted.commands(self.key)


def _commands(key: QueueKey, day: str) -> Packed:
    """The reads of a queue, in the order of :class:`QueueReplies`."""
    batch = Batch()
    for state in keys.LIST_STATES:
        batch.ask("LLEN", keys.state_key(key, state))
    if key.braced:
        prefix = keys.queue_prefix(key)
        for state in SCORED:
            batch.ask("ZCARD", keys.state_key(key, state))
        batch.ask("SSCAN", prefix + b"groups", 0, "COUNT", MAX_GROUPS)
        ask_counters(batch, key, day)
        batch.ask("LINDEX", keys.state_key(key, TaskState.PENDING), -1)
    return batch.packed()

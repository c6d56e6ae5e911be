"""The counts of every queue: ten commands each, the same at every poll of a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.polling.queue_state import (
    MAX_GROUPS,
    CachedQueue,
    QueueReading,
    QueueReplies,
    TailKey,
    parse_counters,
)
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.fast_connection import ReplyStream
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, integer, scan_page, scored
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.safe import decode

MAX_QUEUES = 5_000
"""A poll of that many takes half a second; further ones are left out, with a warning."""

MAX_NAMES_BYTES = 1024 * 1024
"""The same for their names together: each is in a dozen keys that a poll sends."""

MAX_GROUPS_IN_ALL = 10_000
GROUP_MEMORY = 30
"""Polls for which a group that emptied is still asked for: groups come and go all the time."""

_DUE = (TaskState.RETRY, TaskState.SCHEDULED)


class _Asked(NamedTuple):
    memory: CachedQueue
    places: slice
    depths: tuple[int, ...]


class _AskedTail(NamedTuple):
    places: slice
    wanted: TailKey


class QueuePoller:
    """Reads the queues. ``known`` keeps every one until :meth:`forget` drops it.

    ``changes`` counts how often one came or went.
    """

    def __init__(self, known: dict[QueueKey, CachedQueue]) -> None:
        self.known = known
        self._asked: list[_Asked] = []
        self._tails: dict[QueueKey, _AskedTail] = {}
        self._poll = 0
        self._left_out = 0
        self._groups_skipped = False
        self.changes = 0

    @property
    def cost(self) -> int:
        """Commands that it takes to read all of them."""
        return sum(memory.cost for memory in self.known.values())

    def read_times_of_unread(self) -> dict[QueueKey, float]:
        """Maps the queues that this poll left out to the moment each was read."""
        return {
            key: memory.read_at
            for key, memory in self.known.items()
            if not memory.fresh and memory.reading is not None
        }

    def begin(self) -> None:
        """Start a poll: nothing has been read yet."""
        self._poll += 1
        self._asked, self._tails = [], {}
        for memory in self.known.values():
            memory.fresh = False

    def learn(self, found: Iterable[QueueKey]) -> list[QueueKey]:
        """Remember queues, up to :data:`MAX_QUEUES`, and return those that are new."""
        new = [key for key in found if key not in self.known]
        size = sum(len(key.name) for key in self.known) if new else 0
        learned: list[QueueKey] = []
        for key in new:
            size += len(key.name)
            if len(self.known) >= MAX_QUEUES or size > MAX_NAMES_BYTES:
                break
            self.known[key] = CachedQueue(key)
            learned.append(key)
        self.changes += bool(learned)
        self._left_out = len(new) - len(learned)
        return learned

    def forget(self, keep: Iterable[QueueKey]) -> None:
        """Drop the queues that are in no index, whose keys are gone and that no worker names."""
        kept = set(keep)
        gone = [
            key
            for key, memory in self.known.items()
            if not memory.registered
            and key not in kept
            and (memory.reading is None or memory.reading.empty)
        ]
        for key in gone:
            del self.known[key]
        self.changes += bool(gone)

    async def ask(self, batch: Batch, which: Iterable[QueueKey], day: str) -> None:
        """Add the counts of these queues."""
        self._asked = []
        for some in batches(which):
            await yield_to_loop()
            for key in some:
                memory = self.known[key]
                depths = memory.depths()
                start = batch.join(memory.commands(day)).start
                memory.ask_depths(batch, depths)
                self._asked.append(_Asked(memory, slice(start, batch.count), depths))

    async def ask_tails(self, batch: Batch, which: Iterable[QueueKey]) -> None:
        """Add what depends on earlier replies: oldest tasks, groups' sizes, first due moments."""
        self._tails = {}
        room, self._groups_skipped = MAX_GROUPS_IN_ALL, False
        for some in batches(which):
            await yield_to_loop()
            for key in some:
                memory = self.known[key]
                tail = memory.tail
                if not memory.is_unchanged or (tail is not None and tail[0].day != memory.day):
                    groups = tuple(memory.groups) if len(memory.groups) <= room else ()
                    room -= len(groups)
                    self._groups_skipped |= len(groups) < len(memory.groups)
                    memory.update_tail(groups)
                    tail = memory.tail
                if tail is not None:
                    self._tails[key] = _AskedTail(batch.join(tail[1]), tail[0])

    async def read(self, incoming: ReplyStream, warnings: Warnings, now: float) -> None:
        """Parse the replies to :meth:`ask`."""
        if self._left_out:
            warnings.add(
                f"There are too many queues, or their names are too long: {len(self.known):,} are "
                f"read, {self._left_out:,} are left out"
            )
        for some in batches(self._asked):
            await incoming.until(some[-1].places.stop)
            for asked in some:
                self._read_one(asked, incoming.replies[asked.places], now)
        self._asked = []

    def _read_one(self, asked: _Asked, replies: list[Reply], now: float) -> None:
        memory = asked.memory
        memory.fresh, memory.read_at = True, now
        if _is_as_before(asked, replies):
            memory.warnings = Warnings() if memory.warnings else memory.warnings
            return
        memory.warnings, memory.is_unchanged, memory.built_for = Warnings(), False, None
        memory.reading = reading = self._parse(asked, replies)
        memory.due = tuple(state for state in _DUE if reading.counts.get(state))
        memory.suspects = reading.counters.unread
        memory.is_plain = not (
            memory.warnings or reading.groups or memory.groups or memory.suspects
        )
        if memory.replies and replies != memory.replies:
            memory.changed_at = now
        memory.replies = replies

    def _parse(self, asked: _Asked, replies: list[Reply]) -> QueueReading:
        memory = asked.memory
        key, braced, warnings = memory.key, memory.key.braced, memory.warnings
        named = QueueReplies(*replies[: len(replies) - len(asked.depths)])
        counts: dict[TaskState, int | None] = {}
        for state, reply in named.lengths(braced=braced):
            counts[state] = integer(reply)
            if counts[state] is None:
                warnings.reply(reply, keys.state_key(key, state))
        reading = QueueReading(
            counts,
            depths=asked.depths,
            unreachable=isinstance(named.pending, UnreachableError),
        )
        if not braced:
            return reading
        self._parse_groups(memory, reading, named.groups)
        reading.counters = parse_counters(named.existing, named.counters)
        warnings.reply(named.counters, keys.queue_prefix(key) + b"paused")
        reading.day = memory.day
        at_depths = replies[len(replies) - len(asked.depths) :]
        reading.tail_ids = [
            (depth, task_id)
            for depth, reply in zip((1, *asked.depths), (named.tail, *at_depths), strict=True)
            if (task_id := data(reply)) is not None
        ]
        return reading

    def _parse_groups(self, memory: CachedQueue, reading: QueueReading, groups: Reply) -> None:
        page = scan_page(groups)
        if page is None:
            memory.warnings.reply(groups, keys.queue_prefix(memory.key) + b"groups")
        reading.groups_whole = page is not None and page[0] == 0 and len(page[1]) <= MAX_GROUPS
        names = page[1][:MAX_GROUPS] if page else []
        reading.groups = tuple(sorted(decode(name) for name in names))
        reading.aggregating = 0 if reading.groups_whole and not names else None
        self._remember_groups(memory, names if reading.groups_whole else [])

    def _remember_groups(self, memory: CachedQueue, names: list[bytes]) -> None:
        for name in names:
            memory.groups[name] = self._poll
        if len(memory.groups) > len(names):
            oldest = self._poll - GROUP_MEMORY
            memory.groups = {name: poll for name, poll in memory.groups.items() if poll > oldest}

    def note_tails(self, now: float) -> None:
        """Note the ids at the tails of a first poll, so that :meth:`ask_tails` can ask for them."""
        for memory in self.known.values():
            if memory.fresh and memory.reading is not None:
                memory.probe.note(memory.reading.pending, memory.reading.tail_ids, now)

    async def read_tails(self, replies: list[Reply], warnings: Warnings, now: float) -> None:
        """Parse the replies to :meth:`ask_tails`, once all of :meth:`read` is done."""
        for some in batches(list(self.known.values())):
            await yield_to_loop()
            for memory in some:
                reading = memory.reading
                if reading is not None and memory.fresh:
                    self._read_tail(memory, reading, replies, now)
                if memory.warnings:
                    warnings.include(memory.warnings)
        self._tails = {}
        if self._groups_skipped:
            warnings.add(
                f"All queues together have over {MAX_GROUPS_IN_ALL:,} groups: "
                "the tasks of some are not counted"
            )

    def _read_tail(
        self, memory: CachedQueue, reading: QueueReading, replies: list[Reply], now: float
    ) -> None:
        """Parse one queue's tail; most reply what they replied before."""
        asked = self._tails.get(memory.key)
        tail = [] if asked is None else replies[asked.places]
        wanted = None if asked is None else asked.wanted
        before = memory.settled_tail
        memory.is_unchanged = (
            before is not None
            and before[0] is reading
            and before[1] is wanted
            and before[2] == tail
            and memory.probe.is_unchanged(now)
        )
        if memory.is_unchanged:
            return
        memory.built_for = None
        fates = [] if wanted is None else _parse_tail(memory, reading, wanted, tail)
        memory.probe.update(reading.pending, reading.tail_ids, fates, now)
        if reading.counters.unread:
            reading.counters.warn(memory.key, memory.day, memory.warnings)
        if reading.groups and not reading.groups_whole:
            memory.warnings.add(
                f"Queue {memory.key.name} has over {MAX_GROUPS:,} groups: their tasks are not "
                f"counted, and {MAX_GROUPS:,} of them are listed"
            )
        plain = memory.is_plain and not memory.warnings
        memory.settled_tail = (reading, wanted, tail) if plain else None


def _is_as_before(asked: _Asked, replies: list[Reply]) -> bool:
    memory, reading = asked.memory, asked.memory.reading
    if not memory.is_plain or reading is None or replies != memory.replies:
        return False
    return reading.day == memory.day and reading.depths == asked.depths


def _parse_tail(
    memory: CachedQueue, reading: QueueReading, wanted: TailKey, replies: list[Reply]
) -> Sequence[Reply]:
    """Complete a reading with its tail and return what became of the oldest tasks."""
    named = wanted.split(replies)
    if wanted.groups:
        for name, size in zip(wanted.groups, named.group_sizes, strict=True):
            memory.warnings.reply(size, keys.group(memory.key, decode(name)))
        sizes = [integer(size) for size in named.group_sizes]
        if reading.groups_whole and all(size is not None for size in sizes):
            reading.aggregating = sum(size or 0 for size in sizes)
    for state, reply in zip(wanted.due, named.first_due, strict=True):
        memory.warnings.reply(reply, keys.state_key(memory.key, state))
        first = scored(reply)
        reading.due_at[state] = first[0][1] if first and reading.counts[state] else None
    if wanted.suspects and wanted.day == memory.day:
        types = (data(reply) for reply in named.types)
        reading.counters.narrow_down(dict(zip(wanted.suspects, types, strict=True)))
    return named.fates

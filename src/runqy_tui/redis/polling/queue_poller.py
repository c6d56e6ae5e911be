"""The counts of every queue: ten commands each, the same at every poll of a day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.polling.oldest_pending import NEWEST
from runqy_tui.redis.polling.queue_counters import judge, read_strings
from runqy_tui.redis.polling.queue_state import (
    LISTS,
    MOST_GROUPS,
    SCORED,
    CachedQueue,
    TailKey,
    TailReading,
    tail_commands,
)
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.fast_connection import Taking
from runqy_tui.redis.wire.replies import Reply, UnreachableError, data, integer, scan_page, scored
from runqy_tui.redis.wire.transport import Batch, Packed
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.safe import decode

MOST_QUEUES = 5_000
"""A poll of that many takes half a second; further ones are left out, and a warning says so."""

MOST_NAMES_BYTES = 1024 * 1024
"""The same for their names together: each is in a dozen keys that a poll sends."""

MOST_GROUPS_IN_ALL = 10_000
GROUP_MEMORY = 30
"""Polls for which a group that emptied is still asked for: groups come and go all the time."""

_DUE = (TaskState.RETRY, TaskState.SCHEDULED)
_GROUPS, _EXISTING, _STRINGS, _TAIL, _LENGTH = 6, 7, 8, 9, 10


class _Asked(NamedTuple):
    memory: CachedQueue
    start: int
    end: int
    depths: tuple[int, ...]


class _AskedTail(NamedTuple):
    memory: CachedQueue
    start: int
    end: int
    wanted: TailKey


class QueuePoller:
    """All known queues. ``known`` keeps every one until :meth:`forget` drops it.

    ``changes`` counts how often one came or went.
    """

    def __init__(self) -> None:
        self.known: dict[QueueKey, CachedQueue] = {}
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
        """Remember queues, up to :data:`MOST_QUEUES`; gives those that are new."""
        new = [key for key in found if key not in self.known]
        size = sum(len(key.name) for key in self.known) if new else 0
        taken: list[QueueKey] = []
        for key in new:
            size += len(key.name)
            if len(self.known) >= MOST_QUEUES or size > MOST_NAMES_BYTES:
                break
            self.known[key] = CachedQueue(key)
            taken.append(key)
        self.changes += bool(taken)
        self._left_out = len(new) - len(taken)
        return taken

    async def ask(self, batch: Batch, which: Iterable[QueueKey], day: str) -> None:
        """Add the counts of these queues."""
        self._asked = []
        for part in batches(which):
            await yield_to_loop()
            for key in part:
                memory = self.known[key]
                if memory.still and memory.reading is not None:
                    depths = memory.reading.depths
                else:
                    depths = tuple(memory.probe.depths()) if key.braced else ()
                start = batch.join(memory.commands(day)).start
                for depth in depths:
                    pending = keys.state_key(key, TaskState.PENDING)
                    batch.ask("LINDEX", pending, 0 if depth == NEWEST else -depth)
                self._asked.append(_Asked(memory, start, batch.count, depths))

    async def ask_tails(self, batch: Batch, which: Iterable[QueueKey]) -> None:
        """Add what hangs on earlier replies: oldest tasks, groups' sizes, first due moments."""
        self._tails = {}
        room, self._groups_skipped = MOST_GROUPS_IN_ALL, False
        for part in batches(which):
            await yield_to_loop()
            for key in part:
                memory = self.known[key]
                tail = memory.tail
                if not memory.still or (tail is not None and tail[0].day != memory.day):
                    groups = tuple(memory.groups) if len(memory.groups) <= room else ()
                    room -= len(groups)
                    self._groups_skipped |= len(groups) < len(memory.groups)
                    tail = _tail_of(memory, groups)
                if tail is not None:
                    start = batch.join(tail[1]).start
                    self._tails[key] = _AskedTail(memory, start, batch.count, tail[0])

    def read(self, replies: list[Reply], warnings: Warnings, now: float) -> Taking[None]:
        """Take in the replies to :meth:`ask`."""
        if self._left_out:
            warnings.add(
                f"There are too many queues, or their names are too long: {len(self.known):,} are "
                f"read, {self._left_out:,} are left out"
            )
        for part in batches(self._asked):
            yield part[-1].end
            for asked in part:
                self._read_one(asked, replies, now)
        self._asked = []

    def _read_one(self, asked: _Asked, replies: list[Reply], now: float) -> None:
        memory = asked.memory
        memory.fresh, memory.read_at = True, now
        told = replies[asked.start : asked.end]
        if _says_nothing_new(asked, told):
            memory.said = Warnings() if memory.said else memory.said
            return
        memory.said, memory.still, memory.current_for = Warnings(), False, None
        said = memory.said
        if memory.key.braced:
            reading = self._read_braced(asked, replies, said)
        else:
            reading = _read_documented(memory.key, asked.start, replies, said)
        reading.depths = asked.depths
        reading.unreachable = isinstance(replies[asked.start], UnreachableError)
        counts = reading.counts
        memory.due = tuple(state for state in _DUE if counts.get(state))
        memory.suspects = reading.strings.unread
        memory.plain = not (said or reading.groups or memory.groups or memory.suspects)
        if memory.replies and told != memory.replies:
            memory.changed_at = now
        memory.reading, memory.replies = reading, told

    def see(self, now: float) -> None:
        """First sight of the tails (cold): note them, so that :meth:`ask_tails` can ask."""
        for memory in self.known.values():
            if memory.fresh and memory.reading is not None:
                memory.probe.see(memory.reading.pending, memory.reading.noted, now)

    async def read_tails(self, replies: list[Reply], warnings: Warnings, now: float) -> None:
        """Take in the replies to :meth:`ask_tails`, once all of :meth:`read` is in."""
        for part in batches(list(self.known.values())):
            await yield_to_loop()
            for memory in part:
                reading = memory.reading
                if reading is not None and memory.fresh:
                    self._settle(memory, reading, replies, now)
                if memory.said:
                    warnings.take(memory.said)
        self._tails = {}
        if self._groups_skipped:
            warnings.add(
                f"All queues together have over {MOST_GROUPS_IN_ALL:,} groups: "
                "the tasks of some are not counted"
            )

    def _settle(
        self, memory: CachedQueue, reading: TailReading, replies: list[Reply], now: float
    ) -> None:
        """Take in one queue's tail; most of them tell what they told before."""
        asked = self._tails.get(memory.key)
        told = [] if asked is None else replies[asked.start : asked.end]
        wanted = None if asked is None else asked.wanted
        before = memory.settled
        memory.still = (
            before is not None
            and before[0] is reading
            and before[1] is wanted
            and before[2] == told
            and memory.probe.stay(now)
        )
        if memory.still:
            return
        memory.current_for = None
        fates = [] if asked is None else self._read_tail(asked, replies)
        memory.probe.settle(reading.pending, reading.noted, fates, now)
        if reading.strings.unread:
            reading.strings.warn(memory.key, memory.day, memory.said)
        self._warn_of_groups(memory, reading)
        plain = memory.plain and not memory.said
        memory.settled = (reading, wanted, told) if plain else None

    def _read_tail(self, asked: _AskedTail, replies: list[Reply]) -> list[Reply]:
        """Take in one queue's; gives what became of its oldest tasks."""
        memory, wanted = asked.memory, asked.wanted
        middle = asked.start + len(wanted.ids)
        end = middle + len(wanted.groups)
        if wanted.groups:
            self._read_groups(asked, replies[middle:end])
        if wanted.due:
            _read_due(asked, replies[end : end + len(wanted.due)])
        if wanted.suspects and memory.reading is not None:
            at = end + len(wanted.due)
            kinds = [data(reply) for reply in replies[at : at + len(wanted.suspects)]]
            told = dict(zip(wanted.suspects, kinds, strict=True))
            if wanted.day == memory.day:
                judge(memory.reading.strings, told)
        return replies[asked.start : middle]

    def forget(self, keep: Iterable[QueueKey]) -> None:
        """Drop the queues that are in no index, whose keys are gone and that nobody names."""
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

    def _read_braced(self, asked: _Asked, replies: list[Reply], warnings: Warnings) -> TailReading:
        memory, start = asked.memory, asked.start
        reading = TailReading(_counts(memory.key, (*LISTS, *SCORED), start, replies, warnings))
        groups = replies[start + _GROUPS]
        page = scan_page(groups)
        if page is None:
            warnings.reply(groups, keys.queue_prefix(memory.key) + b"groups")
        reading.groups_whole = page is not None and page[0] == 0 and len(page[1]) <= MOST_GROUPS
        names = page[1][:MOST_GROUPS] if page else []
        reading.groups = tuple(sorted(decode(name) for name in names))
        reading.aggregating = 0 if reading.groups_whole and not names else None
        self._remember_groups(memory, names if reading.groups_whole else [])
        reading.strings = read_strings(replies[start + _EXISTING], replies[start + _STRINGS])
        warnings.reply(replies[start + _STRINGS], keys.queue_prefix(memory.key) + b"paused")
        reading.day = memory.day
        depths = (1, *asked.depths)
        places = (start + _TAIL, *range(start + _LENGTH, start + _LENGTH + len(asked.depths)))
        reading.noted = [
            (depth, task_id)
            for depth, place in zip(depths, places, strict=True)
            if (task_id := data(replies[place])) is not None
        ]
        return reading

    @staticmethod
    def _warn_of_groups(memory: CachedQueue, reading: TailReading) -> None:
        if reading.groups and not reading.groups_whole:
            memory.said.add(
                f"Queue {memory.key.name} has over {MOST_GROUPS:,} groups: their tasks are not "
                f"counted, and {MOST_GROUPS:,} of them are listed"
            )

    def _remember_groups(self, memory: CachedQueue, names: list[bytes]) -> None:
        for name in names:
            memory.groups[name] = self._poll
        if len(memory.groups) > len(names):
            oldest = self._poll - GROUP_MEMORY
            memory.groups = {name: poll for name, poll in memory.groups.items() if poll > oldest}

    def _read_groups(self, asked: _AskedTail, sizes: list[Reply]) -> None:
        memory, names = asked.memory, asked.wanted.groups
        if memory.reading is None or (memory.groups and not names):
            return
        for name, size in zip(names, sizes, strict=True):
            memory.said.reply(size, keys.group(memory.key, decode(name)))
        counted = [integer(size) for size in sizes]
        if memory.reading.groups_whole and all(size is not None for size in counted):
            memory.reading.aggregating = sum(size or 0 for size in counted)


def _tail_of(memory: CachedQueue, groups: tuple[bytes, ...]) -> tuple[TailKey, Packed] | None:
    """What hangs on earlier replies, ``None`` where nothing does."""
    wanted = TailKey(tuple(memory.probe.ids()), groups, memory.due, memory.suspects, memory.day)
    if not any(wanted[:-1]):
        memory.tail = None
    elif memory.tail is None or memory.tail[0] != wanted:
        memory.tail = wanted, tail_commands(memory.key, wanted)
    return memory.tail


def _says_nothing_new(asked: _Asked, told: list[Reply]) -> bool:
    memory, reading = asked.memory, asked.memory.reading
    if not memory.plain or reading is None or told != memory.replies:
        return False
    return reading.day == memory.day and reading.depths == asked.depths


def _read_due(asked: _AskedTail, replies: list[Reply]) -> None:
    memory = asked.memory
    if memory.reading is None:
        return
    for state, reply in zip(asked.wanted.due, replies, strict=True):
        memory.said.reply(reply, keys.state_key(memory.key, state))
        first = scored(reply)
        counted = memory.reading.counts[state]
        memory.reading.due_at[state] = first[0][1] if first and counted else None


def _counts(
    key: QueueKey,
    states: tuple[TaskState, ...],
    start: int,
    replies: list[Reply],
    warnings: Warnings,
) -> dict[TaskState, int | None]:
    counts: dict[TaskState, int | None] = {}
    for place, state in enumerate(states, start):
        counts[state] = integer(replies[place])
        if counts[state] is None:
            warnings.reply(replies[place], keys.state_key(key, state))
    return counts


def _read_documented(
    key: QueueKey, start: int, replies: list[Reply], warnings: Warnings
) -> TailReading:
    return TailReading(_counts(key, LISTS, start, replies, warnings))

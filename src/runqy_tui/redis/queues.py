"""The counts of every queue: ten commands each, the same at every poll of a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runqy_tui.model import Counts, Dialect, QueueKey, TaskState
from runqy_tui.redis import keys, parse
from runqy_tui.redis.probe import NEWEST, Probe
from runqy_tui.redis.replies import Reply, data, integer, scan_page, scored
from runqy_tui.redis.strings import Strings, ask_strings, ask_types, judge, read_strings
from runqy_tui.redis.topology import UnreachableError
from runqy_tui.redis.transport import Batch, Packed
from runqy_tui.redis.warn import Warnings
from runqy_tui.safetext import decode

MOST_QUEUES = 5_000
"""A poll of that many takes half a second; further ones are left out, and a warning says so."""

MOST_NAMES_BYTES = 1024 * 1024
"""The same for their names together: each is in a dozen keys that a poll sends."""

MOST_GROUPS = 1_000
"""Groups of one queue that are counted."""

MOST_GROUPS_IN_ALL = 10_000
GROUP_MEMORY = 30
"""Polls for which a group that emptied is still asked for: groups come and go all the time."""

_LISTS = (TaskState.PENDING, TaskState.ACTIVE)
_SCORED = (TaskState.SCHEDULED, TaskState.RETRY, TaskState.ARCHIVED, TaskState.COMPLETED)
_DUE = (TaskState.RETRY, TaskState.SCHEDULED)
_GROUPS, _EXISTING, _STRINGS, _TAIL, _LENGTH = 6, 7, 8, 9, 10


@dataclass(slots=True)
class Reading:
    """What one poll read of one queue."""

    counts: dict[TaskState, int | None]
    groups: tuple[str, ...] = ()
    groups_whole: bool = True
    strings: Strings = field(default_factory=Strings)
    day: str = ""
    noted: list[tuple[int, bytes]] = field(default_factory=list)
    aggregating: int | None = None
    due_at: dict[TaskState, float | None] = field(default_factory=dict)
    unreachable: bool = False

    @property
    def pending(self) -> int | None:
        """Length of the pending list."""
        return self.counts.get(TaskState.PENDING)

    @property
    def empty(self) -> bool:
        """Whether none of its keys holds a task."""
        return not (any(self.counts.values()) or self.groups or self.unreachable)


@dataclass(slots=True)
class QueueMemory:
    """What is remembered of a queue between polls."""

    key: QueueKey
    registered: bool = False
    dialect: Dialect | None = None
    probe: Probe = field(default_factory=Probe)
    groups: dict[bytes, int] = field(default_factory=dict)
    due: tuple[TaskState, ...] = ()
    suspects: tuple[int, ...] = ()
    packed: Packed | None = None
    day: str = ""
    reading: Reading | None = None

    def commands(self, day: str) -> Packed:
        """The reads of this queue, encoded once a day."""
        if self.packed is None or self.day != day:
            self.packed, self.day = _commands(self.key, day), day
        return self.packed


@dataclass(frozen=True, slots=True)
class _Asked:
    memory: QueueMemory
    start: int
    depths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _AskedTail:
    memory: QueueMemory
    start: int
    ids: int
    groups: tuple[bytes, ...]
    due: tuple[TaskState, ...]
    suspects: tuple[int, ...]
    day: str


class Queues:
    """All known queues. ``known`` keeps every one until :meth:`forget` drops it."""

    def __init__(self) -> None:
        self.known: dict[QueueKey, QueueMemory] = {}
        self._asked: list[_Asked] = []
        self._tails: list[_AskedTail] = []
        self._poll = 0
        self._left_out = 0
        self._groups_skipped = False

    def begin(self) -> None:
        """Start a poll: nothing has been read yet."""
        self._poll += 1
        self._asked, self._tails = [], []
        for memory in self.known.values():
            memory.reading = None

    def learn(self, found: Iterable[QueueKey]) -> list[QueueKey]:
        """Remember queues, up to :data:`MOST_QUEUES`; gives those that are new."""
        new = [key for key in found if key not in self.known]
        size = sum(len(key.name) for key in self.known) if new else 0
        taken: list[QueueKey] = []
        for key in new:
            size += len(key.name)
            if len(self.known) >= MOST_QUEUES or size > MOST_NAMES_BYTES:
                break
            self.known[key] = QueueMemory(key)
            taken.append(key)
        self._left_out = len(new) - len(taken)
        return taken

    def ask(self, batch: Batch, which: Iterable[QueueKey], day: str) -> None:
        """Add the counts of these queues."""
        self._asked = []
        for key in which:
            memory = self.known[key]
            depths = tuple(memory.probe.depths()) if key.braced else ()
            start = batch.join(memory.commands(day))
            pending = keys.state_key(key, TaskState.PENDING)
            for depth in depths:
                batch.ask("LINDEX", pending, 0 if depth == NEWEST else -depth)
            self._asked.append(_Asked(memory, start, depths))

    def ask_tails(self, batch: Batch) -> None:
        """Add what hangs on earlier replies: oldest tasks, groups' sizes, first due moments."""
        self._tails = []
        room, self._groups_skipped = MOST_GROUPS_IN_ALL, False
        for memory in self.known.values():
            ids = memory.probe.ids()
            groups = tuple(memory.groups) if len(memory.groups) <= room else ()
            room -= len(groups)
            self._groups_skipped |= len(groups) < len(memory.groups)
            if not (ids or groups or memory.due or memory.suspects):
                continue
            start = batch.count
            for task_id in ids:
                key = keys.task(memory.key, decode(task_id))
                batch.ask("HMGET", key, "state", "pending_since")
            for name in groups:
                batch.ask("ZCARD", keys.group(memory.key, decode(name)))
            for state in memory.due:
                batch.ask("ZRANGE", keys.state_key(memory.key, state), 0, 0, "WITHSCORES")
            ask_types(batch, memory.key, memory.day, memory.suspects)
            self._tails.append(
                _AskedTail(memory, start, len(ids), groups, memory.due, memory.suspects, memory.day)
            )

    def read(self, replies: list[Reply], warnings: Warnings) -> None:
        """Take in the replies to :meth:`ask`."""
        if self._left_out:
            warnings.add(
                f"There are too many queues, or their names are too long: {len(self.known):,} are "
                f"read, {self._left_out:,} are left out"
            )
        for asked in self._asked:
            memory = asked.memory
            if memory.key.braced:
                memory.reading = self._read_braced(asked, replies, warnings)
            else:
                memory.reading = _read_documented(memory.key, asked.start, replies, warnings)
            memory.reading.unreachable = isinstance(replies[asked.start], UnreachableError)
            counts = memory.reading.counts
            memory.due = tuple(state for state in _DUE if counts.get(state))
            memory.suspects = memory.reading.strings.unread
        self._asked = []

    def see(self, now: float) -> None:
        """First sight of the tails (cold): note them, so that :meth:`ask_tails` can ask."""
        for memory in self.known.values():
            if memory.reading is not None:
                memory.probe.see(memory.reading.pending, memory.reading.noted, now)

    def read_tails(self, replies: list[Reply], warnings: Warnings, now: float) -> None:
        """Take in the replies to :meth:`ask_tails`, once all of :meth:`read` is in."""
        fates: dict[QueueKey, list[Reply]] = {}
        for asked in self._tails:
            middle = asked.start + asked.ids
            fates[asked.memory.key] = replies[asked.start : middle]
            end = middle + len(asked.groups)
            self._read_groups(asked, replies[middle:end], warnings)
            _read_due(asked, replies[end : end + len(asked.due)], warnings)
            if asked.suspects and asked.memory.reading is not None:
                at = end + len(asked.due)
                kinds = [data(reply) for reply in replies[at : at + len(asked.suspects)]]
                told = dict(zip(asked.suspects, kinds, strict=True))
                if asked.day == asked.memory.day:
                    judge(asked.memory.reading.strings, told)
        self._tails = []
        for memory in self.known.values():
            reading = memory.reading
            if reading is not None:
                found = fates.get(memory.key, [])
                memory.probe.settle(reading.pending, reading.noted, found, now)
                if reading.strings.unread:
                    reading.strings.warn(memory.key, memory.day, warnings)
                self._warn_of_groups(memory, reading, warnings)
        if self._groups_skipped:
            warnings.add(
                f"All queues together have over {MOST_GROUPS_IN_ALL:,} groups: "
                "the tasks of some are not counted"
            )

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

    def _read_braced(self, asked: _Asked, replies: list[Reply], warnings: Warnings) -> Reading:
        memory, start = asked.memory, asked.start
        reading = Reading(_counts(memory.key, (*_LISTS, *_SCORED), start, replies, warnings))
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
    def _warn_of_groups(memory: QueueMemory, reading: Reading, warnings: Warnings) -> None:
        if reading.groups and not reading.groups_whole:
            warnings.add(
                f"Queue {memory.key.name} has over {MOST_GROUPS:,} groups: their tasks are not "
                f"counted, and {MOST_GROUPS:,} of them are listed"
            )

    def _remember_groups(self, memory: QueueMemory, names: list[bytes]) -> None:
        for name in names:
            memory.groups[name] = self._poll
        if len(memory.groups) > len(names):
            oldest = self._poll - GROUP_MEMORY
            memory.groups = {name: poll for name, poll in memory.groups.items() if poll > oldest}

    def _read_groups(self, asked: _AskedTail, sizes: list[Reply], warnings: Warnings) -> None:
        reading = asked.memory.reading
        if reading is None or (asked.memory.groups and not asked.groups):
            return
        for name, size in zip(asked.groups, sizes, strict=True):
            warnings.reply(size, keys.group(asked.memory.key, decode(name)))
        counted = [integer(size) for size in sizes]
        if reading.groups_whole and all(size is not None for size in counted):
            reading.aggregating = sum(size or 0 for size in counted)


def _read_due(asked: _AskedTail, replies: list[Reply], warnings: Warnings) -> None:
    reading = asked.memory.reading
    if reading is None:
        return
    for state, reply in zip(asked.due, replies, strict=True):
        warnings.reply(reply, keys.state_key(asked.memory.key, state))
        first = scored(reply)
        reading.due_at[state] = first[0][1] if first and reading.counts[state] else None


def counts_of(reading: Reading) -> Counts:
    """The counts of a queue as the model has them."""
    found = {state.value: value for state, value in reading.counts.items()}
    return Counts(**found, aggregating=reading.aggregating)


def counter(reading: Reading, place: int) -> int | None:
    """A counter string; an absent one is 0, since both writers create it with the first task."""
    if not reading.strings.tell(place):
        return None
    raw = reading.strings.values[place]
    return 0 if raw is None else parse.whole(raw)


def _commands(key: QueueKey, day: str) -> Packed:
    batch = Batch()
    for state in _LISTS:
        batch.ask("LLEN", keys.state_key(key, state))
    if key.braced:
        prefix = keys.queue_prefix(key)
        for state in _SCORED:
            batch.ask("ZCARD", keys.state_key(key, state))
        batch.ask("SSCAN", prefix + b"groups", 0, "COUNT", MOST_GROUPS)
        ask_strings(batch, key, day)
        batch.ask("LINDEX", keys.state_key(key, TaskState.PENDING), -1)
    return batch.packed()


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
) -> Reading:
    return Reading(_counts(key, _LISTS, start, replies, warnings))

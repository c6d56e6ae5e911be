"""From what was read to the queues of a snapshot: meanings, consumers, ages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runqy_tui.model import Dialect, Queue, QueueKey, TaskState, Worker
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling.queue_counters import PAUSED
from runqy_tui.redis.polling.queue_poller import QueuePoller
from runqy_tui.redis.polling.queue_state import CachedQueue, TailReading, counter, counts_of
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.safe import decode

_PROCESSED, _FAILED, _PROCESSED_TODAY, _FAILED_TODAY = range(1, 5)


class Serving(NamedTuple):
    """Who serves a queue: their dialects, and the ids of those that consume it, sorted."""

    dialects: frozenset[Dialect] = frozenset()
    consumers: tuple[str, ...] = ()


class ConsumerIndex:
    """Who serves which queue: workers by the names they list, so that no pair is compared."""

    def __init__(self, queues: Iterable[QueueKey]) -> None:
        self._by_name: dict[str, list[Worker]] = defaultdict(list)
        self._asked = {name for key in queues for name in (key.name, key.name.partition(".")[0])}

    def learn(self, workers: Iterable[Worker]) -> None:
        """Take in workers, sorted by id."""
        asked = self._asked
        for worker in workers:
            # A worker may list thousands of names that are no queue, and there may be thousands
            # of queues that it does not list: go through the fewer.
            few: Iterable[str] = worker.queues if len(worker.queues) < len(asked) else asked
            for name in few:
                if name in asked and name in worker.queues:
                    self._by_name[name].append(worker)

    def of(self, key: QueueKey) -> Serving:
        """Every worker, in whatever state, that lists the queue."""
        found = {
            worker.id: worker
            for name in {key.name, key.name.partition(".")[0]}
            for worker in self._by_name.get(name, ())
            if worker.serves(key)
        }
        return Serving(
            frozenset(worker.dialect for worker in found.values()),
            tuple(sorted(worker.id for worker in found.values() if worker.state.consumes)),
        )


class QueueBuilder:
    """Makes the queues of each poll, and makes anew only what is not as it was."""

    def __init__(self) -> None:
        self._made_for: tuple[int, int] | None = None
        self._serving: dict[QueueKey, Serving] = {}
        self._order: list[CachedQueue] = []

    async def queues(
        self, queues: QueuePoller, workers: Sequence[Worker], routes: int, today: str
    ) -> list[Queue]:
        """All queues, sorted; ``routes`` changes with what makes workers consumers."""
        if self._made_for != (routes, queues.changes):
            await self._route(queues, workers)
            self._made_for = routes, queues.changes
        found: list[Queue] = []
        for part in batches(self._order):
            await yield_to_loop()
            found += [
                self._queue(memory, memory.reading, today)
                for memory in part
                if memory.reading is not None
            ]
        return found

    async def _route(self, queues: QueuePoller, workers: Sequence[Worker]) -> None:
        self._made_for = None
        servers = ConsumerIndex(queues.known)
        for part in batches(workers):
            await yield_to_loop()
            servers.learn(part)
        serving: dict[QueueKey, Serving] = {}
        for keys_ in batches(list(queues.known)):
            await yield_to_loop()
            for key in keys_:
                told, before = servers.of(key), self._serving.get(key)
                serving[key] = before if before is not None and before == told else told
        self._serving = serving
        self._order = sorted(
            queues.known.values(), key=lambda memory: (memory.key.name, not memory.key.braced)
        )

    def _queue(self, memory: CachedQueue, reading: TailReading, today: str) -> Queue:
        serving, probe, due_at = self._serving[memory.key], memory.probe, reading.due_at
        beside, queue = (serving, memory.registered, today), memory.queue
        if queue is not None and memory.fresh and memory.current_for == beside:
            return queue
        made_of = (
            id(reading),
            id(serving),
            memory.registered,
            probe.since,
            probe.estimated,
            reading.aggregating,
            reading.strings.unread,
            due_at.get(TaskState.RETRY),
            due_at.get(TaskState.SCHEDULED),
            today,
        )
        if memory.queue is None or memory.made_of != made_of:
            memory.queue = queue_of(memory, reading, serving, today)
            # Held on to, so that no other object gets the same id.
            memory.made_of, memory.holds = made_of, (reading, serving)
        memory.current_for = beside
        return memory.queue


def queue_of(memory: CachedQueue, reading: TailReading, serving: Serving, today: str) -> Queue:
    """One queue of the snapshot. Counters of another day than ``today`` are unknown."""
    memory.dialect = _dialect(memory, serving)
    processed, failed = counter(reading, _PROCESSED), counter(reading, _FAILED)
    current = reading.day == today
    processed_today = counter(reading, _PROCESSED_TODAY) if current else None
    failed_today = counter(reading, _FAILED_TODAY) if current else None
    # Nothing pauses a list without braces: it has no such key.
    paused = reading.strings.paused if memory.key.braced else False
    return Queue(
        key=memory.key,
        dialect=memory.dialect,
        counts=counts_of(reading),
        paused=paused,
        paused_at=field_parsing.moment(reading.strings.values[PAUSED]) if paused else None,
        oldest_pending_since=memory.probe.since,
        oldest_estimated=memory.probe.estimated,
        processed_today=processed_today,
        failed_today=failed_today,
        succeeded_today=_succeeded(memory.dialect, processed_today, failed_today),
        processed_total=processed,
        failed_total=failed,
        succeeded_total=_succeeded(memory.dialect, processed, failed),
        consumers=serving.consumers,
        groups=reading.groups,
        registered=memory.registered,
        next_retry_at=reading.due_at.get(TaskState.RETRY),
        next_scheduled_at=reading.due_at.get(TaskState.SCHEDULED),
    )


def _dialect(memory: CachedQueue, serving: Serving) -> Dialect | None:
    if not memory.key.braced:
        return Dialect.DOCUMENTED
    if len(serving.dialects) > 1:
        return Dialect.MIXED
    return next(iter(serving.dialects), memory.dialect)


def _succeeded(dialect: Dialect | None, processed: int | None, failed: int | None) -> int | None:
    """Successes: what runqy counts as processed, what asynq does less the failed attempts."""
    if dialect is Dialect.RUNQY:
        return processed
    if dialect is not Dialect.ASYNQ or processed is None or failed is None:
        return None
    return processed - failed if processed >= failed else None


def warn_of_queues(queues: Iterable[Queue], warnings: Warnings) -> None:
    """Tasks that wait where nobody listens, and queues that are in no index."""
    for queue in queues:
        if queue.key.braced:
            if not queue.registered:
                warnings.add(f"Queue {queue.name} has keys but is not in asynq:queues")
        elif queue.counts.pending:
            waiting = queue.counts.pending
            tasks = "1 task waits" if waiting == 1 else f"{waiting:,} tasks wait"
            key = decode(keys.queue_prefix(queue.key) + b"pending")
            warnings.add(f"{tasks} in {key}, a list without braces that no runqy worker reads")

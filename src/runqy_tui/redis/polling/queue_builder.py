"""Builds the queues of a snapshot from what was read: meanings of counters, and consumers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runqy_tui.model import Dialect, Queue, QueueKey, TaskState, Worker
from runqy_tui.redis import keys
from runqy_tui.redis.polling.queue_poller import QueuePoller
from runqy_tui.redis.polling.queue_state import CachedQueue, CounterKey, QueueReading
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.runtime.cooperative import batches, yield_to_loop
from runqy_tui.text.safe import decode


class Serving(NamedTuple):
    """Dialects of the workers that list a queue, and the ids of those that consume it, sorted."""

    dialects: frozenset[Dialect] = frozenset()
    consumers: tuple[str, ...] = ()


class ConsumerIndex:
    """Finds the workers of a queue by the names they list, without comparing every pair."""

    def __init__(self, queues: Iterable[QueueKey]) -> None:
        self._by_name: dict[str, list[Worker]] = defaultdict(list)
        self._asked = {name for key in queues for name in (key.name, key.name.partition(".")[0])}

    def add(self, workers: Iterable[Worker]) -> None:
        """Add workers, sorted by id."""
        asked = self._asked
        for worker in workers:
            # A worker may list thousands of names that are no queue, and there may be thousands
            # of queues that it does not list: go through the fewer.
            few: Iterable[str] = worker.queues if len(worker.queues) < len(asked) else asked
            for name in few:
                if name in asked and name in worker.queues:
                    self._by_name[name].append(worker)

    def serving(self, key: QueueKey) -> Serving:
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
    """Builds the queues of each poll; one whose inputs did not change is the same object again."""

    def __init__(self) -> None:
        self._routed_for: tuple[int, int] | None = None
        self._serving: dict[QueueKey, Serving] = {}
        self._order: list[CachedQueue] = []

    async def build(
        self, queues: QueuePoller, workers: Sequence[Worker], routes: int, today: str
    ) -> list[Queue]:
        """All queues that were ever read, sorted by name.

        ``routes`` changes with what makes workers consumers, ``today`` is the UTC day.
        """
        if self._routed_for != (routes, queues.changes):
            await self._route(queues, workers)
            self._routed_for = routes, queues.changes
        found: list[Queue] = []
        for some in batches(self._order):
            await yield_to_loop()
            found += [
                self._queue(memory, memory.reading, today)
                for memory in some
                if memory.reading is not None
            ]
        return found

    async def _route(self, queues: QueuePoller, workers: Sequence[Worker]) -> None:
        self._routed_for = None
        index = ConsumerIndex(queues.known)
        for some in batches(workers):
            await yield_to_loop()
            index.add(some)
        serving: dict[QueueKey, Serving] = {}
        for some_keys in batches(list(queues.known)):
            await yield_to_loop()
            for key in some_keys:
                now, before = index.serving(key), self._serving.get(key)
                serving[key] = before if before is not None and before == now else now
        self._serving = serving
        self._order = sorted(
            queues.known.values(), key=lambda memory: (memory.key.name, not memory.key.braced)
        )

    def _queue(self, memory: CachedQueue, reading: QueueReading, today: str) -> Queue:
        serving = self._serving[memory.key]
        built_for = serving, memory.registered, today
        if memory.queue is None or memory.built_for != built_for:
            memory.dialect = _dialect(memory, serving)
            queue = build_queue(memory, reading, serving.consumers, today)
            if memory.queue != queue:
                memory.queue = queue
            memory.built_for = built_for
        return memory.queue


def build_queue(
    memory: CachedQueue, reading: QueueReading, consumers: tuple[str, ...], today: str
) -> Queue:
    """One queue of the snapshot. Counters of another day than ``today`` are unknown."""
    counters, dialect = reading.counters, memory.dialect
    processed, failed = counters.count(CounterKey.PROCESSED), counters.count(CounterKey.FAILED)
    current = reading.day == today
    processed_today = counters.count(CounterKey.PROCESSED_TODAY) if current else None
    failed_today = counters.count(CounterKey.FAILED_TODAY) if current else None
    braced = memory.key.braced
    return Queue(
        key=memory.key,
        dialect=dialect,
        counts=reading.model_counts(),
        # Nothing pauses a list without braces: it has no such key.
        paused=counters.paused if braced else False,
        paused_at=counters.paused_at if braced else None,
        oldest_pending_since=memory.probe.since,
        oldest_estimated=memory.probe.estimated,
        processed_today=processed_today,
        failed_today=failed_today,
        succeeded_today=_succeeded(dialect, processed_today, failed_today),
        processed_total=processed,
        failed_total=failed,
        succeeded_total=_succeeded(dialect, processed, failed),
        consumers=consumers,
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
    """Successes: processed as runqy counts, and less the failed attempts as asynq counts."""
    if dialect is Dialect.RUNQY:
        return processed
    if dialect is not Dialect.ASYNQ or processed is None or failed is None:
        return None
    return processed - failed if processed >= failed else None


def warn_of_queues(queues: Iterable[Queue], warnings: Warnings) -> None:
    """Warn of tasks in lists that no worker reads, and of queues that are in no index."""
    for queue in queues:
        if queue.key.braced:
            if not queue.registered:
                warnings.add(f"Queue {queue.name} has keys but is not in asynq:queues")
        elif queue.counts.pending:
            waiting = queue.counts.pending
            tasks = "1 task waits" if waiting == 1 else f"{waiting:,} tasks wait"
            key = decode(keys.queue_prefix(queue.key) + b"pending")
            warnings.add(f"{tasks} in {key}, a list without braces that no runqy worker reads")

"""From what was read to the queues of a snapshot: meanings, consumers, ages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from runqy_tui.model import Dialect, Queue, QueueKey, TaskState, Worker
from runqy_tui.redis import keys, parse
from runqy_tui.redis.queues import QueueMemory, Reading, counter, counts_of
from runqy_tui.redis.strings import PAUSED
from runqy_tui.redis.warn import Warnings
from runqy_tui.safetext import decode

_PROCESSED, _FAILED, _PROCESSED_TODAY, _FAILED_TODAY = range(1, 5)


class Servers:
    """Who serves which queue: workers by the names they list, so that no pair is compared."""

    def __init__(self, workers: Iterable[Worker], queues: Iterable[QueueKey]) -> None:
        self._by_name: dict[str, list[Worker]] = defaultdict(list)
        asked = {name for key in queues for name in (key.name, key.name.partition(".")[0])}
        for worker in workers:
            # A worker may list thousands of names that are no queue, and there may be thousands
            # of queues that it does not list: go through the fewer.
            few: Iterable[str] = worker.queues if len(worker.queues) < len(asked) else asked
            for name in few:
                if name in asked and name in worker.queues:
                    self._by_name[name].append(worker)

    def of(self, key: QueueKey) -> list[Worker]:
        """Every worker, in whatever state, that lists the queue; sorted as they came."""
        found = {
            worker.id: worker
            for name in {key.name, key.name.partition(".")[0]}
            for worker in self._by_name.get(name, ())
            if worker.serves(key)
        }
        return list(found.values())


def queue_of(
    memory: QueueMemory, reading: Reading, servers: Servers, now: float, today: str
) -> Queue:
    """One queue of the snapshot. Counters of another day than ``today`` are unknown."""
    serving = servers.of(memory.key)
    memory.dialect = _dialect(memory, serving)
    processed, failed = counter(reading, _PROCESSED), counter(reading, _FAILED)
    current = reading.day == today
    processed_today = counter(reading, _PROCESSED_TODAY) if current else None
    failed_today = counter(reading, _FAILED_TODAY) if current else None
    # Nothing pauses a list without braces: it has no such key.
    paused = reading.strings.paused if memory.key.braced else False
    since = memory.probe.since
    return Queue(
        key=memory.key,
        dialect=memory.dialect,
        counts=counts_of(reading),
        paused=paused,
        paused_at=parse.moment(reading.strings.values[PAUSED]) if paused else None,
        oldest_pending_since=since,
        oldest_pending_age_s=None if since is None else max(0.0, now - since),
        oldest_estimated=memory.probe.estimated,
        processed_today=processed_today,
        failed_today=failed_today,
        succeeded_today=_succeeded(memory.dialect, processed_today, failed_today),
        processed_total=processed,
        failed_total=failed,
        succeeded_total=_succeeded(memory.dialect, processed, failed),
        consumers=tuple(sorted(worker.id for worker in serving if worker.state.consumes)),
        groups=reading.groups,
        registered=memory.registered,
        next_retry_at=reading.due_at.get(TaskState.RETRY),
        next_scheduled_at=reading.due_at.get(TaskState.SCHEDULED),
    )


def _dialect(memory: QueueMemory, serving: list[Worker]) -> Dialect | None:
    if not memory.key.braced:
        return Dialect.DOCUMENTED
    dialects = {worker.dialect for worker in serving}
    if len(dialects) > 1:
        return Dialect.MIXED
    return next(iter(dialects), memory.dialect)


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

"""What is remembered between polls, and what is let go."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Dialect, Queue, QueueKey, WorkerState
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers


async def only_queue(reader: RedisReader) -> Queue:
    (queue,) = (await reader.overview()).queues
    return queue


async def states(reader: RedisReader) -> dict[str, WorkerState]:
    return {worker.id: worker.state for worker in (await reader.overview()).workers}


async def test_clean_stop_stays_visible(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.worker(writer, "w:1", dialect_writers.now_of(writer), "map[a.b:1]")
    reader = await reader_of()
    assert await states(reader) == {"w:1": WorkerState.RUNNING}
    writer.zrem("asynq:workers", "w:1")
    writer.hset("asynq:workers:w:1", "status", "stopped")
    for _ in range(3):
        assert await states(reader) == {"w:1": WorkerState.STOPPED}
    writer.delete("asynq:workers:w:1")
    assert await states(reader) == {}


async def test_killed_worker_is_lost_and_keeps_what_it_said(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a.b:1]")
    dialect_writers.queue(writer, "a.b")
    reader = await reader_of()
    await reader.overview()
    writer.delete("asynq:workers:w:1")
    snapshot = await reader.overview()
    (worker,) = snapshot.workers
    assert worker.state is WorkerState.LOST
    assert worker.last_beat_at == int(now)
    assert worker.queues == {"a.b": 1}
    assert (worker.healthy, worker.status, worker.metrics) == (None, None, None)
    (queue,) = snapshot.queues
    assert queue.consumers == ()
    assert queue.dialect is Dialect.RUNQY
    writer.zrem("asynq:workers", "w:1")
    assert await states(reader) == {}
    assert (await only_queue(reader)).dialect is Dialect.RUNQY


async def test_lost_asynq_server(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.server(writer, "h:1:u", dialect_writers.now_of(writer), {"low": 2})
    reader = await reader_of()
    assert await states(reader) == {"h:1:u": WorkerState.RUNNING}
    writer.delete("asynq:servers:{h:1:u}")
    (worker,) = (await reader.overview()).workers
    assert (worker.state, worker.queues) == (WorkerState.LOST, {"low": 2})


async def test_state_follows_the_hash(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    reader = await reader_of()
    seen: list[WorkerState] = []
    for fields in (
        {"status": "bootstrapping"},
        {"status": "running"},
        {"recovery": '{"a":{"state":"recovering","consecutive_fails":1,"total_restarts":0}}'},
        {"recovery": '{"a":{"state":"degraded","consecutive_fails":2,"total_restarts":1}}'},
        {"recovery": '{"a":{"state":"idle"}}', "healthy": "0"},
        {"healthy": "1"},
        {"last_beat": str(int(now) - 40)},
        {"status": "stopped"},
    ):
        if not seen:
            dialect_writers.worker(writer, "w:1", now, "map[a:0]")
        dialect_writers.put(writer, "asynq:workers:w:1", fields)
        seen.extend((await states(reader)).values())
    assert seen == [
        WorkerState.BOOTSTRAPPING,
        WorkerState.RUNNING,
        WorkerState.RECOVERING,
        WorkerState.DEGRADED,
        WorkerState.DEGRADED,
        WorkerState.RUNNING,
        WorkerState.STALE,
        WorkerState.STOPPED,
    ]


async def test_same_hash_grows_old(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "w:1", now, "map[a.b:1]")
    moment = now
    reader = await reader_of(clock=lambda _: moment)
    assert await states(reader) == {"w:1": WorkerState.RUNNING}
    moment = int(now) + 30
    assert await states(reader) == {"w:1": WorkerState.RUNNING}
    moment = int(now) + 31
    assert await states(reader) == {"w:1": WorkerState.STALE}


async def test_queue_leaves_the_index(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.pending(writer, "a.b", "t1")
    reader = await reader_of()
    assert (await only_queue(reader)).registered
    writer.srem("asynq:queues", "a.b")
    snapshot = await reader.overview()
    assert [queue.registered for queue in snapshot.queues] == [False]
    assert snapshot.warnings == ("Queue a.b has keys but is not in asynq:queues",)
    writer.delete("asynq:{a.b}:pending")
    assert (await reader.overview()).queues == ()


async def test_oldest_while_workers_take_the_tail(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    """At 40 tasks between two polls the age must not become unknown, nor wander off."""
    now = dialect_writers.now_of(writer)
    ids = [f"t{number}" for number in range(2_000)]
    pipeline = writer.pipeline(transaction=False)
    for number, task_id in enumerate(ids):
        since = str(int((now - 2_000 + number) * 1e9))
        pipeline.hset(
            f"asynq:{{q}}:t:{task_id}", mapping={"state": "pending", "pending_since": since}
        )
        pipeline.lpush("asynq:{q}:pending", task_id)
    pipeline.sadd("asynq:queues", "q")
    pipeline.execute()
    reader = await reader_of()
    queue = await only_queue(reader)
    assert queue.oldest_pending_since == pytest.approx(now - 2_000)
    taken, estimates = 0, []
    for _ in range(12):
        for task_id in ids[taken : taken + 40]:
            writer.rpop("asynq:{q}:pending")
            writer.hset(f"asynq:{{q}}:t:{task_id}", "state", "active")
            writer.hdel(f"asynq:{{q}}:t:{task_id}", "pending_since")
        taken += 40
        queue = await only_queue(reader)
        assert queue.oldest_pending_since is not None
        assert queue.oldest_estimated
        estimates.append(queue.oldest_pending_since - (now - 2_000 + taken))
    # A bound: first what was carried on, then a task behind the tail, 256 tasks at most.
    assert all(-120 <= off <= 256 for off in estimates)
    assert all(0 <= off <= 256 for off in estimates[4:])
    for _ in range(6):  # the workers pause: the bound tightens to the very task
        queue = await only_queue(reader)
    assert queue.oldest_pending_since == pytest.approx(now - 2_000 + taken)
    assert not queue.oldest_estimated


async def test_oldest_in_a_short_quick_queue(writer: redis.Redis, reader_of: OpenReader) -> None:
    """All of it is taken between two polls: what waits now came since the last one."""
    now = dialect_writers.now_of(writer)
    reader = await reader_of()
    dialect_writers.pending(writer, "q", "first", since=now - 1)
    assert (await only_queue(reader)).oldest_pending_since == pytest.approx(now - 1)
    for number in range(5):
        last_poll = dialect_writers.now_of(writer)
        writer.delete("asynq:{q}:pending")
        dialect_writers.task(
            writer, "q", "first" if number == 0 else f"t{number - 1}", state="active"
        )
        writer.hdel("asynq:{q}:t:first", "pending_since")
        dialect_writers.pending(writer, "q", f"t{number}")
        queue = await only_queue(reader)
        assert queue.oldest_estimated
        assert queue.oldest_pending_since == pytest.approx(last_poll, abs=0.5)


async def test_oldest_is_unknown_only_where_nothing_tells(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.pending(writer, "q", "requeued")  # at a shutdown: without pending_since
    reader = await reader_of()
    for _ in range(3):
        queue = await only_queue(reader)
        assert (queue.oldest_pending_since, queue.oldest_estimated) == (None, False)
    writer.hset("asynq:{q}:t:requeued", "pending_since", int(now) - 9)  # in seconds
    queue = await only_queue(reader)
    assert queue.oldest_pending_since == int(now) - 9
    writer.delete("asynq:{q}:t:requeued")  # a dangling id
    queue = await only_queue(reader)
    assert queue.oldest_pending_since is None
    writer.delete("asynq:{q}:pending")
    queue = await only_queue(reader)
    assert (queue.counts.pending, queue.oldest_pending_since) == (0, None)


async def test_groups_come_and_go(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.queue(writer, "q")
    reader = await reader_of()
    assert (await only_queue(reader)).counts.aggregating == 0
    writer.sadd("asynq:{q}:groups", "g")
    writer.zadd("asynq:{q}:g:g", {"a": 1, "b": 2})
    await reader.overview()
    assert (await only_queue(reader)).counts.aggregating == 2
    writer.srem("asynq:{q}:groups", "g")
    writer.delete("asynq:{q}:g:g")
    queue = await only_queue(reader)
    assert (queue.counts.aggregating, queue.groups) == (0, ())
    writer.sadd("asynq:{q}:groups", "g")
    writer.zadd("asynq:{q}:g:g", {"a": 1})
    queue = await only_queue(reader)
    assert (queue.counts.aggregating, queue.groups) == (1, ("g",))


async def test_counters_turn_with_the_day(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.queue(writer, "q")
    writer.set("asynq:{q}:processed:2026-11-24", 7)
    writer.set("asynq:{q}:processed:2026-11-25", 1)
    midnight = 1795564800.0
    moment = midnight - 10
    reader = await reader_of(clock=lambda _: moment)
    assert (await only_queue(reader)).processed_today == 7
    moment = midnight + 10
    assert (await only_queue(reader)).processed_today == 1
    days = await reader.daily_counts(QueueKey("q"), 2)
    assert [(day.day, day.processed) for day in days] == [("2026-11-24", 7), ("2026-11-25", 1)]

"""After polls in which nothing changed, one thing that does is seen: no shortcut hides it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from runqy_tui.model import Queue, QueueKey, Snapshot
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.proxy import Proxy
from tests.support.servers import RealServer

NAME = "a.high"
KEY = f"asynq:{{{NAME}}}:"
QUIET = 4


def populate(writer: redis.Redis) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.pending(writer, NAME, "t1", "t2", since=now - 50)
    dialect_writers.task(writer, NAME, "r1", state="retry")
    writer.zadd(KEY + "retry", {"r1": now + 500})
    writer.zadd(KEY + "scheduled", {"s1": now + 600})
    writer.set(KEY + "processed", 7)
    dialect_writers.worker(writer, "w:1", now, f"map[{NAME}:1]")
    writer.expire("asynq:workers:w:1", 30)
    for number in range(40):
        dialect_writers.pending(writer, f"z{number}.low", "t")


def queue_of(snapshot: Snapshot) -> Queue:
    found = snapshot.queue(QueueKey(NAME))
    assert found is not None
    return found


async def quiet(reader: RedisReader) -> Queue:
    """Polls without news, after which the shortcuts are taken."""
    for _ in range(QUIET):
        snapshot = await reader.overview()
    memory = reader._overview.memory.queues[QueueKey(NAME)]
    assert memory.is_unchanged
    assert memory.built_for is not None
    assert reader._overview._workers._workers["w:1"].settled
    return queue_of(snapshot)


Change = Callable[[redis.Redis, float], Any]

CHANGES: dict[str, tuple[Change, Callable[[Queue], Any]]] = {
    "pending": (lambda w, now: w.lpush(KEY + "pending", "t3"), lambda q: q.counts.pending),
    "active": (lambda w, now: w.lpush(KEY + "active", "t3"), lambda q: q.counts.active),
    "archived": (lambda w, now: w.zadd(KEY + "archived", {"x": now}), lambda q: q.counts.archived),
    "completed": (
        lambda w, now: w.zadd(KEY + "completed", {"x": now}),
        lambda q: q.counts.completed,
    ),
    "next retry": (
        lambda w, now: w.zadd(KEY + "retry", {"r1": now + 300}),
        lambda q: q.next_retry_at,
    ),
    "next scheduled": (
        lambda w, now: w.zadd(KEY + "scheduled", {"s1": now + 300}),
        lambda q: q.next_scheduled_at,
    ),
    "when the oldest began to wait": (
        lambda w, now: w.hset(KEY + "t:t1", "pending_since", int((now - 999) * 1e9)),
        lambda q: q.oldest_pending_since,
    ),
    "paused": (lambda w, now: w.set(KEY + "paused", int(now)), lambda q: (q.paused, q.paused_at)),
    "processed": (lambda w, now: w.incr(KEY + "processed"), lambda q: q.processed_total),
    "failed": (lambda w, now: w.incr(KEY + "failed"), lambda q: q.failed_total),
    "groups": (lambda w, now: w.sadd(KEY + "groups", "g"), lambda q: q.groups),
    "registered": (lambda w, now: w.srem("asynq:queues", NAME), lambda q: q.registered),
    "consumers": (
        lambda w, now: dialect_writers.worker(w, "w:2", now, f"map[{NAME}:1]"),
        lambda q: q.consumers,
    ),
    "who consumes no more": (
        lambda w, now: w.hset("asynq:workers:w:1", "queues", "map[other:1]"),
        lambda q: q.consumers,
    ),
    "dialect": (
        lambda w, now: dialect_writers.server(w, "h:1:u", now, {NAME: 1}),
        lambda q: (q.dialect, q.succeeded_total),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_one_change_is_seen(writer: redis.Redis, reader_of: OpenReader, what: str) -> None:
    change, of = CHANGES[what]
    populate(writer)
    reader = await reader_of()
    before = of(await quiet(reader))
    change(writer, dialect_writers.now_of(writer))
    after = of(queue_of(await reader.overview()))
    assert after != before
    fresh = await reader_of()
    await fresh.overview()
    assert of(queue_of(await fresh.overview())) == after


async def test_what_does_not_change_grows_older(writer: redis.Redis, reader_of: OpenReader) -> None:
    populate(writer)
    reader = await reader_of()
    await quiet(reader)
    earlier, later = await reader.overview(), await reader.overview()
    before, after = queue_of(earlier), queue_of(later)
    ages = earlier.oldest_pending_age_s(before), later.oldest_pending_age_s(after)
    assert ages[0] is not None
    assert ages[1] is not None
    assert ages[1] > ages[0]
    assert after is before
    assert after.oldest_pending_since is not None
    assert ages[1] == pytest.approx(later.taken_at - after.oldest_pending_since)


async def test_the_kind_of_the_index_is_asked_once(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    reader = await reader_of()
    await reader.overview()
    for _ in range(3):
        await reader.overview()
        assert {"type", "members"}.isdisjoint(reader._overview.index._slots)


async def test_of_the_index_who_moved_came_or_went(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    now = dialect_writers.now_of(writer)
    for number in range(2, 30):
        dialect_writers.worker(writer, f"w:{number}", now, f"map[{NAME}:1]")
    dialect_writers.server(writer, "h:1:u", now, {NAME: 1})
    writer.zadd("asynq:workers", {"asynq:workers:{h:2:u}": now + 10})
    reader = await reader_of()
    await reader.overview()
    index = reader._overview.index
    for change in (
        {"w:3": now + 1805.0},
        {"w:4": now + 1806.0, "w:5": now + 1807.0, "new:1": now + 1800.0},
        {"asynq:workers:{h:2:u}": now + 99},
    ):
        writer.zadd("asynq:workers", change)
        await reader.overview()
        fresh = await reader_of()
        await fresh.overview()
        assert index.beats == fresh._overview.index.beats
        assert index.servers == fresh._overview.index.servers
        assert index.moved == {name for name in change if name[:1] != "a"}
        assert not index.gone
    writer.zrem("asynq:workers", "w:6")
    writer.zadd("asynq:workers", {"new:2": now + 1800.0})
    await reader.overview()
    assert (index.moved, index.gone) == ({"new:2"}, {"w:6"})


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_a_poll_that_is_cut_off_between_its_replies_leaves_nothing_behind(
    reader_of: OpenReader, share: float
) -> None:
    with RealServer() as server, server.client() as writer, Proxy(server.port) as proxy:
        populate(writer)
        now = dialect_writers.now_of(writer)
        for number in range(2, 300):
            dialect_writers.worker(
                writer, f"w:{number}", now, f"map[{NAME}:1]", metrics='{"cpu_percent":1}'
            )
            writer.expire(f"asynq:workers:w:{number}", 30)
        reader = await reader_of(proxy.url)
        await quiet(reader)
        passed = proxy.down.passed
        await reader.overview()
        size = proxy.down.passed - passed
        dialect_writers.pending(writer, NAME, "t9")
        writer.hset("asynq:workers:w:250", "healthy", 0)
        proxy.down.cut_after = int(size * share)
        with pytest.raises(ConnectionFailedError):
            await reader.overview()
        proxy.down.cut_after = None
        writer.lpop(KEY + "pending")
        dialect_writers.pending(writer, "z1.low", "t8")
        after = await reader.overview()
        fresh = await reader_of(server.url)
        await fresh.overview()
        same = await fresh.overview()
    assert [queue.counts for queue in after.queues] == [queue.counts for queue in same.queues]
    assert [one.state for one in after.workers] == [one.state for one in same.workers]
    assert after.redis.oldest_s is None

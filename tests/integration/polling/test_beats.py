"""Workers are read when they may have beaten, and nothing that a beat tells is missed."""

from __future__ import annotations

import redis

from runqy_tui.model import WorkerState
from tests.conftest import OpenReader
from tests.integration.polling.large import BUDGET, WORKERS, beat, lean_reader, worker_in
from tests.support import fleet

ONE = "host0:1"
KEY = f"asynq:workers:{ONE}"


def due(writer: redis.Redis) -> None:
    """As if its last beat were more than a beat ago."""
    writer.pexpire(KEY, 24_000)


async def test_who_has_just_beaten_is_not_read_again(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    snapshot = await reader.overview()
    assert snapshot.redis.round_trips == 1
    assert len(snapshot.workers) == WORKERS
    assert {worker.state for worker in snapshot.workers} == {WorkerState.RUNNING}
    assert all(worker.read_at is not None for worker in snapshot.workers)
    assert snapshot.redis.commands <= BUDGET + 20


async def test_who_is_due_is_read(writer: redis.Redis, reader_of: OpenReader) -> None:
    due_from_the_start = await reader_of(budget=300)
    await lean_reader(writer, reader_of)
    due(writer)
    await due_from_the_start.overview()
    writer.hset(KEY, "healthy", 0)
    worker = worker_in(await due_from_the_start.overview(), ONE)
    assert worker.read_at is None
    assert worker.state is WorkerState.DEGRADED


async def test_an_early_beat_is_seen_a_poll_later(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    beat(writer, ONE, fleet.now_of(writer) + 1, recovery='{"a":{"state":"degraded"}}')
    await reader.overview()
    assert worker_in(await reader.overview(), ONE).state is WorkerState.DEGRADED


async def test_a_late_worker_is_read_until_it_is_lost(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await reader_of(budget=300)
    await lean_reader(writer, reader_of)
    due(writer)
    await reader.overview()
    for _ in range(2):
        late = worker_in(await reader.overview(), ONE)
        assert (late.state, late.read_at) == (WorkerState.RUNNING, None)
    writer.delete(KEY)
    for _ in range(7):  # by the whole index and by parts of it
        lost = worker_in(await reader.overview(), ONE)
        assert (lost.state, lost.queues != {}) == (WorkerState.LOST, True)
    beat(writer, ONE, fleet.now_of(writer) + 1)
    await reader.overview()
    assert worker_in(await reader.overview(), ONE).state is WorkerState.RUNNING


async def test_a_clean_stop_is_seen_at_once(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await lean_reader(writer, reader_of)
    writer.zrem("asynq:workers", ONE)
    writer.hset(KEY, "status", "stopped")
    assert worker_in(await reader.overview(), ONE).state is WorkerState.STOPPED
    writer.delete(KEY)
    assert (await reader.overview()).worker(ONE) is None


async def test_one_comes_as_another_goes(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await lean_reader(writer, reader_of)
    writer.zrem("asynq:workers", ONE)
    writer.delete(KEY)
    beat(writer, "new:1", fleet.now_of(writer))
    snapshot = await reader.overview()
    assert worker_in(snapshot, "new:1").read_at is None
    assert snapshot.worker(ONE) is None


async def test_a_worker_whose_clock_is_off(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await reader_of(budget=300)
    await lean_reader(writer, reader_of)
    beat(writer, ONE, fleet.now_of(writer) - 100)
    for _ in range(3):
        snapshot = await reader.overview()
        offset = worker_in(snapshot, ONE).clock_offset_s
        assert offset is not None
        assert -102 < offset < -98
        assert any(f"Worker {ONE} renewed its hash" in said for said in snapshot.warnings)


async def test_asynq_servers_are_not_lost_between_two_whole_reads(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    fleet.server(writer, "h:1:u", fleet.now_of(writer), {"low": 2})
    writer.zadd("asynq:workers", {"asynq:workers:{h:2:u}": 1_000})
    reader = await lean_reader(writer, reader_of)
    for _ in range(7):
        snapshot = await reader.overview()
        assert worker_in(snapshot, "h:1:u").state is WorkerState.RUNNING
        assert worker_in(snapshot, "h:2:u").state is WorkerState.LOST


async def test_a_hash_of_another_type_is_told_at_every_poll(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    beat(writer, ONE, fleet.now_of(writer) + 1)
    writer.delete(KEY)
    writer.set(KEY, "text")
    await reader.overview()
    for _ in range(7):
        snapshot = await reader.overview()
        assert f"{KEY} has another type than it should: left out" in snapshot.warnings


async def test_an_index_that_turns_into_a_set(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await lean_reader(writer, reader_of)
    members = writer.zrange("asynq:workers", 0, -1)
    writer.delete("asynq:workers")
    writer.sadd("asynq:workers", *members, "old:1")
    beat(writer, "old:1", fleet.now_of(writer), index=False)
    await reader.overview()
    snapshot = await reader.overview()
    assert len(snapshot.workers) == WORKERS + 1
    assert not snapshot.warnings

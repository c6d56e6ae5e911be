"""Workers are read when they may have beaten, and nothing that a beat tells is missed."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Dialect, Worker, WorkerState
from runqy_tui.redis.polling import worker_parsing, worker_state
from runqy_tui.redis.polling.worker_state import Presence
from tests.conftest import OpenReader
from tests.integration.redis.polling.large_fleet import (
    BUDGET,
    NAMES,
    WORKERS,
    beat,
    due_now,
    lean_reader,
    populate,
    settled,
    unread,
    worker_in,
)
from tests.support import dialect_writers

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
    assert snapshot.unread_workers.keys() == {worker.id for worker in snapshot.workers}
    assert snapshot.redis.commands <= BUDGET + 20


async def test_who_is_due_is_read(writer: redis.Redis, reader_of: OpenReader) -> None:
    due_from_the_start = await reader_of(budget=300)
    await lean_reader(writer, reader_of)
    due(writer)
    await due_from_the_start.overview()
    writer.hset(KEY, "healthy", 0)
    snapshot = await due_from_the_start.overview()
    assert ONE not in snapshot.unread_workers
    assert worker_in(snapshot, ONE).state is WorkerState.DEGRADED


async def test_an_early_beat_is_seen_a_poll_later(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    beat(writer, ONE, dialect_writers.now_of(writer) + 1, recovery='{"a":{"state":"degraded"}}')
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
        snapshot = await reader.overview()
        assert worker_in(snapshot, ONE).state is WorkerState.RUNNING
        assert ONE not in snapshot.unread_workers
    writer.delete(KEY)
    for _ in range(7):  # by the whole index and by parts of it
        lost = worker_in(await reader.overview(), ONE)
        assert (lost.state, lost.queues != {}) == (WorkerState.LOST, True)
    beat(writer, ONE, dialect_writers.now_of(writer) + 1)
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
    beat(writer, "new:1", dialect_writers.now_of(writer))
    snapshot = await reader.overview()
    assert worker_in(snapshot, "new:1")
    assert "new:1" not in snapshot.unread_workers
    assert snapshot.worker(ONE) is None


async def test_a_worker_whose_clock_is_off(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await reader_of(budget=300)
    await lean_reader(writer, reader_of)
    beat(writer, ONE, dialect_writers.now_of(writer) - 100)
    for _ in range(3):
        snapshot = await reader.overview()
        offset = worker_in(snapshot, ONE).clock_offset_s
        assert offset is not None
        assert -102 < offset < -98
        assert any(f"Worker {ONE} renewed its hash" in warning for warning in snapshot.warnings)


async def test_asynq_servers_are_not_lost_between_two_whole_reads(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    dialect_writers.server(writer, "h:1:u", dialect_writers.now_of(writer), {"low": 2})
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
    beat(writer, ONE, dialect_writers.now_of(writer) + 1)
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
    beat(writer, "old:1", dialect_writers.now_of(writer), index=False)
    await reader.overview()
    snapshot = await reader.overview()
    assert len(snapshot.workers) == WORKERS + 1
    assert not snapshot.warnings


async def test_who_comes_back_is_seen_where_the_index_tells_no_beat(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    members = writer.zrange("asynq:workers", 0, -1)
    writer.delete("asynq:workers", KEY)
    writer.sadd("asynq:workers", *members)
    for _ in range(2):
        await reader.overview()
    due_now(reader)
    assert worker_in(await reader.overview(), ONE).state is WorkerState.LOST
    beat(writer, ONE, dialect_writers.now_of(writer), index=False)
    assert worker_in(await reader.overview(), ONE).state is WorkerState.RUNNING


async def test_when_all_die_at_once_each_is_seen_in_turn_and_no_queue_starves(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    due_now(reader)
    for number in range(WORKERS):
        writer.delete(f"asynq:workers:host{number}:1")
    left = set(NAMES)
    for _ in range(8):
        snapshot = await reader.overview()
        left &= unread(snapshot)
        assert snapshot.redis.commands <= BUDGET + 20
    assert {worker.state for worker in snapshot.workers} == {WorkerState.LOST}
    assert len(snapshot.workers) == WORKERS
    assert not left
    assert all(queue.consumers == () for queue in snapshot.queues)


async def test_when_all_are_late_the_longest_unread_come_first(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    for number in range(WORKERS):
        writer.persist(f"asynq:workers:host{number}:1")  # tells nothing of its beats
    reader = await reader_of(budget=BUDGET)
    await settled(reader)
    left = {f"host{number}:1" for number in range(WORKERS)}
    for _ in range(6):
        snapshot = await reader.overview()
        assert snapshot.redis.commands <= BUDGET + 20
        left &= snapshot.unread_workers.keys()
        assert len(unread(snapshot)) <= len(NAMES) - 10, "half of the budget is the queues'"
    assert not left


async def test_what_is_left_of_a_life_follows_from_the_beats(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = dialect_writers.now_of(writer)
    beat(writer, ONE, now - 3)
    writer.pexpire(KEY, 27_000)
    reader = await reader_of()
    before = writer.info("commandstats").get("cmdstat_pttl", {"calls": 0})["calls"]
    offsets = [worker_in(await reader.overview(), ONE).clock_offset_s for _ in range(4)]
    beat(writer, ONE, now)
    offsets += [worker_in(await reader.overview(), ONE).clock_offset_s for _ in range(2)]
    assert all(offset == pytest.approx(-0.5, abs=1.0) for offset in offsets)
    assert writer.info("commandstats")["cmdstat_pttl"]["calls"] - before == 1


def test_when_a_worker_has_news() -> None:
    one, now = worker_state.CachedWorker(ONE), 1_000.0
    worker = Worker(ONE, Dialect.RUNQY, WorkerState.RUNNING, last_beat_at=999.0)
    one.parsed, one.presence = worker_parsing.ParsedHash([], worker), Presence.PRESENT
    one.schedule(now, scored=True, measured=True, ttl_ms=29_000)
    assert now + 4 < one.due_at <= now + worker_state.BEAT_S
    one.schedule(now + 4, scored=True)
    assert one.due_at < now + worker_state.BEAT_S
    one.schedule(now + 9, scored=True)  # late: from now on at each poll
    assert one.due_at == now + 9
    assert one.needs_ttl(now + 9)
    one.presence = Presence.ABSENT
    one.schedule(now + 40, scored=True)
    assert one.due_at == now + 40 + worker_state.LOST_EVERY_S
    one.schedule(now + 40, scored=False)
    assert one.due_at == now + 40

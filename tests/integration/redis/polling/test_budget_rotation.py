"""What a budget leaves out of a poll, and what it never does."""

from __future__ import annotations

from contextlib import suppress

import redis

from runqy_tui.model import QueueKey
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.model.reader_protocol import PrioritizingReader
from tests.conftest import OpenReader
from tests.integration.redis.polling.large_fleet import (
    BUDGET,
    NAMES,
    QUEUES,
    beat,
    lean_reader,
    populate,
    queue_in,
    settled,
    unread,
    worker_in,
)
from tests.support import dialect_writers


async def test_every_queue_gets_its_turn(writer: redis.Redis, reader_of: OpenReader) -> None:
    reader = await lean_reader(writer, reader_of)
    left = set(NAMES)
    for _ in range(6):
        snapshot = await reader.overview()
        assert snapshot.redis.round_trips == 1
        assert snapshot.redis.commands <= BUDGET + 20
        assert len(snapshot.queues) == QUEUES
        assert snapshot.redis.oldest_s is not None
        left &= unread(snapshot)
    assert not left


async def test_an_incident_everywhere_starves_no_queue(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    quiet, last_read = NAMES[-5:], dict.fromkeys(NAMES, 0)
    for poll in range(1, 25):
        for name in NAMES[:-5]:
            writer.incr(f"asynq:{{{name}}}:failed")
        snapshot = await reader.overview()
        for name in set(NAMES) - unread(snapshot):
            last_read[name] = poll
        assert snapshot.redis.commands <= BUDGET + 20
    assert min(last_read.values()) > 24 - 8
    assert min(last_read[name] for name in quiet) > 24 - 8


async def test_queues_on_the_screen_are_read_at_every_poll(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    assert isinstance(reader, PrioritizingReader)
    seen = {QueueKey(name) for name in NAMES[10:20]}
    reader.prioritize(seen)
    for poll in range(1, 6):
        for key in seen:
            writer.lpush(f"asynq:{{{key.name}}}:pending", f"t{poll}")
        snapshot = await reader.overview()
        for key in seen:
            queue = queue_in(snapshot, key.name)
            assert queue.counts.pending == poll
            assert key not in snapshot.unread_queues


async def test_what_was_not_read_says_of_when_it_is(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    before = await reader.overview()
    name = min(unread(before))
    old = queue_in(before, name)
    assert before.unread_queues[old.key] < before.taken_at
    writer.lpush(f"asynq:{{{name}}}:pending", "t1")
    for _ in range(8):
        snapshot = await reader.overview()
        queue, read_at = queue_in(snapshot, name), snapshot.unread_queues.get(old.key)
        assert (read_at is None) == (queue.counts.pending == 1)
        if read_at is None:
            break
        assert read_at == before.unread_queues[old.key]
        assert queue is old
    assert read_at is None


async def test_a_new_queue_is_shown_whole_at_once(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    dialect_writers.pending(writer, "new.q", "t1", "t2")
    snapshot = await reader.overview()
    queue = queue_in(snapshot, "new.q")
    assert (queue.counts.pending, queue.key in snapshot.unread_queues) == (2, False)


async def test_a_warning_stays_while_its_queue_is_not_read(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    bad = [f"asynq:{{{name}}}:pending" for name in NAMES[:20]]
    for key in bad:
        writer.set(key, "text")
    reader = await lean_reader(writer, reader_of, budget=100)
    left_out = 0
    for _ in range(6):
        snapshot = await reader.overview()
        left_out += bool(unread(snapshot) & set(NAMES[:20]))
        for key in bad:
            assert f"{key} has another type than it should: left out" in snapshot.warnings
    assert left_out


async def test_consumers_are_of_this_poll_in_any_queue(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    beat(writer, "more:1", dialect_writers.now_of(writer), NAMES)
    snapshot = await reader.overview()
    assert worker_in(snapshot, "more:1").queues
    assert unread(snapshot)
    assert all("more:1" in queue.consumers for queue in snapshot.queues)


async def test_a_new_connection_reads_everything(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    assert unread(await reader.overview())
    writer.client_kill_filter(_type="normal", skipme=True)
    with suppress(ConnectionFailedError):  # by the connection that is no more
        await reader.overview()
    snapshot = await reader.overview()
    assert not unread(snapshot)
    assert not snapshot.unread_workers


async def test_an_emptied_database_is_seen_queue_by_queue(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    reader = await lean_reader(writer, reader_of)
    writer.flushall()
    dialect_writers.queue(writer, "only.one")
    for _ in range(12):
        snapshot = await reader.overview()
    assert [queue.name for queue in snapshot.queues] == ["only.one"]
    assert snapshot.workers == ()


async def test_what_fits_the_budget_is_read_whole(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    reader = await reader_of(budget=2_000)
    for _ in range(3):
        snapshot = await reader.overview()
        assert not unread(snapshot)
        assert snapshot.redis.oldest_s is None
        assert not snapshot.unread_workers


async def test_without_a_budget_everything_is_read(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    populate(writer)
    reader = await reader_of()
    assert not unread(await settled(reader))

"""A poll costs three round trips when cold and one when warm, however many queues there are."""

from __future__ import annotations

import asyncio

import pytest
import redis

from tests.conftest import OpenReader
from tests.support import dialect_writers


def populate(writer: redis.Redis, queues: int) -> float:
    now = dialect_writers.now_of(writer)
    for number in range(queues):
        dialect_writers.pending(
            writer, f"p{number % 7}.q{number}", f"a{number}", since=now - number
        )
    for number in range(queues // 10 + 1):
        listed = " ".join(f"p{queue % 7}.q{queue}:1" for queue in range(number, queues, 10))
        dialect_writers.worker(writer, f"gpu-{number}:1", now, f"map[{listed}]")
    dialect_writers.server(writer, "host:7:uuid", now, {"p0.q0": 1})
    dialect_writers.queue(writer, "with.groups")
    writer.sadd("asynq:{with.groups}:groups", "g1", "g2")
    writer.zadd("asynq:{with.groups}:g:g1", {"x": 1, "y": 2})
    writer.zadd("asynq:{with.groups}:g:g2", {"z": 3})
    return now


@pytest.mark.parametrize("queues", [1, 300])
async def test_three_when_cold_one_when_warm(
    writer: redis.Redis, reader_of: OpenReader, queues: int
) -> None:
    now = populate(writer, queues)
    reader = await reader_of()
    trips = []
    for _ in range(4):
        before = reader.link.round_trips
        snapshot = await reader.overview()
        trips.append(reader.link.round_trips - before)
        assert snapshot.redis.round_trips == trips[-1]
        assert len(snapshot.queues) == queues + 1
        assert len(snapshot.workers) == queues // 10 + 2
        assert snapshot.warnings == ()
        assert snapshot.redis.elapsed_ms > 0
    assert trips == [3, 1, 1, 1]
    for queue in snapshot.queues:
        if queue.name != "with.groups":
            number = int(queue.name.partition(".q")[2])
            assert queue.oldest_pending_since == pytest.approx(now - number)
            assert not queue.oldest_estimated
            assert queue.counts.aggregating == 0
        else:
            assert queue.counts.aggregating == 3
            assert queue.groups == ("g1", "g2")


async def test_empty_database(reader_of: OpenReader) -> None:
    reader = await reader_of()
    snapshot = await reader.overview()
    assert (snapshot.queues, snapshot.workers, snapshot.warnings) == ((), (), ())
    assert snapshot.redis.round_trips <= 3
    assert snapshot.redis.mode == "standalone"
    assert snapshot.redis.version is not None
    assert snapshot.redis.address.startswith("unix:")
    assert (await reader.overview()).redis.round_trips == 1


async def test_what_appears_in_an_index_costs_one_more_trip_once(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    now = populate(writer, 3)
    reader = await reader_of()
    await reader.overview()
    await reader.overview()
    dialect_writers.pending(writer, "new.default", "one", "two", since=now)
    dialect_writers.worker(writer, "new:1", now, "map[new.default:3]")
    snapshot = await reader.overview()
    assert snapshot.redis.round_trips == 2
    (queue,) = (queue for queue in snapshot.queues if queue.name == "new.default")
    assert queue.counts.pending == 2
    assert queue.consumers == ("new:1",)
    snapshot = await reader.overview()
    assert snapshot.redis.round_trips == 1
    (queue,) = (queue for queue in snapshot.queues if queue.name == "new.default")
    assert queue.oldest_pending_since == pytest.approx(now)


async def test_a_long_key_space_is_walked_on_while_warm(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    pipeline = writer.pipeline(transaction=False)
    for number in range(12_000):
        pipeline.set(f"other:{number}", "x")
    pipeline.execute()
    writer.lpush("asynq:plain:pending", "t1")
    reader = await reader_of()
    first = await reader.overview()
    warned = [text for text in first.warnings if text.startswith("Scanned ")]
    assert warned == [
        "Scanned 8,000 of 12,001 keys so far for lists without braces "
        "and for workers outside the index"
    ]
    for _ in range(12):
        snapshot = await reader.overview()
        assert snapshot.redis.round_trips == 1
    assert not [text for text in snapshot.warnings if text.startswith("Scanned ")]
    assert [(queue.name, queue.counts.pending) for queue in snapshot.queues] == [("plain", 1)]


async def test_snapshot_of_some_thousand_keys_sees_all(
    writer: redis.Redis, reader_of: OpenReader
) -> None:
    pipeline = writer.pipeline(transaction=False)
    for number in range(5_000):
        pipeline.set(f"other:{number}", "x")
    pipeline.execute()
    for number in range(20):
        writer.lpush(f"asynq:plain{number}:pending", "t1")
        writer.hset(f"asynq:workers:old{number}", mapping={"started": 1, "queue": "x"})
    snapshot = await (await reader_of()).overview()
    assert snapshot.redis.round_trips == 3
    assert len(snapshot.workers) == 20
    assert {queue.name for queue in snapshot.queues} == {f"plain{n}" for n in range(20)} | {"x"}
    assert not [text for text in snapshot.warnings if text.startswith("Scanned ")]


async def test_info_is_read_once_per_connection(writer: redis.Redis, reader_of: OpenReader) -> None:
    """The version once, and four sections of its health, which come again at the sixth poll."""
    reader = await reader_of()
    writer.config_resetstat()
    for _ in range(3):
        await reader.overview()
    assert writer.info("commandstats")["cmdstat_info"]["calls"] == 5
    for client in writer.client_list(_type="normal"):
        if client["name"] == "runqy-tui":
            writer.client_kill_filter(_id=client["id"])
    await asyncio.sleep(0.05)
    await reader.overview()  # notices the closed connection, and makes another
    snapshot = await reader.overview()
    assert snapshot.redis.version is not None
    assert writer.info("commandstats")["cmdstat_info"]["calls"] == 11  # one of them is this test's

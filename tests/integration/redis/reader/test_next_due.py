"""When the first retry and the first scheduled task are due, without a trip of its own."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Queue, QueueKey
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import Captures, frozen_at

DUE: dict[str, dict[str, tuple[float | None, float | None]]] = {
    "runqy-03": {
        "crashy.default": (1795483798, None),
        "flaky.default": (None, 1795478931),
    },
    "runqy-04": {"flaky.default": (None, 1795478931)},
    "runqy-07": {
        "flaky.default": (1795484107, 1795478931),
        "inference.default": (1795484107, None),
        "oneshot.default": (1795484107, None),
    },
    "asynq-01": {
        "critical": (None, 1795570323),
        "default": (1795485128, 1795491123),
        "low": (None, 1795487523),
    },
}
"""Lowest scores of ``retry`` and ``scheduled``; queues that are not named have neither."""


async def queue(reader: RedisReader, name: str = "q", trips: int = 1) -> Queue:
    snapshot = await reader.overview()
    assert snapshot.redis.round_trips == trips
    found = snapshot.queue(QueueKey(name))
    assert found is not None
    return found


def due(found: Queue) -> tuple[float | None, float | None]:
    return found.next_retry_at, found.next_scheduled_at


@pytest.mark.parametrize("name", list(DUE))
async def test_captures(captures: Captures, reader_of: OpenReader, name: str) -> None:
    reader = await reader_of(clock=frozen_at(captures.load(name)))
    for trips in (3, 1, 1):
        snapshot = await reader.overview()
        assert snapshot.redis.round_trips == trips
        assert {
            queue.name: due(queue) for queue in snapshot.queues if due(queue) != (None, None)
        } == (DUE[name])
        assert snapshot.warnings == ()


async def test_scheduled_past_due(captures: Captures, reader_of: OpenReader) -> None:
    taken_at = captures.load("runqy-07")
    reader = await reader_of(clock=frozen_at(taken_at))
    found = await queue(reader, "flaky.default", 3)
    assert found.counts.scheduled == 2
    assert found.next_scheduled_at is not None
    assert taken_at - found.next_scheduled_at == 5175


async def test_it_follows_the_sorted_set(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.queue(writer, "q")
    reader = await reader_of()
    assert due(await queue(reader, trips=2)) == (None, None)
    writer.zadd("asynq:{q}:retry", {"a": 200, "b": 100.5})
    found = await queue(reader)
    assert (found.counts.retry, due(found)) == (2, (None, None))  # read with the next poll
    assert due(await queue(reader)) == (100.5, None)
    writer.zrem("asynq:{q}:retry", "b")
    writer.zadd("asynq:{q}:scheduled", {"c": 300})
    assert due(await queue(reader)) == (200, None)
    assert due(await queue(reader)) == (200, 300)
    writer.delete("asynq:{q}:retry")
    assert due(await queue(reader)) == (None, 300)
    assert due(await queue(reader)) == (None, 300)


async def test_only_where_tasks_wait(writer: redis.Redis, reader_of: OpenReader) -> None:
    for number in range(20):
        dialect_writers.queue(writer, f"q{number}")
    writer.zadd("asynq:{q3}:retry", {"a": 1})
    writer.zadd("asynq:{q4}:scheduled", {"a": 1})
    reader = await reader_of()
    writer.config_resetstat()
    for _ in range(3):
        await reader.overview()
    assert writer.info("commandstats")["cmdstat_zrange"]["calls"] == 6


@pytest.mark.parametrize("score", ["-inf", "+inf", "1e300"])
async def test_what_is_no_moment(writer: redis.Redis, reader_of: OpenReader, score: str) -> None:
    dialect_writers.queue(writer, "q")
    writer.zadd("asynq:{q}:retry", {"a": float(score)})
    found = await queue(await reader_of(), trips=3)
    assert (found.counts.retry, found.next_retry_at) == (1, None)


async def test_wrong_type(writer: redis.Redis, reader_of: OpenReader) -> None:
    dialect_writers.queue(writer, "q")
    writer.zadd("asynq:{q}:retry", {"a": 5})
    reader = await reader_of()
    assert due(await queue(reader, trips=3)) == (5, None)
    writer.delete("asynq:{q}:retry")
    writer.set("asynq:{q}:retry", "x")
    snapshot = await reader.overview()
    (found,) = snapshot.queues
    assert (found.counts.retry, found.next_retry_at) == (None, None)
    assert snapshot.warnings == ("asynq:{q}:retry has another type than it should: left out",)


async def test_where_the_acl_forbids_it(
    writer: redis.Redis, reader_of: OpenReader, bare_url: str
) -> None:
    dialect_writers.queue(writer, "q")
    writer.zadd("asynq:{q}:retry", {"a": 5})
    dialect_writers.allow(
        writer,
        "mon",
        "on nopass %R~asynq:* +@read +@connection -@dangerous +info +time -zrange",
    )
    reader = await reader_of(bare_url.replace("unix://", "unix://mon:x@"))
    for _ in range(2):
        snapshot = await reader.overview()
        (found,) = snapshot.queues
        assert (found.counts.retry, found.next_retry_at) == (1, None)
        (warning,) = snapshot.warnings
        assert warning.startswith("Redis does not let this user run ZRANGE (NOPERM)")
    dialect_writers.forbid(writer, "mon")

"""Names of any bytes, keys of the wrong type, fields of the wrong shape: shown, never raised."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Counts, QueueKey, TaskState, WorkerState
from runqy_tui.redis.reader import RedisReader
from runqy_tui.text.safe import decode
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import frozen_at

HOSTILE = (
    b"plain",
    b"with space",
    b"{braces}",
    b"a}:pending:{b",
    b"colon:colon",
    b"\x1b]52;c;eA==\x07",
    b"\xff\xfe\x80 no utf-8",
    "日本語 \u202e rtl".encode(),
    b"new\nline\r\n",
    b"[@click=app.quit]x[/x]",
    b"x" * 5_000,
    b"*?[a-z]",
    b"",
)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
async def test_names_survive_untouched(
    writer: redis.Redis, reader_of: OpenReader, name: bytes
) -> None:
    key = b"asynq:{" + name + b"}:"
    writer.sadd("asynq:queues", name)
    writer.lpush(key + b"pending", name)
    writer.hset(
        key + b"t:" + name,
        mapping={
            "state": "pending",
            "pending_since": "1795484100",
            "msg": dialect_writers.message(type=name, id=name, queue="q", payload=name),
        },
    )
    writer.zadd("asynq:workers", {name: 1795485612})
    reader = await reader_of(clock=frozen_at(1795484106))
    for _ in range(2):
        snapshot = await reader.overview()
        (queue,) = snapshot.queues
        (worker,) = snapshot.workers
        assert queue.name == worker.id == decode(name)
        assert queue.counts.pending == 1
        assert queue.oldest_pending_since == 1795484100
    page = await reader.page(queue.key, TaskState.PENDING)
    (row,) = page.rows
    assert (row.id, row.type) == (decode(name), decode(name) or None)
    task = await reader.task(row.id)
    assert task is not None
    assert task.queue == queue.key
    assert task.payload is not None
    assert task.payload.data == name
    assert await reader.task(row.id, queue.key) == task


QUEUE_KEYS = ("pending", "active", "scheduled", "retry", "archived", "completed", "groups")


@pytest.mark.parametrize("suffix", QUEUE_KEYS)
async def test_wrong_type_costs_that_count_alone(
    writer: redis.Redis, reader_of: OpenReader, suffix: str
) -> None:
    dialect_writers.queue(writer, "q")
    dialect_writers.pending(writer, "other", "t1")
    writer.set(f"asynq:{{q}}:{suffix}", "a string")
    reader = await reader_of()
    for _ in range(2):
        snapshot = await reader.overview()
        other, queue = snapshot.queues
        assert snapshot.warnings == (
            f"asynq:{{q}}:{suffix} has another type than it should: left out",
        )
        name = "aggregating" if suffix == "groups" else suffix
        zeros = {state.value: 0 for state in TaskState}
        assert queue.counts == Counts(**zeros | {name: None})
        assert other.counts.pending == 1
    for state in TaskState:
        page = await reader.page(QueueKey("q"), state)
        assert (page.total, page.rows) == (0, ())


@pytest.mark.parametrize("suffix", ["paused", "processed", "failed"])
async def test_wrong_type_of_a_string(
    writer: redis.Redis, reader_of: OpenReader, suffix: str
) -> None:
    dialect_writers.queue(writer, "q")
    writer.set("asynq:{q}:processed", 5)
    writer.delete(f"asynq:{{q}}:{suffix}")
    writer.lpush(f"asynq:{{q}}:{suffix}", "x")
    (queue,) = (await (await reader_of()).overview()).queues
    assert queue.counts == Counts(0, 0, 0, 0, 0, 0, 0)
    assert queue.paused is (None if suffix == "paused" else False)


@pytest.mark.parametrize("value", [b"", b"x", b"1e9", b"9" * 5_000, b"\xff"])
async def test_counters_that_are_no_numbers(
    writer: redis.Redis, reader_of: OpenReader, value: bytes
) -> None:
    dialect_writers.queue(writer, "q")
    for suffix in ("processed", "failed", "paused"):
        writer.set(f"asynq:{{q}}:{suffix}", value)
    (queue,) = (await (await reader_of()).overview()).queues
    assert (queue.processed_total, queue.failed_total) == (None, None)
    assert queue.paused


@pytest.mark.parametrize("key", ["asynq:queues", "asynq:workers", "asynq:servers"])
async def test_wrong_type_of_an_index(writer: redis.Redis, reader_of: OpenReader, key: str) -> None:
    dialect_writers.pending(writer, "q", "t1")
    writer.delete(key)
    writer.set(key, "a string")
    reader = await reader_of()
    for _ in range(2):
        snapshot = await reader.overview()
        assert f"{key} has another type than it should: left out" in snapshot.warnings
        assert [queue.name for queue in snapshot.queues] == ["q"]


async def test_wrong_type_of_a_worker(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(writer, "good:1", now, "map[q:1]")
    writer.set("asynq:workers:bad:2", "a string")
    writer.zadd("asynq:workers", {"bad:2": now + 1800})
    dialect_writers.server(writer, "h:3:u", now, {"q": 1})
    writer.delete("asynq:servers:{h:3:u}")
    writer.lpush("asynq:servers:{h:3:u}", "x")
    snapshot = await (await reader_of()).overview()
    assert [worker.id for worker in snapshot.workers] == ["good:1"]
    assert set(snapshot.warnings) == {
        "asynq:workers:bad:2 has another type than it should: left out",
        "asynq:servers:{h:3:u} has another type than it should: left out",
    }


async def test_worker_fields_of_the_wrong_shape(writer: redis.Redis, reader_of: OpenReader) -> None:
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(
        writer,
        "w:1",
        now,
        "map[a.b:1 broken",
        concurrency="many",
        healthy="perhaps",
        metrics="{not json",
        recovery='{"a": 3, "b": {"state": "idle"}}',
        protected="x",
        started_at="yesterday",
    )
    dialect_writers.worker(
        writer, "w:2", now, "map[]", metrics='{"cpu_percent": NaN, "gpus": "none"}'
    )
    snapshot = await (await reader_of()).overview()
    first, second = snapshot.workers
    assert first.state is WorkerState.RUNNING
    assert (first.concurrency, first.healthy, first.metrics) == (None, None, None)
    assert list(first.recovery) == ["b"]
    assert first.problems == (
        "healthy",
        "started",
        "concurrency",
        "recovery",
        "metrics",
        "protected",
    )
    assert second.metrics is not None
    assert (second.metrics.cpu_percent, second.metrics.gpus) == (None, ())
    assert second.problems == ()
    assert snapshot.warnings == (
        "Worker w:1 has fields that cannot be read: "
        "healthy, started, concurrency, recovery, metrics, protected",
    )


@pytest.mark.parametrize(
    "msg",
    [
        b"",
        b"\x00",
        b"garbage, not protobuf",
        b"\xff" * 40,
        dialect_writers.message(type="t", id="x", payload=b"p" * 300)[:60],
    ],
    ids=["empty", "zero", "text", "ones", "truncated"],
)
async def test_undecodable_message_is_listed_with_its_bytes(
    writer: redis.Redis, reader: RedisReader, msg: bytes
) -> None:
    dialect_writers.queue(writer, "q")
    dialect_writers.task(writer, "q", "x", msg=msg, state="retry", retried="2")
    writer.zadd("asynq:{q}:retry", {"x": 1795484107})
    page = await reader.page(QueueKey("q"), TaskState.RETRY)
    (row,) = page.rows
    assert (row.decodable, row.missing, row.type) == (False, False, None)
    assert (row.retried, row.max_retry, row.when) == (2, None, 1795484107)
    task = await reader.task("x")
    assert task is not None
    assert (task.decodable, task.state, task.retried) == (False, TaskState.RETRY, 2)
    assert (task.type, task.payload, task.max_retry) == (None, None, None)
    assert task.raw_fields["msg"].data == msg
    assert task.next_run_at == 1795484107


async def test_task_key_of_the_wrong_type(writer: redis.Redis, reader: RedisReader) -> None:
    dialect_writers.queue(writer, "q")
    writer.lpush("asynq:{q}:pending", "x")
    writer.set("asynq:{q}:t:x", "a string")
    writer.set("asynq:t:x", "a string")
    (row,) = (await reader.page(QueueKey("q"), TaskState.PENDING)).rows
    assert row.missing
    task = await reader.task("x")
    assert task is not None
    assert (task.state, task.decodable, dict(task.raw_fields)) == (None, False, {})
    assert task.notes
    assert task.notes[0].startswith("asynq:{q}:t:x is no hash: WRONGTYPE")
    snapshot = await reader.overview()
    assert snapshot.queues[0].oldest_pending_since is None


async def test_many_bad_keys_do_not_flood(writer: redis.Redis, reader_of: OpenReader) -> None:
    for number in range(100):
        dialect_writers.queue(writer, f"q{number}")
        writer.set(f"asynq:{{q{number}}}:retry", "x")
    snapshot = await (await reader_of()).overview()
    assert len(snapshot.queues) == 100
    assert len(snapshot.warnings) == 41
    assert snapshot.warnings[-1] == "and 60 more warnings"

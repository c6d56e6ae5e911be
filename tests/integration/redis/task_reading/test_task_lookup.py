"""A task by its id: through the reverse index, through every queue, or gone."""

from __future__ import annotations

import pytest
import redis

from runqy_tui.model import Blob, Dialect, QueueKey, TaskState
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import frozen_at


async def test_by_reverse_index_even_outside_the_queue_index(
    writer: redis.Redis, reader: RedisReader
) -> None:
    dialect_writers.task(writer, "hidden", "t", state="pending")
    writer.hset("asynq:t:t", "queue", "hidden")
    task = await reader.task("t")
    assert task is not None
    assert (task.queue, task.dialect) == (QueueKey("hidden"), Dialect.RUNQY)


async def test_by_asking_every_queue_in_one_trip(writer: redis.Redis, reader: RedisReader) -> None:
    for number in range(200):
        dialect_writers.queue(writer, f"q{number}")
    dialect_writers.task(writer, "q137", "t", state="completed")
    for _ in range(2):
        before = reader.link.round_trips
        task = await reader.task("t")
        assert task is not None
        assert task.queue == QueueKey("q137")
        assert reader.link.round_trips - before <= 4
        await reader.overview()


async def test_wrong_reverse_index_does_not_mislead(
    writer: redis.Redis, reader: RedisReader
) -> None:
    dialect_writers.queue(writer, "right")
    dialect_writers.task(writer, "right", "t", state="active")
    writer.hset("asynq:t:t", "queue", "wrong")
    task = await reader.task("t")
    assert task is not None
    assert (task.queue, task.gone) == (QueueKey("right"), False)


async def test_several_holders_are_named(writer: redis.Redis, reader: RedisReader) -> None:
    for number in range(9):
        dialect_writers.queue(writer, f"q{number}")
        dialect_writers.task(writer, f"q{number}", "t")
    task = await reader.task("t")
    assert task is not None
    assert task.queue == QueueKey("q0")
    assert task.notes == ("Other queues hold this id too: q1, q2, q3, q4, q5 and 3 more",)


async def test_gone(writer: redis.Redis, reader: RedisReader) -> None:
    writer.hset("asynq:t:t", "queue", "q")
    task = await reader.task("t")
    assert task is not None
    assert (task.gone, task.state, task.queue) == (True, None, QueueKey("q"))
    assert await reader.task("t", QueueKey("other")) is None
    assert await reader.task("t", QueueKey("q", braced=False)) is None
    assert await reader.task("unknown") is None
    assert await reader.task("unknown", QueueKey("q")) is None


async def test_documented_task(writer: redis.Redis, reader_of: OpenReader) -> None:
    writer.hset(
        "asynq:t:t",
        mapping={
            "type": "img",
            "payload": b'{"a":1}\xff',
            "retry": 1,
            "max_retry": 7,
            "retried": 2,
            "queue": "plain",
            "timeout": 60,
            "deadline": 1795485000,
        },
    )
    writer.set("asynq:result:t", b"the result")
    reader = await reader_of(clock=frozen_at(1795484106))
    task = await reader.task("t")
    assert task is not None
    assert task.queue == QueueKey("plain", braced=False)
    assert (task.dialect, task.state, task.decodable) == (Dialect.DOCUMENTED, None, True)
    assert (task.type, task.payload) == ("img", Blob(b'{"a":1}\xff', 8))
    assert task.result == Blob(b"the result", 10)
    assert (task.retried, task.max_retry) == (2, 7)
    assert (task.timeout_s, task.deadline) == (60, 1795485000)
    assert task.orphaned is None
    assert await reader.task("t", QueueKey("plain", braced=False)) == task
    assert await reader.task("t", QueueKey("plain")) == task
    assert await reader.task("t", QueueKey("other")) is None


async def test_larger_retry_count_wins(writer: redis.Redis, reader: RedisReader) -> None:
    msg = dialect_writers.message(type="t", id="t", retry=5, retried=2)
    for task_id, written, expected in (("a", "4", 4), ("b", "1", 2), ("c", "junk", 2)):
        dialect_writers.task(writer, "q", task_id, msg=msg, retried=written)
        task = await reader.task(task_id, QueueKey("q"))
        assert task is not None
        assert (task.retried, task.max_retry) == (expected, 5)


async def test_last_occurrence_of_a_field_wins(writer: redis.Redis, reader: RedisReader) -> None:
    msg = dialect_writers.message(type="t", id="t", completed_at=100)
    msg += dialect_writers.message(completed_at=1795484001)
    dialect_writers.task(writer, "q", "t", msg=msg, state="completed")
    task = await reader.task("t", QueueKey("q"))
    assert task is not None
    assert task.completed_at == 1795484001


@pytest.mark.parametrize(
    ("state", "lease", "orphaned"),
    [
        ("active", None, True),
        ("active", -31, True),
        ("active", -29, False),
        ("active", 60, False),
        ("pending", None, False),
        ("whatever", None, False),
    ],
)
async def test_orphans(
    writer: redis.Redis,
    reader_of: OpenReader,
    state: str,
    lease: int | None,
    orphaned: bool,
) -> None:
    now = 1795484106
    dialect_writers.task(writer, "q", "t", state=state)
    if lease is not None:
        writer.zadd("asynq:{q}:lease", {"t": now + lease})
    reader = await reader_of(clock=frozen_at(now))
    task = await reader.task("t", QueueKey("q"))
    assert task is not None
    assert task.orphaned is orphaned
    assert task.state is (TaskState(state) if state != "whatever" else None)
    assert task.lease_expires_at == (None if lease is None else now + lease)


async def test_ttl_empty_and_unknown_fields(writer: redis.Redis, reader: RedisReader) -> None:
    dialect_writers.task(writer, "q", "t", state="pending", result="", mystery="42", other=b"\xff")
    writer.expire("asynq:{q}:t:t", 100)
    task = await reader.task("t", QueueKey("q"))
    assert task is not None
    assert task.ttl_s == pytest.approx(100, abs=2)
    assert task.result == Blob(b"", 0)
    assert set(task.raw_fields) == {"msg", "state", "result", "mystery", "other"}
    assert task.raw_fields["other"] == Blob(b"\xff", 1)


async def test_hash_with_very_many_fields(writer: redis.Redis, reader: RedisReader) -> None:
    dialect_writers.task(writer, "q", "t", **{f"f{number}": "x" for number in range(300)})
    task = await reader.task("t", QueueKey("q"))
    assert task is not None
    assert set(task.raw_fields) == {"msg"}
    assert task.notes == ("The hash has 301 fields: only known ones are shown",)

"""Error groups of real recordings, and of more failures than anybody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from runqy_tui.diagnosis.signatures import ErrorSurvey, collect
from runqy_tui.model import QueueKey, TaskPage, TaskState
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers
from tests.support.captures import Captures, frozen_at

Row = tuple[str, str | None, int, dict[str, int]]


async def surveyed(captures: Captures, reader_of: OpenReader, name: str) -> ErrorSurvey:
    reader = await reader_of(clock=frozen_at(captures.load(name)))
    return await collect(reader, await reader.overview())


def rows_of(survey: ErrorSurvey) -> list[Row]:
    return [
        (
            group.headline,
            group.signature.frame,
            group.count,
            {key.name: count for key, count in group.queues},
        )
        for group in survey.groups
    ]


async def test_the_busy_runqy_capture(captures: Captures, reader_of: OpenReader) -> None:
    survey = await surveyed(captures, reader_of, "runqy-07")
    assert sorted(rows_of(survey)[:4]) == sorted(
        [
            ("upstream 503", None, 4, {"flaky.default": 4}),
            (
                "RuntimeError: oneshot failed",
                "oneshot/main.py:7 in handle",
                2,
                {"oneshot.default": 2},
            ),
            (
                "ValueError: bad input: prompt too long (4097 > 4096 tokens)",
                "inference/main.py:26 in handle",
                2,
                {"inference.default": 2},
            ),
            ("rate limited: HTTP 429, retry after 30s", None, 2, {"inference.default": 2}),
        ]
    )
    assert sorted(rows_of(survey)[4:]) == sorted(
        [
            ("400 invalid model name", None, 1, {"flaky.default": 1}),
            ("ValueError: boom", "inference/main.py:26 in handle", 1, {"inference.default": 1}),
            (
                "AttributeError: 'NoneType' object has no attribute 'get'",
                "inference/main.py:19 in handle",
                1,
                {"inference.default": 1},
            ),
        ]
    )
    first = survey.groups[0]
    assert (first.first_at, first.last_at) == (1795478928, 1795479282)
    assert first.share == 4 / 13
    assert (survey.sample, survey.total, survey.sampled) == (17, 17, False)
    assert (survey.untold, survey.gone, survey.left_out) == (4, 0, ())
    assert survey.unstored == ((QueueKey("nostore.default"), 3),)


async def test_the_asynq_capture(captures: Captures, reader_of: OpenReader) -> None:
    survey = await surveyed(captures, reader_of, "asynq-01")
    first, *others = rows_of(survey)
    assert first == ("resize failed: connection refused", "worker.go:42", 4, {"default": 4})
    assert sorted(others) == [
        ('handler not found for task "no:handler"', None, 1, {"default": 1}),
        ("unsupported codec", None, 1, {"critical": 1}),
    ]
    group = survey.groups[0]
    # Three of the four wait for a retry: their times are those of the failure, not of the next try.
    assert (group.first_at, group.last_at) == (1795483924, 1795483928)
    assert {task.state for task in group.tasks} == {TaskState.ARCHIVED, TaskState.RETRY}
    assert (survey.sample, survey.total, survey.untold, survey.unstored) == (6, 6, 0, ())


def fail(
    writer: redis.Redis,
    queue: str,
    count: int,
    error: Callable[[int], str],
    state: str = "archived",
) -> None:
    dialect_writers.queue(writer, queue)
    pipe = writer.pipeline()
    for number in range(count):
        name = f"{state}-{number}"
        fields: dict[Any, Any] = {
            "msg": dialect_writers.message(type="t", id=name),
            "error_msg": error(number),
        }
        fields["last_failed_at"] = number + 1
        pipe.hset(f"asynq:{{{queue}}}:t:{name}", mapping=fields)
        pipe.zadd(f"asynq:{{{queue}}}:{state}", {name: 4_000_000_000 + number})
    pipe.execute()


async def test_a_sample_is_bounded_takes_the_newest_and_says_so(
    writer: redis.Redis, reader: RedisReader
) -> None:
    fail(writer, "a.big", 900, lambda number: f"old {number}" if number < 700 else f"new {number}")
    fail(writer, "a.big", 30, lambda number: f"retried {number}", "retry")
    fail(writer, "b.small", 5, lambda number: f"new {number}")
    survey = await collect(reader, await reader.overview(), per_queue=200)
    assert (survey.sample, survey.total, survey.sampled) == (205, 935, True)
    counts = {group.signature.title: group.count for group in survey.groups}
    assert counts == {"new <n>": 175, "retried <n>": 30}
    (new, retried) = survey.groups
    assert (new.total, new.sampled) == (935, True)
    assert (retried.total, retried.sampled) == (930, True)
    assert new.example.task_id == "archived-899"
    assert new.queues == ((QueueKey("a.big"), 170), (QueueKey("b.small"), 5))


async def test_only_the_queues_with_most_failures_are_read(
    writer: redis.Redis, reader: RedisReader
) -> None:
    for number in range(6):
        fail(writer, f"q.{number}", number, lambda number: "x")
    survey = await collect(reader, await reader.overview(), most_queues=2)
    assert (survey.sample, survey.total) == (9, 15)
    assert set(survey.left_out) == {QueueKey("q.1"), QueueKey("q.2"), QueueKey("q.3")}


async def test_rows_without_a_text_and_without_data_are_counted_apart(
    writer: redis.Redis, reader: RedisReader
) -> None:
    fail(writer, "a.b", 3, lambda number: "x")
    writer.hdel("asynq:{a.b}:t:archived-0", "error_msg")
    writer.delete("asynq:{a.b}:t:archived-1")
    survey = await collect(reader, await reader.overview())
    assert (survey.sample, survey.untold, survey.gone) == (3, 1, 1)
    assert [(group.count, group.share) for group in survey.groups] == [(1, 1.0)]


class Slow(RedisReader):
    """The real reader, with a count of how many pages are under way."""

    def __init__(self, inner: RedisReader) -> None:
        self.inner = inner
        self.now = self.most = 0

    async def page(self, queue: QueueKey, state: TaskState, **how: int | bool) -> TaskPage:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.01)
            return await self.inner.page(queue, state, **how)  # type: ignore[arg-type]
        finally:
            self.now -= 1


async def test_four_pages_at_a_time(writer: redis.Redis, reader: RedisReader) -> None:
    for number in range(12):
        fail(writer, f"q.{number}", 1, lambda number: "x")
    slow = Slow(reader)
    survey = await collect(slow, await reader.overview())
    assert (survey.sample, slow.most, slow.now) == (12, 4, 0)


async def test_a_queue_that_may_not_be_read_is_left_out(
    writer: redis.Redis, bare_url: str, reader_of: OpenReader
) -> None:
    fail(writer, "a.b", 2, lambda number: "x")
    fail(writer, "c.d", 2, lambda number: "x")
    snapshot = await (await reader_of()).overview()
    dialect_writers.allow(writer, "part", "on >secret %R~asynq:{a.b}:* +@read +@connection +info")
    try:
        reader = await reader_of(bare_url.replace("unix://", "unix://part:secret@"))
        survey = await collect(reader, snapshot)
    finally:
        dialect_writers.forbid(writer, "part")
    assert (survey.sample, survey.left_out) == (2, (QueueKey("c.d"),))


async def test_a_lost_connection_is_the_readers_own_error(
    writer: redis.Redis, reader: RedisReader, reader_of: OpenReader
) -> None:
    fail(writer, "a.b", 2, lambda number: "x")
    snapshot = await reader.overview()
    gone = await reader_of("unix:///nowhere/redis.sock")
    with pytest.raises(ConnectionFailedError):
        await collect(gone, snapshot)

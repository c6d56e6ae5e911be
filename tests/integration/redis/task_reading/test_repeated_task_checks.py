"""A close look at tasks that were looked at a moment ago."""

from __future__ import annotations

from time import monotonic, time

import pytest
import redis

from runqy_tui.model import CheckedTask, CheckWindow, QueueKey, TaskState
from runqy_tui.redis.checkup.deployment_facts import CountingLink
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.task_reading import task_checks, ttl_cache
from tests.support import dialect_writers

Q = QueueKey("q")
ACTIVE = CheckWindow(Q, TaskState.ACTIVE, 0, 100)
PENDING = CheckWindow(Q, TaskState.PENDING, 0, 100)
LEASED = 2_000_000_000
LISTS = 1 + 2 * 2
"""Commands for the ids of two windows."""


@pytest.fixture
def metered(reader: RedisReader) -> CountingLink:
    """The reader's way to Redis, counted."""
    reader.link = reader._context.link = CountingLink(reader.link)
    return reader.link


def fill(writer: redis.Redis, *ids: str, lease: float = LEASED) -> None:
    for task_id in ids:
        dialect_writers.task(
            writer, "q", task_id, state="active", msg=dialect_writers.message(type="t", timeout=60)
        )
        writer.lpush("asynq:{q}:active", task_id)
        writer.zadd("asynq:{q}:lease", {task_id: lease})


async def tasks_of(reader: RedisReader, window: CheckWindow = ACTIVE) -> dict[str, CheckedTask]:
    (found,) = await reader.check_tasks([window])
    assert found.total == len(found.tasks)
    return {task.id: task for task in found.tasks}


def pass_by(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(ttl_cache, "monotonic", lambda: monotonic() + seconds)


async def test_what_was_in_order_is_not_asked_again(
    writer: redis.Redis, reader: RedisReader, metered: CountingLink
) -> None:
    fill(writer, *(f"a{number}" for number in range(20)))
    dialect_writers.pending(writer, "q", *(f"p{number}" for number in range(20)))
    first = await reader.check_tasks([ACTIVE, PENDING])
    metered.commands = 0
    trips = metered.round_trips
    second = await reader.check_tasks([ACTIVE, PENDING])
    assert [one.tasks for one in second] == [one.tasks for one in first]
    assert [len(one.tasks) for one in second] == [20, 20]
    assert (metered.commands, metered.round_trips - trips) == (LISTS, 1)


async def test_who_comes_and_who_goes_is_seen_at_once(
    writer: redis.Redis, reader: RedisReader, metered: CountingLink
) -> None:
    fill(writer, "stays", "goes")
    await tasks_of(reader)
    writer.lrem("asynq:{q}:active", 1, "goes")
    fill(writer, "comes")
    writer.lpush("asynq:{q}:active", "dangling")
    metered.commands = 0
    seen = await tasks_of(reader)
    assert list(seen) == ["stays", "comes", "dangling"]
    assert seen["comes"] == CheckedTask(
        "comes", state=TaskState.ACTIVE, lease_expires_at=LEASED, timeout_s=60
    )
    assert seen["dangling"].missing
    assert metered.commands == 3 + 2 * 4 + 1 + 1  # ids; two looks and the ids again; a message


async def test_what_is_wrong_is_read_every_time(writer: redis.Redis, reader: RedisReader) -> None:
    """Each of these is put right, and that is seen at the next look."""
    fill(writer, "expired", lease=5)
    fill(writer, "orphan", "odd", "wrong type")
    writer.zrem("asynq:{q}:lease", "orphan")
    writer.hset("asynq:{q}:t:odd", "state", "completed")
    writer.delete("asynq:{q}:t:wrong type")
    writer.set("asynq:{q}:t:wrong type", "x")
    writer.lpush("asynq:{q}:active", "dangling")
    before = await tasks_of(reader)
    writer.delete("asynq:{q}:t:wrong type")
    for task_id in ("expired", "orphan", "odd", "wrong type", "dangling"):
        writer.hset(f"asynq:{{q}}:t:{task_id}", "state", "active")
        writer.zadd("asynq:{q}:lease", {task_id: LEASED})
    after = await tasks_of(reader)
    assert before.keys() == after.keys()
    for task_id, task in after.items():
        assert task != before[task_id]
        assert (task.missing, task.state, task.lease_expires_at) == (
            False,
            TaskState.ACTIVE,
            LEASED,
        )


async def test_a_lease_that_has_run_out_since(writer: redis.Redis, reader: RedisReader) -> None:
    fill(writer, "t", lease=time() + 0.2)
    ends = (await tasks_of(reader))["t"].lease_expires_at
    while ends is not None and time() < ends:
        assert (await tasks_of(reader))["t"].lease_expires_at == ends
    writer.zadd("asynq:{q}:lease", {"t": LEASED})
    assert (await tasks_of(reader))["t"].lease_expires_at == LEASED


async def test_the_other_list_is_another_matter(writer: redis.Redis, reader: RedisReader) -> None:
    fill(writer, "t")
    await tasks_of(reader)
    writer.lmove("asynq:{q}:active", "asynq:{q}:pending")
    writer.hset("asynq:{q}:t:t", mapping={"state": "pending", "pending_since": "1795484100"})
    seen = await tasks_of(reader, PENDING)
    assert (seen["t"].state, seen["t"].pending_since) == (TaskState.PENDING, 1795484100)


async def test_ten_seconds_later(
    writer: redis.Redis, reader: RedisReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(writer, "t")
    await tasks_of(reader)
    writer.delete("asynq:{q}:t:t")
    pass_by(monkeypatch, task_checks.KEEP_S - 1)
    assert not (await tasks_of(reader))["t"].missing
    pass_by(monkeypatch, task_checks.KEEP_S)
    assert (await tasks_of(reader))["t"].missing


async def test_no_more_than_so_many_are_kept(
    writer: redis.Redis, reader: RedisReader, metered: CountingLink
) -> None:
    reader._checked_tasks.most = 2
    fill(writer, "a", "b", "c")
    await tasks_of(reader)
    metered.commands = 0
    await tasks_of(reader)
    assert metered.commands == 3 + 4 + 1 + 1  # ids; the oldest of three and the ids; a message
